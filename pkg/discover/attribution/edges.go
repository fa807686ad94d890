package attribution

import (
	"context"

	"github.com/seed-2c350065/acdc/internal/floats"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// edges adds up the scores of a batch's examples, one batch after the other in the
// same memory. The products Δ_u · g_v of all senders with the receivers of a layer
// are one matrix product a position.
type edges struct {
	b       *patch.Bound
	deltas  []*tensor.Packed // by row of B·T, what each sender adds [D,senders]
	memory  []float32        // of grads
	grads   *tensor.Tensor   // gradients at a layer's receivers [3·H+1,B·T,D]
	scores  []circuit.Scores // by example
	senders int
	own     []*difference // by thread
}

// take makes room for a batch's differences.
func (x *edges) take(b *patch.Bound) {
	c, g, n := b.Runs.Model().Config, b.Runs.Graph(), b.Batch.Rows()
	x.b, x.senders, x.scores = b, len(g.Senders()), make([]circuit.Scores, b.Examples())
	for i := range x.scores {
		x.scores[i] = make(circuit.Scores, g.NumEdges())
	}
	x.memory = floats.Grown(x.memory, (3*c.Heads+1)*n*c.DModel)
	x.grads = tensor.From(x.memory, 3*c.Heads+1, n, c.DModel)
	for len(x.deltas) < n {
		x.deltas = append(x.deltas, new(tensor.Packed))
	}
	for len(x.own) < b.Runs.Threads() {
		x.own = append(x.own, newDifference(b))
	}
}

// lay lays out the batch's differences. With a run, those of heads go through the
// norm behind their layer's attention, to first order around that run.
func (x *edges) lay(run *transformer.Activations, rules transformer.Rules) {
	examples := x.b.Examples()
	threads := min(x.b.Runs.Threads(), examples)
	tensor.Parallel(threads, threads, func(first, last int) {
		for t := first; t < last; t++ {
			own := x.own[t]
			own.b, own.run, own.rules = x.b, run, rules
			for i := t * examples / threads; i < (t+1)*examples/threads; i++ {
				own.of(i, x.deltas[i*x.b.Runs.Positions():])
			}
		}
	})
}

// difference computes what cutting a sender adds to the residual stream.
type difference struct {
	b      *patch.Bound
	all    tensor.Matrix // [senders,T·D]
	values []float32     // [T,D], corrupted less clean

	run   *transformer.Activations // around which norms behind attention are taken; nil to leave them out
	rules transformer.Rules
	seen  transformer.Standardized // what the norm of a layer sees of the example at hand
	layer int
}

// behind takes a head's difference through the norm behind its layer's attention.
func (x *difference) behind(s ablate.Sender, i int, dst tensor.Matrix) {
	m, t := x.b.Runs.Model(), x.b.Runs.Positions()
	if x.seen.Inv == nil || x.layer != s.Layer {
		sum := tensor.New(t, m.Config.DModel).Matrix()
		m.AttnSum(s.Layer, sum, x.run.Layers[s.Layer].Z.Matrix().Slice(i*t, (i+1)*t))
		x.seen, x.layer = m.AttnPostSees(sum, make([]float32, t)), s.Layer
	}
	m.AttnPostForward(s.Layer, dst, x.seen, x.rules)
}

func newDifference(b *patch.Bound) *difference {
	t, d := b.Runs.Positions(), b.Runs.Model().Config.DModel
	return &difference{b: b, all: tensor.New(len(b.Runs.Senders()), t*d).Matrix(), values: make([]float32, t*max(d, b.Runs.Model().Config.DHead))}
}

// of lays out the differences of the batch's example i, position by position
// [D,senders].
func (x *difference) of(i int, into []*tensor.Packed) {
	t, model := x.b.Runs.Positions(), x.b.Runs.Model()
	x.seen = transformer.Standardized{}
	for u, s := range x.b.Runs.Senders() {
		clean, corrupted := s.Value(x.b.Clean).Slice(i*t, (i+1)*t), s.Value(x.b.Corrupted).Slice(i*t, (i+1)*t)
		values := tensor.Matrix{Data: x.values[:t*clean.Cols], Rows: t, Cols: clean.Cols, Stride: clean.Cols}
		for p := range t {
			tensor.SubTo(values.Row(p), corrupted.Row(p), clean.Row(p))
		}
		dst := tensor.Matrix{Data: x.all.Row(u), Rows: t, Cols: model.Config.DModel, Stride: model.Config.DModel}
		if s.Output(model, dst, values); x.run != nil && s.IsHead {
			x.behind(s, i, dst)
		}
	}
	for p, d := 0, model.Config.DModel; p < t; p++ {
		into[p].PackTransposed(x.all.Columns(p*d, (p+1)*d))
	}
}

// heads is where the gradients at a layer's heads are put.
func (x *edges) heads() *tensor.Tensor {
	return x.grads.Slice(0, 3*x.b.Runs.Model().Config.Heads)
}

// hooks add weight times the scores by the gradients of one way backward.
func (x *edges) hooks(ctx context.Context, weight float64) []transformer.GradientHook {
	c := x.b.Runs.Model().Config
	var out []transformer.GradientHook
	at := func(p transformer.Point, l int, do func(head int, g tensor.Matrix)) {
		out = append(out, transformer.GradientHook{At: transformer.HookPoint{Point: p, Layer: l}, Do: do})
	}
	at(transformer.HookResidPost, c.Layers-1, func(_ int, g tensor.Matrix) {
		x.hear(0, g)
		x.multiply(ctx, []circuit.Node{{Kind: circuit.Output}}, weight)
	})
	for l := range c.Layers {
		var receivers []circuit.Node
		for side := range 3 {
			kind := circuit.Kind(side)
			for h := range c.Heads {
				receivers = append(receivers, circuit.Node{Kind: circuit.QInput + kind, Layer: l, Head: h})
			}
			at(c.SidePoint(side), l, func(_ int, g tensor.Matrix) { x.direct(l, side, g, weight) })
		}
		if !c.AttnOnly {
			receivers = append(receivers, circuit.Node{Kind: circuit.MLPIn, Layer: l})
			at(transformer.HookMLPIn, l, func(_ int, g tensor.Matrix) { x.hear(3*c.Heads, g) })
		}
		at(transformer.HookResidPre, l, func(int, tensor.Matrix) { x.multiply(ctx, receivers, weight) })
	}
	return out
}

// hear keeps the gradient [B·T,D] at a layer's receiver.
func (x *edges) hear(receiver int, g tensor.Matrix) {
	n := g.Rows * g.Cols
	into := tensor.Matrix{Data: x.grads.Data[receiver*n : (receiver+1)*n], Rows: g.Rows, Cols: g.Cols, Stride: g.Cols}
	tensor.Parallel(g.Rows, x.b.Runs.Threads(), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			copy(into.Row(i), g.Row(i))
		}
	})
}

