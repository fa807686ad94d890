package transformer

import (
	"slices"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// workspace is the memory of a pass, which one layer after the other uses.
type workspace struct {
	taken []*tensor.Tensor
	free  map[int][]*tensor.Tensor // by length
}

// take returns a tensor of that shape, whatever is in it, until release.
func (w *workspace) take(shape ...int) *tensor.Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	var x *tensor.Tensor
	if l := w.free[n]; len(l) > 0 {
		x, w.free[n] = l[len(l)-1].Reshape(shape...), l[:len(l)-1]
	} else {
		x = tensor.New(shape...)
	}
	w.taken = append(w.taken, x)
	return x
}

// zeros returns a tensor of zeros until release.
func (w *workspace) zeros(shape ...int) *tensor.Tensor {
	x := w.take(shape...)
	x.Zero()
	return x
}

// give hands over a tensor that was taken, which release then leaves alone.
func (w *workspace) give(x *tensor.Tensor) {
	w.taken = slices.DeleteFunc(w.taken, func(y *tensor.Tensor) bool { return &y.Data[0] == &x.Data[0] })
}

// release takes back all that was taken.
func (w *workspace) release() {
	for _, x := range w.taken {
		w.free[x.Len()] = append(w.free[x.Len()], x)
	}
	w.taken = w.taken[:0]
}

// kept is an activation to keep: itself where the pass does not change it any
// more, else a copy.
func (p *pass) kept(at Point, x *tensor.Tensor) *tensor.Tensor {
	switch at {
	case HookResidPre, HookResidMid, HookResidPost, HookEmbed, HookMLPPre:
		return p.copyOf(tensor.New(x.Shape()...), x)
	}
	p.memory.give(x)
	return x
}

// copyOf copies x to dst, which it returns.
func (p *pass) copyOf(dst, x *tensor.Tensor) *tensor.Tensor {
	tensor.Parallel(x.Len(), p.threads, func(lo, hi int) { copy(dst.Data[lo:hi], x.Data[lo:hi]) })
	return dst
}
