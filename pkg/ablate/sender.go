package ablate

import (
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Sender is a node that writes to the residual stream, and where its values
// lie.
type Sender struct {
	IsHead      bool
	Layer, Head int
	embed       circuit.Kind // which embedding it is, where it is one
	isEmbed     bool
	k           int // K, the width of a head's values
}

// senderOf says where the values of a node that sends lie.
func senderOf(n circuit.Node, c transformer.Config) Sender {
	return Sender{IsHead: n.Kind == circuit.Head, Layer: n.Layer, Head: n.Head, embed: n.Kind, isEmbed: n.Kind <= circuit.PosEmbed, k: c.DHead}
}

// Value is the sender's output in a run: z [B·T,K] of a head, which is still
// to be multiplied by W_O, else [B·T,D]. It panics if the run has no such sender.
func (s Sender) Value(a *transformer.Activations) tensor.Matrix {
	x := s.in(a)
	switch {
	case x == nil:
		panic(fmt.Sprintf("ablate: Value: the run has no such sender of layer %d", s.Layer))
	case s.IsHead:
		return s.of(x)
	}
	return x.Matrix()
}

// in is where the sender's values lie in a run, with those of its layer's other
// heads; nil if there are none.
func (s Sender) in(a *transformer.Activations) *tensor.Tensor {
	switch {
	case a == nil || s.Layer < 0 || s.Layer >= len(a.Layers):
		return nil
	case s.IsHead:
		return a.Layers[s.Layer].Z
	case s.isEmbed && s.embed == circuit.Embed:
		return a.Embed
	case s.isEmbed && s.embed == circuit.PosEmbed:
		return a.Pos
	case s.isEmbed:
		return a.Layers[0].AttnIn
	}
	return a.Layers[s.Layer].MLPOut
}

// of is a head's part of the values of all heads of its layer [B·T,H·K].
func (s Sender) of(all *tensor.Tensor) tensor.Matrix {
	return all.Matrix().Columns(s.Head*s.k, (s.Head+1)*s.k)
}

// Output sets dst [n,D] to what the sender adds to the residual stream by its
// values: a head's z [n,K] through its part of W_O, without b_O, else [n,D]
// themselves.
func (s Sender) Output(m *transformer.Model, dst, values tensor.Matrix) {
	for i := range dst.Rows {
		if s.IsHead {
			clear(dst.Row(i))
		} else {
			copy(dst.Row(i), values.Row(i))
		}
	}
	if s.IsHead {
		m.AddHeadOut(s.Layer, s.Head, dst, values)
	}
}

// Contribution sets dst [hi−lo,D] to what a sender adds to the residual stream in
// the clean run at rows [lo,hi): Output of its values, and of a head that a norm
// behind attention stands before, Output times the scale and weights of that norm.
// Contributions of a layer's heads, and of b_O, add up to attn_out.
func (b *Batch) Contribution(s Sender, dst tensor.Matrix, lo, hi int) {
	m := b.made().Runs.model
	s.Output(m, dst, s.Value(b.Clean).Slice(lo, hi))
	if !m.Config.PostNorm || !s.IsHead {
		return
	}
	sum := tensor.New(hi-lo, m.Config.DModel).Matrix()
	m.AttnSum(s.Layer, sum, b.Clean.Layers[s.Layer].Z.Matrix().Slice(lo, hi))
	m.AttnPostForward(s.Layer, dst, m.AttnPostSees(sum, make([]float32, hi-lo)), transformer.Rules{FixedNorm: true})
}
