// Package ugs is uniform gradient sampling (Li & Janson 2024, arXiv:2409.09951):
// every edge has a probability p = σ(θ), and is mostly there or absent, between
// the two only in a window of the noise as wide as p(1−p), in which its gradient
// is taken,
//
//	gate = 1 − clamp((u − p)/w + ½, 0, 1),  w = p(1−p) held constant,
//
// and, as there, ∂gate/∂p counts w times. Minimised is
//
//	metric + λ Σ p + node term,
//
// the node term being min(λ/2, 2e-4) Σ over heads and MLPs of tanh(2·deg/D)·D/2,
// with deg the sum of p over a node's outgoing edges and D the heads of the
// model. An edge's score is p.
package ugs

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/learn"
)

// Scorer is the method.
type Scorer struct {
	Steps   int     `json:"steps"`
	Rate    float64 `json:"rate"`    // of AdamW
	Lambda  float64 `json:"lambda"`  // λ
	Samples int     `json:"samples"` // draws a step
}

// Default are the published settings, but for the steps.
func Default() Scorer { return Scorer{Steps: 500, Rate: 0.05, Lambda: 1e-3, Samples: 12} }

const (
	start    = 1. // θ
	clip     = 5.
	nodeMost = 2e-4
)

// Name is "ugs".
func (Scorer) Name() string { return "ugs" }

// Score learns the probabilities.
func (s Scorer) Score(ctx context.Context, r discover.Request) (*discover.Scored, error) {
	g := r.Experiment.Graph()
	if s.Steps < 1 || !(s.Rate > 0) || !(s.Lambda >= 0) || s.Samples < 1 {
		return nil, fmt.Errorf("steps, rate, lambda and samples: expected numbers above 0, found %d, %v, %v and %d", s.Steps, s.Rate, s.Lambda, s.Samples)
	}
	m := newMasks(g, s)
	params, cost, err := learn.Descend(ctx, m, r, learn.Options{Steps: s.Steps, Rate: learn.Constant(s.Rate), Samples: s.Samples,
		Betas: [2]float64{0.9, 0.995}, Clip: clip})
	if err != nil {
		return nil, err
	}
	out := &discover.Scored{Scores: make(circuit.Scores, g.NumEdges()), Cost: cost}
	for e, i := range m.of {
		out.Scores[e] = 1
		if i >= 0 {
			out.Scores[e] = learn.Sigmoid(params[i])
		}
	}
	return out, nil
}

// masks say which parameter an edge has, and which node it leaves.
type masks struct {
	s     Scorer
	of    []int // by edge, -1 for a direct one
	from  []int // by edge, its sender where that is a head or an MLP, else -1
	nodes int
	heads float64 // of the model
	n     int
}

func newMasks(g *circuit.Graph, s Scorer) *masks {
	c := g.Config()
	m := &masks{s: s, of: make([]int, g.NumEdges()), from: make([]int, g.NumEdges()), nodes: len(g.Senders()), heads: float64(c.Layers * c.Heads)}
	for e := range m.of {
		m.of[e], m.from[e] = -1, -1
		if g.Edge(e).IsDirect() {
			continue
		}
		m.of[e] = m.n
		m.n++
		if sender := g.Edge(e).Sender; sender.Kind == circuit.Head || sender.Kind == circuit.MLP {
			m.from[e] = g.SenderIndex(sender)
		}
	}
	return m
}

func (m *masks) Start() []float64 {
	out := make([]float64, m.n)
	for i := range out {
		out[i] = start
	}
	return out
}

func (m *masks) Draw(_ int, params []float64, rng *rand.Rand) learn.Draw {
	d := learn.Draw{Gates: make(circuit.Gates, len(m.of))}
	p, inside, degree := make([]float64, len(params)), make([]bool, len(params)), make([]float64, m.nodes)
	present := 0.0
	for e, i := range m.of {
		d.Gates[e] = 1
		if i < 0 {
			continue
		}
		p[i] = learn.Sigmoid(params[i])
		at := (rng.Float64()-p[i])/max(p[i]*(1-p[i]), math.SmallestNonzeroFloat64) + 0.5
		inside[i] = at > 0 && at < 1
		gate := 1 - min(1, max(0, at))
		d.Gates[e] = float32(gate)
		present += gate
		d.Penalty += m.s.Lambda * p[i]
		if from := m.from[e]; from >= 0 {
			degree[from] += p[i]
		}
	}
	d.Sparsity = 1 - present/float64(m.n)
	node := min(m.s.Lambda/2, nodeMost)
	for _, x := range degree {
		d.Penalty += node * math.Tanh(2*x/m.heads) * m.heads / 2
	}
	d.Back = func(gates, grads []float64) {
		for e, i := range m.of {
			if i < 0 {
				continue
			}
			byP := m.s.Lambda
			if inside[i] {
				byP += gates[e]
			}
			if from := m.from[e]; from >= 0 {
				t := math.Tanh(2 * degree[from] / m.heads)
				byP += node * (1 - t*t)
			}
			grads[i] += byP * p[i] * (1 - p[i])
		}
	}
	return d
}
