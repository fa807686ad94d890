// Package pruning is edge pruning (Bhaskar et al. 2024, arXiv:2406.16778):
// hard-concrete masks on all edges, and on all nodes that write to the residual
// stream, are learned under which the run stays near the clean one while the
// share of absent edges is driven to a target by Lagrange multipliers,
//
//	loss = metric + λ₁(s − t) + λ₂(s − t)²,  s = 1 − mean of the gates,
//
// t rising from 0 to the target over most of the steps, and the multipliers
// rising with the gradient. An edge's gate is its own mask times its sender's.
// Its score is the product of the two expectations, by which as many edges are
// chosen as the target leaves.
package pruning

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/learn"
)

// Scorer is the method.
type Scorer struct {
	Steps    int             `json:"steps"`
	Rate     float64         `json:"rate"`   // of AdamW, for masks and multipliers
	Target   float64         `json:"target"` // the share of edges that shall be absent
	Init     string          `json:"init,omitempty"`
	InitFrom discover.Scorer `json:"-"` // whose scores the masks begin with, nil for masks that are all open
}

// Default are the settings of the published code.
func Default() Scorer { return Scorer{Steps: 3000, Rate: 0.8, Target: 0.95} }

// leastEdges are left by TargetFor.
const leastEdges = 20

// TargetFor is the published target for a graph, or, on graphs so small that it
// would leave too few edges for a path, the one that leaves twenty.
func TargetFor(g *circuit.Graph) float64 {
	return max(0, min(Default().Target, 1-leastEdges/float64(g.NumEdges())))
}

// Settings of the published code in proportion to its 3,000 steps.
const (
	warmup = 200. / 3000
	ramp   = 2500. / 3000
	open   = 10.  // log α at first
	spread = 0.01 // of its normal distribution
	near   = 1e-6 // how near to 0 and 1 the noise comes
	swing  = 5.   // how far scores move log α from open, of a warm start
)

// Name is "edge-pruning".
func (Scorer) Name() string { return "edge-pruning" }

// Score learns the masks.
func (s Scorer) Score(ctx context.Context, r discover.Request) (*discover.Scored, error) {
	g := r.Experiment.Graph()
	if s.Steps < 1 || !(s.Rate > 0) || !(s.Target >= 0 && s.Target <= 1) {
		return nil, fmt.Errorf("steps, rate and target: expected numbers above 0, the target at most 1, found %d, %v and %v", s.Steps, s.Rate, s.Target)
	}
	m := newMasks(g, s, r.Seed)
	out := &discover.Scored{Scores: make(circuit.Scores, g.NumEdges())}
	if s.InitFrom != nil {
		own := r
		own.Observe, own.Progress = nil, discover.Progress{}
		found, err := s.InitFrom.Score(ctx, own)
		if err != nil {
			return nil, fmt.Errorf("init: %w", err)
		}
		m.warm(found.Scores)
		out.Cost = found.Cost
	}
	params, cost, err := learn.Descend(ctx, m, r, learn.Options{Steps: s.Steps, Rate: learn.Warmed(s.Rate, int(warmup*float64(s.Steps)), s.Steps),
		Betas: [2]float64{0.9, 0.999}})
	if err != nil {
		return nil, err
	}
	out.Cost.FLOP += cost.FLOP
	out.Cost.ForwardPasses += cost.ForwardPasses
	for e := range out.Scores {
		out.Scores[e] = 1
		if own := m.edge[e]; own >= 0 {
			out.Scores[e] = learn.Mean(params[own])
			if n := m.node[e]; n >= 0 {
				out.Scores[e] *= learn.Mean(params[n])
			}
		}
	}
	return out, nil
}

// masks say which masks gate an edge. The last two parameters are λ₁ and λ₂.
type masks struct {
	s          Scorer
	edge, node []int // by edge, its own mask and its sender's, -1 for none
	start      []float64
}

func newMasks(g *circuit.Graph, s Scorer, seed uint64) *masks {
	m := &masks{s: s, edge: make([]int, g.NumEdges()), node: make([]int, g.NumEdges())}
	n := 0
	for e := range m.edge {
		m.edge[e], m.node[e] = -1, -1
		if !g.Edge(e).IsDirect() {
			m.edge[e] = n
			n++
		}
	}
	first := n
	for e := range m.node {
		if sender := g.Edge(e).Sender; sender.Kind == circuit.Head || sender.Kind == circuit.MLP {
			m.node[e] = first + g.SenderIndex(sender)
		}
	}
	n += len(g.Senders())
	rng := rand.New(rand.NewPCG(seed, 0xed6e))
	for range n {
		m.start = append(m.start, open+spread*rng.NormFloat64())
	}
	m.start = append(m.start, 0, 0)
	return m
}

// warm begins with other scores: the best edge's log α is swing above open, the
// worst's as much below, in proportion to their ranks.
func (m *masks) warm(scores circuit.Scores) {
	order := make([]int, 0, len(scores))
	for e := range scores {
		if m.edge[e] >= 0 {
			order = append(order, e)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case scores[a] < scores[b]:
			return -1
		case scores[a] > scores[b]:
			return 1
		}
		return 0
	})
	for i, e := range order {
		m.start[m.edge[e]] += swing * (2*float64(i)/float64(max(1, len(order)-1)) - 1)
	}
}

func (m *masks) Start() []float64 { return m.start }

// target is the share of edges that shall be absent at a step.
func (m *masks) target(step int) float64 {
	return m.s.Target * min(1, float64(step+1)/(ramp*float64(m.s.Steps)))
}

func (m *masks) Draw(step int, params []float64, rng *rand.Rand) learn.Draw {
	last := len(params) - 2
	z, slope := make([]float64, last), make([]float64, last)
	for i := range z {
		z[i], slope[i] = learn.Sample(rng, params[i], near)
	}
	d := learn.Draw{Gates: make(circuit.Gates, len(m.edge))}
	present, n := 0.0, 0.0
	for e := range m.edge {
		gate := 1.0
		if own := m.edge[e]; own >= 0 {
			if gate = z[own]; m.node[e] >= 0 {
				gate *= z[m.node[e]]
			}
			present, n = present+gate, n+1
		}
		d.Gates[e] = float32(gate)
	}
	d.Sparsity = 1 - present/n
	miss := d.Sparsity - m.target(step)
	d.Penalty = params[last]*miss + params[last+1]*miss*miss
	d.Back = func(gates, grads []float64) {
		sparser := -(params[last] + 2*params[last+1]*miss) / n // of the penalty, by a gate
		for e, own := range m.edge {
			if own < 0 {
				continue
			}
			g, sender := gates[e]+sparser, 1.0
			if node := m.node[e]; node >= 0 {
				sender = z[node]
				grads[node] += g * z[own] * slope[node]
			}
			grads[own] += g * sender * slope[own]
		}
		grads[last] -= miss
		grads[last+1] -= miss * miss
	}
	return d
}
