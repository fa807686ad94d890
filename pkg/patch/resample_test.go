package patch_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// An experiment that is resampled measures what one does that is bound to the
// examples drawn, each as often.
func TestResampledIsBoundToTheDrawn(t *testing.T) {
	seen := 0
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 17))
		c := golden.RandomConfig(rng)
		config := patch.Config{Model: golden.RandomModel(t, c, seed), Data: golden.RandomData(rng, c), Metric: metric.KL,
			Ablation: []ablate.Ablation{ablate.Resample, ablate.Zero}[rng.IntN(2)], Threads: 2}
		e, err := patch.Bind(t.Context(), config)
		require.NoError(t, err)
		n := e.Runs().Examples()
		times, drawn := make([]int, n), []int(nil)
		for range n {
			times[rng.IntN(n)]++
		}
		for i, k := range times {
			for range k {
				drawn = append(drawn, i)
			}
		}
		config.Data = config.Data.Pick(drawn)
		want, err := patch.Bind(t.Context(), config)
		got, refused := e.Resampled(times)
		if err != nil { // the metric reads none of the drawn examples
			require.Error(t, refused)
			continue
		}
		require.NoError(t, refused)
		seen++
		mask := e.Graph().Empty()
		for i := range mask {
			mask[i] = rng.IntN(2) == 0
		}
		near := func(a, b float64) { assert.InDelta(t, a, b, 1e-5*max(1, math.Abs(a))) }
		near(want.CleanMetric(), got.CleanMetric())
		near(want.CorruptedMetric(), got.CorruptedMetric())
		a, err := want.PlainMetric(t.Context(), mask)
		require.NoError(t, err)
		b, err := got.PlainMetric(t.Context(), mask)
		require.NoError(t, err)
		near(a, b)
		before, err := e.PlainMetric(t.Context(), mask)
		require.NoError(t, err)
		ones := make([]int, n)
		for i := range ones {
			ones[i] = 1
		}
		same, err := e.Resampled(ones)
		require.NoError(t, err)
		again, err := same.PlainMetric(t.Context(), mask)
		require.NoError(t, err)
		near(before, again)
	}
	assert.Greater(t, seen, 5)
}

func TestResampledRefuses(t *testing.T) {
	c := golden.Bound(t, golden.Model(t, "gpt3l-random"), "gpt3l-random", golden.Run{Metric: "kl_div", Ablation: "zero"}, 2)
	e, err := patch.Bind(t.Context(), c)
	require.NoError(t, err)
	n := e.Runs().Examples()
	_, err = e.Resampled([]int{1})
	assert.ErrorContains(t, err, "resampling: expected how often each of ")
	_, err = e.Resampled(make([]int, n))
	assert.EqualError(t, err, "resampling: expected an example that the metric reads, found none drawn")
	less := make([]int, n)
	less[0] = -1
	_, err = e.Resampled(less)
	assert.EqualError(t, err, "resampling: example 0: expected to be drawn at least 0 times, found -1")
	c.Batch = 1
	e, err = patch.Bind(t.Context(), c)
	require.NoError(t, err)
	_, err = e.Resampled(make([]int, n))
	assert.ErrorContains(t, err, "resampling: expected all examples at a time, found ")
}
