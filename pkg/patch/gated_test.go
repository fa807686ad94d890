package patch_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// randomExperiment binds a random model, and draws gates for it.
func randomExperiment(t *testing.T, seed uint64, threads int) (*patch.Experiment, circuit.Gates) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 72))
	c := golden.RandomConfig(rng)
	data := golden.RandomData(rng, c)
	names := []metric.Name{metric.L2, metric.KL, metric.NLL}
	e, err := patch.Bind(t.Context(), patch.Config{Model: golden.RandomModel(t, c, seed), Data: data, Metric: names[rng.IntN(len(names))], Ablation: ablate.Ablations()[rng.IntN(3)],
		Definition: circuit.Definitions()[rng.IntN(2)], Threads: threads})
	require.NoError(t, err)
	gates := e.Graph().Full().Gates()
	for i := range gates {
		gates[i] = min(1, max(0, float32(rng.Float64()*1.4-0.2)))
	}
	return e, gates
}

// Run is the plain pass, whatever the gates and from run to run.
func TestGatedIsThePlainPass(t *testing.T) {
	for seed := range uint64(golden.Cases(100)) {
		e, gates := randomExperiment(t, seed, 1+int(seed%3))
		x := patch.NewGated(e.Whole())
		for _, g := range []circuit.Gates{gates, e.Graph().Full().Gates(), e.Graph().Empty().Gates(), gates} {
			want, err := e.Plain(t.Context(), g)
			require.NoError(t, err)
			got, err := x.Run(t.Context(), g)
			require.NoError(t, err)
			for i := range want {
				require.InDelta(t, want[i], got[i], 2e-4*(1+math.Abs(want[i])), "seed %d", seed)
			}
		}
	}
}

// The gradient is that of differences of the plain pass.
func TestGatedGradientAgainstDifferences(t *testing.T) {
	for seed := range uint64(golden.Cases(60)) {
		e, gates := randomExperiment(t, seed, 2)
		x := patch.NewGated(e.Whole())
		for i := range gates {
			gates[i] = 0.1 + 0.8*gates[i]
		}
		_, err := x.Run(t.Context(), gates)
		require.NoError(t, err)
		got, err := x.Backward(t.Context())
		require.NoError(t, err)
		most := 0.0
		for _, g := range got {
			most = max(most, math.Abs(g))
		}
		rng := rand.New(rand.NewPCG(seed, 73))
		for range 12 {
			edge := rng.IntN(len(gates))
			value := func(by float32) float64 {
				own := slices.Clone(gates)
				own[edge] += by
				rows, err := e.Plain(t.Context(), own)
				require.NoError(t, err)
				return e.Metric().Mean(rows)
			}
			nearest := math.Inf(1) // a kink of the activation function lies within some steps
			for _, h := range []float32{1. / 32, 1. / 128, 1. / 512} {
				want := (8*(value(h)-value(-h)) - (value(2*h) - value(-2*h))) / (12 * float64(h))
				nearest = min(nearest, math.Abs(want-got[edge]))
			}
			require.Less(t, nearest, 3e-3*most+3e-4*(1+math.Abs(value(0))), "seed %d %v: %v", seed, e.Graph().Edge(edge), got[edge])
		}
	}
}

// Neither bits of the metric nor of the gradient depend on the threads.
func TestGatedIsTheSameOnAnyThreads(t *testing.T) {
	for seed := range uint64(golden.Cases(20)) {
		var rows, grads []float64
		for threads := 1; threads <= 3; threads++ {
			e, gates := randomExperiment(t, seed, threads)
			x := patch.NewGated(e.Whole())
			for range 2 { // the second run finds the memory of the first
				values, err := x.Run(t.Context(), gates)
				require.NoError(t, err)
				back, err := x.Backward(t.Context())
				require.NoError(t, err)
				if rows == nil {
					rows, grads = slices.Clone(values), slices.Clone(back)
				}
				require.Equal(t, rows, values)
				require.Equal(t, grads, back)
			}
		}
	}
}

// At the clean run the gradients of gates are EAP's scores, with the other sign.
func TestGatedGradientsOfTheWholeAreAttribution(t *testing.T) {
	var want map[string]any
	golden.ReadJSON(t, &want, "gpt3l-random", "attribution.json")
	c := golden.Bound(t, golden.Model(t, "gpt3l-random"), "gpt3l-random", golden.Run{Metric: "logit_diff", Ablation: "resample"}, 2)
	e, err := patch.Bind(t.Context(), c)
	require.NoError(t, err)
	x := patch.NewGated(e.Whole())
	_, err = x.Run(t.Context(), e.Graph().Full().Gates())
	require.NoError(t, err)
	grads, err := x.Backward(t.Context())
	require.NoError(t, err)
	scores, ok := want["logit_diff_eap"].(map[string]any)
	require.True(t, ok)
	for name, s := range scores {
		edge, err := e.Graph().ParseEdge(name)
		require.NoError(t, err)
		assert.InDelta(t, s, -grads[edge], 1e-5, name)
	}
}

func TestGatedMisuse(t *testing.T) {
	e, gates := randomExperiment(t, 1, 1)
	x := patch.NewGated(e.Whole())
	assert.PanicsWithValue(t, "patch: Gated.Backward before Run", func() { _, _ = x.Backward(t.Context()) })
	_, err := x.Run(t.Context(), gates[1:])
	assert.ErrorContains(t, err, "expected one for each of")
}
