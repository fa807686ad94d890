package circuit

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHasOutgoingFollowsPlaceholders(t *testing.T) {
	g := mustNew(t, Config{ACDC, 2, 2, false, false, false})
	m := g.Full()
	head := Node{Head, 1, 0}
	for i := range m {
		m[i] = g.Edge(i).Sender != head
	}
	assert.False(t, g.HasOutgoing(m, head))
	for _, k := range []Kind{Q, K, V, QInput, KInput, VInput} {
		assert.False(t, g.HasOutgoing(m, Node{k, 1, 0}), "%v", Node{k, 1, 0})
		assert.True(t, g.HasOutgoing(m, Node{k, 1, 1}))
	}
	direct, err := g.ParseEdge("a1.h1<k>")
	require.NoError(t, err)
	m[direct] = false
	assert.False(t, g.HasOutgoing(m, Node{KInput, 1, 1}))
	assert.True(t, g.HasOutgoing(m, Node{K, 1, 1}))
}

// edges makes the mask of edges by their names.
func edges(t testing.TB, g *Graph, names ...string) Mask {
	t.Helper()
	m := g.Empty()
	for _, e := range names {
		i, err := g.ParseEdge(e)
		require.NoError(t, err)
		m[i] = true
	}
	return m
}

// listed names the edges of a mask.
func listed(g *Graph, m Mask) []string {
	out := []string{}
	for i, present := range m {
		if present {
			out = append(out, g.Edge(i).String())
		}
	}
	return out
}

func TestIdleEdges(t *testing.T) {
	acdc, eap := Config{ACDC, 2, 2, false, false, false}, Config{EAP, 2, 2, false, false, false}
	parallel, split := Config{ACDC, 2, 2, false, true, false}, Config{ACDC, 2, 2, false, false, true}
	path := []string{"input->a1.h0<v>", "a1.h0<v>", "a1.h0->logits"}
	for _, c := range []struct {
		name            string
		cfg             Config
		carries         []string
		orphans, beyond []string // beyond leads nowhere, whatever the ablation
	}{
		{"nothing", acdc, nil, nil, nil},
		{"a path", acdc, path, nil, nil},
		{"only ends", acdc, nil, []string{"a1.h0->logits", "m0->logits"}, nil},
		{"a receiver that leads nowhere", acdc, path, nil, []string{"input->a1.h1<v>", "a1.h1<v>"}},
		{"a cut direct edge", acdc, path, nil, []string{"input->a1.h0<q>"}},
		{"a direct edge without input", acdc, path, []string{"a1.h0<k>"}, nil},
		{"one live side is enough", acdc, append([]string{"a0.h0->a1.h0<v>", "input->a0.h0<q>", "a0.h0<q>"}, path...), []string{"a0.h0<k>"}, nil},
		{"a head that only orphans feed", acdc, path, []string{"a0.h1->a1.h1<v>", "a1.h1<v>", "a1.h1->logits", "a0.h1->a1.h0<v>"}, nil},
		{"a cycle of both kinds", acdc, path, []string{"m0->a1.h0<k>", "a1.h0<k>"}, []string{"a0.h0->a1.h1<q>"}},
		{"an MLP without input", acdc, path, []string{"m0->logits"}, nil},
		{"no direct edges", eap, []string{"input->a1.h0<v>", "a1.h0->logits"}, []string{"a0.h0->a1.h0<k>"}, []string{"input->a0.h1<q>"}},
		{"a parallel MLP", parallel, []string{"input->m1", "m1->logits"}, []string{"a0.h0->m1"}, nil},
		{"split embeddings", split, []string{"embed->m0", "pos_embed->m0", "m0->logits"}, []string{"m1->logits"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := mustNew(t, c.cfg)
			m := edges(t, g, append(append(append([]string{}, c.carries...), c.orphans...), c.beyond...)...)
			assert.ElementsMatch(t, append(append([]string{}, c.orphans...), c.beyond...), listed(g, g.Idle(m, true)))
			left := m.Clone()
			assert.Equal(t, len(c.orphans)+len(c.beyond), g.Prune(left, true))
			assert.ElementsMatch(t, c.carries, listed(g, left))
			kept := m.Clone()
			assert.Equal(t, len(c.beyond), g.Prune(kept, false), "orphans stay")
			assert.ElementsMatch(t, c.beyond, listed(g, g.Idle(m, false)))
		})
	}
}

// Once is enough: what is left carries something, and the full graph does.
func TestPrunedCircuitsHaveNoIdleEdges(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, cfg := range shapes() {
		t.Run(name, func(t *testing.T) {
			g := mustNew(t, cfg)
			full := g.Full()
			assert.Zero(t, g.Prune(full, true))
			for range 200 {
				m, share := g.Empty(), rng.Float64()
				for i := range m {
					m[i] = rng.Float64() < share
				}
				for _, orphans := range []bool{false, true} {
					left := m.Clone()
					idle := g.Idle(m, orphans)
					require.Equal(t, idle.Count(), g.Prune(left, orphans))
					require.Equal(t, m.Count(), idle.Count()+left.Count())
					require.Empty(t, listed(g, g.Idle(left, orphans)))
				}
			}
		})
	}
}

// An edge carries something in all spans where it does in any.
func TestSpans(t *testing.T) {
	template := mustNew(t, Config{ACDC, 2, 2, true, false, false}).Template
	g := template.Over(3)
	n := template.NumEdges()
	assert.Equal(t, 3, g.Spans())
	assert.Equal(t, 3*n, g.NumEdges())
	assert.Len(t, g.Full(), 3*n)
	for i := range g.NumEdges() {
		require.Equal(t, i, g.Number(g.SpanOf(i), i%n))
		require.Equal(t, template.Edge(i%n), g.Edge(i))
	}
	m := g.Empty()
	for span, name := range []string{"input->a1.h0<v>", "a1.h0<v>", "a1.h0->logits"} {
		e, err := g.ParseEdge(name)
		require.NoError(t, err)
		m[g.Number(span, e)] = true
	}
	orphan, err := g.ParseEdge("a0.h1->logits")
	require.NoError(t, err)
	m[g.Number(0, orphan)], m[g.Number(2, orphan)] = true, true
	assert.Equal(t, 2, g.Idle(m, true).Count())
	assert.Equal(t, 2, g.Prune(m, true))
	assert.Equal(t, 3, m.Count())
	assert.Panics(t, func() { template.Over(0) })
	assert.Panics(t, func() { template.Over(maxEdges) })
	one := mustNew(t, template.Config())
	assert.Equal(t, 1, one.Spans())
	assert.Equal(t, n, one.NumEdges())
}

func TestGates(t *testing.T) {
	g := mustNew(t, Config{EAP, 1, 1, true, false, false})
	m := g.Empty()
	m[1] = true
	a := m.Gates()
	assert.Equal(t, Gates{0, 1, 0, 0, 0}, a)
	assert.NoError(t, a.Check(g))
	for _, x := range []float32{-0.1, 1.001, float32(math.NaN()), float32(math.Inf(1))} {
		a[2] = x
		assert.ErrorContains(t, a.Check(g), "gates: edge input->a0.h0<v>: expected a number from 0 to 1, found ")
	}
	assert.EqualError(t, a[:4].Check(g), "gates: expected one for each of 5 edges, found 4")
}
