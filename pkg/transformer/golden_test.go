package transformer_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

func TestGoldenActivations(t *testing.T) {
	for _, name := range []string{"induction-attn2l", "gpt3l-random"} {
		t.Run(name, func(t *testing.T) {
			m := golden.Model(t, name)
			data := golden.Open(t, golden.Path(name, "data.safetensors"))
			golden.Compare(t, m, golden.Tokens(t, data, "clean"), data, "clean/", "clean_logits")
			logits, err := m.Forward(t.Context(), golden.Tokens(t, data, "corrupt"), transformer.Options{})
			require.NoError(t, err)
			want, _, err := data.Float32(t.Context(), "corrupt_logits")
			require.NoError(t, err)
			assert.Less(t, golden.Worst(t, "corrupt", want, logits.Data), 1e-4)
		})
	}
	for _, name := range []string{"tracr-reverse", "tracr-proportion", "or_gate"} {
		t.Run(name, func(t *testing.T) {
			m := golden.Model(t, name)
			acts := golden.Open(t, golden.Path("tracr", name+".activations.safetensors"))
			var data struct {
				Clean [][]int `json:"validation_data"`
			}
			golden.ReadJSON(t, &data, "tracr", name+".data.json")
			require.True(t, slices.Contains(acts.Names(), "clean/logits"))
			golden.Compare(t, m, data.Clean, acts, "clean/", "clean/logits")
		})
	}
}
