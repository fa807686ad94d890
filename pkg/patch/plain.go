package patch

import (
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// plain is one full forward pass under a mask.
type plain struct {
	e    *Experiment
	mask circuit.Mask
	on   senders // the current run's senders, as far as it has come
}

// Plain returns the metric's value of each of its rows with only the mask's
// edges present, by one full forward pass: the reference to which every other
// way to evaluate a mask is held.
func (e *Experiment) Plain(mask circuit.Mask) ([]float64, error) {
	if e.slices != nil {
		return e.plainInSlices(mask)
	}
	var out tensor.Matrix
	last := transformer.HookPoint{Point: transformer.HookResidPost, Layer: e.model.Config.Layers - 1}
	gather := transformer.Hook{At: last, Do: func(x *tensor.Tensor) {
		out = e.outputRows(x.Reshape(e.b*e.t, e.model.Config.DModel))
	}}
	if _, err := e.plainPass(mask, transformer.Options{Hooks: []transformer.Hook{gather}, NoLogits: true}); err != nil {
		return nil, err
	}
	return e.measure(out), nil
}

// plainInSlices is Plain, slice by slice.
func (e *Experiment) plainInSlices(mask circuit.Mask) ([]float64, error) {
	values := make([]float64, 0, len(e.flat))
	for i := range e.slices {
		part, err := e.slices[i].bind()
		if err != nil {
			return nil, err
		}
		rows, err := part.Plain(mask)
		if err != nil {
			return nil, err
		}
		values = append(values, rows...)
	}
	return values, nil
}

// PlainMetric is the metric of Plain.
func (e *Experiment) PlainMetric(mask circuit.Mask) (float64, error) {
	values, err := e.Plain(mask)
	if err != nil {
		return 0, err
	}
	return e.metric.Mean(values), nil
}

// Logits returns all logits [B,T,V] with only the mask's edges present, by one
// full forward pass. Hooks see the patched run.
func (e *Experiment) Logits(mask circuit.Mask, hooks ...transformer.Hook) (*tensor.Tensor, error) {
	return e.plainPass(mask, transformer.Options{Hooks: hooks})
}

// plainPass runs the model with a hook at every receiver, which come before
// the hooks given.
func (e *Experiment) plainPass(mask circuit.Mask, o transformer.Options) (*tensor.Tensor, error) {
	if e.slices != nil {
		return nil, fmt.Errorf("logits of an experiment that is bound in slices: bind it whole")
	}
	if len(mask) != e.graph.NumEdges() {
		return nil, fmt.Errorf("mask: expected %d edges, found %d", e.graph.NumEdges(), len(mask))
	}
	c := e.model.Config
	p := &plain{e: e, mask: mask, on: senders{z: make([]*tensor.Tensor, c.Layers), mlp: make([]*tensor.Tensor, c.Layers)}}
	var hooks []transformer.Hook
	at := func(point transformer.Point, layer int, do func(*tensor.Tensor)) {
		hooks = append(hooks, transformer.Hook{At: transformer.HookPoint{Point: point, Layer: layer}, Do: do})
	}
	at(transformer.HookEmbed, 0, func(x *tensor.Tensor) { p.on.embed = x.Clone() })
	if c.Positions == transformer.Standard {
		at(transformer.HookPosEmbed, 0, func(x *tensor.Tensor) { p.on.pos = x.Clone() })
	}
	if !e.graph.Config().SplitEmbed {
		at(transformer.HookResidPre, 0, func(x *tensor.Tensor) { p.on.embed = x.Clone() })
	}
	for l := range c.Layers {
		for side := range 3 {
			at(transformer.HookQInput+transformer.Point(side), l, func(x *tensor.Tensor) { p.headInputs(l, side, x) })
			at(e.sidePoint(side), l, func(x *tensor.Tensor) { p.directEdges(l, side, x) })
		}
		at(transformer.HookZ, l, func(x *tensor.Tensor) { p.on.z[l] = x.Clone() })
		if !c.AttnOnly {
			at(transformer.HookMLPIn, l, func(x *tensor.Tensor) {
				p.receive(circuit.Node{Kind: circuit.MLPIn, Layer: l}, e.co.mlpIn[l].Matrix(), x.Reshape(e.b*e.t, c.DModel).Matrix())
			})
			at(transformer.HookMLPOut, l, func(x *tensor.Tensor) { p.on.mlp[l] = x.Clone() })
		}
	}
	at(transformer.HookResidPost, c.Layers-1, func(x *tensor.Tensor) {
		p.receive(circuit.Node{Kind: circuit.Output}, e.co.out.Matrix(), x.Reshape(e.b*e.t, c.DModel).Matrix())
	})
	o.Hooks = append(hooks, o.Hooks...)
	o.Threads, o.Pad = e.threads, e.pad
	return e.model.Forward(e.clean.tokens, o)
}

// n is the number of rows.
func (p *plain) n() int { return p.e.b * p.e.t }

// headInputs writes the inputs of a layer's queries, keys or values [B,T,H,D].
func (p *plain) headInputs(l, side int, x *tensor.Tensor) {
	h, d := x.Dim(2), x.Dim(3)
	for j := range h {
		own := tensor.Matrix{Data: x.Data[j*d:], Rows: p.n(), Cols: d, Stride: h * d}
		p.receive(circuit.Node{Kind: circuit.QInput + circuit.Kind(side), Layer: l, Head: j}, p.e.co.attnIn[l].Matrix(), own)
	}
}

// directEdges puts the corrupted run's values in the place of queries, keys or
// values [B,T,H,K] whose direct edge is cut.
func (p *plain) directEdges(l, side int, x *tensor.Tensor) {
	if p.e.graph.Config().Definition != circuit.ACDC {
		return
	}
	h, k := x.Dim(2), x.Dim(3)
	all := x.Reshape(p.n(), h*k).Matrix()
	for j := range h {
		lo, _ := p.e.graph.Incoming(circuit.Node{Kind: circuit.Q + circuit.Kind(side), Layer: l, Head: j})
		if p.mask[lo] {
			continue
		}
		co := p.e.co.qkv[l][side].Matrix()
		for i := range p.n() {
			copy(all.Row(i)[j*k:(j+1)*k], co.Row(i)[j*k:(j+1)*k])
		}
	}
}

// receive sets x [B·T,D] to co + Σ over present edges into r of on − co.
func (p *plain) receive(r circuit.Node, co, x tensor.Matrix) {
	lo, hi := p.e.graph.Incoming(r)
	tensor.Parallel(x.Rows, p.e.threads, func(from, to int) {
		w := newWorker(p.e, to-from)
		for i := from; i < to; i++ {
			copy(x.Row(i), co.Row(i))
		}
		for i := lo; i < hi; i++ {
			if p.mask[i] {
				s := p.e.senders[i-lo]
				w.addChange(x.Slice(from, to), s, picked{p.value(s).Slice(from, to), nil}, picked{p.e.co.value(s).Slice(from, to), nil})
			}
		}
	})
}

// value is a sender's output in the current run [B·T,K or D].
func (p *plain) value(s sender) tensor.Matrix {
	d := p.e.model.Config.DModel
	switch {
	case s.isHead:
		k := p.e.model.Config.DHead
		return p.on.z[s.layer].Reshape(p.n(), p.e.model.Config.Heads*k).Matrix().Columns(s.head*k, (s.head+1)*k)
	case s.embed == 0:
		return p.on.embed.Reshape(p.n(), d).Matrix()
	case s.embed == 1:
		return p.on.pos.Reshape(p.n(), d).Matrix()
	}
	return p.on.mlp[s.layer].Reshape(p.n(), d).Matrix()
}
