package incremental

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// A method that goes through the examples once holds of their runs what it is
// allowed, and finds the same; what it takes is what is foretold.
func TestOnceHoldsWhatItMay(t *testing.T) {
	c := golden.Bound(t, golden.Model(t, "gpt3l-random"), "gpt3l-random", golden.Run{Metric: "logit_diff", Ablation: "resample"}, 2)
	s, err := sizesOf(c)
	require.NoError(t, err)
	n := int64(len(c.Data.Clean))
	require.Greater(t, n, int64(4))
	whole, err := patch.Bind(t.Context(), c)
	require.NoError(t, err)
	mask := whole.Graph().Full()
	for i := range mask {
		mask[i] = i%5 == 0
	}
	want, err := Metric(t.Context(), whole, mask)
	require.NoError(t, err)
	for _, most := range []int64{n * s.caches, n*s.caches - 1, 4 * s.caches, 1} {
		own := c
		own.Later = true
		require.NoError(t, fitOnce(&own, most))
		budget, err := Take(own)
		require.NoError(t, err)
		if most == n*s.caches {
			assert.Zero(t, own.Batch, "there is room for all")
		} else {
			assert.Less(t, own.Batch, int(n))
			assert.LessOrEqual(t, budget.Caches, most+int64(own.Batch)*s.caches)
		}
		e, err := patch.Bind(t.Context(), own)
		require.NoError(t, err)
		held := map[*patch.Bound]bool{}
		for range 2 {
			for b, err := range e.Batches(t.Context()) {
				require.NoError(t, err)
				held[b] = true
			}
		}
		made := int64(0)
		for b := range held {
			made += int64(b.Examples())
		}
		got, err := Metric(t.Context(), e, mask)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		if most >= n*s.caches-1 { // beside the batch at hand
			assert.Equal(t, n, made, "every run is made once")
		} else {
			assert.Greater(t, made, n, "some runs are made again")
		}
	}
}