// multiply adds the products of the receivers' gradients, which were taken in
// this order, with the differences of the senders that they hear.
func (x *edges) multiply(ctx context.Context, receivers []circuit.Node, weight float64) {
	g, n := x.b.Runs.Graph(), x.grads.Len()/x.grads.Dim(0)
	heard := 0
	for _, r := range receivers {
		lo, hi := g.Incoming(r)
		heard = max(heard, hi-lo)
	}
	width := min((heard+tensor.PanelWidth-1)/tensor.PanelWidth*tensor.PanelWidth, x.senders)
	t, d := x.b.Runs.Positions(), x.grads.Dim(2)
	tensor.Parallel(x.b.Examples(), x.b.Runs.Threads(), func(first, last int) {
		sum := tensor.New(len(receivers), width)
		products := sum.Matrix()
		for i := first; i < last && ctx.Err() == nil; i++ {
			sum.Zero()
			for row := i * t; row < (i+1)*t; row++ {
				own := tensor.Matrix{Data: x.grads.Data[row*d:], Rows: len(receivers), Cols: d, Stride: n}
				tensor.MatMulAdd(products, own, x.deltas[row].Columns(0, width))
			}
			for k, r := range receivers {
				lo, hi := g.Incoming(r)
				for e := lo; e < hi; e++ {
					x.scores[i][e] += weight * float64(products.Row(k)[e-lo])
				}
			}
		}
	})
}

// direct adds the scores of the direct edges into a layer's queries, keys or
// values, whose gradient is g [B·T,H·K].
func (x *edges) direct(l, side int, g tensor.Matrix, weight float64) {
	if x.b.Runs.Graph().Config().Definition != circuit.ACDC {
		return
	}
	c, t := x.b.Runs.Model().Config, x.b.Runs.Positions()
	change := make([]float32, c.DHead)
	for h := range c.Heads {
		lo, _ := x.b.Runs.Graph().Incoming(circuit.Node{Kind: circuit.Q + circuit.Kind(side), Layer: l, Head: h})
		clean, corrupted := x.b.Clean.SideOf(c, l, side, h), x.b.Corrupted.SideOf(c, l, side, h)
		for row := range g.Rows {
			tensor.SubTo(change, corrupted.Row(row), clean.Row(row))
			x.scores[row/t][lo] += weight * float64(tensor.Dot(change, g.Row(row)[h*c.DHead:(h+1)*c.DHead]))
		}
	}
}

// flop is the work of the products of one way backward.
func (x *edges) flop() int64 {
	return 2 * int64(x.b.Batch.Rows()) * int64(x.b.Runs.Model().Config.DModel) * int64(x.b.Runs.Graph().NumEdges())
}
