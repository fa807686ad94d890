package exact_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/exact"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// Every edge's score is the plain pass's, cut by cut.
func TestScoresAreThoseOfPlainPasses(t *testing.T) {
	for seed := range uint64(golden.Cases(30)) {
		rng := rand.New(rand.NewPCG(seed, 91))
		c := golden.RandomConfig(rng)
		e, err := patch.Bind(t.Context(), patch.Config{Model: golden.RandomModel(t, c, seed), Data: golden.RandomData(rng, c), Metric: metric.L2,
			Ablation: ablate.Ablations()[rng.IntN(3)], Definition: circuit.Definitions()[rng.IntN(2)], Threads: 2, Batch: rng.IntN(3)})
		require.NoError(t, err)
		found, err := exact.Scorer{}.Score(t.Context(), discover.Request{Experiment: e})
		require.NoError(t, err)
		g := e.Graph()
		require.Len(t, found.Scores, g.NumEdges())
		for edge := range found.Scores {
			m := g.Full()
			m[edge] = false
			cut, err := e.PlainMetric(t.Context(), m)
			require.NoError(t, err)
			assert.InDelta(t, cut-e.CleanMetric(), found.Scores[edge], 1e-4*(1+math.Abs(cut)), "seed %d %v", seed, g.Edge(edge))
		}
		assert.Equal(t, g.NumEdges(), found.Cost.Tests)
	}
}
