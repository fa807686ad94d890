package compare

import (
	"errors"
	"fmt"
	"math"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// Sets counts what two circuits have of one kind, edges or nodes.
type Sets struct {
	Both  int `json:"both"`
	OnlyA int `json:"only_a"`
	OnlyB int `json:"only_b"`
}

// Jaccard is how much of what either has both have, from 0 to 1: NaN where
// neither has anything.
func (s Sets) Jaccard() float64 { return share(s.Both, s.Both+s.OnlyA+s.OnlyB) }

// Precision is how much of B is in A too; NaN where B has nothing.
func (s Sets) Precision() float64 { return share(s.Both, s.Both+s.OnlyB) }

// Recall is how much of A is in B too; NaN where A has nothing.
func (s Sets) Recall() float64 { return share(s.Both, s.Both+s.OnlyA) }

func share(part, whole int) float64 { return float64(part) / float64(whole) }

// add counts one thing.
func (s *Sets) add(inA, inB bool) {
	switch {
	case inA && inB:
		s.Both++
	case inA:
		s.OnlyA++
	case inB:
		s.OnlyB++
	}
}

// Ranks are the rank correlations of the scores of some edges; NaN where there
// are too few, or one circuit's are all equal.
type Ranks struct {
	Edges             int
	Spearman, Kendall float64
}

// Circuit is a circuit that is compared with others.
type Circuit struct {
	Name   string
	Mask   circuit.Mask
	Scores circuit.Scores // NaN where an edge has none
	Lost   circuit.Lost   // on the way to the common graph
}

// Pair is the comparison of two circuits.
type Pair struct {
	A, B   string
	Edges  Sets
	Nodes  Sets
	Common Ranks // over the edges that both keep and have scores of
	Scored Ranks // over all edges that both have scores of
}

// Common tells circuits in the finest graph that all of them have. What cannot be
// told so is an error that names the circuit.
func Common(files []*circuit.File, names []string) (*circuit.Graph, []Circuit, error) {
	if len(files) == 0 || len(files) != len(names) {
		return nil, nil, fmt.Errorf("expected circuits with a name each, found %d and %d names", len(files), len(names))
	}
	c := circuit.Config{}
	for k, f := range files {
		if f == nil {
			return nil, nil, errors.New("expected circuits, found none")
		}
		if k == 0 {
			c = circuit.Config(f.Graph)
		}
		var err error
		if c, err = circuit.Common(c, circuit.Config(f.Graph)); err != nil {
			return nil, nil, fmt.Errorf("%s and %s: %w", names[0], names[k], err)
		}
	}
	g, err := circuit.New(c)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", names[0], err)
	}
	var out []Circuit
	for k, f := range files {
		own, mask, scores, err := f.Circuit()
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", names[k], err)
		}
		in := Circuit{Name: names[k]}
		if in.Mask, in.Scores, in.Lost, err = own.Project(mask, scores, g); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", names[k], err)
		}
		out = append(out, in)
	}
	return g, out, nil
}

// Of compares two circuits of a graph. It panics if one is of another.
func Of(g *circuit.Graph, a, b Circuit) Pair {
	if n := g.NumEdges(); len(a.Mask) != n || len(b.Mask) != n || len(a.Scores) != n || len(b.Scores) != n {
		panic(fmt.Sprintf("compare: graph of %d edges, masks of %d and %d, scores of %d and %d", n, len(a.Mask), len(b.Mask), len(a.Scores), len(b.Scores)))
	}
	p := Pair{A: a.Name, B: b.Name}
	var x, y, both, bothY []float64
	for i := range a.Mask {
		p.Edges.add(a.Mask[i], b.Mask[i])
		if math.IsNaN(a.Scores[i]) || math.IsNaN(b.Scores[i]) {
			continue
		}
		x, y = append(x, a.Scores[i]), append(y, b.Scores[i])
		if a.Mask[i] && b.Mask[i] {
			both, bothY = append(both, a.Scores[i]), append(bothY, b.Scores[i])
		}
	}
	inA, inB := g.Parts(a.Mask), g.Parts(b.Mask)
	for _, n := range append(append([]circuit.Node(nil), g.Senders()...), circuit.Node{Kind: circuit.Output}) {
		p.Nodes.add(inA[n], inB[n])
	}
	p.Common, p.Scored = Ranks{len(both), Spearman(both, bothY), Kendall(both, bothY)}, Ranks{len(x), Spearman(x, y), Kendall(x, y)}
	return p
}

// All compares every two circuits, in their order.
func All(g *circuit.Graph, list []Circuit) []Pair {
	var out []Pair
	for i, a := range list {
		for _, b := range list[i+1:] {
			out = append(out, Of(g, a, b))
		}
	}
	return out
}
