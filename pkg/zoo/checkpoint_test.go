package zoo

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/hub"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
	"github.com/seed-2c350065/acdc/pkg/weights/weightstest"
)

// arrays reads all tensors of a safetensors file.
func arrays(t *testing.T, path string) map[string]weights.Array {
	t.Helper()
	f := golden.Open(t, path)
	out := map[string]weights.Array{}
	for _, name := range f.Names() {
		values, shape, err := f.Float32(t.Context(), name)
		require.NoError(t, err)
		out[name] = weights.Array{Shape: shape, Values: values}
	}
	return out
}

// rounded is what a type keeps of arrays.
func rounded(t *testing.T, in map[string]weights.Array, d weights.DType) map[string]weights.Array {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.safetensors")
	create(t, path, func(w io.Writer) error { return weightstest.Safetensors(w, in, d) })
	return arrays(t, path)
}

func create(t *testing.T, path string, write func(io.Writer) error) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, write(f))
	require.NoError(t, f.Close())
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	require.NoError(t, err)
	create(t, to, func(w io.Writer) error { _, err := w.Write(data); return err })
}

var tokens = [][]int{{1, 5, 7, 2, 8, 100, 3}, {4, 4, 9, 11, 2, 0, 119}}

// logits are those of a model on a few tokens.
func logits(t *testing.T, m *transformer.Model) []float32 {
	t.Helper()
	out, err := m.Forward(t.Context(), tokens, transformer.Options{})
	require.NoError(t, err)
	return out.Data
}

// containers write a model's arrays as a folder that holds nothing else.
var containers = map[string]func(dir string, a map[string]weights.Array, d weights.DType) error{
	"safetensors":       file("model.safetensors", weightstest.Safetensors),
	"pytorch_model.bin": file("pytorch_model.bin", weightstest.TorchZip),
	"legacy bin":        file("pytorch_model.bin", weightstest.TorchLegacy),
	"sharded safetensors": func(dir string, a map[string]weights.Array, d weights.DType) error {
		_, err := weightstest.Sharded(dir, "safetensors", a, d, 3)
		return err
	},
	"sharded bin": func(dir string, a map[string]weights.Array, d weights.DType) error {
		_, err := weightstest.Sharded(dir, "pytorch", a, d, 2)
		return err
	},
	"pth": file("model_final.pth", weightstest.TorchZip),
}

func file(name string, write func(io.Writer, map[string]weights.Array, weights.DType) error) func(string, map[string]weights.Array, weights.DType) error {
	return func(dir string, a map[string]weights.Array, d weights.DType) error {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		defer f.Close()
		return write(f, a, d)
	}
}

func TestEveryContainerAndTypeIsTheSameModel(t *testing.T) {
	for _, name := range []string{"hf-gpt2-tiny", "hf-gpt_neo-tiny", "hf-gpt_neox-tiny"} {
		raw := arrays(t, golden.Path(name, "model.safetensors"))
		config := golden.Path(name, "config.json")
		cfg, err := readConfig(t.Context(), config)
		require.NoError(t, err)
		for _, d := range []weights.DType{weights.F32, weights.F16, weights.BF16} {
			want, err := checkpoint.Load(t.Context(), cfg, weights.FromMap("rounded", rounded(t, raw, d)))
			require.NoError(t, err)
			for container, write := range containers {
				dir := t.TempDir()
				copyFile(t, config, filepath.Join(dir, "config.json"))
				require.NoError(t, write(dir, raw, d))
				m := open(t, dir)
				assert.Equal(t, want.Layout, m.Layout)
				assert.Equal(t, logits(t, want.Model), logits(t, m.Model), "%s %s %s", name, container, d)
				assert.Equal(t, golden.Hash(t, want), golden.Hash(t, m))
			}
			if d == weights.F32 {
				assert.Equal(t, logits(t, golden.Model(t, name)), logits(t, want.Model))
			}
		}
	}
}

