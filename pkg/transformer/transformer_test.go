package transformer_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// config is a small configuration.
func config() transformer.Config {
	return transformer.Config{Layers: 1, DModel: 4, Ctx: 8, DHead: 2, Heads: 2, DMLP: 6, Vocab: 5, VocabOut: 5,
		Activation: transformer.ReLU, Eps: 1e-5, Norm: transformer.LayerNorm, Direction: transformer.Causal,
		Positions: transformer.Standard, AttnScale: math.Sqrt2}
}

func TestParameters(t *testing.T) {
	for seed := range uint64(50) {
		c := golden.RandomConfig(rand.New(rand.NewPCG(seed, 3)))
		n := 0
		for _, a := range golden.RandomWeights(c, 1) {
			n += len(a.Values)
		}
		require.Equal(t, n, c.Parameters(), "%+v", c)
	}
}

func TestBadTokens(t *testing.T) {
	m := golden.RandomModel(t, config(), 1)
	for _, x := range []struct {
		tokens [][]int
		want   string
	}{
		{nil, "at least one example"}, {[][]int{{}}, "at least one token"},
		{[][]int{{1, 2}, {1}}, "expected 2 tokens in every example, found 1 in example 1"},
		{[][]int{{1, 5}}, "expected token ids from 0 to 4 (d_vocab 5), found 5 in example 0 at position 1"},
		{[][]int{{-1}}, "found -1"}, {[][]int{make([]int, 9)}, "at most n_ctx = 8 tokens"},
	} {
		_, err := m.Forward(t.Context(), x.tokens, transformer.Options{})
		require.Error(t, err)
		assert.Contains(t, err.Error(), x.want)
	}
}

func TestHookPointNames(t *testing.T) {
	for _, name := range []string{"hook_embed", "blocks.0.attn.hook_q", "blocks.11.hook_resid_post", "ln_final.hook_normalized"} {
		p, err := transformer.ParseHookPoint(name)
		require.NoError(t, err)
		assert.Equal(t, name, p.String())
	}
	for _, name := range []string{"", "hook_q", "blocks.x.attn.hook_q", "blocks.0.hook_embed", "blocks.-1.attn.hook_q", "attn.hook_q"} {
		_, err := transformer.ParseHookPoint(name)
		require.ErrorContains(t, err, "is unknown", name)
	}
	m := golden.RandomModel(t, config(), 1)
	_, err := m.Forward(t.Context(), [][]int{{1}}, transformer.Options{Hooks: []transformer.Hook{{At: transformer.HookPoint{Point: transformer.HookZ, Layer: 1}}}})
	assert.ErrorContains(t, err, "blocks.1.attn.hook_z: this model does not have it")
}

// drawn draws a model, with the parameters of a seed, and prompts.
func drawn(t *testing.T, rng *rand.Rand, seed uint64) (*transformer.Model, [][]int) {
	t.Helper()
	c := golden.RandomConfig(rng)
	return golden.RandomModel(t, c, seed), golden.RandomData(rng, c).Clean
}

// Every point that a model has can be read, in the order of computation, and
// putting back what was read changes nothing.
func TestEveryHookReadsAndReplaces(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 4))
		m, tokens := drawn(t, rng, seed)
		plain, err := m.Forward(t.Context(), tokens, transformer.Options{})
		require.NoError(t, err)
		var points []transformer.HookPoint
		for l := range m.Config.Layers {
			for p := transformer.HookEmbed; p <= transformer.HookLNFinal; p++ {
				at := transformer.HookPoint{Point: p, Layer: l}
				if _, err := m.Forward(t.Context(), tokens, transformer.Options{Hooks: []transformer.Hook{{At: at, Do: func(*tensor.Tensor) {}}}}); err == nil {
					if q, err := transformer.ParseHookPoint(at.String()); err == nil && q == at {
						points = append(points, at)
					}
				}
			}
		}
		require.Greater(t, len(points), 10*m.Config.Layers)
		logits, cache, err := m.RunWithCache(t.Context(), tokens, points, transformer.Options{Threads: 2})
		require.NoError(t, err)
		require.Less(t, golden.Worst(t, "logits", plain.Data, logits.Data), 2e-5)
		at := points[rng.IntN(len(points))]
		put := transformer.Hook{At: at, Do: func(x *tensor.Tensor) {
			require.Equal(t, cache[at].Shape(), x.Shape(), at.String())
			copy(x.Data, cache[at].Data)
		}}
		same, err := m.Forward(t.Context(), tokens, transformer.Options{Hooks: []transformer.Hook{put}})
		require.NoError(t, err)
		require.Less(t, golden.Worst(t, "logits", plain.Data, same.Data), 2e-5, at.String())
	}
}

