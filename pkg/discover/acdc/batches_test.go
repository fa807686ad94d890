package acdc_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// What batches cost, in forward passes, which are counted and not measured: at
// most twice the whole run, with runs kept in a file and, not with many batches,
// without one.
func TestBatchesCostFewForwardPasses(t *testing.T) {
	if testing.Short() {
		t.Skip("six runs, which without assembly take half a minute")
	}
	m := golden.Model(t, "induction-attn2l")
	cost := func(batch int, scratch string, threshold float64) float64 {
		c := golden.Bound(t, m, "induction-attn2l", golden.Run{Metric: "kl_div", Ablation: "resample"}, 2)
		c.Batch, c.Scratch = batch, scratch
		e, err := patch.Bind(t.Context(), c)
		require.NoError(t, err)
		res, err := acdc.Algorithm{Threshold: threshold}.Discover(t.Context(), discover.Request{Experiment: e})
		require.NoError(t, err)
		return res.Cost.ForwardPasses
	}
	whole := map[float64]float64{0.05: cost(0, "", 0.05)}
	if golden.Long {
		whole[0.1] = cost(0, "", 0.1)
	}
	for _, c := range []struct {
		batch   int
		scratch string
		most    float64
	}{{20, "", 2}, {10, "", 2}, {5, "", 2}, {5, t.TempDir(), 1.5}} {
		for threshold, whole := range whole {
			assert.Less(t, cost(c.batch, c.scratch, threshold)/whole, c.most, "%d examples at a time, threshold %v", c.batch, threshold)
		}
	}
}
