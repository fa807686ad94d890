// Package probing is subnetwork probing (Cao et al. 2021, arXiv:2104.03514) as
// the ACDC paper compares it: hard-concrete masks are learned under which the
// metric stays small and few are open,
//
//	loss = metric + λ · mean over groups of the mean P(z > 0),
//
// what a mask shuts out being replaced by the corrupted run's, or by zero where
// masks on nodes stand under zero ablation. The masks stand on
// the queries, keys and values of every head and on the outputs of MLPs, a group
// being one layer's of one kind; or on every edge, one group. A mask's score is
// its expectation.
package probing

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/learn"
)

// Scorer is the method.
type Scorer struct {
	Edges  bool    `json:"edges,omitempty"` // masks on edges, not on nodes
	Steps  int     `json:"steps"`
	Rate   float64 `json:"rate"`   // of Adam
	Lambda float64 `json:"lambda"` // λ
}

// Default are the settings of the reference implementation's script, which is
// also run with λ from 0.01 to 250.
func Default() Scorer { return Scorer{Steps: 3000, Rate: 1e-3, Lambda: 50} }

const (
	keep  = 0.9  // how open masks are at first, by σ of their parameter times (ζ−γ) plus γ
	edges = 1e-4 // how near to 0 and 1 the noise comes
)

// start is the parameter whose mask is keep: (ζ−γ)σ(s) + γ = keep.
var start = math.Log((keep - learn.Gamma) / (learn.Zeta - keep))

// Name is "sp", or "sp-edges".
func (s Scorer) Name() string {
	if s.Edges {
		return "sp-edges"
	}
	return "sp"
}

// Score learns the masks.
func (s Scorer) Score(ctx context.Context, r discover.Request) (*discover.Scored, error) {
	g := r.Experiment.Graph()
	if s.Steps < 1 || !(s.Rate > 0) || !(s.Lambda >= 0) {
		return nil, fmt.Errorf("steps, rate and lambda: expected numbers above 0, found %d, %v and %v", s.Steps, s.Rate, s.Lambda)
	}
	if !s.Edges && g.Config().Definition != circuit.ACDC {
		return nil, fmt.Errorf("masks on queries, keys and values: expected the graph acdc, whose direct edges they are, found %s", g.Config().Definition)
	}
	m := newMasks(g, s)
	params, cost, err := learn.Descend(ctx, m, r, learn.Options{Steps: s.Steps, Rate: learn.Constant(s.Rate), Betas: [2]float64{0.9, 0.999},
		ZeroSides: !s.Edges && r.Experiment.Runs().Ablation() == ablate.Zero})
	if err != nil {
		return nil, err
	}
	out := &discover.Scored{Cost: cost}
	if s.Edges {
		out.Scores = make(circuit.Scores, g.NumEdges())
		for i, mask := range m.of {
			out.Scores[i] = 1
			if mask >= 0 {
				out.Scores[i] = learn.Mean(params[mask])
			}
		}
		return out, nil
	}
	nodes := map[circuit.Node]float64{}
	for i, n := range m.nodes {
		nodes[n] = learn.Mean(params[i])
	}
	out.Scores = discover.ByNode(g, nodes)
	return out, nil
}

// masks say which mask gates an edge.
type masks struct {
	lambda float64
	of     []int // by edge, its mask, -1 for none
	nodes  []circuit.Node
	weight []float64 // by mask, in the mean of means
}

func newMasks(g *circuit.Graph, s Scorer) *masks {
	m := &masks{lambda: s.Lambda, of: make([]int, g.NumEdges())}
	for i := range m.of {
		m.of[i] = -1
	}
	if s.Edges {
		for i := range m.of {
			if !g.Edge(i).IsDirect() {
				m.of[i] = len(m.weight)
				m.weight = append(m.weight, 1)
			}
		}
		for i := range m.weight {
			m.weight[i] = 1 / float64(len(m.weight))
		}
		return m
	}
	m.onNodes(g)
	return m
}

// onNodes puts masks on queries, keys and values, whose direct edges they gate,
// and on MLPs, all of whose edges they gate.
func (m *masks) onNodes(g *circuit.Graph) {
	groups := 0.0
	for _, r := range g.Receivers() {
		lo, _ := g.Incoming(r)
		switch {
		case r.Kind >= circuit.Q && r.Kind <= circuit.V:
			m.of[lo] = len(m.nodes)
			m.nodes = append(m.nodes, r)
			m.weight = append(m.weight, 1/float64(g.Config().Heads))
			groups += 1 / float64(g.Config().Heads)
		case r.Kind == circuit.MLPIn:
			n := circuit.Node{Kind: circuit.MLP, Layer: r.Layer}
			for i := range m.of {
				if g.Edge(i).Sender == n {
					m.of[i] = len(m.nodes)
				}
			}
			m.nodes, m.weight = append(m.nodes, n), append(m.weight, 1)
			groups++
		}
	}
	for i := range m.weight {
		m.weight[i] /= groups
	}
}

func (m *masks) Start() []float64 {
	out := make([]float64, len(m.weight))
	for i := range out {
		out[i] = start
	}
	return out
}

func (m *masks) Draw(_ int, params []float64, rng *rand.Rand) learn.Draw {
	z, slope := make([]float64, len(params)), make([]float64, len(params))
	d := learn.Draw{Gates: make(circuit.Gates, len(m.of))}
	for i, s := range params {
		z[i], slope[i] = learn.Sample(rng, s, edges)
		p, _ := learn.Open(s)
		d.Penalty += m.lambda * m.weight[i] * p
	}
	absent := 0.0
	for e, i := range m.of {
		d.Gates[e] = 1
		if i >= 0 {
			d.Gates[e] = float32(z[i])
		}
		absent += 1 - float64(d.Gates[e])
	}
	d.Sparsity = absent / float64(len(m.of))
	d.Back = func(gates, grads []float64) {
		for e, i := range m.of {
			if i >= 0 {
				grads[i] += gates[e] * slope[i]
			}
		}
		for i, s := range params {
			_, dp := learn.Open(s)
			grads[i] += m.lambda * m.weight[i] * dp
		}
	}
	return d
}
