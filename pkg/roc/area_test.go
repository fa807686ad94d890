package roc

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/ending"
	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// column makes points of as many x and y.
func column(x, y []float64) []Rates {
	out := make([]Rates, len(x))
	for i := range x {
		out[i] = Rates{x[i], y[i]}
	}
	return out
}

// The assertions that stand beside the reference's function.
func TestPessimisticIsTheReferences(t *testing.T) {
	for _, c := range []struct {
		x, y []float64
		want float64
	}{
		{[]float64{0, 1}, []float64{0, 1}, 0},
		{[]float64{0, 0.5, 1}, []float64{0, 0.5, 1}, 0.25},
		{[]float64{0, 0.25, 1}, []float64{0, 0.25, 1}, .25 * .75},
		{[]float64{0, 0.25, 0.5, 1}, []float64{0, 0.25, 0.5, 1}, 5.0 / 16},
		{[]float64{0, 0.25, 0.75, 1}, []float64{0, 0.25, 0.5, 1}, 4.0 / 16},
	} {
		points := column(c.x, c.y)
		assert.InDelta(t, c.want, Pessimistic(points), 1e-15)
		slices.Reverse(points)
		assert.InDelta(t, c.want, Pessimistic(points[1:]), 1e-15, "in any order, with ends or without")
	}
}

// What is dominated is left out by the stairs, and not by the trapezoids.
func TestDominatedPoints(t *testing.T) {
	points := column([]float64{0.2, 0.4, 0.2, 0.5}, []float64{0.6, 0.3, 0.7, 0.7})
	assert.Equal(t, column([]float64{0, 0.2, 0.2, 0.5, 1}, []float64{0, 0.6, 0.7, 0.7, 1}), Frontier(points), "an equal point further left does not dominate")
	assert.InDelta(t, 0.8*0.7, Pessimistic(points), 1e-15)
	assert.InDelta(t, 0.2*0.3+0.2*0.5+0.1*0.5+0.5*0.85, Trapezoid(points), 1e-15)
	assert.Equal(t, column([]float64{0, 1}, []float64{0, 1}), Frontier(nil))
	assert.Equal(t, []float64{0, 0.5}, []float64{Pessimistic(nil), Trapezoid(nil)})
}

// discarded is the reference's discard_non_pareto_optimal, pair by pair.
func discarded(points []Rates) []Rates {
	all, out := withEnds(points), []Rates(nil)
	for _, p := range all {
		if !slices.ContainsFunc(all, func(q Rates) bool { return q.FPR < p.FPR && q.TPR > p.TPR }) {
			out = append(out, p)
		}
	}
	return out
}

func TestFrontierIsTheReferences(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range golden.Cases(5000) {
		points := make([]Rates, rng.IntN(12))
		for i := range points {
			points[i] = Rates{float64(rng.IntN(6)) / 5, float64(rng.IntN(6)) / 5}
		}
		require.Equal(t, discarded(points), Frontier(points), points)
		for _, area := range []float64{Pessimistic(points), Trapezoid(points)} {
			require.True(t, area >= 0 && area <= 1, area)
		}
	}
}

func TestInterpBench(t *testing.T) {
	area, ok := InterpBench(column([]float64{0.1, 0.2, 0.4}, []float64{0.5, 0.7, 0.9}))
	assert.True(t, ok)
	assert.InDelta(t, (0.1*0.6+0.2*0.8)/0.4, area, 1e-15)
	for _, points := range [][]Rates{nil, {{0, 0.5}, {0, 1}}} {
		_, ok = InterpBench(points)
		assert.False(t, ok)
	}
}

// eapTruth is a circuit of random edges in a graph without direct edges, where
// scores decide on every edge.
func eapTruth(t *testing.T, rng *rand.Rand, cfg circuit.Config, share float64) *Truth {
	t.Helper()
	cfg.Definition = circuit.EAP
	g, err := circuit.New(cfg)
	require.NoError(t, err)
	m := randomMask(rng, g, share)
	m[g.NumEdges()-1], m[0] = true, false // the last MLP or head to the output, so that there is some of either
	truth, err := NewTruth(g, m, Options{Nodes: ReferenceNodes})
	require.NoError(t, err)
	return truth
}

func randomScores(rng *rand.Rand, n int, levels float64) circuit.Scores {
	out := make(circuit.Scores, n)
	for i := range out {
		out[i] = math.Round(rng.NormFloat64()*levels) / levels
	}
	return out
}

// wins is the share of pairs of a true and another edge of which the true one
// has the higher score (Mann and Whitney's statistic): 0 and 1/2 for what equal
// ones count give the two areas' relatives.
func wins(truth []bool, scores circuit.Scores, tie float64) float64 {
	sum, pairs := 0.0, 0.0
	for i, a := range truth {
		for j, b := range truth {
			if !a || b {
				continue
			}
			pairs++
			switch {
			case scores[i] > scores[j]:
				sum++
			case scores[i] == scores[j]:
				sum += tie
			}
		}
	}
	return sum / pairs
}

