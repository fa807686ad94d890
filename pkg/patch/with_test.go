package patch_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// An experiment with another metric is, to the bit, what binding that metric
// makes, in one batch and in several; in one, the runs are the same.
func TestWithIsBind(t *testing.T) {
	m := golden.Model(t, "gpt3l-random")
	for _, batch := range []int{0, 3} {
		c := golden.Bound(t, m, "gpt3l-random", golden.Run{Metric: "kl_div", Ablation: "resample"}, 2)
		c.Batch = batch
		first, err := patch.Bind(t.Context(), c)
		require.NoError(t, err)
		for _, name := range []metric.Name{metric.KL, metric.LogitDiff, metric.L2} {
			c.Metric = name
			want, err := patch.Bind(t.Context(), c)
			require.NoError(t, err)
			got, err := first.With(t.Context(), name)
			require.NoError(t, err)
			assert.Equal(t, want.CleanMetric(), got.CleanMetric())
			assert.Equal(t, want.CorruptedMetric(), got.CorruptedMetric())
			assert.Equal(t, want.InBatches(), got.InBatches())
			mask := got.Graph().Full()
			for i := range mask {
				mask[i] = i%3 > 0
			}
			a, err := want.PlainMetric(t.Context(), mask)
			require.NoError(t, err)
			b, err := got.PlainMetric(t.Context(), mask)
			require.NoError(t, err)
			assert.Equal(t, a, b, name)
			if batch == 0 {
				assert.Same(t, first.Whole().Clean, got.Whole().Clean)
			}
		}
		_, err = first.With(t.Context(), "no such metric")
		assert.ErrorContains(t, err, "no such metric")
	}
}
