package circuit_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// flowGraphs are small enough for every subset of their edges to be tried.
var flowGraphs = []circuit.Config{
	{Definition: circuit.EAP, Layers: 1, Heads: 1},
	{Definition: circuit.ACDC, Layers: 1, Heads: 2},
	{Definition: circuit.EAP, Layers: 2, Heads: 1, AttnOnly: true},
}

// flows reports whether every head and MLP of a circuit has an edge that comes
// in and one that goes out.
func flows(g *circuit.Graph, m circuit.Mask) bool {
	in, out := map[circuit.Node]bool{}, map[circuit.Node]bool{}
	for i, present := range m {
		e := g.Edge(i)
		if !present || e.IsDirect() {
			continue
		}
		if e.Sender.Kind == circuit.Head || e.Sender.Kind == circuit.MLP {
			out[e.Sender] = true
		}
		switch r := e.Receiver; {
		case r.Kind == circuit.MLPIn:
			in[circuit.Node{Kind: circuit.MLP, Layer: r.Layer}] = true
		case r.Kind >= circuit.QInput && r.Kind <= circuit.VInput:
			in[circuit.Node{Kind: circuit.Head, Layer: r.Layer, Head: r.Head}] = true
		}
	}
	return assert.ObjectsAreEqual(in, out)
}

func sum(g *circuit.Graph, m circuit.Mask, scores circuit.Scores) (total float64, n int) {
	for i, present := range m {
		if present && !g.Edge(i).IsDirect() {
			total, n = total+scores[i], n+1
		}
	}
	return total, n
}

// The circuit has the largest sum of all, tried one by one.
func TestFlowIsTheBestOfAll(t *testing.T) {
	better := 0
	for seed := range uint64(150) {
		rng := rand.New(rand.NewPCG(seed, 5))
		g, err := circuit.New(flowGraphs[seed%3])
		require.NoError(t, err)
		scores := make(circuit.Scores, g.NumEdges())
		var free []int
		for i := range scores {
			if scores[i] = rng.NormFloat64() + 0.3; !g.Edge(i).IsDirect() {
				free = append(free, i)
			}
		}
		n := 1 + rng.IntN(len(free))
		best := 0.0
		for set := range 1 << len(free) {
			m := g.Empty()
			for k, i := range free {
				m[i] = set>>k&1 == 1
			}
			if value, count := sum(g, m, scores); count <= n && value > best && flows(g, m) {
				best = value
			}
		}
		m, gap, err := circuit.Selection{Rule: circuit.Flow, Edges: n}.ChooseWithin(g, scores)
		require.NoError(t, err)
		value, count := sum(g, m, scores)
		require.LessOrEqual(t, count, n)
		require.True(t, flows(g, m))
		require.InDelta(t, best, value, 1e-9, "seed %d: at most %d of %d edges", seed, n, len(free))
		require.Zero(t, gap)

		top, err := circuit.Selection{Rule: circuit.Top, Edges: n}.Choose(g, scores)
		require.NoError(t, err)
		g.Prune(top, true)
		if other, _ := sum(g, top, scores); value > other+1e-9 {
			better++
		}
	}
	assert.Greater(t, better, 50, "it mostly keeps more than pruning the best edges leaves")
}

// On a graph of GPT-2's size it ends, and says how far it may be from the best.
func TestFlowOnALargeGraph(t *testing.T) {
	g, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: 12, Heads: 12})
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(1, 1))
	scores := make(circuit.Scores, g.NumEdges())
	for i := range scores {
		scores[i] = math.Pow(rng.NormFloat64(), 3)
	}
	m, gap, err := circuit.Selection{Rule: circuit.Flow, Edges: 200}.ChooseWithin(g, scores)
	require.NoError(t, err)
	require.True(t, flows(g, m))
	value, count := sum(g, m, scores)
	assert.LessOrEqual(t, count, 200)
	greedy, err := circuit.Selection{Rule: circuit.Greedy, Edges: 200}.Choose(g, scores)
	require.NoError(t, err)
	g.Prune(greedy, true)
	other, _ := sum(g, greedy, scores)
	assert.Greater(t, value, other)
	assert.GreaterOrEqual(t, gap, 0.0)
	t.Logf("sum %.1f of %d edges, at most %.2f less than the largest; greedy %.1f", value, count, gap, other)
}
