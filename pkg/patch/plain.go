package patch

import (
	"context"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Plain returns the metric's value of each of its rows under gates, by one full
// forward pass a batch: the reference to which every other way to evaluate a
// mask is held.
func (e *Experiment) Plain(ctx context.Context, gates circuit.Gates) ([]float64, error) {
	values := make([]float64, len(e.made().metric.Rows()))
	for b, err := range e.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		own, err := b.Plain(ctx, gates)
		if err != nil {
			return nil, err
		}
		copy(values[b.Rows[0]:b.Rows[1]], own)
	}
	return values, nil
}

// PlainMetric is the metric of Plain with only a mask's edges present.
func (e *Experiment) PlainMetric(ctx context.Context, mask circuit.Mask) (float64, error) {
	values, err := e.Plain(ctx, mask.Gates())
	if err != nil {
		return 0, err
	}
	return e.metric.Mean(values), nil
}

// Plain returns the metric's value of each of the batch's rows under gates.
func (b *Bound) Plain(ctx context.Context, gates circuit.Gates) ([]float64, error) {
	var out tensor.Matrix
	c := b.made().Runs.Model().Config
	last := transformer.HookPoint{Point: transformer.HookResidPost, Layer: c.Layers - 1}
	gather := transformer.Hook{At: last, Do: func(x *tensor.Tensor) {
		out = b.OutputRows(x.Reshape(b.Batch.Rows(), c.DModel).Matrix())
	}}
	if _, err := Pass(ctx, b.Batch, gates, transformer.Options{Hooks: []transformer.Hook{gather}, NoLogits: true}); err != nil {
		return nil, err
	}
	return b.measure(out), nil
}

// plain is one full forward pass under gates.
type plain struct {
	*ablate.Batch
	gates   circuit.Gates
	change  *transformer.Activations // on − co of the current run's senders, as far as it has come
	scratch []float32                // part of a change for every row
	ended   func() error             // once the pass is to stop, whatever it has by then
}

// Pass runs the model on a batch's clean tokens with a hook at every receiver,
// which come before the options' hooks, and returns the logits [B,T,V], or nil
// with NoLogits. With on the current run's activations and co the corrupted
// run's, a receiver r of the residual stream reads
//
//	input(r) = co_input(r) + Σ over edges s→r of gate · (on[s] − co[s]),
//
// where for a layer with a norm behind attention, post, its heads h are one term,
//
//	post(Σ co[h] + Σ over edges h→r of gate · (on[h] − co[h])) − post(Σ co[h]),
//
// as EAP-IG evaluates graphs,
// and the queries, keys or values behind a direct edge are
// gate · own + (1 − gate) · co. Gates of 0 and 1 are exact: an edge is absent,
// or present whole.
func Pass(ctx context.Context, b *ablate.Batch, gates circuit.Gates, o transformer.Options) (*tensor.Tensor, error) {
	if b == nil || b.Clean == nil {
		panic("patch: Pass of a batch that no runs made")
	}
	if err := gates.Check(b.Runs.Graph()); err != nil {
		return nil, err
	}
	p := &plain{Batch: b, gates: gates, ended: ctx.Err}
	o.Hooks = append(p.hooks(), o.Hooks...)
	o.Threads, o.Pad = b.Runs.Threads(), b.Pad
	return b.Runs.Model().Forward(ctx, b.Tokens, o)
}

// hooks are those of every sender and every receiver.
func (p *plain) hooks() []transformer.Hook {
	c := p.Runs.Model().Config
	p.change = &transformer.Activations{Layers: make([]transformer.LayerActivations, c.Layers)}
	var hooks []transformer.Hook
	at := func(point transformer.Point, layer int, do func(*tensor.Tensor)) {
		hooks = append(hooks, transformer.Hook{At: transformer.HookPoint{Point: point, Layer: layer}, Do: do})
	}
	keep := func(point transformer.Point, layer, cols int, into **tensor.Tensor, co *tensor.Tensor) {
		at(point, layer, func(x *tensor.Tensor) { *into = p.changeOf(x.Reshape(p.Rows(), cols), co) })
	}
	if p.Runs.Graph().Config().SplitEmbed {
		keep(transformer.HookEmbed, 0, c.DModel, &p.change.Embed, p.Corrupted.Embed)
		keep(transformer.HookPosEmbed, 0, c.DModel, &p.change.Pos, p.Corrupted.Pos)
	}
	keep(transformer.HookResidPre, 0, c.DModel, &p.change.Layers[0].AttnIn, p.Corrupted.Layers[0].AttnIn)
	for l := range c.Layers {
		for side := range 3 {
			at(transformer.HookQInput+transformer.Point(side), l, func(x *tensor.Tensor) { p.headInputs(l, side, x) })
			at(c.SidePoint(side), l, func(x *tensor.Tensor) { p.directEdges(l, side, x) })
		}
		keep(transformer.HookZ, l, c.Heads*c.DHead, &p.change.Layers[l].Z, p.Corrupted.Layers[l].Z)
		if !c.AttnOnly {
			at(transformer.HookMLPIn, l, func(x *tensor.Tensor) {
				p.receive(circuit.Node{Kind: circuit.MLPIn, Layer: l}, p.Corrupted.Layers[l].MLPIn.Matrix(), x.Reshape(p.Rows(), c.DModel).Matrix())
			})
			keep(transformer.HookMLPOut, l, c.DModel, &p.change.Layers[l].MLPOut, p.Corrupted.Layers[l].MLPOut)
		}
	}
	at(transformer.HookResidPost, c.Layers-1, func(x *tensor.Tensor) {
		p.receive(circuit.Node{Kind: circuit.Output}, p.Corrupted.Out.Matrix(), x.Reshape(p.Rows(), c.DModel).Matrix())
	})
	return hooks
}

