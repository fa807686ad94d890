package golden

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// Cases is how many random cases a property is tested on: all of them in long
// tests, else a tenth, with -short a fiftieth.
func Cases(full int) int {
	switch {
	case Long:
		return full
	case testing.Short():
		return max(2, full/50)
	}
	return full / 10
}

// RandomWeights makes weights of a configuration, all of which matter to the
// output.
func RandomWeights(c transformer.Config, seed uint64) map[string]weights.Array {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := map[string]weights.Array{}
	add := func(name string, std, mean float64, shape ...int) {
		n := 1
		for _, s := range shape {
			n *= s
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(rng.NormFloat64()*std + mean)
		}
		out[name] = weights.Array{Shape: shape, Values: values}
	}
	d, h, k, f := c.DModel, c.Heads, c.DHead, c.DMLP
	in := 1 / math.Sqrt(float64(d))
	add("embed.W_E", 0.7, 0, c.Vocab, d)
	if c.Positions == transformer.Standard || c.Positions == transformer.Shortformer {
		add("pos_embed.W_pos", 0.4, 0, c.Ctx, d)
	}
	norm := func(name string) {
		if c.Norm.Weighted() {
			add(name+".w", 0.2, 1, d)
		}
		if c.Norm == transformer.LayerNorm {
			add(name+".b", 0.1, 0, d)
		}
	}
	for l := range c.Layers {
		p := fmt.Sprintf("blocks.%d.", l)
		norm(p + "ln1")
		for side, x := range []string{"W_Q", "W_K", "W_V"} {
			if c.SideHeads(side) != h {
				x = "_" + x
			}
			add(p+"attn."+x, 1.3*in, 0, c.SideHeads(side), d, k)
			add(p+"attn."+strings.Replace(x, "W", "b", 1), 0.2, 0, c.SideHeads(side), k)
		}
		if c.QKNorm {
			add(p+"attn.q_norm.w", 0.2, 1, k)
			add(p+"attn.k_norm.w", 0.2, 1, k)
		}
		add(p+"attn.W_O", 0.8/math.Sqrt(float64(k)), 0, h, k, d)
		add(p+"attn.b_O", 0.1, 0, d)
		if c.PostNorm {
			add(p+"ln1_post.w", 0.2, 1, d)
		}
		if c.AttnOnly {
			continue
		}
		norm(p + "ln2")
		add(p+"mlp.W_in", in, 0, d, f)
		add(p+"mlp.b_in", 0.1, 0, f)
		add(p+"mlp.W_out", 1/math.Sqrt(float64(f)), 0, f, d)
		add(p+"mlp.b_out", 0.1, 0, d)
		if c.PostNorm {
			add(p+"ln2_post.w", 0.2, 1, d)
		}
		if c.GatedMLP {
			add(p+"mlp.W_gate", in, 0, d, f)
			add(p+"mlp.b_gate", 0.1, 0, f)
		}
	}
	norm("ln_final")
	add("unembed.W_U", 2*in, 0, d, c.VocabOut)
	add("unembed.b_U", 0.1, 0, c.VocabOut)
	return out
}

// RandomModel makes a model of random weights.
func RandomModel(t testing.TB, c transformer.Config, seed uint64) *transformer.Model {
	t.Helper()
	m, err := checkpoint.Load(context.Background(), checkpoint.Config{Config: c}, weights.FromMap("random", RandomWeights(c, seed)))
	require.NoError(t, err)
	return m.Model
}

// RandomConfig draws a small model shape of any kind that the engine knows.
func RandomConfig(rng *rand.Rand) transformer.Config {
	pick := func(n int) int { return rng.IntN(n) }
	c := transformer.Config{
		Layers: 1 + pick(3), Heads: 1 + pick(3), DHead: 1 + pick(9), DModel: 3 + pick(30), Ctx: 12,
		Vocab: 5 + pick(40), DMLP: 1 + pick(40), Eps: 1e-5,
		Activation: []transformer.Activation{transformer.ReLU, transformer.GELU, transformer.GELUNew, transformer.SiLU}[pick(4)],
		Norm:       []transformer.Normalization{transformer.LayerNorm, transformer.LNPre, transformer.NoNorm}[pick(3)],
		Direction:  []transformer.Direction{transformer.Causal, transformer.Bidirectional}[pick(2)],
		Positions:  []transformer.Positions{transformer.Standard, transformer.Shortformer, transformer.NoPositions, transformer.Rotary}[pick(4)],
		AttnOnly:   pick(3) == 0, ParallelAttnMLP: pick(3) == 0,
	}
	c.AttnScale = math.Sqrt(float64(c.DHead))
	c.VocabOut = c.Vocab
	if c.Positions == transformer.Rotary {
		c.DHead++ // two components at least
		c.RotaryDim, c.RotaryBase, c.RotaryAdjacent = 2*(1+pick(c.DHead/2)), 10, pick(3) == 0
	}
	if c.Direction == transformer.Causal && pick(3) == 0 {
		c.Windows, c.AttnScale = make([]int, c.Layers), 1
		for l := range c.Windows {
			c.Windows[l] = pick(6)
		}
	}
	if pick(4) == 0 {
		c.VocabOut = 3 + pick(9)
	}
	if c.AttnOnly {
		c.DMLP, c.Activation = 0, ""
	}
	later := rand.New(rand.NewPCG(uint64(c.Vocab), uint64(c.DModel*c.DHead))) // apart, so that what is drawn next stays what it was
	c.ScaleByLayer = later.IntN(4) == 0
	if c.Positions == transformer.Rotary && later.IntN(3) == 0 {
		c.RotaryFactor = 4
	}
	return c
}

