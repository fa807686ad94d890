package zoo

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

func open(t *testing.T, name string) *Model {
	t.Helper()
	m, err := Open(t.Context(), name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

func TestOrGateIsTheGoldenModel(t *testing.T) {
	want, got := golden.Model(t, "or_gate"), open(t, "or_gate")
	assert.Equal(t, want.Config, got.Config)
	assert.Equal(t, want.Params, got.Params)
}

// The gates are gates, to the bit, and the induction heads continue every prompt of
// their task with what stood behind the last token before.
func TestModelsByHandCompute(t *testing.T) {
	for name, of := range map[string]func(x, y int) int{
		"or_bits":  func(x, y int) int { return x | y },
		"and_gate": func(x, y int) int { return x & y },
		"xor_gate": func(x, y int) int { return x ^ y },
	} {
		for _, prompt := range [][]int{{0, 0, 2}, {0, 1, 2}, {1, 0, 2}, {1, 1, 2}} {
			logits, err := open(t, name).Forward(t.Context(), [][]int{prompt}, transformer.Options{})
			require.NoError(t, err)
			assert.Equal(t, []float32{float32(of(prompt[0], prompt[1]))}, logits.Row(2), "%s %v", name, prompt)
		}
	}
	m := open(t, "induction_heads")
	for a := 1; a < 5; a++ {
		for b := 1; b < 5; b++ {
			for c := 1; c < 5; c++ {
				if a == b || b == c || c == a {
					continue
				}
				logits, err := m.Forward(t.Context(), [][]int{{0, a, b, c, a}, {0, a, b, c, b}}, transformer.Options{})
				require.NoError(t, err)
				for i, next := range []int{b, c} {
					want := make([]float32, 5)
					want[next] = 1
					assert.Equal(t, want, logits.Row(i*5+4), "%d %d %d", a, b, c)
				}
			}
		}
	}
}

func TestEveryBuiltinOpens(t *testing.T) {
	for _, e := range All() {
		m := open(t, e.Name)
		assert.Equal(t, e.Name, m.Name)
		assert.Equal(t, e.Description, m.Description)
	}
}

// The trained models are kept with their recipes, and the one that reads text
// with its tokenizer.
func TestTrainedModels(t *testing.T) {
	assert.Equal(t, []string{"induction", "mini", "interp-sort", "interp-proportion", "interp-detect-pattern"}, Recipes())
	for _, name := range Recipes() {
		text, ok := Recipe(name)
		assert.True(t, ok)
		assert.Contains(t, string(text), `"name": "`+name+`"`)
		f, err := builtinFile(name, "model.safetensors")
		require.NoError(t, err)
		src, err := weights.Decode(t.Context(), name, f)
		require.NoError(t, err)
		assert.Equal(t, string(text), src.Metadata()["recipe"], "the weights are of the recipe beside them")
	}
	for _, name := range []string{"or_gate", "random:gpt2", "", "..", "../zoo", "/", "induction/recipe.json"} {
		_, ok := Recipe(name)
		assert.False(t, ok, name)
	}
	m := open(t, "mini")
	own, err := m.Tokenizer(t.Context())
	require.NoError(t, err)
	assert.Equal(t, m.Config.Vocab, own.Vocab())
	alone, err := OpenTokenizer(t.Context(), "mini", Options{})
	require.NoError(t, err)
	const text = "Then, Ruth and Amy went to the hotel. Amy gave a bottle to"
	assert.Len(t, own.Encode(text), 15)
	assert.Equal(t, own.Encode(text), alone.Encode(text))
	assert.Equal(t, text, own.Decode(own.Encode(text)))
}

func TestFolderAndFile(t *testing.T) {
	want := golden.Model(t, "gpt3l-random").Params
	folder := golden.Path("gpt3l-random")
	m := open(t, folder+"/")
	assert.Equal(t, want, m.Params)
	assert.Equal(t, filepath.ToSlash(folder), m.Name)
	assert.Equal(t, want, open(t, filepath.Join(folder, "model.safetensors")).Params)
	assert.Equal(t, 4, open(t, golden.Path("tracr", "tracr-reverse.safetensors")).Config.Layers)
}

func TestRandomShapes(t *testing.T) {
	m := open(t, "random:2x4x32x0x50")
	assert.Equal(t, transformer.Config{Layers: 2, Heads: 4, DModel: 32, DHead: 8, Vocab: 50, VocabOut: 50, Ctx: 1024, AttnOnly: true,
		Activation: transformer.GELUNew, Norm: transformer.LayerNorm, Eps: 1e-5, Direction: transformer.Causal, Positions: transformer.Standard, AttnScale: math.Sqrt(8)}, m.Config)
	c, err := randomConfig("gpt2")
	require.NoError(t, err)
	assert.Equal(t, 163_087_441, c.Parameters())
	c, err = randomConfig("gpt2-medium")
	require.NoError(t, err)
	assert.Equal(t, [...]int{24, 16, 1024, 64, 4096, 50257, 1024}, [...]int{c.Layers, c.Heads, c.DModel, c.DHead, c.DMLP, c.Vocab, c.Ctx})
	logits, err := m.Forward(t.Context(), [][]int{{1, 2, 3}}, transformer.Options{})
	require.NoError(t, err)
	assert.Equal(t, []int{1, 3, 50}, logits.Shape())
}

// The first weights are written down, since they are to be the same on every
// machine and in every version.
func TestRandomWeightsAreFixed(t *testing.T) {
	m := open(t, "random:1x2x8x16x10")
	assert.Equal(t, []float32{0.10656172, 0.122683406, 0.13135211, 0.52528954}, m.Params.Embed.Data[:4])
	assert.Equal(t, []float32{1, 1, 1, 1, 1, 1, 1, 1}, m.Params.LNFW)
	assert.Equal(t, m.Params, open(t, "random:1x2x8x16x10@0").Params)
	assert.Equal(t, "random:1x2x8x16x10", open(t, "random:1x2x8x16x10@0").Name)
	other := open(t, "random:1x2x8x16x10@7")
	assert.Equal(t, "random:1x2x8x16x10@7", other.Name)
	assert.NotEqual(t, m.Params.Embed.Data, other.Params.Embed.Data)
}

// Threads bounds the goroutines that open a model, whatever the machine has,
// and the model does not depend on it.
func TestThreadsBoundTheGoroutines(t *testing.T) {
	const many = 40
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(many))
	started := func(name string, threads int) (hash string, more int) {
		before := runtime.NumGoroutine()
		m, err := OpenWith(t.Context(), name, Options{Threads: threads})
		require.NoError(t, err)
		defer m.Close()
		hash, err = m.Hash(t.Context(), 1)
		require.NoError(t, err)
		return hash, runtime.NumGoroutine() - before
	}
	for _, name := range []string{"random:2x2x64x128x999@3", "induction", golden.Path("hf-gpt2-tiny"), golden.Path("hf-gpt_neox-tiny", "model.safetensors")} {
		want, more := started(name, 1)
		assert.LessOrEqual(t, more, 0, name) // those of other tests may end meanwhile
		for _, threads := range []int{0, 3, many} {
			hash, _ := started(name, threads)
			assert.Equal(t, want, hash, "%s %d", name, threads)
		}
	}
	assert.Greater(t, runtime.NumGoroutine(), many-1, "one a core unless told otherwise: goroutines are kept")
}

// Hashes stand in saved circuits and traces: those of models that do not use a
// newer field of the configuration stay as they are.
func TestHashesStay(t *testing.T) {
	for name, want := range map[string]string{
		golden.Path("induction-attn2l"): "3b40df16c39adde130ef1f27100e8a5fe297937368c1134df700e8c4b5cc816e",
		"or_gate":                       "69aae21caa4a7fe7fb3606db8968aef45d0f960ceaa08d47d778168aa4121309",
		"random:1x2x8x16x10":            "dec92e8cef3670bfd5374b2ea99c23b4e97dab49e61d1377a5eae40a8e271620",
	} {
		assert.Equal(t, want, golden.Hash(t, open(t, name)), name)
	}
	m := golden.Model(t, "hf-gpt_neox-tiny")
	seen := map[string]bool{golden.Hash(t, m): true}
	for _, change := range []func(*transformer.Config){
		func(c *transformer.Config) { c.ScaleByLayer = true }, func(c *transformer.Config) { c.RotaryFactor = 2 },
	} {
		c := m.Config
		change(&c)
		other, err := transformer.New(c, m.Params)
		require.NoError(t, err)
		assert.False(t, seen[golden.Hash(t, other)])
		seen[golden.Hash(t, other)] = true
	}
}

func TestRandomMoments(t *testing.T) {
	values := make([]float32, 200_000)
	fill(values, tensorSeed(0, "x"), 0, 0.5)
	var sum, square, large float64
	for _, v := range values {
		sum += float64(v)
		square += float64(v) * float64(v)
		if math.Abs(float64(v)) > 1 {
			large++
		}
	}
	n := float64(len(values))
	assert.InDelta(t, 0, sum/n, 0.005)
	assert.InDelta(t, 0.5, math.Sqrt(square/n), 0.005)
	assert.InDelta(t, 0.0455, large/n, 0.006, "beyond two standard deviations")
}

func TestRandomGPT2IsFast(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 1.3 GB")
	}
	start := time.Now()
	open(t, "random:gpt2")
	t.Logf("random:gpt2 opened in %v", time.Since(start))
	assert.Less(t, time.Since(start), 10*time.Second)
}

