package patch

import (
	"context"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Gated is the gated pass of a batch with its gradient: Run goes forward under
// gates as Pass does, which is its reference, and Backward goes back to the
// gradient of the experiment's metric with respect to every gate. It keeps its
// memory from run to run and is for one goroutine at a time; it uses the runs'
// threads itself.
//
// What a layer's receivers read is one matrix product: with Δ_u [n·D] a sender's
// value less the corrupted run's, n the batch's B·T rows, and G the gates of the
// layer's edges [receivers,senders],
//
//	inputs [receivers,n·D] = corrupted inputs + G · Δ,
//
// and so are their gradients, ∂m/∂G = g · Δᵀ and ∂m/∂Δ = Gᵀ · g. With norms behind
// attention, the heads of each layer are a product of their own, which goes through
// the norm for every receiver.
type Gated struct {
	// ZeroSides has the gates of direct edges mix queries, keys and values with
	// zero, not with the corrupted run's, which under zero ablation are those of
	// zeroed inputs. It is set before Run.
	ZeroSides bool

	b      *Bound
	gates  circuit.Gates
	groups [][]circuit.Node   // receivers that are computed together, in order
	at     []int              // by group, the first of its receivers in inputs
	change []tensor.Matrix    // by sender, Δ [n,D]
	all    tensor.Matrix      // the same [senders,n·D]
	inputs tensor.Matrix      // what receivers read [receivers,n·D]
	own    [][3]tensor.Matrix // by layer, queries, keys and values from their inputs [n,H·K]
	mixed  [][3]tensor.Matrix // the same as the gates of direct edges leave them
	z      []tensor.Matrix    // by layer [n,H·K]
	pre    []tensor.Matrix    // by layer, what goes into the activation function [n,F], of gated MLPs [n,2F]
	blocks []*block           // by thread
	scores [][]float32        // by thread, for attention
	values []float64          // the metric's, row by row
	loss   transformer.LogitGradient
	back   *backward // made at its first use
}

// block is a thread's memory for a block of columns.
type block struct{ packed, turned tensor.Packed }

// blockColumns is how many columns of n·D are multiplied at a time.
const blockColumns = 32 * tensor.PanelWidth

// NewGated makes the memory of the pass.
func NewGated(b *Bound) *Gated {
	c, g := b.made().Runs.Model().Config, b.Runs.Graph()
	n, d := b.Batch.Rows(), c.DModel
	x := &Gated{b: b, all: tensor.New(len(g.Senders()), n*d).Matrix()}
	receivers := 0
	group := func(nodes ...circuit.Node) {
		x.groups, x.at = append(x.groups, nodes), append(x.at, receivers)
		receivers += len(nodes)
	}
	for l := range c.Layers {
		var heads []circuit.Node
		for side := range circuit.Kind(3) {
			for h := range c.Heads {
				heads = append(heads, circuit.Node{Kind: circuit.QInput + side, Layer: l, Head: h})
			}
		}
		group(heads...)
		if !c.AttnOnly {
			group(circuit.Node{Kind: circuit.MLPIn, Layer: l})
		}
	}
	group(circuit.Node{Kind: circuit.Output})
	x.inputs = tensor.New(receivers, n*d).Matrix()
	for u := range g.Senders() {
		x.change = append(x.change, wide(x.all.Row(u), n, d))
	}
	matrices := func() (out [3]tensor.Matrix) {
		for side := range out {
			out[side] = tensor.New(n, c.Heads*c.DHead).Matrix()
		}
		return out
	}
	for range c.Layers {
		x.own, x.mixed, x.z = append(x.own, matrices()), append(x.mixed, matrices()), append(x.z, tensor.New(n, c.Heads*c.DHead).Matrix())
		if !c.AttnOnly {
			x.pre = append(x.pre, tensor.New(n, c.MLPWidth()).Matrix())
		}
	}
	for range b.Runs.Threads() {
		x.blocks, x.scores = append(x.blocks, &block{}), append(x.scores, make([]float32, b.Runs.Positions()*b.Runs.Positions()))
	}
	x.embeddings()
	return x
}

// GatedFloats is how many numbers a Gated and its way backward keep of one
// position, the metric's rows aside.
func GatedFloats(g *circuit.Graph, c transformer.Config) int64 {
	if g == nil {
		panic("patch: GatedFloats of no graph")
	}
	d, hk, l := int64(c.DModel), int64(c.Heads*c.DHead), int64(c.Layers)
	receivers := l*int64(3*c.Heads+1) + 1
	return d*(2*int64(len(g.Senders()))+receivers+int64(3*c.Heads+1)) + l*(7*hk+int64(c.MLPWidth())) + 4*hk + 4*d + 2*int64(c.MLPWidth())
}

// wide makes a matrix of a receiver's or a sender's row.
func wide(row []float32, n, d int) tensor.Matrix {
	return tensor.Matrix{Data: row, Rows: n, Cols: d, Stride: d}
}

// input is what a receiver of a group read [n,D].
func (x *Gated) input(group, receiver int) tensor.Matrix {
	return wide(x.inputs.Row(x.at[group]+receiver), x.b.Batch.Rows(), x.b.Runs.Model().Config.DModel)
}

// embeddings sets the changes of the embeddings, which no gate changes.
func (x *Gated) embeddings() {
	for u, s := range x.b.Runs.Senders() {
		if n := x.b.Runs.Graph().Senders()[u]; n.Kind <= circuit.PosEmbed {
			on, co := s.Value(x.b.Clean), s.Value(x.b.Corrupted)
			for i := range on.Rows {
				tensor.SubTo(x.change[u].Row(i), on.Row(i), co.Row(i))
			}
		}
	}
}

// Run goes forward under gates and returns the metric's value of each of the
// batch's rows, which the next Run overwrites.
func (x *Gated) Run(ctx context.Context, gates circuit.Gates) ([]float64, error) {
	g, c := x.b.made().Runs.Graph(), x.b.Runs.Model().Config
	if err := gates.Check(g); err != nil {
		return nil, err
	}
	x.gates = gates
	group := 0
	next := func(co tensor.Matrix) int {
		x.read(group, co)
		group++
		return group - 1
	}
	for l := range c.Layers {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		co := &x.b.Corrupted.Layers[l]
		x.heads(l, next(co.AttnIn.Matrix()))
		if !c.AttnOnly {
			x.mlp(l, next(co.MLPIn.Matrix()))
		}
	}
	out := next(x.b.Corrupted.Out.Matrix())
	var err error
	x.values, x.loss, err = x.b.Loss(ctx, x.input(out, 0))
	return x.values, err
}

// heard is how many senders, from the first, the receivers of a group hear.
func (x *Gated) heard(group int) int {
	lo, hi := x.b.Runs.Graph().Incoming(x.groups[group][0])
	return hi - lo
}

// matrix is the gates of a group's edges [receivers,senders].
func (x *Gated) matrix(group int) tensor.Matrix {
	out := tensor.New(len(x.groups[group]), x.heard(group)).Matrix()
	for i, r := range x.groups[group] {
		lo, hi := x.b.Runs.Graph().Incoming(r)
		copy(out.Row(i), x.gates[lo:hi])
	}
	return out
}

// inBlocks runs f on blocks of the columns of n·D, with a thread's memory.
func (x *Gated) inBlocks(f func(own *block, i, from, to int)) {
	n := x.all.Cols
	count, threads := (n+blockColumns-1)/blockColumns, len(x.blocks)
	tensor.Parallel(threads, threads, func(first, last int) {
		for t := first; t < last; t++ {
			for i := t * count / threads; i < (t+1)*count/threads; i++ {
				f(x.blocks[t], i, i*blockColumns, min((i+1)*blockColumns, n))
			}
		}
	})
}

// read computes what a group's receivers read, co being what they read in the
// corrupted run [n,D].
func (x *Gated) read(group int, co tensor.Matrix) {
	gates, heard := x.matrix(group), x.heard(group)
	into := x.inputs.Slice(x.at[group], x.at[group]+gates.Rows)
	joint := x.takeJoint(gates)
	x.inBlocks(func(own *block, _, from, to int) {
		dst := into.Columns(from, to)
		for i := range dst.Rows {
			copy(dst.Row(i), co.Data[from:to])
		}
		tensor.MatMulAdd(dst, gates, own.packed.Pack(x.all.Slice(0, heard).Columns(from, to)))
	})
	for _, j := range joint {
		x.readJoint(j, into)
	}
}

// heads computes the heads of a layer from what they read.
func (x *Gated) heads(l, group int) {
	m, c, n := x.b.Runs.Model(), x.b.Runs.Model().Config, x.b.Batch.Rows()
	ids := x.b.Pad.Positions(x.b.Examples(), x.b.Runs.Positions())
	tensor.Parallel(3*c.Heads, x.b.Runs.Threads(), func(lo, hi int) {
		normed := tensor.New(n, c.DModel).Matrix()
		for i := lo; i < hi; i++ {
			side, h := i/c.Heads, i%c.Heads
			own := x.own[l][side].Columns(h*c.DHead, (h+1)*c.DHead)
			m.Norm1(l, normed, x.input(group, i))
			m.AddPositions(side, normed, ids)
			m.Head(l, side, h, own, normed)
			m.Turn(l, side, own, ids)
			x.mix(l, side, h)
		}
	})
	x.attend(l)
	tensor.Parallel(c.Heads, x.b.Runs.Threads(), func(lo, hi int) {
		change := tensor.New(n, c.DHead).Matrix()
		for h := lo; h < hi; h++ {
			z, co := x.z[l].Columns(h*c.DHead, (h+1)*c.DHead), x.b.Corrupted.Layers[l].Z.Matrix().Columns(h*c.DHead, (h+1)*c.DHead)
			for i := range n {
				tensor.SubTo(change.Row(i), z.Row(i), co.Row(i))
			}
			into := x.change[x.b.Runs.Graph().SenderIndex(circuit.Node{Kind: circuit.Head, Layer: l, Head: h})]
			into.Zero()
			m.AddHeadOut(l, h, into, change)
		}
	})
}

// direct is the gate of a direct edge, 1 where there are none.
func (x *Gated) direct(l, side, h int) (edge int, gate float32) {
	if x.b.Runs.Graph().Config().Definition != circuit.ACDC {
		return -1, 1
	}
	lo, _ := x.b.Runs.Graph().Incoming(circuit.Node{Kind: circuit.Q + circuit.Kind(side), Layer: l, Head: h})
	return lo, x.gates[lo]
}

// mix lets the gate of a direct edge pass queries, keys or values.
func (x *Gated) mix(l, side, h int) {
	k := x.b.Runs.Model().Config.DHead
	_, gate := x.direct(l, side, h)
	own, mixed := x.own[l][side].Columns(h*k, (h+1)*k), x.mixed[l][side].Columns(h*k, (h+1)*k)
	co := x.b.Corrupted.SideOf(x.b.Runs.Model().Config, l, side, h)
	for i := range own.Rows {
		switch copy(mixed.Row(i), own.Row(i)); {
		case gate == 1:
		case x.ZeroSides:
			tensor.Scale(mixed.Row(i), gate)
		default:
			mix(mixed.Row(i), co.Row(i), gate)
		}
	}
}

// attend computes the z of a layer.
func (x *Gated) attend(l int) {
	m, c, t := x.b.Runs.Model(), x.b.Runs.Model().Config, x.b.Runs.Positions()
	positions, threads, count := transformer.Padding(nil).Positions(1, t), len(x.scores), x.b.Examples()*c.Heads
	tensor.Parallel(threads, threads, func(first, last int) {
		for thread := first; thread < last; thread++ {
			for i := thread * count / threads; i < (thread+1)*count/threads; i++ {
				b, h := i/c.Heads, i%c.Heads
				part := func(y tensor.Matrix) tensor.Matrix { return y.Slice(b*t, (b+1)*t).Columns(h*c.DHead, (h+1)*c.DHead) }
				m.Attend(l, part(x.z[l]), part(x.mixed[l][0]), part(x.mixed[l][1]), part(x.mixed[l][2]), positions, x.b.Pad.Of(b), x.scores[thread])
			}
		}
	})
}

// mlp computes an MLP from what it reads.
func (x *Gated) mlp(l, group int) {
	m, c := x.b.Runs.Model(), x.b.Runs.Model().Config
	in, co := x.input(group, 0), x.b.Corrupted.Layers[l].MLPOut.Matrix()
	into := x.change[x.b.Runs.Graph().SenderIndex(circuit.Node{Kind: circuit.MLP, Layer: l})]
	tensor.Parallel(in.Rows, x.b.Runs.Threads(), func(lo, hi int) {
		normed, hidden := tensor.New(hi-lo, c.DModel).Matrix(), tensor.New(hi-lo, c.MLPWidth()).Matrix()
		m.Norm2(l, normed, in.Slice(lo, hi))
		m.MLPPre(l, x.pre[l].Slice(lo, hi), normed)
		for i := range hidden.Rows {
			copy(hidden.Row(i), x.pre[l].Row(lo+i))
		}
		m.MLPOut(l, into.Slice(lo, hi), m.MLPPost(hidden))
		for i := lo; i < hi; i++ {
			tensor.Sub(into.Row(i), co.Row(i))
		}
	})
}
