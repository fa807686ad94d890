package patch_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// Runs that are left for later are made when their batch is asked for, and
// measured then, to the same bits; until all are, nobody is told a part.
func TestLater(t *testing.T) {
	ctx := t.Context()
	for _, batch := range []int{0, 3} {
		c := golden.Bound(t, golden.Model(t, "gpt3l-random"), "gpt3l-random", golden.Run{Metric: "logit_diff", Ablation: "resample"}, 2)
		c.Batch = batch
		want, err := patch.Bind(ctx, c)
		require.NoError(t, err)
		assert.NotEqual(t, want.CleanMetric(), want.CorruptedMetric())
		c.Later = true
		later := func() *patch.Experiment {
			e, err := patch.Bind(ctx, c)
			require.NoError(t, err)
			return e
		}
		same := func(e *patch.Experiment) {
			assert.Equal(t, want.CleanMetric(), e.CleanMetric())
			assert.Equal(t, want.CorruptedMetric(), e.CorruptedMetric())
			assert.Equal(t, want.InBatches(), e.InBatches())
		}
		e := later()
		assert.PanicsWithValue(t, "patch: CleanMetric before Measure, where Bind left the runs for later", func() { e.CleanMetric() })
		for b, err := range e.Batches(ctx) {
			require.NoError(t, err)
			if b.Hi < e.Runs().Examples() {
				assert.PanicsWithValue(t, "patch: CorruptedMetric before Measure, where Bind left the runs for later", func() { e.CorruptedMetric() })
			}
		}
		same(e)
		e = later()
		require.NoError(t, e.Measure(ctx))
		same(e)
		with, err := later().With(ctx, metric.KL)
		require.NoError(t, err)
		other, err := want.With(ctx, metric.KL)
		require.NoError(t, err)
		assert.Equal(t, other.CorruptedMetric(), with.CorruptedMetric())

		ended, cancel := context.WithCancel(ctx)
		cancel()
		assert.ErrorIs(t, later().Measure(ended), context.Canceled)
	}
}
