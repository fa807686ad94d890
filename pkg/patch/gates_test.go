package patch_test

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
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Gates between 0 and 1 mix: into the output, what a gate lets through is that
// share of what the whole edge does, since the residual stream is a sum.
func TestAGateIntoTheOutputMixesTheStreams(t *testing.T) {
	e, err := patch.Bind(t.Context(), golden.Bound(t, golden.Model(t, "gpt3l-random"), "gpt3l-random", golden.Run{Metric: "kl_div", Ablation: "resample"}, 2))
	require.NoError(t, err)
	b, g := e.Whole(), e.Graph()
	stream := func(gates circuit.Gates) []float32 {
		var out []float32
		last := transformer.HookPoint{Point: transformer.HookResidPost, Layer: 2}
		_, err := patch.Pass(t.Context(), b.Batch, gates, transformer.Options{NoLogits: true, Hooks: []transformer.Hook{{At: last,
			Do: func(x *tensor.Tensor) { out = append(out, x.Data...) }}}})
		require.NoError(t, err)
		return out
	}
	lo, hi := g.Incoming(circuit.Node{Kind: circuit.Output})
	whole := stream(g.Full().Gates())
	for edge := lo; edge < hi; edge++ {
		cut, part := g.Full().Gates(), g.Full().Gates()
		cut[edge], part[edge] = 0, 0.25
		without, some := stream(cut), stream(part)
		for i := range whole {
			require.InDelta(t, without[i]+0.25*(whole[i]-without[i]), some[i], 1e-4, g.Edge(edge).String())
		}
	}
}

// The metric changes with every gate without a jump, and gates of 0 and 1 are
// the mask, to the bit.
func TestGatesOfAnyEdge(t *testing.T) {
	for seed := range uint64(golden.Cases(200)) {
		rng := rand.New(rand.NewPCG(seed, 71))
		c := golden.RandomConfig(rng)
		data := golden.RandomData(rng, c)
		e, err := patch.Bind(t.Context(), patch.Config{Model: golden.RandomModel(t, c, seed), Data: data, Metric: metric.L2, Ablation: ablate.Ablations()[rng.IntN(3)],
			Definition: circuit.Definitions()[rng.IntN(2)], Threads: 2})
		require.NoError(t, err)
		g := e.Graph()
		gates := g.Full().Gates()
		for i := range gates {
			gates[i] = float32(rng.IntN(3)) / 2
		}
		edge := rng.IntN(len(gates))
		var values []float64
		for _, x := range []float32{0, 1e-6, 1 - 1e-6, 1} {
			gates[edge] = x
			rows, err := e.Plain(t.Context(), gates)
			require.NoError(t, err)
			values = append(values, e.Metric().Mean(rows))
		}
		size := 1e-2 * (1 + values[0] + values[3])
		assert.InDelta(t, values[0], values[1], size, "seed %d %v", seed, g.Edge(edge))
		assert.InDelta(t, values[3], values[2], size, "seed %d %v", seed, g.Edge(edge))
	}
}

func TestGatesAreChecked(t *testing.T) {
	e, err := patch.Bind(t.Context(), golden.Bound(t, golden.Model(t, "or_gate"), "or_gate", golden.Run{Metric: "l2", Ablation: "zero"}, 1))
	require.NoError(t, err)
	gates := e.Graph().Full().Gates()
	gates[3] = 1.5
	_, err = e.Plain(t.Context(), gates)
	assert.ErrorContains(t, err, "expected a number from 0 to 1, found 1.5")
	_, err = e.Plain(t.Context(), gates[:2])
	assert.ErrorContains(t, err, "expected one for each of 19 edges, found 2")
}
