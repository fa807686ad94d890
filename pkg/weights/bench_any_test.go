package weights_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/weights"
	"github.com/seed-2c350065/acdc/pkg/weights/weightstest"
)

// gpt2Size makes arrays in the shapes of GPT-2 small, 124 million numbers that
// share their memory.
func gpt2Size() map[string]weights.Array {
	const d, vocabulary, context = 768, 50257, 1024
	values := make([]float32, vocabulary*d)
	out := map[string]weights.Array{}
	add := func(name string, shape ...int) {
		n := 1
		for _, k := range shape {
			n *= k
		}
		out[name] = weights.Array{Shape: shape, Values: values[:n]}
	}
	add("wte.weight", vocabulary, d)
	add("wpe.weight", context, d)
	for i := range 12 {
		h := fmt.Sprintf("h.%d.", i)
		for _, m := range []struct {
			name string
			k, n int
		}{{"attn.c_attn", d, 3 * d}, {"attn.c_proj", d, d}, {"mlp.c_fc", d, 4 * d}, {"mlp.c_proj", 4 * d, d}} {
			add(h+m.name+".weight", m.k, m.n)
			add(h+m.name+".bias", m.n)
		}
		for _, ln := range []string{"ln_1", "ln_2"} {
			add(h+ln+".weight", d)
			add(h+ln+".bias", d)
		}
	}
	return out
}

func benchmarkOpen(b *testing.B, write func(io.Writer, map[string]weights.Array, weights.DType) error) {
	if testing.Short() {
		b.Skip("writes 500 MB")
	}
	path := filepath.Join(b.TempDir(), "model")
	f, err := os.Create(path)
	require.NoError(b, err)
	require.NoError(b, write(f, gpt2Size(), weights.F32))
	require.NoError(b, f.Close())
	b.ReportAllocs()
	for b.Loop() {
		c, err := weights.OpenAny(b.Context(), path)
		require.NoError(b, err)
		_, err = c.Float32Shape(b.Context(), "wte.weight", 50257, 768)
		require.NoError(b, err)
		require.NoError(b, c.Close())
	}
}

// The time to open 500 MB and to get at its largest tensor, which is not read.
func BenchmarkOpenSafetensors500MB(b *testing.B) { benchmarkOpen(b, weightstest.Safetensors) }

func BenchmarkOpenTorchZip500MB(b *testing.B) { benchmarkOpen(b, weightstest.TorchZip) }

func BenchmarkOpenTorchLegacy500MB(b *testing.B) { benchmarkOpen(b, weightstest.TorchLegacy) }

// A transposed matrix of GPT-2's largest size is copied element by element.
func BenchmarkTransposed(b *testing.B) {
	s := []weightstest.Storage{storage(b, "0", make([]float32, 3072*768)...)}
	f, _, err, _ := build(b, s, []weightstest.View{{Name: "x", Shape: []int{3072, 768}, Strides: []int{1, 3072}}})
	require.NoError(b, err)
	b.SetBytes(4 * 3072 * 768)
	for b.Loop() {
		_, _, err := f.Float32(b.Context(), "x")
		require.NoError(b, err)
	}
}
