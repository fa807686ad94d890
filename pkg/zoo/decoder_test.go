package zoo

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
	"github.com/seed-2c350065/acdc/pkg/weights/weightstest"
)

// The same weights in 16 bits, in several files, or as PyTorch saves them are the
// same model, but for the rounding of 16 bits.
func TestCopiesOfDecoders(t *testing.T) {
	for _, name := range golden.Decoders {
		arrays := map[string]weights.Array{}
		src := golden.Open(t, golden.Path(name, "model.safetensors"))
		for _, tensor := range src.Names() {
			values, shape, err := src.Float32(t.Context(), tensor)
			require.NoError(t, err)
			arrays[tensor] = weights.Array{Shape: shape, Values: values}
		}
		config, err := os.ReadFile(golden.Path(name, "config.json"))
		require.NoError(t, err)
		for _, d := range []weights.DType{weights.F32, weights.BF16, weights.F16} {
			rounded := maps.Clone(arrays)
			for tensor, x := range arrays {
				data, err := weights.Encode(x.Values, d)
				require.NoError(t, err)
				var b bytes.Buffer
				require.NoError(t, weights.Write(&b, []weights.Tensor{{Name: "x", DType: d, Shape: x.Shape, Data: data}}, nil))
				path := filepath.Join(t.TempDir(), "x.safetensors")
				require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
				values, _, err := golden.Open(t, path).Float32(t.Context(), "x")
				require.NoError(t, err)
				rounded[tensor] = weights.Array{Shape: x.Shape, Values: values}
			}
			want, err := checkpoint.Load(t.Context(), golden.Config(t, name), weights.FromMap("m", rounded))
			require.NoError(t, err)
			for _, container := range []string{"safetensors", "pytorch"} {
				for _, shards := range []int{1, 3} {
					dir := t.TempDir()
					require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600))
					_, err := weightstest.Sharded(dir, container, arrays, d, shards)
					require.NoError(t, err)
					m, err := Open(t.Context(), dir)
					require.NoError(t, err)
					assert.Equal(t, golden.Hash(t, want), golden.Hash(t, m), "%s %s %s in %d", name, d, container, shards)
					m.Close()
				}
			}
		}
	}
}