// Over all thresholds the areas are probabilities, and maps of scores that keep
// their order change nothing.
func TestAreasOfScores(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range golden.Cases(500) {
		truth := eapTruth(t, rng, circuit.Config{Layers: 2, Heads: 1 + rng.IntN(3)}, 0.3)
		scores := randomScores(rng, len(truth.edges), []float64{0.5, 2, 1e6}[rng.IntN(3)])
		c, err := truth.FromScores(t.Context(), "x", scores, Scoring{})
		require.NoError(t, err)
		require.InDelta(t, wins(truth.edges, scores, 0.5), c.Trapezoid(Edges), 1e-12)
		require.InDelta(t, wins(truth.edges, scores, 0), c.Pessimistic(Edges), 1e-12)
		for _, part := range Parts() {
			require.LessOrEqual(t, c.Pessimistic(part), c.Trapezoid(part)+1e-12)
		}
		for _, monotone := range []func(float64) float64{math.Exp, math.Atan, func(x float64) float64 { return 3*x - 100 }} {
			mapped := slices.Clone(scores)
			for i := range mapped {
				mapped[i] = monotone(mapped[i])
			}
			same, err := truth.FromScores(t.Context(), "x", mapped, Scoring{})
			require.NoError(t, err)
			for _, part := range Parts() {
				require.Equal(t, c.Rates(part), same.Rates(part))
			}
		}
	}
}

// Scores that know nothing have half of the area, those that know all the whole
// of it, and their opposites nothing.
func TestAreasOfRandomAndOfPerfectScores(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	truth := eapTruth(t, rng, circuit.Config{Layers: 4, Heads: 4}, 0.3)
	n, positives := len(truth.edges), 0
	perfect, opposite := make(circuit.Scores, n), make(circuit.Scores, n)
	for i, isTrue := range truth.edges {
		if isTrue {
			positives++
			perfect[i], opposite[i] = 1, -1
		}
	}
	repeats, mean := golden.Cases(1000), 0.0
	for range repeats {
		c, err := truth.FromScores(t.Context(), "random", randomScores(rng, n, 1e9), Scoring{})
		require.NoError(t, err)
		mean += c.Trapezoid(Edges) / float64(repeats)
	}
	deviation := math.Sqrt(float64(n+1) / 12 / float64(positives) / float64(n-positives)) // of the statistic of Mann and Whitney
	assert.InDelta(t, 0.5, mean, 4*deviation/math.Sqrt(float64(repeats)))
	for want, scores := range map[float64]circuit.Scores{1: perfect, 0: opposite} {
		c, err := truth.FromScores(t.Context(), "x", scores, Scoring{})
		require.NoError(t, err)
		assert.Len(t, c.Points, 2)
		assert.Equal(t, []float64{want, want}, []float64{c.Pessimistic(Edges), c.Trapezoid(Edges)})
	}
	c, err := truth.FromScores(t.Context(), "x", opposite, Scoring{Absolute: true})
	require.NoError(t, err)
	assert.Equal(t, 1.0, c.Pessimistic(Edges), "by size")
}

// Thresholds below Least count for the trapezoid alone.
func TestLeast(t *testing.T) {
	half := Count{TruePositive: 1, FalseNegative: 1, TrueNegative: 2}
	whole := Count{TruePositive: 2, FalsePositive: 1, TrueNegative: 1}
	c := Curve{Name: "acdc", Points: []Point{{1e-6, half, half}, {9e-7, whole, half}}}
	assert.Equal(t, []float64{0.75, 0.875}, []float64{c.Pessimistic(Edges), c.Trapezoid(Edges)})
	c.Least = ReferenceLeast
	assert.Equal(t, []float64{0.5, 0.875}, []float64{c.Pessimistic(Edges), c.Trapezoid(Edges)})
	assert.Len(t, c.Points, 2)
}

// MIB's circuits, by hand: one layer of one head and an MLP has 8 edges, so that
// the ten sizes come to 1, 1, 1, 1, 1, 1, 1, 2, 4 and 8 of them.
func TestGreedy(t *testing.T) {
	g, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: 1, Heads: 1})
	require.NoError(t, err)
	require.Equal(t, 8, g.NumEdges())
	at := func(name string) int {
		i, err := g.ParseEdge(name)
		require.NoError(t, err)
		return i
	}
	m := g.Empty()
	m[at("input->m0")], m[at("m0->logits")] = true, true
	truth, err := NewTruth(g, m, Options{})
	require.NoError(t, err)
	scores := make(circuit.Scores, 8)
	for name, score := range map[string]float64{"m0->logits": -3, "input->m0": 2, "input->logits": 1, "a0.h0->logits": 0.5,
		"a0.h0->m0": 0.1, "input->a0.h0<q>": 9, "input->a0.h0<k>": 8, "input->a0.h0<v>": 7} {
		scores[at(name)] = score
	}
	c, err := truth.Greedy(t.Context(), "x", scores)
	require.NoError(t, err)
	var found, good []int
	for _, p := range c.Points {
		found, good = append(found, p.Edges.Found()), append(good, p.Edges.TruePositive)
	}
	// One edge leads from no input; of four, the last is a head's without inputs.
	assert.Equal(t, []int{0, 0, 0, 0, 0, 0, 0, 2, 3, 8}, found)
	assert.Equal(t, []int{0, 0, 0, 0, 0, 0, 0, 2, 2, 2}, good)
	assert.Equal(t, []float64{0.999, 0}, []float64{c.Points[0].Threshold, c.Points[9].Threshold})
	require.NotNil(t, c.InterpBench)
	assert.InDelta(t, 1.0, *c.InterpBench, 1e-15)
	for i := range scores {
		scores[i] = math.NaN()
	}
	c, err = truth.Greedy(t.Context(), "x", scores)
	require.NoError(t, err)
	assert.Nil(t, c.InterpBench, "no scores, no area")
}

