package checkpoint

import (
	"context"
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// draft is a model's parameters while they are read and processed.
type draft struct {
	*transformer.Params
	Blocks []blockDraft
	owned  map[*tensor.Tensor]bool // those outside the blocks that may be written to
}

// blockDraft is those of one block.
type blockDraft struct {
	*transformer.BlockParams
	owned map[*tensor.Tensor]bool // those that may be written to
}

func newDraft(layers int) *draft {
	w := &draft{Params: &transformer.Params{Blocks: make([]transformer.BlockParams, layers)}, Blocks: make([]blockDraft, layers)}
	for l := range w.Blocks {
		w.Blocks[l].BlockParams = &w.Params.Blocks[l]
	}
	return w
}

// loader reads tensors until the first error.
type loader struct {
	ctx     context.Context
	src     weights.Source
	err     error
	threads int
	owned   map[*tensor.Tensor]bool // tensors that are no view of the source
}

func (l *loader) vector(name string, shape ...int) []float32 {
	if l.err == nil {
		l.err = l.ctx.Err()
	}
	if l.err != nil {
		return nil
	}
	data, err := l.src.Float32Shape(l.ctx, name, shape...)
	if err != nil {
		l.err = err
		return nil
	}
	if i, bad := l.nonFinite(data); l.ctx.Err() != nil {
		l.err = l.ctx.Err()
	} else if bad {
		l.err = fmt.Errorf("%s: tensor %q: expected finite numbers, found %v at index %v", l.src.Name(), name, data[i], index(i, shape))
	}
	return data
}

// part is how many numbers are looked at or moved between two looks at the
// context.
const part = 1 << 18

// nonFinite finds the first number that is NaN or infinite.
func (l *loader) nonFinite(data []float32) (index int, found bool) {
	parts := (len(data) + part - 1) / part
	first := make([]int, parts)
	tensor.Parallel(parts, l.threads, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if first[i] = -1; l.ctx.Err() != nil {
				continue
			}
			if at, bad := tensor.HasNonFinite(data[i*part : min((i+1)*part, len(data))]); bad {
				first[i] = i*part + at
			}
		}
	})
	for _, at := range first {
		if at >= 0 {
			return at, true
		}
	}
	return 0, false
}

func (l *loader) tensor(name string, shape ...int) *tensor.Tensor {
	data := l.vector(name, shape...)
	if l.err != nil {
		return nil
	}
	return tensor.From(data, shape...)
}

// params reads parameters under their own names.
func (l *loader) params(list []transformer.Param) {
	for _, p := range list {
		if data := l.vector(p.Name, p.Shape...); l.err == nil {
			p.Set(data)
		}
	}
}

// index turns a flat index into one number a dimension.
func index(i int, shape []int) []int {
	out := make([]int, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		out[d] = i % shape[d]
		i /= shape[d]
	}
	return out
}

// readWeights takes all weights of a configuration from a source, whose layout
// it recognises.
func readWeights(ctx context.Context, c Config, src weights.Source, r reader, threads int) (*draft, error) {
	w := newDraft(c.Layers)
	l := &loader{ctx: ctx, src: src, threads: threads}
	if r.outer(l, c, w); l.err != nil {
		return nil, l.err
	}
	w.owned = l.owned
	errs := make([]error, c.Layers)
	tensor.Parallel(c.Layers, threads, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			l := &loader{ctx: ctx, src: src, threads: 1}
			r.block(l, c, i, &w.Blocks[i])
			w.Blocks[i].owned, errs[i] = l.owned, l.err
		}
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return w, nil
}
