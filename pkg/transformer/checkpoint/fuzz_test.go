package checkpoint_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
)

func FuzzReadConfig(f *testing.F) {
	f.Add([]byte(goodConfig))
	f.Add([]byte(`{"n_layers":2,"d_model":4,"n_ctx":8,"d_head":2,"n_heads":2,"d_vocab":5,"attn_only":true,"normalization_type":null,"attn_types":["local"]}`))
	f.Add([]byte(`{"n_layers":1e99}`))
	for _, hf := range []string{goodGPT2, goodNeo, goodNeoX, goodLlama, goodGemma2} {
		f.Add([]byte(hf))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := checkpoint.ReadConfig(t.Context(), "fuzz", bytes.NewReader(data))
		if err != nil {
			require.Contains(t, err.Error(), "fuzz: ")
			return
		}
		require.NoError(t, c.Validate())
		require.Positive(t, c.AttnScale)
		require.True(t, c.Windows == nil || len(c.Windows) == c.Layers)
		require.True(t, c.Positions != transformer.Rotary || c.RotaryDim >= 2 && c.RotaryDim <= c.DHead)
	})
}
