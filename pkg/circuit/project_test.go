package circuit

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// chosen is a mask of named edges, with the scores 1, 2, 4, …, and the others
// without.
func chosenEdges(t *testing.T, g *Graph, names ...string) (Mask, Scores) {
	t.Helper()
	m, s := g.Empty(), noScores(g)
	for k, name := range names {
		i, err := g.ParseEdge(name)
		require.NoError(t, err)
		m[i], s[i] = true, float64(int(1)<<k)
	}
	return m, s
}

// scored are the scores by name.
func scored(g *Graph, s Scores) map[string]float64 {
	out := map[string]float64{}
	for i, x := range s {
		if !math.IsNaN(x) {
			out[g.Edge(i).String()] = x
		}
	}
	return out
}

func TestProjectionsSayWhatIsLost(t *testing.T) {
	fine := mustNew(t, Config{ACDC, 2, 2, false, false, true})
	m, s := chosenEdges(t, fine, "embed->a0.h0<k>", "pos_embed->a0.h0<k>", "a0.h0<k>", "embed->a1.h1<q>", "pos_embed->m0", "a0.h0->logits")
	coarse := mustNew(t, Config{EAP, 2, 2, false, false, false})
	got, scores, lost, err := fine.Project(m, s, coarse)
	require.NoError(t, err)
	assert.Equal(t, []string{"input->a0.h0<k>", "input->m0", "a0.h0->logits"}, listed(coarse, got))
	assert.Equal(t, map[string]float64{"input->a0.h0<k>": 3, "input->m0": 16, "a0.h0->logits": 32, "input->a1.h1<q>": 8}, scored(coarse, scores))
	assert.Equal(t, Lost{Direct: 1, Cut: 1, Embeddings: 1}, lost)
	assert.Equal(t, []string{
		"1 direct edge is left out: heads have none there", "1 edge into a head whose direct edge is cut is left out",
		"1 edge is from tokens or positions alone, which are one sender there",
	}, lost.Words())

	back, scores, lost, err := coarse.Project(got, scores, fine)
	require.NoError(t, err)
	assert.Equal(t, []string{"embed->a0.h0<k>", "pos_embed->a0.h0<k>", "a0.h0<k>", "embed->m0", "pos_embed->m0", "a0.h0->logits"}, listed(fine, back))
	assert.Equal(t, map[string]float64{"a0.h0->logits": 32}, scored(fine, scores))
	assert.Equal(t, Lost{Divided: 3}, lost)
	assert.Equal(t, []string{"3 scores of edges from the embeddings cannot be divided between tokens and positions"}, lost.Words())
}

// What loses nothing is the same again on the way back, in every pair of graphs.
func TestProjectionsWithoutLossReturn(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, shape := range []Config{{Layers: 2, Heads: 2}, {Layers: 3, Heads: 1, AttnOnly: true}, {Layers: 2, Heads: 3, ParallelAttnMLP: true}} {
		for _, from := range variants(shape) {
			for _, to := range variants(shape) {
				a, b := mustNew(t, from), mustNew(t, to)
				m := a.Empty()
				for i := range m {
					m[i] = rng.IntN(3) == 0
				}
				out, _, lost, err := a.Project(m, nil, b)
				require.NoError(t, err)
				back, _, _, err := b.Project(out, nil, a)
				require.NoError(t, err)
				if from == to {
					assert.Equal(t, m, out)
				}
				if lost == (Lost{}) && from.Definition == EAP {
					assert.Equal(t, m, back, "%v as %v", from, to)
				}
				again, _, lost, err := a.Project(back, nil, b)
				require.NoError(t, err)
				assert.Equal(t, out, again, "%v as %v", from, to)
				assert.Zero(t, lost.Cut+lost.Embeddings)
				common, err := Common(from, to)
				require.NoError(t, err)
				assert.Equal(t, from.SplitEmbed && to.SplitEmbed, common.SplitEmbed)
				assert.Equal(t, from.Definition == ACDC && to.Definition == ACDC, common.Definition == ACDC)
			}
		}
	}
}

// variants are the graphs of one model.
func variants(c Config) (out []Config) {
	for _, d := range Definitions() {
		for _, split := range []bool{false, true} {
			c.Definition, c.SplitEmbed = d, split
			out = append(out, c)
		}
	}
	return out
}

func TestProjectionsOfOtherModels(t *testing.T) {
	a := Config{EAP, 2, 2, false, false, false}
	for _, b := range []Config{{EAP, 3, 2, false, false, false}, {EAP, 2, 1, false, false, false}, {EAP, 2, 2, false, true, false}} {
		_, err := Common(a, b)
		assert.ErrorContains(t, err, "expected graphs of one model, found 2 layers of 2 heads and ")
		_, _, _, err = mustNew(t, a).Project(mustNew(t, a).Empty(), nil, mustNew(t, b))
		assert.ErrorContains(t, err, "expected graphs of one model")
	}
	g := mustNew(t, a)
	_, _, _, err := g.Project(g.Empty(), nil, g.Over(2))
	assert.ErrorContains(t, err, "expected graphs over all positions, found 1 and 2 spans")
	without := Config{ACDC, 2, 2, true, false, false}
	_, _, _, err = g.Project(g.Empty(), nil, mustNew(t, without))
	assert.ErrorContains(t, err, "expected graphs of one model, found 2 layers of 2 heads and 2 layers of 2 heads without MLPs")
	for _, pair := range [][2]Config{{a, without}, {without, a}} {
		common, err := Common(pair[0], pair[1])
		require.NoError(t, err)
		assert.Equal(t, a, common)
	}
	attn := mustNew(t, Config{ACDC, 2, 2, true, false, false})
	m, s := chosenEdges(t, attn, "a0.h1->logits")
	out, _, lost, err := attn.Project(m, s, g)
	require.NoError(t, err, "MLPs may come in")
	assert.Equal(t, []string{"a0.h1->logits"}, listed(g, out))
	assert.Zero(t, lost)
}