func TestUnknownNames(t *testing.T) {
	for name, want := range map[string]string{
		"":                               "the model's name is empty",
		"inductoin":                      `unknown model "inductoin": expected one of induction, mini, or_gate, or_bits, and_gate, xor_gate, induction_heads, tracr-reverse, tracr-proportion, interp-sort, interp-proportion, interp-detect-pattern, random:gpt2`,
		"random:":                        "expected gpt2, gpt2-medium, gemma-2-2b, llama-3.1-8b, llama-3.2-1b, qwen2.5-0.5b or LxHxDxFxV",
		"random:gpt3":                    `found "gpt3"`,
		"random:llama-3.1-8b":            "expected at most 2^32 parameters, which are 16 GiB of weights, found about 8.0e+09",
		"random:1x2x8x16":                "expected gpt2, gpt2-medium, gemma-2-2b, llama-3.1-8b, llama-3.2-1b, qwen2.5-0.5b or LxHxDxFxV",
		"random:1x3x8x16x10":             "heads that divides d_model 8, found 3",
		"random:1x0x8x16x10":             "heads that divides d_model 8, found 0",
		"random:1x2x8x-16x10":            `expected five whole numbers LxHxDxFxV, found "-16"`,
		"random:0x2x8x16x10":             `field "n_layers": expected a positive integer, found 0`,
		"random:1x2x8x16x10@":            "expected a seed",
		"random:1x2x8x16x10@-1":          "expected a seed",
		"random:9999x8x8192x9999x10":     "at most 2^32 parameters",
		"random:1x1x99999999999999x1x10": `field "d_model": expected at most 16777216`,
	} {
		_, err := Open(t.Context(), name)
		var ne *NameError
		require.True(t, errors.As(err, &ne), "%q: %v", name, err)
		assert.Contains(t, err.Error(), want)
		assert.NotContains(t, err.Error(), "\n")
		_, err = OpenTokenizer(t.Context(), name, Options{})
		assert.ErrorAs(t, err, &ne, "the tokenizer of %q: %v", name, err)
	}
}

func TestFileErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		return path
	}
	good, err := os.ReadFile(golden.Path("gpt3l-random", "config.json"))
	require.NoError(t, err)
	write("empty/readme", "")
	write("hf/config.json", `{"model_type":"bert", "num_hidden_layers": 12}`)
	write("bad2/config.json", string(good))
	write("noweights/config.json", string(good))
	write("big/config.json", string(make([]byte, maxConfig+1)))
	for name, want := range map[string]string{
		filepath.Join(dir, "absent"):                         "no such file or folder: expected one of induction",
		"absent.safetensors":                                 "model absent.safetensors: no such file or folder",
		write("model.bin", "x"):                              "expected its configuration in ",
		write("bad2/model.bin", "x"):                         "found",
		write("lone/x.safetensors", "x"):                     "x.config.json or ",
		filepath.Join(dir, "empty"):                          "config.json: no such file or directory",
		filepath.Join(dir, "hf"):                             `field "model_type": expected one of gemma, gemma2, gpt2, gpt_neo, gpt_neox`,
		filepath.Join(dir, "noweights"):                      "a checkpoint expected (model.safetensors, ",
		filepath.Join(dir, "big"):                            "at most 1 MiB",
		write("bad/x.safetensors", "x") + "":                 "found neither",
		filepath.Join(write("plain", "x"), "below", "plain"): "not a directory",
	} {
		_, err := Open(t.Context(), name)
		require.Error(t, err, name)
		assert.Contains(t, err.Error(), want)
		assert.NotContains(t, err.Error(), "\n")
		var ne *NameError
		assert.False(t, errors.As(err, &ne), name)
	}
}
