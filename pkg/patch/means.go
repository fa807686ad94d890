package patch

import (
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// mean is a sender's mean over examples, position by position, as it adds up.
type mean struct {
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

// means holds the mean of every sender.
type means struct {
	embed, pos *mean // pos is nil where positions are no sender
	z, mlp     []*mean
}

// newMeans makes means of no examples yet, which are zero.
func newMeans(c transformer.Config, t int) *means {
	of := func(cols int) *mean {
		return &mean{sums: make([]float64, t*cols), cols: cols, examples: make([]int, t)}
	}
	m := &means{embed: of(c.DModel)}
	if c.Positions == transformer.Standard {
		m.pos = of(c.DModel)
	}
	for range c.Layers {
		m.z = append(m.z, of(c.Heads*c.DHead))
		if c.AttnOnly {
			m.mlp = append(m.mlp, nil)
		} else {
			m.mlp = append(m.mlp, of(c.DModel))
		}
	}
	return m
}

// add runs the model on prompts and adds what every sender sends.
func (m *means) add(model *transformer.Model, tokens [][]int, pad transformer.Padding, threads int) error {
	var hooks []transformer.Hook
	at := func(p transformer.Point, layer int, into *mean) {
		hooks = append(hooks, transformer.Hook{At: transformer.HookPoint{Point: p, Layer: layer}, Do: func(x *tensor.Tensor) { into.add(x, pad) }})
	}
	at(transformer.HookEmbed, 0, m.embed)
	if m.pos != nil {
		at(transformer.HookPosEmbed, 0, m.pos)
	}
	for l := range m.z {
		at(transformer.HookZ, l, m.z[l])
		if m.mlp[l] != nil {
			at(transformer.HookMLPOut, l, m.mlp[l])
		}
	}
	_, err := model.Forward(tokens, transformer.Options{Hooks: hooks, Threads: threads, NoLogits: true, Pad: pad})
	return err
}
