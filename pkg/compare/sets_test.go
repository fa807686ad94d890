package compare_test

import (
	"bytes"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/misuse"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/compare"
)

// file is a circuit of kept edges with scores, and of others that have only
// scores.
func file(t *testing.T, c circuit.Config, kept, removed map[string]float64) *circuit.File {
	t.Helper()
	g, err := circuit.New(c)
	require.NoError(t, err)
	m, scores := g.Empty(), make(circuit.Scores, g.NumEdges())
	for i := range scores {
		scores[i] = math.NaN()
	}
	for k, edges := range []map[string]float64{kept, removed} {
		for name, x := range edges {
			i, err := g.ParseEdge(name)
			require.NoError(t, err)
			m[i], scores[i] = k == 0, x
		}
	}
	f := &circuit.File{}
	f.SetCircuit(g, m, scores, true)
	return f
}

// Two circuits of different graphs, by hand.
func TestComparisonByHand(t *testing.T) {
	a := file(t, circuit.Config{Definition: circuit.ACDC, Layers: 2, Heads: 1}, map[string]float64{
		"input->a0.h0<v>": 5, "a0.h0<v>": 9, "a0.h0->m0": 4, "m0->logits": 3, "a0.h0->logits": 1, "input->a1.h0<q>": 8,
	}, map[string]float64{"input->logits": .5})
	b := file(t, circuit.Config{Definition: circuit.EAP, Layers: 2, Heads: 1, SplitEmbed: true}, map[string]float64{
		"embed->a0.h0<v>": 1, "a0.h0->m0": 1, "m0->logits": 2, "m0->m1": 1, "m1->logits": 1,
	}, map[string]float64{"embed->logits": .25, "pos_embed->logits": .25})
	g, list, err := compare.Common([]*circuit.File{a, b}, []string{"a", "b"})
	require.NoError(t, err)
	assert.Equal(t, circuit.Config{Definition: circuit.EAP, Layers: 2, Heads: 1}, g.Config())
	assert.Equal(t, circuit.Lost{Direct: 1, Cut: 1}, list[0].Lost)
	assert.Equal(t, circuit.Lost{Embeddings: 1}, list[1].Lost)
	pairs := compare.All(g, list)
	require.Len(t, pairs, 1)
	p := pairs[0]
	assert.Equal(t, []string{"a", "b"}, []string{p.A, p.B})
	assert.Equal(t, compare.Sets{Both: 3, OnlyA: 1, OnlyB: 2}, p.Edges)
	assert.Equal(t, compare.Sets{Both: 4, OnlyB: 1}, p.Nodes) // input, a0.h0, m0, logits; m1
	assert.Equal(t, []float64{.5, .6, .75}, []float64{p.Edges.Jaccard(), p.Edges.Precision(), p.Edges.Recall()})
	// 5, 4, 3 with 1, 1, 2: one tie, the two other pairs in opposite order.
	assert.Equal(t, 3, p.Common.Edges)
	assert.InDelta(t, -2/math.Sqrt(3*2), p.Common.Kendall, 1e-15)
	assert.InDelta(t, -math.Sqrt(3)/2, p.Common.Spearman, 1e-15)
	// and .5 with .5, below all others in both
	assert.Equal(t, 4, p.Scored.Edges)
	assert.InDelta(t, 1/math.Sqrt(6*5), p.Scored.Kendall, 1e-15)

	again := compare.All(g, append(list, list[0]))
	require.Len(t, again, 3)
	assert.Equal(t, compare.Sets{Both: 4}, again[1].Edges)
	assert.Equal(t, []float64{1, 1, 1}, []float64{again[1].Edges.Jaccard(), again[1].Common.Spearman, again[1].Scored.Kendall})
	assert.Equal(t, compare.Sets{Both: 3, OnlyA: 2, OnlyB: 1}, again[2].Edges)
}

