package patch

import (
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// joint are the heads of a layer with a norm behind attention, as the receivers of
// a group hear them: what a receiver reads of them is one function of their sum.
type joint struct {
	layer, first int           // first is the number of its first head among the senders
	gates        tensor.Matrix // of edges from its heads [receivers,H]
}

// joints are those of all layers that a group hears.
type joints []joint

// has reports whether a sender is a head of one of them.
func (all joints) has(sender int) bool {
	for _, j := range all {
		if sender >= j.first && sender < j.first+j.gates.Cols {
			return true
		}
	}
	return false
}

// takeJoint takes the gates of heads that are heard jointly out of those of a
// group's edges [receivers,senders], where it leaves zeros.
func (x *Gated) takeJoint(gates tensor.Matrix) (out joints) {
	c, g := x.b.Runs.Model().Config, x.b.Runs.Graph()
	if !c.PostNorm {
		return nil
	}
	for l := range c.Layers {
		first := g.SenderIndex(circuit.Node{Kind: circuit.Head, Layer: l})
		if first >= gates.Cols {
			break
		}
		own := tensor.New(gates.Rows, c.Heads).Matrix()
		for i := range gates.Rows {
			from := gates.Row(i)[first : first+c.Heads]
			copy(own.Row(i), from)
			clear(from)
		}
		out = append(out, joint{l, first, own})
	}
	return out
}

// jointRows is how many rows of n are taken at a time.
const jointRows = 4

// inRows runs f on blocks of the n rows, with a thread's memory.
func (x *Gated) inRows(f func(own *block, i, lo, hi int)) {
	n, threads := x.b.Batch.Rows(), len(x.blocks)
	count := (n + jointRows - 1) / jointRows
	tensor.Parallel(threads, threads, func(first, last int) {
		for t := first; t < last; t++ {
			for i := t * count / threads; i < (t+1)*count/threads; i++ {
				f(x.blocks[t], i, i*jointRows, min((i+1)*jointRows, n))
			}
		}
	})
}

// changes are what the gates of joint heads change of their sum, for each receiver,
// at rows [lo,hi): [receivers,rows·D].
func (x *Gated) changes(own *block, j joint, lo, hi int) tensor.Matrix {
	d := x.b.Runs.Model().Config.DModel
	out := tensor.New(j.gates.Rows, (hi-lo)*d).Matrix()
	tensor.MatMulAdd(out, j.gates, own.packed.Pack(x.all.Slice(j.first, j.first+j.gates.Cols).Columns(lo*d, hi*d)))
	return out
}

// readJoint adds to inputs [receivers,n·D] what joint heads change of attn_out.
func (x *Gated) readJoint(j joint, into tensor.Matrix) {
	m := x.b.Runs.Model()
	d := m.Config.DModel
	sum, out := x.b.AttnSum(j.layer)
	x.inRows(func(own *block, _, lo, hi int) {
		all := x.changes(own, j, lo, hi)
		for r := range all.Rows {
			dst := wide(into.Row(r)[lo*d:hi*d], hi-lo, d)
			m.AddAttnChange(j.layer, dst, sum.Slice(lo, hi), out.Slice(lo, hi), wide(all.Row(r), hi-lo, d))
		}
	})
}

// spreadJoint takes the gradients of the gates of joint heads, from those of a
// group's inputs, and adds to those of the heads' changes.
func (x *Gated) spreadJoint(j joint, group int, grads tensor.Matrix) {
	b, m := x.back, x.b.Runs.Model()
	d, heads := m.Config.DModel, j.gates.Cols
	sum, _ := x.b.AttnSum(j.layer)
	turned := tensor.New(heads, j.gates.Rows).Matrix()
	for i := range j.gates.Rows {
		for h, gate := range j.gates.Row(i) {
			turned.Row(h)[i] = gate
		}
	}
	each := j.gates.Rows * heads
	count := (x.b.Batch.Rows() + jointRows - 1) / jointRows
	parts := make([]float32, count*each)
	x.inRows(func(own *block, i, lo, hi int) {
		all, inv := x.changes(own, j, lo, hi), make([]float32, hi-lo)
		for r := range all.Rows {
			at := wide(all.Row(r), hi-lo, d)
			for k := range at.Rows {
				tensor.Add(at.Row(k), sum.Row(lo+k))
			}
			seen, g := m.AttnPostSees(at, inv), wide(grads.Row(r)[lo*d:hi*d], hi-lo, d)
			behind := tensor.New(hi-lo, d).Matrix()
			m.AttnPostBackward(j.layer, behind, g, seen, transformer.Rules{})
			copy(all.Row(r), behind.Data)
		}
		senders := x.all.Slice(j.first, j.first+heads).Columns(lo*d, hi*d)
		product := tensor.Matrix{Data: parts[i*each : (i+1)*each], Rows: all.Rows, Cols: heads, Stride: heads}
		tensor.MatMul(product, all, own.turned.PackTransposed(senders))
		tensor.MatMulAdd(b.change.Slice(j.first, j.first+heads).Columns(lo*d, hi*d), turned, own.packed.Pack(all))
	})
	for i := range count {
		for k, r := range x.groups[group] {
			lo, _ := x.b.Runs.Graph().Incoming(r)
			for h := range heads {
				b.gates[lo+j.first+h] += float64(parts[i*each+k*heads+h])
			}
		}
	}
}

// raw is what norms of queries or keys of a layer read [n,H·K]; nothing without.
func (x *Gated) raw(l, side, group int) tensor.Matrix {
	m, c, n := x.b.Runs.Model(), x.b.Runs.Model().Config, x.b.Batch.Rows()
	if !c.QKNorm || side == 2 {
		return tensor.Matrix{}
	}
	ids := x.b.Pad.Positions(x.b.Examples(), x.b.Runs.Positions())
	out := tensor.New(n, c.Heads*c.DHead).Matrix()
	tensor.Parallel(c.Heads, x.b.Runs.Threads(), func(lo, hi int) {
		normed := tensor.New(n, c.DModel).Matrix()
		for h := lo; h < hi; h++ {
			m.Norm1(l, normed, x.input(group, side*c.Heads+h))
			m.AddPositions(side, normed, ids)
			m.Head(l, side, h, out.Columns(h*c.DHead, (h+1)*c.DHead), normed)
		}
	})
	return out
}
