package patch

import (
	"context"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// backward is the memory of a way backward through a gated pass.
type backward struct {
	*transformer.Reverse
	change tensor.Matrix    // gradients of the senders' changes [senders,n·D]
	grads  tensor.Matrix    // gradients of a group's inputs [receivers,n·D]
	z      tensor.Matrix    // [n,H·K]
	qkv    [3]tensor.Matrix // [n,H·K]
	seen   transformer.Standardized
	parts  []float32 // by block, the products of a group
	gates  []float64 // by edge
}

// newBackward makes the memory.
func (x *Gated) newBackward() *backward {
	m, n := x.b.Runs.Model(), x.b.Batch.Rows()
	c := m.Config
	widest := 0
	for _, g := range x.groups {
		widest = max(widest, len(g))
	}
	b := &backward{Reverse: m.Reverse(x.b.Examples(), x.b.Runs.Positions(), x.b.Pad, x.b.Runs.Threads()),
		change: tensor.New(x.all.Rows, x.all.Cols).Matrix(), grads: tensor.New(widest, x.all.Cols).Matrix(),
		z: tensor.New(n, c.Heads*c.DHead).Matrix(), seen: m.NewStandardized(n), gates: make([]float64, x.b.Runs.Graph().NumEdges())}
	for side := range b.qkv {
		b.qkv[side] = tensor.New(n, c.Heads*c.DHead).Matrix()
	}
	return b
}

// Backward goes back through the last Run and returns the gradient of the
// experiment's metric, as far as it is of this batch, with respect to every gate,
// by edge. The next Backward overwrites it.
func (x *Gated) Backward(ctx context.Context) ([]float64, error) {
	if x.gates == nil {
		panic("patch: Gated.Backward before Run")
	}
	if x.back == nil {
		x.back = x.newBackward()
	}
	b, c := x.back, x.b.Runs.Model().Config
	b.change.Zero()
	clear(b.gates)
	group := len(x.groups) - 1
	b.Output(x.gradient(0), x.loss, x.input(group, 0))
	x.spread(group)
	for l := c.Layers - 1; l >= 0; l-- {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !c.AttnOnly {
			group--
			dy := x.changed(circuit.Node{Kind: circuit.MLP, Layer: l})
			b.MLP(l, x.gradient(0), dy, transformer.Stream{In: x.input(group, 0), Pre: x.pre[l]}, nil)
			x.spread(group)
		}
		group--
		x.headsBackward(l, group)
		x.spread(group)
	}
	return b.gates, ctx.Err()
}

// gradient is where the gradient of a group's receiver's input goes [n,D].
func (x *Gated) gradient(receiver int) tensor.Matrix {
	return wide(x.back.grads.Row(receiver), x.b.Batch.Rows(), x.b.Runs.Model().Config.DModel)
}

// changed is the gradient of a sender's output [n,D], once all that hear it are
// done.
func (x *Gated) changed(n circuit.Node) tensor.Matrix {
	return wide(x.back.change.Row(x.b.Runs.Graph().SenderIndex(n)), x.b.Batch.Rows(), x.b.Runs.Model().Config.DModel)
}

// headsBackward goes from the gradients of a layer's heads' outputs to those of
// what they read, and to those of the gates of direct edges.
func (x *Gated) headsBackward(l, group int) {
	b, m := x.back, x.b.Runs.Model()
	c := m.Config
	b.z.Zero()
	tensor.Parallel(c.Heads, x.b.Runs.Threads(), func(lo, hi int) {
		for h := lo; h < hi; h++ {
			m.AddHeadOutBackward(l, h, b.z.Columns(h*c.DHead, (h+1)*c.DHead), x.changed(circuit.Node{Kind: circuit.Head, Layer: l, Head: h}))
		}
	})
	b.Attend(l, b.qkv, b.z, x.mixed[l])
	for side, d := range b.qkv {
		for h := range c.Heads {
			x.directBackward(l, side, h)
		}
		b.Unturn(l, side, d, x.raw(l, side, group))
		for h := range c.Heads {
			receiver := side*c.Heads + h
			b.Standardize(b.seen, x.input(group, receiver))
			b.HeadInput(l, side, h, x.gradient(receiver), d.Columns(h*c.DHead, (h+1)*c.DHead), b.seen)
		}
	}
}

// directBackward takes the gradient of a direct edge's gate, and lets the gate
// pass that of the queries, keys or values.
func (x *Gated) directBackward(l, side, h int) {
	edge, gate := x.direct(l, side, h)
	if edge < 0 {
		return
	}
	k := x.b.Runs.Model().Config.DHead
	from, to := h*k, (h+1)*k
	d, own := x.back.qkv[side].Columns(from, to), x.own[l][side].Columns(from, to)
	co, change := x.b.Corrupted.SideOf(x.b.Runs.Model().Config, l, side, h), make([]float32, k)
	for i := range d.Rows {
		if copy(change, own.Row(i)); !x.ZeroSides {
			tensor.Sub(change, co.Row(i))
		}
		x.back.gates[edge] += float64(tensor.Dot(change, d.Row(i)))
		if gate != 1 {
			tensor.Scale(d.Row(i), gate)
		}
	}
}

// spread takes the gradients of a group's gates, from those of its inputs, and
// adds to those of the senders that it hears.
func (x *Gated) spread(group int) {
	b, gates, heard := x.back, x.matrix(group), x.heard(group)
	grads := b.grads.Slice(0, gates.Rows)
	joint := x.takeJoint(gates)
	turned := tensor.New(heard, gates.Rows).Matrix()
	for i := range gates.Rows {
		for u, gate := range gates.Row(i) {
			turned.Row(u)[i] = gate
		}
	}
	each := gates.Rows * heard
	count := (x.all.Cols + blockColumns - 1) / blockColumns
	b.parts = slices.Grow(b.parts[:0], count*each)[:count*each]
	x.inBlocks(func(own *block, i, from, to int) {
		g := grads.Columns(from, to)
		product := tensor.Matrix{Data: b.parts[i*each : (i+1)*each], Rows: gates.Rows, Cols: heard, Stride: heard}
		tensor.MatMul(product, g, own.turned.PackTransposed(x.all.Slice(0, heard).Columns(from, to)))
		tensor.MatMulAdd(b.change.Slice(0, heard).Columns(from, to), turned, own.packed.Pack(g))
	})
	for i := range count {
		for k, r := range x.groups[group] {
			lo, _ := x.b.Runs.Graph().Incoming(r)
			for u := range heard {
				if !joint.has(u) {
					b.gates[lo+u] += float64(b.parts[i*each+k*heard+u])
				}
			}
		}
	}
	for _, j := range joint {
		x.spreadJoint(j, group, grads)
	}
}

// FLOP is the work of Run and of Backward.
func (x *Gated) FLOP() (run, back int64) {
	x.b.made()
	products := 2 * int64(x.all.Cols) * int64(x.b.Runs.Graph().NumEdges())
	return x.b.ForwardFLOP() + products, x.b.BackwardFLOP() + 2*products
}
