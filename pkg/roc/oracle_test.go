package roc

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// randomGraph draws a small graph of any kind.
func randomGraph(t *testing.T, rng *rand.Rand) *circuit.Graph {
	t.Helper()
	tmpl, err := circuit.NewTemplate(circuit.Config{
		Definition: circuit.Definitions()[rng.IntN(2)], Layers: 1 + rng.IntN(3), Heads: 1 + rng.IntN(3),
		AttnOnly: rng.IntN(3) == 0, ParallelAttnMLP: rng.IntN(3) == 0, SplitEmbed: rng.IntN(2) == 0,
	})
	require.NoError(t, err)
	return tmpl.Over(1 + rng.IntN(2))
}

// randomMask has each edge with a probability.
func randomMask(rng *rand.Rand, g *circuit.Graph, p float64) circuit.Mask {
	m := g.Empty()
	for i := range m {
		m[i] = rng.Float64() < p
	}
	return m
}

// randomOptions draws what is counted.
func randomOptions(rng *rand.Rand) Options {
	return Options{
		Nodes: append(NodeRules(), "")[rng.IntN(3)], Placeholders: rng.IntN(2) == 0, Pruned: rng.IntN(2) == 0, Orphans: rng.IntN(2) == 0,
	}
}

// parts are the parts of a circuit by name, found without any of the package's
// own bookkeeping: the edges that circuit.Graph.Prune leaves, and their ends.
func parts(g *circuit.Graph, m circuit.Mask, o Options) (edges, nodes map[string]bool) {
	edges, nodes = map[string]bool{}, map[string]bool{}
	pruned := m.Clone()
	g.Prune(pruned, !o.Orphans)
	raw, path := ends(g, m), ends(g, pruned)
	counted, touched := m, raw
	if o.Pruned {
		counted, touched = pruned, path
	}
	for i, present := range counted {
		if present {
			edges[fmt.Sprint(i)] = true
		}
	}
	if o.Placeholders {
		for _, r := range g.Receivers() {
			q := r.Kind >= circuit.Q && r.Kind <= circuit.V || g.Config().Definition == circuit.EAP && r.Kind <= circuit.VInput
			to := circuit.Node{Kind: circuit.Head, Layer: r.Layer, Head: r.Head}
			if r.Kind == circuit.MLPIn {
				q, to.Kind = true, circuit.MLP
			}
			if q && touched[to] {
				edges[r.String()] = true
			}
		}
	}
	if o.Nodes == ReferenceNodes {
		for n := range raw {
			if n.Kind != circuit.MLPIn {
				nodes[n.String()] = true
			}
		}
		return edges, nodes
	}
	for n := range path {
		nodes[n.ReceiverName()] = true // a1.h0<q>.input is a1.h0<q>, m0.input is m0
	}
	return edges, nodes
}

// ends are the ends of the edges of a mask.
func ends(g *circuit.Graph, m circuit.Mask) map[circuit.Node]bool {
	out := map[circuit.Node]bool{}
	for i, present := range m {
		if present {
			out[g.Edge(i).Sender], out[g.Edge(i).Receiver] = true, true
		}
	}
	return out
}

// compared counts a circuit's parts against the true ones, of some in all.
func compared(found, truth map[string]bool, all int) Count {
	c := Count{}
	for name := range found {
		if truth[name] {
			c.TruePositive++
		} else {
			c.FalsePositive++
		}
	}
	c.FalseNegative = len(truth) - c.TruePositive
	c.TrueNegative = all - c.True() - c.FalsePositive
	return c
}

// oracle compares two masks by their parts.
func oracle(g *circuit.Graph, m, truth circuit.Mask, o Options) (edges, nodes Count) {
	whole := o
	whole.Pruned, whole.Orphans = false, true
	allEdges, allNodes := parts(g, g.Full(), whole)
	e, n := parts(g, m, o)
	trueEdges, trueNodes := parts(g, truth, o)
	return compared(e, trueEdges, len(allEdges)), compared(n, trueNodes, len(allNodes))
}

