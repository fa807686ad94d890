package stability

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/judge"
)

// Options say what a result is of.
type Options struct {
	Drawings   int      `json:"drawings"`   // of the examples, for each seed, beside that of each example once
	Seeds      []uint64 `json:"seeds"`      // of prompts and algorithm
	Confidence float64  `json:"confidence"` // of the intervals
}

// Check refuses what cannot be meant.
func (o Options) Check() error {
	const most = 1_000_000
	if o.Drawings < 0 || o.Drawings > most {
		return fmt.Errorf("field \"drawings\": expected a whole number from 0 to %d, found %d", most, o.Drawings)
	}
	if len(o.Seeds) == 0 || len(o.Seeds) > most {
		return fmt.Errorf("field \"seeds\": expected 1 to %d, found %d", most, len(o.Seeds))
	}
	for i, s := range o.Seeds {
		if slices.Contains(o.Seeds[:i], s) {
			return fmt.Errorf("field \"seeds\"[%d]: expected different seeds, found %d twice", i, s)
		}
	}
	if !(o.Confidence > 0 && o.Confidence < 1) {
		return fmt.Errorf("field \"confidence\": expected a number above 0 and below 1, found %v", o.Confidence)
	}
	return nil
}

// Edge is an edge that was found at least once.
type Edge struct {
	Name      string   `json:"edge"`
	Kept      bool     `json:"kept"`      // in the circuit of the first seed on all examples
	Found     int      `json:"found"`     // in so many circuits
	Frequency float64  `json:"frequency"` // as a share of all
	Scored    int      `json:"scored"`    // in so many drawings it has a score
	Effect    *float64 `json:"effect"`    // the mean of these
	Low       *float64 `json:"low"`       // the ends of its interval
	High      *float64 `json:"high"`
}

// Result is how stable circuits are.
type Result struct {
	Graph        circuit.GraphInfo `json:"graph"`
	Run          circuit.Run       `json:"run"`
	Options      Options           `json:"options"`
	EdgesTotal   int               `json:"edges_total"`
	Circuits     []Circuit         `json:"circuits"`
	Jaccard      *float64          `json:"jaccard"`       // the mean over all pairs of circuits, null of a single one
	JaccardWhole *float64          `json:"jaccard_whole"` // over those of the first seed's on all examples and another
	Edges        []Edge            `json:"edges"`         // in the order of their numbers
}

// Circuit is one of those found.
type Circuit struct {
	Seed  uint64 `json:"seed"`
	Whole bool   `json:"whole"` // on each example once
	Edges int    `json:"edges"`
}

// New sums up drawings of circuits of a graph, the first of which is the one that
// others are compared with.
func New(g *circuit.Graph, drawings []Drawing, o Options) (*Result, error) {
	if g == nil || len(drawings) == 0 {
		panic("stability: New: expected a graph and a drawing")
	}
	if err := o.Check(); err != nil {
		return nil, err
	}
	r := &Result{Graph: g.Info(), Options: o, EdgesTotal: g.NumEdges(), Edges: []Edge{}}
	for _, d := range drawings {
		if err := d.Mask.Gates().Check(g); err != nil {
			return nil, err
		}
		r.Circuits = append(r.Circuits, Circuit{d.Seed, d.Whole, d.Mask.Count()})
	}
	for i := range g.NumEdges() {
		if e := edgeOf(drawings, i, o.Confidence); e.Found > 0 {
			e.Name = g.Edge(i).String()
			r.Edges = append(r.Edges, e)
		}
	}
	r.Jaccard, r.JaccardWhole = jaccards(drawings)
	return r, nil
}

// edgeOf sums up one edge.
func edgeOf(drawings []Drawing, i int, confidence float64) Edge {
	e := Edge{Kept: drawings[0].Mask[i]}
	var scores []float64
	for _, d := range drawings {
		if d.Mask[i] {
			e.Found++
		}
		if i < len(d.Scores) && !math.IsNaN(d.Scores[i]) && !math.IsInf(d.Scores[i], 0) {
			scores = append(scores, d.Scores[i])
		}
	}
	e.Frequency = float64(e.Found) / float64(len(drawings))
	if e.Scored = len(scores); e.Scored == 0 {
		return e
	}
	slices.Sort(scores)
	mean := 0.0
	for _, s := range scores {
		mean += s / float64(len(scores))
	}
	low, high := judge.Quantile(scores, (1-confidence)/2), judge.Quantile(scores, (1+confidence)/2)
	e.Effect, e.Low, e.High = &mean, &low, &high
	return e
}

// jaccards are the mean index over all pairs, and over those with the first.
func jaccards(drawings []Drawing) (all, whole *float64) {
	sum, first, pairs := 0.0, 0.0, 0
	sets := make([][]uint64, len(drawings))
	for i, d := range drawings {
		sets[i] = bitsOf(d.Mask)
		for k := range i {
			x := jaccard(sets[i], sets[k])
			if sum, pairs = sum+x, pairs+1; k == 0 {
				first += x
			}
		}
	}
	if pairs == 0 {
		return nil, nil
	}
	sum /= float64(pairs)
	first /= float64(len(drawings) - 1)
	return &sum, &first
}

// bitsOf is a mask with 64 edges a word.
func bitsOf(m circuit.Mask) []uint64 {
	out := make([]uint64, (len(m)+63)/64)
	for i, present := range m {
		if present {
			out[i/64] |= 1 << (i % 64)
		}
	}
	return out
}

// jaccard is the number of edges that both circuits have over that of those that
// either has, 1 if neither has any.
func jaccard(a, b []uint64) float64 {
	both, either := 0, 0
	for i := range a {
		both += bits.OnesCount64(a[i] & b[i])
		either += bits.OnesCount64(a[i] | b[i])
	}
	if either == 0 {
		return 1
	}
	return float64(both) / float64(either)
}
