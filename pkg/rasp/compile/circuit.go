package compile

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/rasp"
)

// dims says of each residual dimension whether it belongs to a set; nil is the
// empty set.
type dims []bool

func newDims(n int) dims { return make(dims, n) }

func (d dims) meets(other dims) bool {
	for i := range d {
		if d[i] && other != nil && other[i] {
			return true
		}
	}
	return false
}

// wiring is what a part reads and writes.
type wiring struct{ reads, writes dims }

// headWiring is a head and its weights.
type headWiring struct {
	a *attention
	w headWeights
}

// How many inputs are asked whether a selector selects nothing: so many, but
// fewer where they are long and have many pairs of positions.
const (
	circuitInputs = 2000
	circuitPairs  = 2_000_000
)

// Circuit is the program's circuit in a graph of the model, with or without
// split embeddings: the edges by which each part reads what another has written
// for it, dimension by dimension.
//
// Two things that weights do are not part of it, as the program does not need
// them. Queries and keys of a count that selects everything score all alike,
// BOS too, and read nothing. And where an aggregate names no default and
// selects something for every query (on all inputs of the domain, or random ones
// where they are more than 2,000), what would have it look at BOS is not used.
// A default that is named counts as needed, as it does in the reference's list for
// proportion, even where on the program's own inputs nothing falls back to it.
func (m *Model) Circuit(ctx context.Context, g *circuit.Graph) (circuit.Mask, error) {
	falls, err := m.fallsBack(ctx)
	if err != nil {
		return nil, err
	}
	return m.mask(g, func(h headWiring, side int) dims { return h.used(side, falls[h.a.expr], len(m.Labels)) })
}

// wired is every edge by which a part has a weight on what another writes,
// whether the program needs it or not: what Circuit is a part of.
func (m *Model) wired(g *circuit.Graph) (circuit.Mask, error) {
	return m.mask(g, func(h headWiring, side int) dims { return h.entries(side, true, len(m.Labels)) })
}

// entries are the dimensions that a side of the head has weights on; bos says
// whether those count that only serve to look at BOS where nothing is selected.
func (h headWiring) entries(side int, bos bool, n int) dims {
	out := newDims(n)
	for _, e := range h.w.in[side] {
		if bos || !e.bos {
			out[e.at.dim()] = true
		}
	}
	return out
}

// used are the dimensions that a side of the head needs.
func (h headWiring) used(side int, falls bool, n int) dims {
	if side < 2 && h.a.free() {
		return newDims(n)
	}
	return h.entries(side, falls, n)
}

// writes are the dimensions that the head's output has.
func (h headWiring) writes(n int) dims {
	out := newDims(n)
	for _, e := range h.w.out {
		out[e.at.dim()] = true
	}
	return out
}

// fallsBack says which aggregates need their look at BOS: those with a default,
// and those that select nothing somewhere.
func (m *Model) fallsBack(ctx context.Context) (map[rasp.Expr]bool, error) {
	out := map[rasp.Expr]bool{}
	var open []*rasp.Aggregate
	for _, h := range m.heads {
		if e, ok := h.a.expr.(*rasp.Aggregate); ok {
			out[e] = e.Default.Defined()
			open = append(open, e)
		}
	}
	inputs, _ := m.Domain.Inputs(min(circuitInputs, circuitPairs/(m.Domain.MaxLen*m.Domain.MaxLen)), 1)
	for _, input := range inputs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		run := rasp.NewRun(m.Domain, input)
		for _, e := range open {
			if out[e] {
				continue
			}
			empty, err := selectsNothing(run, e)
			if err != nil {
				return nil, err
			}
			out[e] = empty
		}
	}
	return out, nil
}

// selectsNothing reports whether a position of an input selects nothing. Inputs
// on which the program has no meaning count for nothing.
func selectsNothing(run *rasp.Run, e *rasp.Aggregate) (bool, error) {
	selected, err := run.Selected(e.Selector)
	var mixed *rasp.MixedError
	if errors.As(err, &mixed) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, keys := range selected {
		if len(keys) == 0 {
			return true, nil
		}
	}
	return false, nil
}

// mask is the edges between parts of which one reads what the other writes.
func (m *Model) mask(g *circuit.Graph, side func(h headWiring, side int) dims) (circuit.Mask, error) {
	c, shape := g.Config(), m.Transformer.Config
	if c.Layers != shape.Layers || c.Heads != shape.Heads || c.AttnOnly || c.ParallelAttnMLP {
		return nil, fmt.Errorf("graph: expected %d layers of %d heads with an MLP after them, found another model's graph", shape.Layers, shape.Heads)
	}
	n, reads, writes := len(m.Labels), map[circuit.Node]dims{}, map[circuit.Node]dims{}
	writes[circuit.Node{Kind: circuit.Embed}], writes[circuit.Node{Kind: circuit.PosEmbed}] = m.embed, m.pos
	writes[circuit.Node{Kind: circuit.Input}] = union(m.embed, m.pos)
	for l, w := range m.mlps {
		reads[circuit.Node{Kind: circuit.MLPIn, Layer: l}], writes[circuit.Node{Kind: circuit.MLP, Layer: l}] = w.reads, w.writes
	}
	for _, h := range m.heads {
		at := circuit.Node{Layer: h.a.block, Head: h.a.head}
		at.Kind = circuit.Head
		writes[at] = h.writes(n)
		for s := range 3 {
			at.Kind = circuit.QInput + circuit.Kind(s)
			reads[at] = side(h, s)
		}
	}
	reads[circuit.Node{Kind: circuit.Output}] = newDims(n)
	for _, dim := range m.reads[:max(1, len(m.Output))] {
		reads[circuit.Node{Kind: circuit.Output}][dim] = true
	}
	return edges(g, reads, writes), nil
}

func union(a, b dims) dims {
	out := newDims(len(a))
	for i := range out {
		out[i] = a[i] || b[i]
	}
	return out
}

// edges are those between what reads and what writes the same dimension, and the
// direct edges of inputs that read any.
func edges(g *circuit.Graph, reads, writes map[circuit.Node]dims) circuit.Mask {
	out := g.Empty()
	for i := range out {
		e := g.Edge(i)
		if e.IsDirect() {
			for _, read := range reads[e.Sender] {
				out[i] = out[i] || read
			}
			continue
		}
		out[i] = reads[e.Receiver].meets(writes[e.Sender])
	}
	return out
}
