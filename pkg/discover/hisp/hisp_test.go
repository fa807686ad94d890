package hisp_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/hisp"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// The reference's scores, whatever the batches.
func TestGoldenScores(t *testing.T) {
	var want map[string]any
	golden.ReadJSON(t, &want, "gpt3l-random", "hisp.json")
	for _, ablation := range []string{"resample", "zero"} {
		for _, batch := range []int{0, 7} {
			c := golden.Bound(t, golden.Model(t, "gpt3l-random"), "gpt3l-random", golden.Run{Metric: "logit_diff", Ablation: ablation}, 2)
			c.Batch = batch
			e, err := patch.Bind(t.Context(), c)
			require.NoError(t, err)
			nodes, _, err := hisp.Nodes(t.Context(), e)
			require.NoError(t, err)
			scores, ok := want["logit_diff_"+ablation].(map[string]any)
			require.True(t, ok)
			require.Len(t, nodes, len(scores))
			for name, s := range scores {
				n, err := e.Graph().ParseNode(name)
				require.NoError(t, err)
				assert.InDelta(t, s, nodes[n], 1e-4, name)
			}
		}
	}
}

// An edge has the lesser score of its ends.
func TestEdgesOfNodes(t *testing.T) {
	c := golden.Bound(t, golden.Model(t, "gpt3l-random"), "gpt3l-random", golden.Run{Metric: "logit_diff", Ablation: "resample"}, 2)
	e, err := patch.Bind(t.Context(), c)
	require.NoError(t, err)
	nodes, _, err := hisp.Nodes(t.Context(), e)
	require.NoError(t, err)
	found, err := hisp.Scorer{}.Score(t.Context(), discover.Request{Experiment: e})
	require.NoError(t, err)
	most := 0.0
	for _, s := range nodes {
		most = max(most, s)
	}
	q := func(l, h int, k circuit.Kind) float64 { return nodes[circuit.Node{Kind: k, Layer: l, Head: h}] }
	head := max(q(0, 2, circuit.Q), q(0, 2, circuit.K), q(0, 2, circuit.V))
	for name, want := range map[string]float64{
		"input->logits":   most,
		"input->a1.h3<k>": q(1, 3, circuit.K),
		"a1.h3<k>":        q(1, 3, circuit.K),
		"a0.h2->a1.h3<k>": min(head, q(1, 3, circuit.K)),
		"a0.h2->logits":   head,
		"m0->logits":      nodes[circuit.Node{Kind: circuit.MLP}],
		"a0.h2->m1":       min(head, nodes[circuit.Node{Kind: circuit.MLP, Layer: 1}]),
	} {
		edge, err := e.Graph().ParseEdge(name)
		require.NoError(t, err, name)
		assert.InDelta(t, want, found.Scores[edge], 0, name)
	}
}
