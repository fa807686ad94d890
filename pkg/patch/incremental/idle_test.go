package incremental_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Leaving out the edges that carry nothing does not change one bit of the
// metric. Under other ablations than resampling, where outputs are replaced by other
// values than a run's, an edge whose sender nothing reaches carries something,
// and is not one of them.
func TestIdleEdgesCarryNothing(t *testing.T) {
	for _, ablation := range ablate.Ablations() {
		t.Run(string(ablation), func(t *testing.T) {
			dropped, matters := 0, 0
			run := circuit.Run{Ablation: string(ablation)}
			for seed := range uint64(golden.Cases(1000)) {
				rng := rand.New(rand.NewPCG(seed, 17))
				c := golden.RandomConfig(rng)
				data := golden.RandomData(rng, c)
				var constants *circuit.Constants
				if ablation == ablate.Optimal {
					constants = golden.RandomConstants(seed, c)
				}
				e, err := patch.Bind(t.Context(), patch.Config{Constants: constants, Model: golden.RandomModel(t, c, seed), Data: data, Threads: 1 + rng.IntN(2), Seed: seed,
					Metric: metric.KL, Ablation: ablation, Definition: circuit.Definitions()[rng.IntN(2)],
					SplitEmbed: data.Pad == nil && c.Positions == transformer.Standard && rng.IntN(2) == 0})
				require.NoError(t, err)
				g, density := e.Graph(), 0.6*rng.Float64()
				m := g.Empty()
				for i := range m {
					m[i] = rng.Float64() < density
				}
				want, err := e.Plain(t.Context(), m.Gates())
				require.NoError(t, err)
				left := m.Clone()
				dropped += g.Prune(left, run.OrphansIdle())
				got, err := e.Plain(t.Context(), left.Gates())
				require.NoError(t, err)
				require.Equal(t, want, got, "seed %d", seed)
				g.Prune(left, true)
				got, err = e.Plain(t.Context(), left.Gates())
				require.NoError(t, err)
				if !assert.ObjectsAreEqual(want, got) {
					matters++
				}
			}
			assert.Positive(t, dropped)
			assert.Equal(t, ablation != ablate.Resample, matters > 0)
		})
	}
}