// Ablating a head by its z, its result or its queries' inputs is seen in the
// logits, and removing its result equals removing z W_O from attn_out.
func TestReplacingAHead(t *testing.T) {
	m := golden.Model(t, "gpt3l-random")
	data := golden.Open(t, golden.Path("gpt3l-random", "data.safetensors"))
	tokens := golden.Tokens(t, data, "clean")[:4]
	plain, err := m.Forward(t.Context(), tokens, transformer.Options{})
	require.NoError(t, err)
	zeroHead := func(p transformer.Point) *tensor.Tensor {
		out, err := m.Forward(t.Context(), tokens, transformer.Options{Hooks: []transformer.Hook{{At: transformer.HookPoint{Point: p, Layer: 1}, Do: func(x *tensor.Tensor) {
			h, n := x.Dim(2), x.Dim(3)
			for i := range x.Dim(0) * x.Dim(1) {
				clear(x.Data[(i*h+2)*n : (i*h+3)*n])
			}
		}}}})
		require.NoError(t, err)
		return out
	}
	byZ, byResult := zeroHead(transformer.HookZ), zeroHead(transformer.HookResult)
	assert.Greater(t, golden.Worst(t, "z", plain.Data, byZ.Data), 0.01)
	assert.Less(t, golden.Worst(t, "result", byZ.Data, byResult.Data), 1e-5)
	assert.Greater(t, golden.Worst(t, "q input", plain.Data, zeroHead(transformer.HookQInput).Data), 0.01)
}

func TestThreadsDoNotChangeABit(t *testing.T) {
	for seed := range uint64(20) {
		m, tokens := drawn(t, rand.New(rand.NewPCG(seed, 5)), seed)
		one, err := m.Forward(t.Context(), tokens, transformer.Options{Threads: 1})
		require.NoError(t, err)
		three, err := m.Forward(t.Context(), tokens, transformer.Options{Threads: 3})
		require.NoError(t, err)
		require.Equal(t, one.Data, three.Data)
	}
}

func TestForwardAgainstFloat64(t *testing.T) {
	largest := 0.0
	for seed := range uint64(120) {
		rng := rand.New(rand.NewPCG(seed, 6))
		c := golden.RandomConfig(rng)
		m := golden.RandomModel(t, c, seed)
		r := newReference(m)
		data := golden.RandomData(rng, c)
		pad := transformer.Padding(data.Pad)
		got, err := m.Forward(t.Context(), data.Clean, transformer.Options{Threads: 2, Pad: pad})
		require.NoError(t, err)
		for b, row := range data.Clean {
			for p, logits := range r.forward(row[pad.Of(b):]) {
				for v, want := range logits {
					d := math.Abs(want-float64(got.Data[(b*len(row)+pad.Of(b)+p)*c.VocabOut+v])) / max(1, math.Abs(want))
					largest = max(largest, d)
					require.Less(t, d, 1e-4, "seed %d %+v", seed, c)
				}
			}
		}
	}
	t.Logf("largest difference from float64: %.2e", largest)
}

func TestHashSeesEveryWeight(t *testing.T) {
	c := config()
	hash := func(change func(map[string]weights.Array)) string {
		w := golden.RandomWeights(c, 1)
		change(w)
		m, err := checkpoint.Load(t.Context(), checkpoint.Config{Config: c}, weights.FromMap("m", w))
		require.NoError(t, err)
		want := golden.Hash(t, m)
		for _, threads := range []int{1, 3} {
			hash, err := m.Hash(t.Context(), threads)
			require.NoError(t, err)
			require.Equal(t, want, hash)
		}
		return want
	}
	same := hash(func(map[string]weights.Array) {})
	assert.Equal(t, same, hash(func(map[string]weights.Array) {}))
	seen := map[string]bool{same: true}
	for name := range golden.RandomWeights(c, 1) {
		h := hash(func(w map[string]weights.Array) { w[name].Values[0]++ })
		assert.False(t, seen[h], name)
		seen[h] = true
	}
}