// WithParts gives a shape some of the parts of newer families, each in half of all
// cases: norms without centring, gated MLPs, heads that share keys and values,
// norms of queries and keys and behind attention and MLPs, scaled embeddings, soft
// caps, banded rotary positions.
func WithParts(rng *rand.Rand, c transformer.Config) transformer.Config {
	bit := func() bool { return rng.IntN(2) == 0 }
	if bit() {
		c.Norm = []transformer.Normalization{transformer.RMSNorm, transformer.RMSPre}[rng.IntN(2)]
	}
	if bit() {
		c.KVHeads = 1 + rng.IntN(2)
		c.Heads = c.KVHeads * (1 + rng.IntN(3))
	}
	c.GatedMLP = bit() && !c.AttnOnly
	c.QKNorm, c.PostNorm = bit(), bit()
	if bit() {
		c.EmbedScale = 1.7
	}
	if bit() {
		c.ScoreCap = 1.5
	}
	if bit() {
		c.LogitCap = 3
	}
	if c.Positions == transformer.Rotary && bit() {
		c.RotaryBands = transformer.RotaryBands{Factor: 4, Low: 1, High: 3, Original: 8}
	}
	return c
}

// RandomData draws prompts for a model. Clean and corrupt may share their first
// tokens; the mask may leave out whole examples, and counts several positions
// of others (MaskFor leaves what a metric can count).
func RandomData(rng *rand.Rand, c transformer.Config) task.Data {
	b, t := 1+rng.IntN(5), 1+rng.IntN(8)
	shared := rng.IntN(t)
	var d task.Data
	for range b {
		clean, corrupt, mask, labels := make([]int, t), make([]int, t), make([]bool, t), make([]int, t)
		for i := range t {
			clean[i], corrupt[i], labels[i] = rng.IntN(c.Vocab), rng.IntN(c.Vocab), rng.IntN(c.VocabOut)
			if i < shared {
				corrupt[i] = clean[i]
			}
			mask[i] = rng.IntN(3) > 0
		}
		d.Clean, d.Corrupt, d.Mask, d.Labels = append(d.Clean, clean), append(d.Corrupt, corrupt), append(d.Mask, mask), append(d.Labels, labels)
		d.Correct, d.Wrong = append(d.Correct, []int{rng.IntN(c.VocabOut)}), append(d.Wrong, []int{rng.IntN(c.VocabOut)})
	}
	d.Mask[rng.IntN(b)][t-1] = true
	if rng.IntN(3) == 0 {
		for i := range b {
			d.Pad = append(d.Pad, rng.IntN(t))
			clear(d.Mask[i][:d.Pad[i]])
		}
	}
	if rng.IntN(3) == 0 {
		d.Mask = nil
	}
	return d
}

// RandomConstants draws the constants of optimal ablation.
func RandomConstants(seed uint64, c transformer.Config) *circuit.Constants {
	rng, k := rand.New(rand.NewPCG(seed, 0xc0)), &circuit.Constants{}
	points, vectors := ablate.Places(c, k)
	for i, at := range points {
		n := c.DModel
		if at.Point == transformer.HookZ {
			n = c.Heads * c.DHead
		}
		*vectors[i] = make([]float32, n)
		for j := range *vectors[i] {
			(*vectors[i])[j] = float32(rng.NormFloat64())
		}
	}
	return k
}

// MaskFor is what a metric can count of a mask: the first position of each
// example where it compares answers, which each example has once.
func MaskFor(name metric.Name, mask [][]bool) [][]bool {
	if mask == nil || !slices.Contains([]metric.Name{metric.LogitDiff, metric.ProbDiff, metric.Docstring, metric.FracCorrect}, name) {
		return mask
	}
	out := make([][]bool, len(mask))
	for b, row := range mask {
		out[b] = make([]bool, len(row))
		if first := slices.Index(row, true); first >= 0 {
			out[b][first] = true
		}
	}
	return out
}