// lensConfig writes a configuration as TransformerLens does.
func lensConfig(t *testing.T, path string, c transformer.Config) {
	t.Helper()
	types, local := make([]string, c.Layers), 0
	for l := range types {
		types[l] = "global"
		if c.Window(l) > 0 {
			types[l], local = "local", c.Window(l)
		}
	}
	fields := map[string]any{"n_layers": c.Layers, "d_model": c.DModel, "n_ctx": c.Ctx, "d_head": c.DHead, "n_heads": c.Heads,
		"d_mlp": c.DMLP, "d_vocab": c.Vocab, "act_fn": c.Activation, "eps": c.Eps, "normalization_type": "LN",
		"positional_embedding_type": c.Positions, "parallel_attn_mlp": c.ParallelAttnMLP, "use_attn_scale": c.AttnScale != 1,
		"attn_types": types, "use_local_attn": local > 0, "window_size": local,
		"rotary_dim": c.RotaryDim, "rotary_base": c.RotaryBase, "rotary_adjacent_pairs": c.RotaryAdjacent}
	create(t, path, func(w io.Writer) error { return json.NewEncoder(w).Encode(fields) })
}

func TestTransformerLensStateDicts(t *testing.T) {
	for _, name := range []string{"hf-gpt2-tiny", "hf-gpt_neo-tiny", "hf-gpt_neox-tiny"} {
		want := golden.Model(t, name)
		state := arrays(t, golden.Path(name, "tl_processed.safetensors"))
		for l := range want.Config.Layers { // buffers that TransformerLens saves too
			state[fmt.Sprintf("blocks.%d.attn.mask", l)] = weights.Array{Shape: []int{2, 2}, Values: []float32{1, 0, 1, 1}}
			state[fmt.Sprintf("blocks.%d.attn.IGNORE", l)] = weights.Array{Shape: []int{}, Values: []float32{-1e5}}
		}
		for _, ending := range []string{".pth", ".pt", ".safetensors", ".npz"} {
			dir := t.TempDir()
			path := filepath.Join(dir, "model"+ending)
			lensConfig(t, filepath.Join(dir, "model.config.json"), want.Config)
			write := map[string]func(io.Writer, map[string]weights.Array, weights.DType) error{".pth": weightstest.TorchZip,
				".pt": weightstest.TorchLegacy, ".safetensors": weightstest.Safetensors, ".npz": weightstest.NPZ}[ending]
			create(t, path, func(w io.Writer) error { return write(w, state, weights.F32) })
			m := open(t, path)
			assert.Equal(t, checkpoint.TransformerLens, m.Layout)
			assert.Equal(t, checkpoint.Processing{}, m.Processing)
			assert.InDeltaSlice(t, logits(t, want), logits(t, m.Model), 1e-4, name+ending)
		}
	}
}

// cached puts a model into a Hugging Face cache of its own.
func cached(t *testing.T, repo, model string) (root string, env hub.Env) {
	t.Helper()
	root = t.TempDir()
	const commit = "0123456789abcdef0123456789abcdef01234567"
	folder := filepath.Join(root, "hub", "models--"+repo)
	snapshot := filepath.Join(folder, "snapshots", commit)
	for _, name := range []string{"config.json", "model.safetensors"} {
		copyFile(t, golden.Path(model, name), filepath.Join(snapshot, name))
	}
	create(t, filepath.Join(folder, "refs", "main"), func(w io.Writer) error { _, err := io.WriteString(w, commit); return err })
	return root, func(name string) string { return map[string]string{"HF_HOME": root}[name] }
}

