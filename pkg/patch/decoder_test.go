package patch_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// Every golden patched run is the plain pass's, the gated pass's too.
func TestPatchedRunsOfDecoders(t *testing.T) {
	for _, name := range golden.Decoders {
		runs := golden.ReadPatched(t, name)
		for _, by := range []metric.Name{metric.LogitDiff, metric.KL} {
			e := golden.DecoderExperiment(t, golden.Model(t, name), name, by, 0)
			assert.InDelta(t, runs.Clean[string(by)], e.CleanMetric(), 1e-4, name)
			assert.InDelta(t, runs.Corrupt[string(by)], e.CorruptedMetric(), 1e-4, name)
			numbers := runs.Numbers(t, e.Graph())
			gated, worst := patch.NewGated(e.Whole()), 0.0
			for i, r := range runs.Runs {
				m := r.Mask(e.Graph(), numbers)
				got, err := e.PlainMetric(t.Context(), m)
				require.NoError(t, err)
				require.InDelta(t, r.Value(by), got, 1e-4, "%s %s run %d", name, by, i)
				worst = max(worst, abs(got-r.Value(by)))
				values, err := gated.Run(t.Context(), m.Gates())
				require.NoError(t, err)
				require.InDelta(t, got, e.Metric().Mean(values), 2e-5, "%s %s run %d", name, by, i)
			}
			t.Logf("%s %s: %d runs, largest difference %.1e", name, by, len(runs.Runs), worst)
		}
	}
}

func abs(x float64) float64 { return max(x, -x) }

// Under norms behind attention as well, the gradient of gates is the slope of the
// plain pass.
func TestGatesOfPartsAgainstDifferences(t *testing.T) {
	for seed := range uint64(golden.Cases(60)) {
		rng := rand.New(rand.NewPCG(seed, 71))
		c := golden.WithParts(rng, golden.RandomConfig(rng))
		c.DModel, c.PostNorm = c.DModel+8, seed%2 == 0
		cfg := patch.Config{Model: golden.RandomModel(t, c, seed), Data: golden.RandomData(rng, c), Metric: metric.LogitDiff, Ablation: "resample",
			Definition: circuit.Definitions()[rng.IntN(2)], Threads: 1 + rng.IntN(2)}
		cfg.Data.Mask = golden.MaskFor(cfg.Metric, cfg.Data.Mask)
		e, err := patch.Bind(t.Context(), cfg)
		require.NoError(t, err)
		gates := make(circuit.Gates, e.Graph().NumEdges())
		for i := range gates {
			gates[i] = float32(0.1 + 0.8*rng.Float64())
		}
		x := patch.NewGated(e.Whole())
		values, err := x.Run(t.Context(), gates)
		require.NoError(t, err)
		plain, err := e.Plain(t.Context(), gates)
		require.NoError(t, err)
		what := fmt.Sprintf("seed %d %+v", seed, c)
		require.InDeltaSlice(t, plain, values, 1e-4, what)
		grads, err := x.Backward(t.Context())
		require.NoError(t, err)
		own, direction := append([]float64(nil), grads...), make([]float32, len(gates))
		want, size := 0.0, 0.0
		for i, g := range own {
			direction[i] = float32(2*rng.Float64() - 1)
			want += g * float64(direction[i])
			size += g * g
		}
		at := func(by float32) float64 {
			moved := append(circuit.Gates(nil), gates...)
			for i := range moved {
				moved[i] += by * direction[i]
			}
			values, err := x.Run(t.Context(), moved)
			require.NoError(t, err)
			return e.Metric().Mean(values)
		}
		const step = 1. / 512
		slope := (8*(at(step)-at(-step)) - (at(2*step) - at(-2*step))) / (12 * step)
		require.InDelta(t, slope, want, 5e-3*(1+size), what)
	}
}