// A report has null, and an empty cell, where there is no number.
func TestReports(t *testing.T) {
	c := circuit.Config{Definition: circuit.EAP, Layers: 1, Heads: 1}
	a, b := file(t, c, map[string]float64{"input->logits": 1}, nil), file(t, c, map[string]float64{"input->logits": 2, "input->m0": 1, "m0->logits": 3}, nil)
	g, list, err := compare.Common([]*circuit.File{a, b}, []string{"a", "b"})
	require.NoError(t, err)
	r := compare.NewReport(g, list)
	var text, rows bytes.Buffer
	require.NoError(t, r.Encode(&text))
	assert.JSONEq(t, `{"graph":{"definition":"eap","n_layers":1,"n_heads":1,"attn_only":false,"parallel_attn_mlp":false,"split_embed":false},"edges_total":8,
		"circuits":[{"name":"a","edges_kept":1},{"name":"b","edges_kept":3}],
		"pairs":[{"a":"a","b":"b","edges":{"both":1,"only_a":0,"only_b":2,"jaccard":0.3333333333333333,"precision":0.3333333333333333,"recall":1},
		"nodes":{"both":2,"only_a":0,"only_b":1,"jaccard":0.6666666666666666,"precision":0.6666666666666666,"recall":1},
		"scores_of_common_edges":{"edges":1,"spearman":null,"kendall_tau_b":null},"scores_of_all_edges":{"edges":1,"spearman":null,"kendall_tau_b":null}}]}`, text.String())
	require.NoError(t, r.WriteCSV(&rows))
	assert.Equal(t, "a,b,edges_both,edges_only_a,edges_only_b,edges_jaccard,edges_precision,edges_recall,"+
		"nodes_both,nodes_only_a,nodes_only_b,nodes_jaccard,nodes_precision,nodes_recall,common_scores,common_spearman,common_kendall_tau_b,all_scores,all_spearman,all_kendall_tau_b\n"+
		"a,b,1,0,2,0.3333333333333333,0.3333333333333333,1,2,0,1,0.6666666666666666,0.6666666666666666,1,1,,,1,,\n", rows.String())
}

func TestNothingHasNoShare(t *testing.T) {
	var s compare.Sets
	for _, x := range []float64{s.Jaccard(), s.Precision(), s.Recall()} {
		assert.True(t, math.IsNaN(x))
	}
}

func TestCircuitsOfOtherModels(t *testing.T) {
	a := file(t, circuit.Config{Definition: circuit.EAP, Layers: 2, Heads: 1}, nil, nil)
	b := file(t, circuit.Config{Definition: circuit.EAP, Layers: 2, Heads: 1, ParallelAttnMLP: true}, nil, nil)
	_, _, err := compare.Common([]*circuit.File{a, b}, []string{"a.json", "b.json"})
	assert.EqualError(t, err, "a.json and b.json: expected graphs of one model, found 2 layers of 1 heads and 2 layers of 1 heads with parallel MLPs")
	_, _, err = compare.Common([]*circuit.File{a}, nil)
	assert.ErrorContains(t, err, "expected circuits with a name each, found 1 and 0 names")
}

// Nothing that is used wrongly ends in a panic that does not say so.
func TestEveryMisuse(t *testing.T) {
	f := file(t, circuit.Config{Definition: circuit.EAP, Layers: 2, Heads: 1}, map[string]float64{"m0->logits": 1}, nil)
	g, list, err := compare.Common([]*circuit.File{f}, []string{"f"})
	require.NoError(t, err)
	misuse.Walk(t, misuse.Package{
		Types: []any{compare.Sets{}, &compare.Report{}},
		Fresh: []func() any{func() any { return compare.Sets{Both: -1, OnlyA: 1} }, func() any { return compare.NewReport(g, append(list, list...)) }},
		Funcs: []any{compare.Spearman, compare.Kendall, compare.Common, compare.Of, compare.All, compare.NewReport},
		Arguments: []any{g, &circuit.Graph{}, list, list[0], compare.Circuit{}, []compare.Circuit{{}, {}}, []*circuit.File{f, nil}, []*circuit.File{{}}, []string{"x", "y"}, []string{"x"},
			[]float64{1, math.NaN()}, []float64{1}, io.Discard},
	})
}