func TestHuggingFaceNames(t *testing.T) {
	want := golden.Hash(t, golden.Model(t, "hf-gpt2-tiny"))
	_, env := cached(t, "openai-community--gpt2", "hf-gpt2-tiny")
	for name, canonical := range map[string]string{"gpt2": "gpt2", "GPT2@main": "gpt2", "openai-community/gpt2": "openai-community/gpt2"} {
		m, err := OpenWith(t.Context(), name, Options{Env: env})
		require.NoError(t, err)
		assert.Equal(t, want, golden.Hash(t, m))
		assert.Equal(t, canonical, m.Name)
		_, err = m.Tokenizer(t.Context())
		assert.ErrorContains(t, err, "model "+canonical+" has no tokenizer, and its prompts must be token ids: expected tokenizer.json, or vocab.json and merges.txt, in ")
		require.NoError(t, m.Close())
	}
	for name, looked := range map[string]string{"pythia-70m": "models--EleutherAI--pythia-70m", "some/model": "models--some--model",
		"gpt2@other": "models--gpt2"} {
		_, err := OpenWith(t.Context(), name, Options{Env: env})
		var absent *hub.NotFoundError
		require.ErrorAs(t, err, &absent)
		assert.Contains(t, err.Error(), looked)
	}
}

// A cache may have lost what a snapshot links to: another form of the weights is
// opened, or the error says which link it is.
func TestBrokenLinksInTheCache(t *testing.T) {
	want := golden.Hash(t, golden.Model(t, "hf-gpt2-tiny"))
	root, env := cached(t, "openai-community--gpt2", "hf-gpt2-tiny")
	snapshots, err := filepath.Glob(filepath.Join(root, "hub", "*", "snapshots", "*"))
	require.NoError(t, err)
	lost := filepath.Join(snapshots[0], "model.safetensors")
	require.NoError(t, os.Remove(lost))
	require.NoError(t, os.Symlink("../../blobs/0123", lost))
	_, err = OpenWith(t.Context(), "gpt2", Options{Env: env})
	var absent *hub.NotFoundError
	require.ErrorAs(t, err, &absent)
	assert.Contains(t, err.Error(), `found none; model.safetensors is a link to "../../blobs/0123", which is not there`)
	_, err = Open(t.Context(), snapshots[0])
	assert.EqualError(t, err, lost+`: a link to "../../blobs/0123", which is not there`)
	create(t, filepath.Join(snapshots[0], "pytorch_model.bin"), func(w io.Writer) error {
		return weightstest.TorchZip(w, arrays(t, golden.Path("hf-gpt2-tiny", "model.safetensors")), weights.F32)
	})
	m, err := OpenWith(t.Context(), "gpt2", Options{Env: env})
	require.NoError(t, err)
	assert.Equal(t, want, golden.Hash(t, m))
	for _, name := range []string{"config.json", "tokenizer.json"} {
		_ = os.Remove(filepath.Join(snapshots[0], name))
		require.NoError(t, os.Symlink("../../blobs/4567", filepath.Join(snapshots[0], name)))
	}
	_, err = OpenWith(t.Context(), "gpt2", Options{Env: env})
	assert.ErrorContains(t, err, `expected config.json, found none; config.json is a link to "../../blobs/4567", which is not there; `)
	_, err = Open(t.Context(), snapshots[0])
	assert.EqualError(t, err, filepath.Join(snapshots[0], "config.json")+`: a link to "../../blobs/4567", which is not there`)
	_, err = m.Tokenizer(t.Context())
	assert.EqualError(t, err, filepath.Join(snapshots[0], "tokenizer.json")+`: a link to "../../blobs/4567", which is not there`)
}

