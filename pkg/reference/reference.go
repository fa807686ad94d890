// Package reference holds circuits that people found by hand and published, and
// those of models that are written by hand, to compare found circuits with and
// to draw these in the groups of the papers.
//
// It knows
//  1. the circuits (All, Find) as data: the model, the shape of its graph, the
//     groups of nodes that the paper tells apart, and the wires between them, of
//     models by hand for each ablation (gates.go);
//  2. how the wires become masks of a graph's edges (Circuit.Mask, Circuit.Masks).
//
// It does not know what a task's prompts are, nor anything that runs a model.
package reference

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// Circuit is the circuit of a task as people found it by hand, in the graph of
// one model, or as it is by definition, of a model by hand.
type Circuit struct {
	Task      string   // name of the task
	Model     string   // the model it was found in
	Source    string   // the paper that found it
	Ablations []string // under which it is the circuit of exactly this model, the task's own first; nil of a paper's, which names none
	Layers    int
	Heads     int // of each layer
	AttnOnly  bool
	Groups    []Group // nodes that do the same, as the paper tells them apart
	Sets      []Set   // other nodes that wires go between
	Wires     []Wire
	Others    [][]Wire // of the other circuits that do as well with no edge to spare, where there is more than one
}

// Group is a class of nodes that do the same in a circuit.
type Group struct {
	Name  string
	Color string         // "#rrggbb"
	Nodes []circuit.Node // heads and MLPs
}

// Set is a name for some nodes that are no group.
type Set struct {
	Name  string
	Nodes []circuit.Node // heads and MLPs
}

// Wire is all edges from some nodes to others, as far as the former are
// computed before the latter, and the direct edges of the heads' inputs that it
// ends in. Either end is the name of a group, of a set, or of a node, such as
// input, a0.h5 or logits.
type Wire struct {
	From, To string
	Letters  string // which of a head's inputs it ends in: some of q, k and v
}

// All lists the circuits, of a task by hand one for each group of ablations.
// Which edges a paper's description in words comes to is taken over from the
// evaluation of Conmy et al. 2023 (arXiv:2304.14997, appendix), as are the
// colours.
func All() []Circuit {
	return append([]Circuit{ioi(), greaterThan(), docstring()}, byHand()...)
}

// Tasks lists the tasks that have a circuit.
func Tasks() []string {
	return slices.Compact(choice.Names(All(), func(c Circuit) string { return c.Task }))
}

// Find returns the circuit of a task under an ablation, or under the task's own
// if none is given; a paper's is the same under all. A task without one is an
// error that lists those that have one, an ablation likewise.
func Find(task, ablation string) (Circuit, error) {
	var known []string
	for _, c := range All() {
		if c.Task != task {
			continue
		}
		if ablation == "" || c.Ablations == nil || slices.Contains(c.Ablations, ablation) {
			return c, nil
		}
		known = append(known, c.Ablations...)
	}
	if known != nil {
		return Circuit{}, fmt.Errorf("task %s has no reference circuit under ablation %s: expected one of %s", task, oneline.Quote(ablation), choice.List(known))
	}
	return Circuit{}, fmt.Errorf("task %s has no reference circuit: expected one of %s", oneline.Quote(task), choice.List(Tasks()))
}

// config is the graph of the circuit's model by a definition of its edges.
func (c Circuit) config(d circuit.Definition) circuit.Config {
	return circuit.Config{Definition: d, Layers: c.Layers, Heads: c.Heads, AttnOnly: c.AttnOnly}
}

// Graph makes the graph of the model that the circuit was found in.
func (c Circuit) Graph(d circuit.Definition) (*circuit.Graph, error) {
	return circuit.New(c.config(d))
}

// Masks are the circuit and the others that do as well, in a graph as Mask has it.
func (c Circuit) Masks(g *circuit.Graph) ([]circuit.Mask, error) {
	var out []circuit.Mask
	for _, wires := range append([][]Wire{c.Wires}, c.Others...) {
		one := c
		one.Wires = wires
		mask, err := one.Mask(g)
		if err != nil {
			return nil, err
		}
		out = append(out, mask)
	}
	return out, nil
}

// Mask is the circuit in a graph, which must be of the shape of its model. In
// a graph without direct edges it is what remains of the circuit.
func (c Circuit) Mask(g *circuit.Graph) (circuit.Mask, error) {
	if want, found := c.config(g.Config().Definition), g.Config(); found != want {
		return nil, fmt.Errorf("reference circuit of %s: expected a graph of %v, found %v", c.Task, want, found)
	}
	mask := g.Empty()
	for i, w := range c.Wires {
		senders, err := c.nodes(g, w.From)
		if err != nil {
			return nil, fmt.Errorf("reference circuit of %s: wire %d: %w", c.Task, i, err)
		}
		receivers, err := c.receivers(g, w)
		if err != nil {
			return nil, fmt.Errorf("reference circuit of %s: wire %d: %w", c.Task, i, err)
		}
		for _, to := range receivers {
			join(g, mask, senders, to)
			direct(g, mask, to)
		}
	}
	return mask, nil
}

// nodes are what the name of a wire's end stands for.
func (c Circuit) nodes(g *circuit.Graph, name string) ([]circuit.Node, error) {
	for _, g := range c.Groups {
		if g.Name == name {
			return g.Nodes, nil
		}
	}
	for _, s := range c.Sets {
		if s.Name == name {
			return s.Nodes, nil
		}
	}
	n, err := g.ParseNode(name)
	if err != nil {
		return nil, fmt.Errorf("expected the name of a group, a set or a node, found %s", oneline.Quote(name))
	}
	return []circuit.Node{n}, nil
}

// receivers are the nodes that a wire's edges end in: of a head those of its
// inputs that the letters name, of an MLP its input.
func (c Circuit) receivers(g *circuit.Graph, w Wire) ([]circuit.Node, error) {
	nodes, err := c.nodes(g, w.To)
	if err != nil {
		return nil, err
	}
	var out []circuit.Node
	for _, n := range nodes {
		switch n.Kind {
		case circuit.Head:
			for _, letter := range w.Letters {
				k := strings.IndexRune(string(circuit.Letters[:]), letter)
				if k < 0 {
					return nil, fmt.Errorf("expected letters of q, k and v, found %s", oneline.Quote(w.Letters))
				}
				out = append(out, circuit.Node{Kind: circuit.QInput + circuit.Kind(k), Layer: n.Layer, Head: n.Head})
			}
		case circuit.MLP:
			out = append(out, circuit.Node{Kind: circuit.MLPIn, Layer: n.Layer})
		default:
			out = append(out, n)
		}
	}
	return out, nil
}

// join puts in every edge that the graph has from the senders to the receiver.
func join(g *circuit.Graph, mask circuit.Mask, senders []circuit.Node, to circuit.Node) {
	for _, from := range senders {
		if i, ok := g.Index(circuit.Edge{Sender: from, Receiver: to}); ok {
			mask[i] = true
		}
	}
}

// direct puts in the direct edge of a head's input.
func direct(g *circuit.Graph, mask circuit.Mask, in circuit.Node) {
	if letter, ok := in.Letter(); ok {
		q := circuit.Node{Kind: circuit.Q + circuit.Kind(letter), Layer: in.Layer, Head: in.Head}
		join(g, mask, []circuit.Node{in}, q)
	}
}
