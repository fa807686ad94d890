package circuit_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// readGolden reads a file of the golden model of three layers.
func readGolden(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("../../testdata/golden/gpt3l-random/" + name)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, into))
}

// The circuits of MIB's own script: the best by score or by its size, pruned.
func TestTopIsMIBs(t *testing.T) {
	var golden struct {
		Edges  int `json:"n_edges"`
		Curves []struct {
			Scores   string
			Absolute bool
			Sizes    []int
			Circuits [][]string
		}
	}
	readGolden(t, "mib_curves.json", &golden)
	var all map[string]json.RawMessage
	readGolden(t, "attribution.json", &all)
	g, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: 3, Heads: 4})
	require.NoError(t, err)
	require.Equal(t, golden.Edges, g.NumEdges())
	require.Len(t, golden.Curves, 6)
	for _, c := range golden.Curves {
		var byName map[string]float64
		require.NoError(t, json.Unmarshal(all[c.Scores], &byName))
		scores := make(circuit.Scores, g.NumEdges())
		for i := range scores {
			x, ok := byName[g.Edge(i).String()]
			require.True(t, ok, g.Edge(i))
			scores[i] = x
		}
		for k, n := range c.Sizes {
			m, err := circuit.Selection{Rule: circuit.Top, Edges: n, Absolute: c.Absolute}.Choose(g, scores)
			require.NoError(t, err)
			assert.Equal(t, n, m.Count())
			g.Prune(m, true)
			found := []string{}
			for i, kept := range m {
				if kept {
					found = append(found, g.Edge(i).String())
				}
			}
			assert.ElementsMatch(t, c.Circuits[k], found, "%s, %d edges, absolute %v", c.Scores, n, c.Absolute)
		}
	}
}

// Greedy against its definition: each edge chosen is the best of those that end
// in the output or in a node that a chosen edge comes from.
func TestGreedy(t *testing.T) {
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 3))
		g, err := circuit.New(circuit.Config{Definition: circuit.Definitions()[rng.IntN(2)], Layers: 1 + rng.IntN(3), Heads: 1 + rng.IntN(3), AttnOnly: rng.IntN(2) == 0})
		require.NoError(t, err)
		scores := make(circuit.Scores, g.NumEdges())
		for i := range scores {
			scores[i] = float64(rng.IntN(20)) - 5 // with ties
		}
		n := rng.IntN(g.NumEdges() + 1)
		got, err := circuit.Selection{Rule: circuit.Greedy, Edges: n, Absolute: true}.Choose(g, scores)
		require.NoError(t, err)
		want := g.Empty()
		for range n {
			next := -1
			for i := range scores {
				if !want[i] && !g.Edge(i).IsDirect() && leadsToChosen(g, want, i) && (next < 0 || math.Abs(scores[i]) > math.Abs(scores[next])) {
					next = i
				}
			}
			if next < 0 {
				break
			}
			want[next] = true
		}
		for i, chosen := range want {
			if side, ok := g.Edge(i).Receiver.Letter(); chosen && ok && g.Config().Definition == circuit.ACDC {
				r := g.Edge(i).Receiver
				lo, _ := g.Incoming(circuit.Node{Kind: circuit.Q + circuit.Kind(side), Layer: r.Layer, Head: r.Head})
				want[lo] = true
			}
		}
		require.Equal(t, want, got, "seed %d, %d edges", seed, n)
	}
}

// leadsToChosen reports whether an edge ends in the output, or in what a chosen
// edge comes from.
func leadsToChosen(g *circuit.Graph, chosen circuit.Mask, edge int) bool {
	r := g.Edge(edge).Receiver
	if r.Kind == circuit.Output {
		return true
	}
	for i, is := range chosen {
		if !is {
			continue
		}
		s := g.Edge(i).Sender
		if s.Kind == circuit.MLP && r == (circuit.Node{Kind: circuit.MLPIn, Layer: s.Layer}) {
			return true
		}
		if _, side := r.Letter(); side && s == (circuit.Node{Kind: circuit.Head, Layer: r.Layer, Head: r.Head}) {
			return true
		}
	}
	return false
}

func TestThresholdAndRatio(t *testing.T) {
	g, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: 1, Heads: 1, AttnOnly: true}) // 5 edges
	require.NoError(t, err)
	scores := circuit.Scores{0.5, -2, math.NaN(), 1, -0.25}
	for _, c := range []struct {
		s    circuit.Selection
		want []int
	}{
		{circuit.Selection{Rule: circuit.Threshold, Least: 0.5}, []int{0, 3}},
		{circuit.Selection{Rule: circuit.Threshold, Least: 0.5, Absolute: true}, []int{0, 1, 3}},
		{circuit.Selection{Rule: circuit.Threshold, Least: math.Inf(-1)}, []int{0, 1, 3, 4}},
		{circuit.Selection{Rule: circuit.Top, Edges: 2}, []int{0, 3}},
		{circuit.Selection{Rule: circuit.Top, Edges: 2, Absolute: true}, []int{1, 3}},
		{circuit.Selection{Rule: circuit.Top, Edges: 5}, []int{0, 1, 3, 4}},
		{circuit.Selection{Rule: circuit.Ratio, Edges: 2, Share: 1}, []int{0, 3}},
		{circuit.Selection{Rule: circuit.Ratio, Edges: 2, Share: 0}, []int{1, 3}},
		{circuit.Selection{Rule: circuit.Ratio, Edges: 3, Share: 0.67}, []int{0, 1, 3}},
	} {
		m, err := c.s.Choose(g, scores)
		require.NoError(t, err)
		var got []int
		for i, is := range m {
			if is {
				got = append(got, i)
			}
		}
		assert.Equal(t, c.want, got, "%+v", c.s)
	}
}

func TestSelectionsThatCannotBeMeant(t *testing.T) {
	g, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: 1, Heads: 1, AttnOnly: true})
	require.NoError(t, err)
	for want, s := range map[string]circuit.Selection{
		`unknown rule ""`: {},
		"expected 0 to 5": {Rule: circuit.Top, Edges: 6},
		"found -1":        {Rule: circuit.Greedy, Edges: -1},
		"found NaN":       {Rule: circuit.Threshold, Least: math.NaN()},
		"share: expected a number from 0 to 1, found 2": {Rule: circuit.Ratio, Share: 2},
	} {
		_, err := s.Choose(g, make(circuit.Scores, 5))
		assert.ErrorContains(t, err, want)
	}
	_, err = circuit.Selection{Rule: circuit.Top}.Choose(g, make(circuit.Scores, 4))
	assert.ErrorContains(t, err, "expected one for each of 5 edges, found 4")
	assert.True(t, slices.Contains(circuit.Rules(), circuit.Greedy))
}
