package roc

import (
	"errors"
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// Truth is a circuit that is known to be the true one, in a graph, and what is
// counted of circuits in that graph. It is immutable and safe for concurrent
// use.
type Truth struct {
	net          *network
	o            Options
	part         []int // of the model, by node
	edges, nodes []bool
}

// NewTruth makes a truth of a mask. It panics if the mask is of another graph; a
// circuit of which nothing is counted is an error.
func NewTruth(g *circuit.Graph, m circuit.Mask, o Options) (*Truth, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	all := g.NumEdges()
	t := &Truth{net: newNetwork(g), o: o}
	part, count := t.net.parts(o.Nodes)
	if o.Placeholders {
		all += len(t.net.joints)
	}
	t.part, t.edges, t.nodes = part, make([]bool, all), make([]bool, count)
	x := t.tallied("NewTruth", m)
	switch {
	case m.Count() == 0:
		return nil, errors.New("true circuit: expected edges, found none")
	case x.edges.count.Found() == 0 || x.nodes.count.Found() == 0:
		return nil, errors.New("true circuit: expected edges on a path from an embedding to the output, found none")
	}
	t.edges, t.nodes = x.edges.in, x.nodes.in
	return t, nil
}

// Options says what is counted.
func (t *Truth) Options() Options { return t.made("Options").o }

// Graph is the graph of the true circuit.
func (t *Truth) Graph() *circuit.Graph { return t.made("Graph").net.Graph }

// Count compares a circuit with the true one. It panics if the mask is of
// another graph.
func (t *Truth) Count(m circuit.Mask) (edges, nodes Count) {
	x := t.tallied("Count", m)
	return x.edges.count, x.nodes.count
}

// tally is a circuit without edges to count against the truth.
func (t *Truth) tally() *tally { return newTally(t.net, t.o, t.part, t.edges, t.nodes) }

// tallied is a whole circuit, for a function that panics if it is of another
// graph.
func (t *Truth) tallied(what string, m circuit.Mask) *tally {
	if n := t.made(what).net.NumEdges(); len(m) != n {
		panic(fmt.Sprintf("roc: %s: a mask of %d edges, the graph has %d", what, len(m), n))
	}
	x := t.tally()
	for i, present := range m {
		if present {
			x.add(i)
		}
	}
	return x
}

// made is the truth itself; it panics if NewTruth did not make it.
func (t *Truth) made(what string) *Truth {
	if t == nil || t.net == nil {
		panic(fmt.Sprintf("roc: %s: a truth that NewTruth did not make", what))
	}
	return t
}
