package learn_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover/learn"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// Trained constants disturb the model less than the means they begin with, over
// random circuits of every size; the same seed gives the same ones, whatever the
// threads.
func TestTrainedConstantsDisturbLess(t *testing.T) {
	c := golden.Bound(t, golden.Model(t, "gpt3l-random"), "gpt3l-random", golden.Run{Metric: "kl_div", Ablation: "mean"}, 2)
	begin, err := learn.Constants(t.Context(), c, 0)
	require.NoError(t, err)
	trained, err := learn.Constants(t.Context(), c, 200)
	require.NoError(t, err)
	c.Threads = 1
	again, err := learn.Constants(t.Context(), c, 200)
	require.NoError(t, err)
	require.Equal(t, trained, again)

	mean := func(k *circuit.Constants) float64 {
		own := c
		own.Ablation, own.Constants = ablate.Optimal, k
		e, err := patch.Bind(t.Context(), own)
		require.NoError(t, err)
		rng, sum := rand.New(rand.NewPCG(1, 2)), 0.0
		for i := range 20 {
			mask := e.Graph().Full()
			for j := range mask {
				mask[j] = rng.Float64() < float64(i)/20
			}
			value, err := e.PlainMetric(t.Context(), mask)
			require.NoError(t, err)
			sum += value / 20
		}
		return sum
	}
	assert.Less(t, mean(trained), 0.8*mean(begin))
}

func TestConstantsNeedAGradient(t *testing.T) {
	c := golden.Bound(t, golden.Model(t, "tracr-reverse"), "tracr-reverse", golden.Run{Metric: "l2", Ablation: "zero"}, 1)
	c.Metric = metric.FracCorrect
	if patch.Allows(c.Metric, c.Data, c.Model.Config) == nil {
		_, err := learn.Constants(t.Context(), c, 1)
		assert.ErrorIs(t, err, metric.ErrNoGradient)
	}
	c.Metric = metric.L2
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := learn.Constants(ended, c, 1)
	assert.ErrorIs(t, err, context.Canceled)
}
