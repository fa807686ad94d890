package golden

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Bound is what to bind for a golden run: the data the reference used, its
// metric and its ablation.
func Bound(t testing.TB, m *transformer.Model, name string, run Run, threads int) patch.Config {
	t.Helper()
	c := patch.Config{Model: m, Metric: metric.Name(run.Metric), Ablation: ablate.Ablation(run.Ablation), Threads: threads}
	if inFolder(name) {
		data, err := task.Read(t.Context(), Path(name, "data.safetensors"))
		require.NoError(t, err)
		c.Data = data
		return c
	}
	var raw struct {
		Clean       [][]int `json:"validation_data"`
		Corrupt     [][]int `json:"validation_patch_data"`
		Permutation []int   `json:"pos_embed_permutation"`
	}
	ReadJSON(t, &raw, "tracr", name+".data.json")
	c.Data = task.Data{Clean: raw.Clean, Corrupt: raw.Corrupt, PosPermutation: raw.Permutation}
	if run.Unpermuted {
		slices.Sort(c.Data.PosPermutation)
	}
	c.SplitEmbed = name != "or_gate"
	if strings.TrimSuffix(name, OtherSeed) == "tracr-proportion" { // logit 0 is the fraction, the others are no classes
		c.Metric = metric.L2First
	}
	return c
}
