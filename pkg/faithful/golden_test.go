package faithful_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/faithful"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// tolerance of the golden curves, which come from double precision.
const tolerance = 1e-5

// The curves of MIB's own script, by the stored scores: signed and absolute.
func TestCurvesAreMIBs(t *testing.T) {
	var want struct {
		Edges          int `json:"n_edges"`
		Clean, Corrupt float64
		Curves         []struct {
			Scores       string
			Absolute     bool
			Percentages  []float64
			Sizes        []int
			Kept         []int `json:"edges_after_prune"`
			Faithfulness []float64
			CPR          float64 `json:"cpr_area_under"`
			CMD          float64 `json:"cmd_area_from_1"`
			Average      float64
		}
	}
	golden.ReadJSON(t, &want, "gpt3l-random", "mib_curves.json")
	var all map[string]json.RawMessage
	golden.ReadJSON(t, &all, "gpt3l-random", "attribution.json")
	e := experiment(t, "logit_diff", "resample", circuit.EAP)
	require.Len(t, want.Curves, 6)
	for _, w := range want.Curves {
		var byName map[string]float64
		require.NoError(t, json.Unmarshal(all[w.Scores], &byName))
		scores := make(circuit.Scores, e.Graph().NumEdges())
		for i := range scores {
			scores[i] = byName[e.Graph().Edge(i).String()]
		}
		c, err := faithful.Measure(t.Context(), e, scores, faithful.Options{Absolute: w.Absolute})
		require.NoError(t, err)
		name := fmt.Sprintf("%s, %s", w.Scores, c.Selection())
		assert.Equal(t, map[bool]string{true: "absolute", false: "signed"}[w.Absolute], c.Selection())
		assert.Equal(t, want.Edges, c.Edges, name)
		assert.InDelta(t, -want.Clean, c.Model, tolerance, name) // a loss, there the other sign
		assert.InDelta(t, -want.Corrupt, c.Empty, tolerance, name)
		require.Len(t, c.Points, len(w.Sizes), name)
		for k, p := range c.Points {
			assert.Equal(t, w.Percentages[k], p.Part, name)
			assert.Equal(t, w.Sizes[k], p.Chosen, name)
			assert.Equal(t, w.Kept[k], p.Kept, "%s, %v", name, p.Part)
			assert.InDelta(t, w.Faithfulness[k], p.Faithfulness, tolerance, "%s, %v", name, p.Part)
		}
		assert.InDelta(t, w.CPR, c.CPR(), tolerance, name)
		assert.InDelta(t, w.CMD, c.CMD(), tolerance, name)
		assert.InDelta(t, w.Average, c.Mean(), tolerance, name)
	}
}

// experiment binds the golden model of three layers to its data.
func experiment(t *testing.T, metric, ablation string, d circuit.Definition) *patch.Experiment {
	t.Helper()
	c := golden.Bound(t, golden.Model(t, "gpt3l-random"), "gpt3l-random", golden.Run{Metric: metric, Ablation: ablation}, 2)
	c.Definition = d
	e, err := patch.Bind(t.Context(), c)
	require.NoError(t, err)
	return e
}