// A tied unembedding that the index lists and no shard has is not needed; one
// of its own is.
func TestIndexOfATiedUnembedding(t *testing.T) {
	for name, head := range map[string]string{"hf-gpt2-tiny": "lm_head.weight", "hf-gpt_neox-tiny": "embed_out.weight"} {
		raw := arrays(t, golden.Path(name, "model.safetensors"))
		delete(raw, head)
		dir := t.TempDir()
		copyFile(t, golden.Path(name, "config.json"), filepath.Join(dir, "config.json"))
		index, err := weightstest.Sharded(dir, "safetensors", raw, weights.F32, 2)
		require.NoError(t, err)
		text, err := os.ReadFile(index)
		require.NoError(t, err)
		listed := strings.Replace(string(text), `"weight_map": {`, fmt.Sprintf(`"weight_map": {%q:"model-00002-of-00002.safetensors",`, head), 1)
		require.NoError(t, os.WriteFile(index, []byte(listed), 0o600))
		m, err := Open(t.Context(), dir)
		if name == "hf-gpt2-tiny" {
			require.NoError(t, err)
			assert.Equal(t, golden.Hash(t, golden.Model(t, name)), golden.Hash(t, m))
			continue
		}
		assert.EqualError(t, err, index+`: weight_map: tensor "embed_out.weight": expected in "model-00002-of-00002.safetensors", found none of this name there`)
	}
}

func TestTokenizers(t *testing.T) {
	tok, err := open(t, "random:1x1x8x0x50257").Tokenizer(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []int{15496, 995}, tok.Encode("Hello world"))
	_, err = open(t, "induction").Tokenizer(t.Context())
	assert.ErrorContains(t, err, "model induction has no tokenizer, and its prompts must be token ids")
	dir := t.TempDir()
	for _, name := range []string{"config.json", "model.safetensors"} {
		copyFile(t, golden.Path("hf-gpt2-tiny", name), filepath.Join(dir, name))
	}
	create(t, filepath.Join(dir, "vocab.json"), func(w io.Writer) error { _, err := io.WriteString(w, `{"a":0,"b":1,"ab":2}`); return err })
	create(t, filepath.Join(dir, "merges.txt"), func(w io.Writer) error { _, err := io.WriteString(w, "#version: 0.2\na b\n"); return err })
	tok, err = open(t, dir).Tokenizer(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []int{2, 0}, tok.Encode("aba"))
	create(t, filepath.Join(dir, "vocab.json"), func(w io.Writer) error { _, err := io.WriteString(w, `[`); return err })
	_, err = open(t, dir).Tokenizer(t.Context())
	assert.ErrorContains(t, err, "vocab.json")
}

// A model's tokenizer is the same, opened with its weights or without.
func TestTokenizersWithoutWeights(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.safetensors")
	cfg, err := randomConfig("1x1x8x8x50257")
	require.NoError(t, err)
	lensConfig(t, filepath.Join(dir, "m.config.json"), cfg)
	create(t, path, func(w io.Writer) error { _, err := io.WriteString(w, "no weights"); return err })
	_, env := cached(t, "openai-community--gpt2", "hf-gpt2-tiny")
	for name, ok := range map[string]bool{path: true, "random:1x1x8x0x50257@3": true, "gpt2": true, "gpt-neo-125m": true,
		"random:1x1x8x0x50": false, "induction": false, "attn-only-4l": false, filepath.Join(dir, "other.pth"): false} {
		tok, err := OpenTokenizer(t.Context(), name, Options{Env: env})
		if !ok {
			assert.Error(t, err, name)
			continue
		}
		require.NoError(t, err, name)
		assert.Equal(t, []int{15496}, tok.Encode("Hello"), name)
	}
}

func TestOptions(t *testing.T) {
	folder := golden.Path("hf-gpt2-tiny")
	seed := uint64(3)
	m, err := OpenWith(t.Context(), folder, Options{Processing: checkpoint.NoProcessing(), Reset: &seed})
	require.NoError(t, err)
	defer m.Close()
	assert.Equal(t, golden.Hash(t, golden.ModelWith(t, "hf-gpt2-tiny", checkpoint.LoadOptions{Processing: checkpoint.NoProcessing(), Reset: &seed})), golden.Hash(t, m))
	for _, name := range []string{"induction", "random:1x2x8x16x10"} {
		m, err := OpenWith(t.Context(), name, Options{Reset: &seed})
		require.NoError(t, err)
		assert.NotEqual(t, golden.Hash(t, open(t, name)), golden.Hash(t, m))
	}
}
