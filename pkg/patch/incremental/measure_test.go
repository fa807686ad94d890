package incremental

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// The metric of a circuit is that of the plain pass, be the pass dear or not,
// and does not change by a bit where edges that carry nothing are left out.
func TestMetricIsThatOfThePlainPass(t *testing.T) {
	for seed := range uint64(golden.Cases(200)) {
		rng := rand.New(rand.NewPCG(seed, 77))
		c := golden.RandomConfig(rng)
		ablation := ablate.Ablations()[rng.IntN(3)]
		e, err := patch.Bind(t.Context(), patch.Config{Model: golden.RandomModel(t, c, seed), Data: golden.RandomData(rng, c), Metric: metric.KL,
			Ablation: ablation, Threads: 2, Batch: rng.IntN(3)})
		require.NoError(t, err)
		mask, density := e.Graph().Empty(), 0.5*rng.Float64()
		for i := range mask {
			mask[i] = rng.Float64() < density
		}
		want, err := e.PlainMetric(t.Context(), mask)
		require.NoError(t, err)
		got, err := Metric(t.Context(), e, mask)
		require.NoError(t, err)
		require.Equal(t, want, got, "a small model: the plain pass itself")
		state, err := metricOf(t.Context(), e, mask, 0)
		require.NoError(t, err)
		require.InDelta(t, want, state, 1e-5*max(1, math.Abs(want)), "seed %d", seed)
		e.Graph().Prune(mask, ablation == ablate.Resample)
		pruned, err := metricOf(t.Context(), e, mask, 0)
		require.NoError(t, err)
		require.Equal(t, state, pruned, "seed %d", seed)
	}
}
