package ablate_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

func config(t *testing.T, seed uint64) ablate.Config {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	c := golden.RandomConfig(rng)
	g, err := ablate.GraphConfig(c, circuit.ACDC, false)
	require.NoError(t, err)
	graph, err := circuit.New(g)
	require.NoError(t, err)
	return ablate.Config{Model: golden.RandomModel(t, c, seed), Graph: graph, Data: golden.RandomData(rng, c), Threads: 2}
}

// Under optimal ablation every sender of the corrupted run sends its constant,
// at every position of every example.
func TestConstantsAreSent(t *testing.T) {
	for seed := range uint64(20) {
		c := config(t, seed)
		model := c.Model.Config
		c.Ablation, c.Constants = ablate.Optimal, golden.RandomConstants(seed, model)
		r, err := ablate.Bind(t.Context(), c)
		require.NoError(t, err)
		for b, err := range r.Batches(t.Context()) {
			require.NoError(t, err)
			for i := range b.Rows() {
				for l, x := range b.Corrupted.Layers {
					require.Equal(t, c.Constants.Z[l], x.Z.Row(i), "seed %d", seed)
					if !model.AttnOnly {
						require.Equal(t, c.Constants.MLPOut[l], x.MLPOut.Row(i), "seed %d", seed)
					}
				}
				for j, want := range c.Constants.Embed {
					if model.Positions == transformer.Standard {
						want += c.Constants.Pos[j]
					}
					require.Equal(t, want, b.Corrupted.Layers[0].AttnIn.Row(i)[j], "seed %d", seed)
				}
			}
		}
	}
}

// The constants to begin with are the means over prompts and positions.
func TestMeans(t *testing.T) {
	c := config(t, 3)
	c.Data.Pad = nil
	k, err := ablate.Means(t.Context(), c.Model, c.Data, 2, 1)
	require.NoError(t, err)
	again, err := ablate.Means(t.Context(), c.Model, c.Data, 100, 2)
	require.NoError(t, err)
	require.Equal(t, k, again)
	c.Ablation = ablate.Zero
	r, err := ablate.Bind(t.Context(), c)
	require.NoError(t, err)
	for b, err := range r.Batches(t.Context()) {
		require.NoError(t, err)
		for l, x := range b.Clean.Layers {
			for j := range k.Z[l] {
				sum := 0.0
				for i := range b.Rows() {
					sum += float64(x.Z.Row(i)[j])
				}
				assert.InDelta(t, sum/float64(b.Rows()), k.Z[l][j], 1e-5)
			}
		}
	}
}

// Constants that do not fit are named.
func TestConstantsAreChecked(t *testing.T) {
	c := config(t, 3)
	k := func() *circuit.Constants { return golden.RandomConstants(1, c.Model.Config) }
	refuse := func(a ablate.Ablation, k *circuit.Constants, why string) {
		t.Helper()
		own := c
		own.Ablation, own.Constants = a, k
		_, err := ablate.Bind(t.Context(), own)
		assert.ErrorContains(t, err, why)
	}
	refuse(ablate.Optimal, nil, "expected the constants that ablated senders send, found none")
	refuse(ablate.Zero, k(), "constants: expected ablation optimal, found zero")
	short := k()
	short.Z = short.Z[:len(short.Z)-1]
	refuse(ablate.Optimal, short, "constants: expected those of ")
	narrow := k()
	narrow.Z[0] = narrow.Z[0][1:]
	refuse(ablate.Optimal, narrow, "constants of blocks.0.attn.hook_z: expected ")
	none := k()
	none.Embed = nil
	refuse(ablate.Optimal, none, "constants of hook_embed: expected ")
}