// Every threshold's counts, kept up to date edge by edge, are those of the mask
// that circuit.Selection chooses by that threshold.
func TestCountsAtEveryThreshold(t *testing.T) {
	rng, points := rand.New(rand.NewPCG(1, 2)), 0
	for range golden.Cases(2000) {
		g, o := randomGraph(t, rng), randomOptions(rng)
		mask := randomMask(rng, g, 0.2+0.6*rng.Float64())
		truth, err := NewTruth(g, mask, o)
		if err != nil {
			e, n := parts(g, mask, o)
			require.True(t, mask.Count() == 0 || len(e) == 0 || len(n) == 0, err)
			continue
		}
		scores, absolute := make(circuit.Scores, g.NumEdges()), rng.IntN(2) == 0
		for i := range scores {
			if scores[i] = math.Round(8*rng.NormFloat64()) / 4; rng.IntN(10) == 0 {
				scores[i] = math.NaN()
			}
		}
		c, err := truth.FromScores(t.Context(), "x", scores, Scoring{Absolute: absolute})
		require.NoError(t, err)
		for i, p := range c.Points {
			require.True(t, i == 0 || p.Threshold < c.Points[i-1].Threshold)
			m, err := circuit.Selection{Rule: circuit.Threshold, Least: p.Threshold, Absolute: absolute}.Choose(g, scores)
			require.NoError(t, err)
			edges, nodes := oracle(g, m, mask, o)
			require.Equal(t, Point{p.Threshold, edges, nodes}, p, "%+v, %+v", g.Config(), o)
			edges, nodes = truth.Count(m)
			require.Equal(t, Point{p.Threshold, edges, nodes}, p)
			points++
		}
		if len(c.Points) > 0 {
			last := c.Points[len(c.Points)-1].Threshold
			chosen, err := truth.FromScores(t.Context(), "x", scores, Scoring{Absolute: absolute, Thresholds: []float64{last, last + 0.125, 1e9}})
			require.NoError(t, err)
			require.Len(t, chosen.Points, 3)
			require.Equal(t, c.Points[len(c.Points)-1], chosen.Points[2])
			require.Zero(t, chosen.Points[0].Edges.Found())
			if len(c.Points) > 1 {
				before := c.Points[len(c.Points)-2]
				before.Threshold = last + 0.125
				require.Equal(t, before, chosen.Points[1])
			}
		}
	}
	assert.Greater(t, points, golden.Cases(2000))
}

// The whole model has every part, and a circuit is as good as itself, however
// its parts are counted.
func TestCountsOfWholeAndOfSelf(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range golden.Cases(500) {
		g, o := randomGraph(t, rng), randomOptions(rng)
		mask := randomMask(rng, g, 0.7)
		truth, err := NewTruth(g, mask, o)
		if err != nil {
			continue
		}
		full, fullNodes := truth.Count(g.Full())
		self, selfNodes := truth.Count(mask)
		none, noneNodes := truth.Count(g.Empty())
		for _, c := range []Count{full, fullNodes} {
			require.Equal(t, 1.0, c.TPR())
			require.Equal(t, c.All(), c.Found())
		}
		for _, c := range []Count{self, selfNodes} {
			require.Equal(t, []float64{1, 0, 1}, []float64{c.TPR(), c.FPR(), c.Precision()})
		}
		for _, c := range []Count{none, noneNodes} {
			require.Equal(t, []float64{0, 0, 1}, []float64{c.TPR(), c.FPR(), c.Precision()})
		}
	}
}

// The two graph definitions have the same nodes of a model.
func TestDefinitionsHaveTheSameNodes(t *testing.T) {
	for _, cfg := range []circuit.Config{{Layers: 3, Heads: 2}, {Layers: 2, Heads: 4, AttnOnly: true, SplitEmbed: true}, {Layers: 2, Heads: 1, ParallelAttnMLP: true}} {
		want := 2 + 4*cfg.Layers*cfg.Heads // an embedding, the output, a head with q, k, v
		if cfg.SplitEmbed {
			want++
		}
		if !cfg.AttnOnly {
			want += cfg.Layers
		}
		for _, d := range circuit.Definitions() {
			cfg.Definition = d
			g, err := circuit.New(cfg)
			require.NoError(t, err)
			truth, err := NewTruth(g, g.Full(), Options{})
			require.NoError(t, err)
			_, nodes := truth.Count(g.Full())
			assert.Equal(t, Count{TruePositive: want}, nodes)
		}
	}
}
