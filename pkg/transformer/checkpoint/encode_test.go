package checkpoint_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// What is written is read as what it was: configuration, and every weight.
func TestWrittenModelsAreReadAgain(t *testing.T) {
	refused := 0
	for seed := range uint64(200) {
		c := golden.RandomConfig(rand.New(rand.NewPCG(seed, 17)))
		if seed%3 > 0 { // what can be said
			for l, w := range c.Windows {
				c.Windows[l] = min(w, 1) * 3
			}
			if !slices.Contains(c.Windows, 3) {
				c.Windows = nil
			}
			c.RotaryFactor = 0
		}
		text, err := checkpoint.EncodeConfig(c)
		sizes := slices.Compact(slices.Sorted(slices.Values(slices.DeleteFunc(slices.Clone(c.Windows), func(w int) bool { return w == 0 }))))
		if len(sizes) > 1 || c.RotaryFactor != 0 {
			require.Error(t, err, "seed %d", seed)
			refused++
			continue
		}
		require.NoError(t, err, "seed %d", seed)
		if len(sizes) == 0 {
			c.Windows = nil
		}
		got, err := checkpoint.ReadConfig(t.Context(), "config.json", bytes.NewReader(text))
		require.NoError(t, err, "seed %d: %s", seed, text)
		assert.Empty(t, got.Warnings)
		require.Equal(t, c, got.Config, "seed %d: %s", seed, text)

		m := golden.RandomModel(t, c, seed)
		var b bytes.Buffer
		list, err := checkpoint.Tensors(c, m.Params, weights.F32)
		require.NoError(t, err)
		require.NoError(t, weights.Write(&b, list, nil))
		src, err := weights.Decode(t.Context(), "model.safetensors", b.Bytes())
		require.NoError(t, err)
		again, err := checkpoint.LoadWith(t.Context(), got, src, checkpoint.LoadOptions{Processing: checkpoint.NoProcessing()})
		require.NoError(t, err)
		want, err := m.Hash(t.Context(), 1)
		require.NoError(t, err)
		hash, err := again.Hash(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, want, hash, "seed %d", seed)
	}
	assert.Positive(t, refused)
}