// Direct edges are no part of the sizes, and come with the edges into their
// starts.
func TestGreedyWithDirectEdges(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 18))
	g, err := circuit.New(circuit.Config{Definition: circuit.ACDC, Layers: 2, Heads: 2})
	require.NoError(t, err)
	truth, err := NewTruth(g, g.Full(), Options{})
	require.NoError(t, err)
	scores := randomScores(rng, g.NumEdges(), 1e9)
	c, err := truth.Greedy(t.Context(), "x", scores)
	require.NoError(t, err)
	require.Equal(t, 58, g.NumEdges())
	for i, n := range []int{1, 1, 1, 1, 1, 3, 5, 10, 23, 46} { // of 58 edges, 12 of them direct
		m, err := circuit.Selection{Rule: circuit.Greedy, Edges: n, Absolute: true}.Choose(g, scores)
		require.NoError(t, err)
		g.Prune(m, true)
		assert.Equal(t, m.Count(), c.Points[i].Edges.Found(), n)
	}
	assert.Nil(t, c.InterpBench, "everything is true")
}

func TestMisuse(t *testing.T) {
	g, err := circuit.New(circuit.Config{Definition: circuit.ACDC, Layers: 1, Heads: 1})
	require.NoError(t, err)
	_, err = NewTruth(g, g.Empty(), Options{})
	assert.EqualError(t, err, "true circuit: expected edges, found none")
	dead := g.Empty()
	dead[0] = true
	_, err = NewTruth(g, dead, Options{})
	assert.EqualError(t, err, "true circuit: expected edges on a path from an embedding to the output, found none")
	_, err = NewTruth(g, g.Full(), Options{Nodes: "all"})
	assert.EqualError(t, err, `unknown rule of nodes "all": expected one of path, reference`)
	truth, err := NewTruth(g, g.Full(), Options{})
	require.NoError(t, err)
	assert.PanicsWithValue(t, "roc: Count: a mask of 1 edges, the graph has 11", func() { truth.Count(circuit.Mask{true}) })
	assert.PanicsWithValue(t, "roc: NewTruth: a mask of 1 edges, the graph has 11", func() { _, _ = NewTruth(g, circuit.Mask{true}, Options{}) })
	for _, c := range []struct {
		scores     circuit.Scores
		thresholds []float64
		want       string
	}{
		{make(circuit.Scores, 3), nil, "scores: expected one for each of 11 edges, found 3"},
		{append(circuit.Scores{math.Inf(1)}, make(circuit.Scores, 10)...), nil, "scores: edge input->a0.h0<q>: expected a finite number, found +Inf"},
		{make(circuit.Scores, 11), []float64{0, math.NaN()}, "threshold 1: expected a finite number, found NaN"},
	} {
		_, err = truth.FromScores(t.Context(), "x", c.scores, Scoring{Thresholds: c.thresholds})
		assert.EqualError(t, err, c.want)
	}
	_, err = truth.FromCircuits(t.Context(), "x", []Found{{1, g.Full()}, {math.Inf(-1), g.Full()}})
	assert.EqualError(t, err, "circuit 1: threshold: expected a finite number, found -Inf")
}

func TestContextEnds(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	truth := eapTruth(t, rng, circuit.Config{Layers: 4, Heads: 4}, 0.3)
	scores := randomScores(rng, len(truth.edges), 1e9)
	ending.Everywhere(t, 2, func(ctx context.Context) error { _, err := truth.FromScores(ctx, "x", scores, Scoring{}); return err })
	ending.Everywhere(t, 10, func(ctx context.Context) error { _, err := truth.Greedy(ctx, "x", scores); return err })
	full := truth.Graph().Full()
	ending.Everywhere(t, 2, func(ctx context.Context) error {
		_, err := truth.FromCircuits(ctx, "x", []Found{{1, full}, {0, full}})
		return err
	})
}

// A graph of GPT-2's size, at each of its 32,491 thresholds.
func BenchmarkFromScores(b *testing.B) {
	g, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: 12, Heads: 12})
	require.NoError(b, err)
	rng := rand.New(rand.NewPCG(13, 14))
	truth, err := NewTruth(g, randomMask(rng, g, 0.02), Options{})
	require.NoError(b, err)
	scores := randomScores(rng, g.NumEdges(), 1e12)
	for b.Loop() {
		if _, err := truth.FromScores(b.Context(), "x", scores, Scoring{}); err != nil {
			b.Fatal(err)
		}
	}
}
