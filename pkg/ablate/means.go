package ablate

import (
	"context"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// mean is a sender's mean over examples, position by position, as it adds up.
type mean struct {
	at       transformer.HookPoint
	sums     []float64 // [T·cols]
	cols     int
	examples []int // [T] that have a token there, and not padding
}

// add adds the examples of x [B,T,cols], in order, without their padding.
func (m *mean) add(x *tensor.Tensor, pad transformer.Padding) {
	for b := range x.Len() / len(m.sums) {
		example, first := x.Data[b*len(m.sums):(b+1)*len(m.sums)], pad.Of(b)
		for i := first * m.cols; i < len(example); i++ {
			m.sums[i] += float64(example[i])
		}
		for t := first; t < len(m.examples); t++ {
			m.examples[t]++
		}
	}
}

// values returns the means [T·cols], zeros of no examples.
func (m *mean) values() []float32 {
	out := make([]float32, len(m.sums))
	for i, sum := range m.sums {
		out[i] = float32(sum / float64(max(1, m.examples[i/m.cols])))
	}
	return out
}

// means holds the mean of every sender, in the order of computation.
type means []*mean

// newMeans makes means of no examples yet, which are zero.
func newMeans(c transformer.Config, t int) means {
	var all means
	points, _ := Places(c, &circuit.Constants{})
	for _, at := range points {
		cols := width(c, at)
		all = append(all, &mean{at: at, sums: make([]float64, t*cols), cols: cols, examples: make([]int, t)})
	}
	return all
}

// add runs the model on prompts and adds what every sender sends.
func (m means) add(ctx context.Context, model *transformer.Model, tokens [][]int, pad transformer.Padding, threads int) error {
	var hooks []transformer.Hook
	for _, x := range m {
		hooks = append(hooks, transformer.Hook{At: x.at, Do: func(t *tensor.Tensor) { x.add(t, pad) }})
	}
	_, err := model.Forward(ctx, tokens, transformer.Options{Hooks: hooks, Threads: threads, NoLogits: true, Pad: pad})
	return err
}

// replacements are the means in the place of every sender's output.
func (m means) replacements() []replacement {
	var out []replacement
	for _, x := range m {
		out = append(out, replacement{x.at, x.values()})
	}
	return out
}

// replacement is what stands in the place of a sender's output, in every example
// [T·cols].
type replacement struct {
	at     transformer.HookPoint
	values []float32
}

// replace are the hooks that put replacements in some examples.
func replace(all []replacement, examples int) []transformer.Hook {
	var hooks []transformer.Hook
	for _, x := range all {
		hooks = append(hooks, transformer.Hook{At: x.at, Do: func(t *tensor.Tensor) {
			for b := range examples {
				copy(t.Data[b*len(x.values):], x.values)
			}
		}})
	}
	return hooks
}
