package transformer_test

import (
	"cmp"
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

// The plainest possible forward pass, in float64, of one example.
func naive(c transformer.Config, w map[string]weights.Array, tokens []int) [][]float64 {
	at := func(name string, idx ...int) float64 {
		a, i := w[name], 0
		for d, x := range idx {
			i = i*a.Shape[d] + x
		}
		return float64(a.Values[i])
	}
	T, D := len(tokens), c.DModel
	norm := func(x []float64, name string) []float64 {
		if c.Norm == transformer.NoNorm {
			return append([]float64(nil), x...)
		}
		mean, variance := 0.0, 0.0
		for _, v := range x {
			mean += v / float64(D)
		}
		for _, v := range x {
			variance += (v - mean) * (v - mean) / float64(D)
		}
		out := make([]float64, D)
		for i, v := range x {
			out[i] = (v - mean) / math.Sqrt(variance+c.Eps)
			if c.Norm == transformer.LayerNorm {
				out[i] = out[i]*at(name+".w", i) + at(name+".b", i)
			}
		}
		return out
	}
	act := func(x float64) float64 {
		switch c.Activation {
		case transformer.ReLU:
			return math.Max(x, 0)
		case transformer.GELU:
			return x * 0.5 * (1 + math.Erf(x/math.Sqrt2))
		case transformer.GELUNew:
			return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
		}
		return x / (1 + math.Exp(-x))
	}
	resid := make([][]float64, T)
	for t := range resid {
		resid[t] = make([]float64, D)
		for d := range D {
			resid[t][d] = at("embed.W_E", tokens[t], d)
			if c.Positions == transformer.Standard {
				resid[t][d] += at("pos_embed.W_pos", t, d)
			}
		}
	}
	for l := range c.Layers {
		p := "blocks." + string(rune('0'+l)) + "."
		out, mlpIn := make([][]float64, T), make([][]float64, T)
		for t := range out {
			out[t] = make([]float64, D)
			for d := range D {
				out[t][d] = at(p+"attn.b_O", d)
			}
		}
		for h := range c.Heads {
			var qkv [3][][]float64
			for side, x := range []string{"Q", "K", "V"} {
				for t := range T {
					in := norm(resid[t], p+"ln1")
					row := make([]float64, c.DHead)
					for k := range row {
						row[k] = at(p+"attn.b_"+x, h, k)
						for d := range D {
							v := in[d]
							if c.Positions == transformer.Shortformer && side < 2 {
								v += at("pos_embed.W_pos", t, d)
							}
							row[k] += v * at(p+"attn.W_"+x, h, d, k)
						}
					}
					if half := c.RotaryDim / 2; side < 2 && c.Positions == transformer.Rotary {
						before := append([]float64(nil), row...)
						for j := range half {
							sin, cos := math.Sincos(float64(t) / cmp.Or(c.RotaryFactor, 1) * math.Pow(c.RotaryBase, -float64(j)/float64(half)))
							x, y := j, j+half
							if c.RotaryAdjacent {
								x, y = 2*j, 2*j+1
							}
							row[x] = before[x]*cos - before[y]*sin
							row[y] = before[y]*cos + before[x]*sin
						}
					}
					qkv[side] = append(qkv[side], row)
				}
			}
			for t := range T {
				last := T
				if c.Direction == transformer.Causal {
					last = t + 1
				}
				probs, sum := make([]float64, last), 0.0
				for s := range probs {
					for k := range c.DHead {
						probs[s] += qkv[0][t][k] * qkv[1][s][k] / c.AttnScale
					}
					if c.ScaleByLayer {
						probs[s] /= float64(l + 1)
					}
					probs[s] = math.Exp(probs[s])
					if w := c.Window(l); w > 0 && s <= t-w {
						probs[s] = 0
					}
					sum += probs[s]
				}
				for k := range c.DHead {
					z := 0.0
					for s := range probs {
						z += probs[s] / sum * qkv[2][s][k]
					}
					for d := range D {
						out[t][d] += z * at(p+"attn.W_O", h, k, d)
					}
				}
			}
		}
		for t := range T {
			mlpIn[t] = append([]float64(nil), resid[t]...)
			for d := range D {
				resid[t][d] += out[t][d]
			}
			if !c.ParallelAttnMLP {
				copy(mlpIn[t], resid[t])
			}
			if c.AttnOnly {
				continue
			}
			in := norm(mlpIn[t], p+"ln2")
			for d := range D {
				resid[t][d] += at(p+"mlp.b_out", d)
			}
			for f := range c.DMLP {
				v := at(p+"mlp.b_in", f)
				for d := range D {
					v += in[d] * at(p+"mlp.W_in", d, f)
				}
				v = act(v)
				for d := range D {
					resid[t][d] += v * at(p+"mlp.W_out", f, d)
				}
			}
		}
	}
	logits := make([][]float64, T)
	for t := range T {
		in := norm(resid[t], "ln_final")
		logits[t] = make([]float64, c.VocabOut)
		for v := range logits[t] {
			logits[t][v] = at("unembed.b_U", v)
			for d := range D {
				logits[t][v] += in[d] * at("unembed.W_U", d, v)
			}
		}
	}
	return logits
}

func TestForwardAgainstFloat64(t *testing.T) {
	largest := 0.0
	for seed := range uint64(120) {
		rng := rand.New(rand.NewPCG(seed, 6))
		c := golden.RandomConfig(rng)
		w := golden.RandomWeights(c, seed)
		m, err := checkpoint.Load(t.Context(), checkpoint.Config{Config: c}, weights.FromMap("random", w))
		require.NoError(t, err)
		data := golden.RandomData(rng, c)
		pad := transformer.Padding(data.Pad)
		got, err := m.Forward(t.Context(), data.Clean, transformer.Options{Threads: 2, Pad: pad})
		require.NoError(t, err)
		for b, row := range data.Clean {
			for p, logits := range naive(c, w, row[pad.Of(b):]) {
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
		require.Equal(t, m.Hash(1), m.Hash(3))
		return m.Hash(2)
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