// headInputs writes the inputs of a layer's queries, keys or values [B,T,H,D].
func (p *plain) headInputs(l, side int, x *tensor.Tensor) {
	h, d := x.Dim(2), x.Dim(3)
	for j := range h {
		own := tensor.Matrix{Data: x.Data[j*d:], Rows: p.Rows(), Cols: d, Stride: h * d}
		p.receive(circuit.Node{Kind: circuit.QInput + circuit.Kind(side), Layer: l, Head: j}, p.Corrupted.Layers[l].AttnIn.Matrix(), own)
	}
}

// directEdges mixes the corrupted run's values into queries, keys or values
// [B,T,H,K] whose direct edge is not whole.
func (p *plain) directEdges(l, side int, x *tensor.Tensor) {
	if p.Runs.Graph().Config().Definition != circuit.ACDC {
		return
	}
	h, k := x.Dim(2), x.Dim(3)
	all := x.Reshape(p.Rows(), h*k).Matrix()
	for j := range h {
		lo, _ := p.Runs.Graph().Incoming(circuit.Node{Kind: circuit.Q + circuit.Kind(side), Layer: l, Head: j})
		if gate := p.gates[lo]; gate < 1 {
			co := p.Corrupted.SideOf(p.Runs.Model().Config, l, side, j)
			for i := range all.Rows {
				mix(all.Row(i)[j*k:(j+1)*k], co.Row(i), gate)
			}
		}
	}
}

// mix sets x to gate · x + (1 − gate) · co.
func mix(x, co []float32, gate float32) {
	if gate == 0 {
		copy(x, co)
		return
	}
	for i := range x {
		x[i] = co[i] + gate*(x[i]-co[i])
	}
}

// changeOf is a sender's values x [n,C] in the current run less those of the
// corrupted run.
func (p *plain) changeOf(x, co *tensor.Tensor) *tensor.Tensor {
	out := tensor.New(x.Dim(0), x.Dim(1))
	tensor.Parallel(x.Rows(), p.Runs.Threads(), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			tensor.SubTo(out.Row(i), x.Row(i), co.Row(i))
		}
	})
	return out
}

// tileRows is how many rows of an input are summed up at a time, so that they
// stay near the processor while one sender after the other is added.
const tileRows = 48

// receive sets x [B·T,D] to co + Σ over edges into r of gate · (on − co). Where
// there is a norm behind attention, a layer's heads are one sum, which it reads.
func (p *plain) receive(r circuit.Node, co, x tensor.Matrix) {
	lo, hi := p.Runs.Graph().Incoming(r)
	model := p.Runs.Model()
	width := max(model.Config.DModel, model.Config.DHead)
	p.scratch = tensor.Grown(p.scratch, 2*x.Rows*width)
	tiles := (x.Rows + tileRows - 1) / tileRows
	tensor.Parallel(tiles, p.Runs.Threads(), func(first, last int) {
		for k := first; k < last && p.ended() == nil; k++ {
			from, to := k*tileRows, min((k+1)*tileRows, x.Rows)
			p.receiveRows(lo, hi, co, x, from, to, p.scratch[2*from*width:2*to*width])
		}
	})
}

// receiveRows is receive of rows [from,to), by edges [lo,hi).
func (p *plain) receiveRows(lo, hi int, co, x tensor.Matrix, from, to int, scratch []float32) {
	model, own := p.Runs.Model(), x.Slice(from, to)
	sum := view(scratch[len(scratch)/2:], own.Rows, own.Cols) // of the heads of layer open
	open := -1
	flush := func() {
		if open >= 0 {
			all, out := p.AttnSum(open)
			model.AddAttnChange(open, own, all.Slice(from, to), out.Slice(from, to), sum)
		}
		open = -1
	}
	for i := from; i < to; i++ {
		copy(x.Row(i), co.Row(i))
	}
	for i := lo; i < hi; i++ {
		gate, s, into := p.gates[i], p.Runs.Senders()[i-lo], own
		if grouped := model.Config.PostNorm && s.IsHead; !grouped || s.Layer != open {
			flush()
			if grouped {
				open = s.Layer
				sum.Zero()
			}
		}
		if open >= 0 {
			into = sum
		}
		if gate > 0 {
			p.add(s, into, s.Value(p.change).Slice(from, to), gate, scratch[:len(scratch)/2])
		}
	}
	flush()
}

// add adds gate · (on − co), changes of a sender's values, to residuals x [n,D]:
// for a head, whose values are z, through its part of W_O.
func (p *plain) add(s ablate.Sender, x, change tensor.Matrix, gate float32, scratch []float32) {
	if gate != 1 {
		whole := change
		change = view(scratch, x.Rows, whole.Cols)
		for i := range x.Rows {
			for j, v := range whole.Row(i) {
				change.Row(i)[j] = v * gate
			}
		}
	}
	if s.IsHead {
		p.Runs.Model().AddHeadOut(s.Layer, s.Head, x, change)
		return
	}
	for i := range x.Rows {
		tensor.Add(x.Row(i), change.Row(i))
	}
}
