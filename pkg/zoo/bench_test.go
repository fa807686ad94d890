package zoo

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// gpt2Folder writes random weights of the widths of GPT-2 small, by Hugging
// Face's names.
func gpt2Folder(tb testing.TB, layers int) string {
	tb.Helper()
	const d, f, vocab, ctx = 768, 3072, 50257, 1024
	dir := tb.TempDir()
	config, err := json.Marshal(map[string]any{"model_type": "gpt2", "n_embd": d, "n_head": 12, "n_layer": layers, "n_positions": ctx, "vocab_size": vocab})
	require.NoError(tb, err)
	require.NoError(tb, os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600))
	values := make([]float32, vocab*d)
	fill(values, 1, 0, 0.05)
	var list []weights.Tensor
	add := func(name string, shape ...int) {
		n := 1
		for _, s := range shape {
			n *= s
		}
		list = append(list, weights.Float32s(name, values[:n], shape...))
	}
	add("wte.weight", vocab, d)
	add("wpe.weight", ctx, d)
	add("ln_f.weight", d)
	add("ln_f.bias", d)
	for l := range layers {
		p := fmt.Sprintf("h.%d.", l)
		for _, m := range []struct {
			name    string
			in, out int
		}{{"attn.c_attn", d, 3 * d}, {"attn.c_proj", d, d}, {"mlp.c_fc", d, f}, {"mlp.c_proj", f, d}} {
			add(p+m.name+".weight", m.in, m.out)
			add(p+m.name+".bias", m.out)
		}
		for _, n := range []string{"ln_1", "ln_2"} {
			add(p+n+".weight", d)
			add(p+n+".bias", d)
		}
	}
	out, err := os.Create(filepath.Join(dir, "model.safetensors"))
	require.NoError(tb, err)
	require.NoError(tb, weights.Write(out, list, nil))
	require.NoError(tb, out.Close())
	return dir
}

// BenchmarkOpenGPT2 opens a model of GPT-2's size, its file in the page cache.
func BenchmarkOpenGPT2(b *testing.B) {
	dir := gpt2Folder(b, 12)
	for name, o := range map[string]Options{"processed": {}, "raw": {Processing: checkpoint.NoProcessing()}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				m, err := OpenWith(b.Context(), dir, o)
				require.NoError(b, err)
				require.NoError(b, m.Close())
			}
		})
	}
}
