package checkpoint_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
)

func TestDecodersAreTransformers(t *testing.T) {
	for _, name := range golden.Decoders {
		t.Run(name, func(t *testing.T) {
			data := golden.Open(t, golden.Path(name, "data.safetensors"))
			tokens := golden.Tokens(t, data, "clean")
			raw := golden.ModelWith(t, name, checkpoint.LoadOptions{Processing: checkpoint.NoProcessing()})
			golden.Compare(t, raw.Model, tokens, data, "clean/", "clean_logits")
			assert.Equal(t, transformer.RMSNorm, raw.Config.Norm)

			m := golden.ModelWith(t, name, checkpoint.LoadOptions{})
			assert.Equal(t, checkpoint.Processing{FoldLN: true, CenterUnembed: m.Config.LogitCap == 0, FoldValueBiases: true}, m.Processing)
			assert.Equal(t, transformer.RMSPre, m.Config.Norm)
			last, _, err := data.Float32(t.Context(), "corrupt_last_logits")
			require.NoError(t, err)
			logits, err := m.Forward(t.Context(), golden.Tokens(t, data, "corrupt"), transformer.Options{})
			require.NoError(t, err)
			v, length := m.Config.VocabOut, logits.Dim(1)
			for b := range logits.Dim(0) {
				want, got := last[b*v:(b+1)*v], logits.Data[((b+1)*length-1)*v:(b+1)*length*v]
				mean := func(x []float32) (sum float64) {
					for _, y := range x {
						sum += float64(y) / float64(v)
					}
					return sum
				}
				shift := mean(got) - mean(want) // what centering takes out
				for i := range want {
					require.InDelta(t, float64(want[i]), float64(got[i])-shift, 1e-4)
				}
			}
		})
	}
}
