package zoo

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/internal/floats"
	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// randomPrefix is followed by a shape and, after an @, the seed if it is not 0:
// random:gpt2, random:4x4x64x256x1000@7.
const randomPrefix = "random:"

// maxRandom bounds the parameters of a random model: 16 GiB of weights.
const maxRandom = 1 << 32

// openRandom makes the model that the part of a name after "random:" means.
func openRandom(ctx context.Context, name string, o checkpoint.LoadOptions) (*Model, error) {
	cfg, canonical, seed, err := parseRandom(name)
	if err != nil {
		return nil, err
	}
	src, err := randomWeights(ctx, canonical, cfg, seed, o.Threads)
	if err != nil {
		return nil, err
	}
	m, err := checkpoint.LoadWith(ctx, checkpoint.Config{Config: cfg}, src, o)
	if err != nil {
		return nil, err
	}
	return named(m, canonical, "random weights: "+describe(cfg)), nil
}

// parseRandom reads the part of a name after "random:": the shape, the whole
// name as it is written everywhere, and the seed.
func parseRandom(name string) (cfg transformer.Config, canonical string, seed uint64, err error) {
	shape, seedText, hasSeed := strings.Cut(name, "@")
	if hasSeed {
		if seed, err = strconv.ParseUint(seedText, 10, 64); err != nil {
			return cfg, "", 0, &NameError{fmt.Sprintf("model %s: expected a seed from 0 to 2^64-1 after @, found %s", oneline.Quote(randomPrefix+name), oneline.Quote(seedText))}
		}
	}
	if cfg, err = randomConfig(shape); err != nil {
		return cfg, "", 0, &NameError{fmt.Sprintf("model %s: %v", oneline.Quote(randomPrefix+name), err)}
	}
	canonical = randomPrefix + shape
	if seed != 0 {
		canonical += "@" + strconv.FormatUint(seed, 10)
	}
	return cfg, canonical, seed, nil
}

// randomShapes are the shapes of known models that are built of the parts of Llama.
var randomShapes = map[string]transformer.Config{
	"qwen2.5-0.5b": {Layers: 24, Heads: 14, KVHeads: 2, DModel: 896, DHead: 64, DMLP: 4864, Vocab: 151936, Ctx: 32768, Eps: 1e-6, RotaryBase: 1e6},
	"gemma-2-2b": {Layers: 26, Heads: 8, KVHeads: 4, DModel: 2304, DHead: 256, DMLP: 9216, Vocab: 256000, Ctx: 8192, Eps: 1e-6, RotaryBase: 1e4,
		Activation: transformer.GELUNew, PostNorm: true, EmbedScale: 48, ScoreCap: 50, LogitCap: 30, Windows: everyOther(26, 4096)},
	"llama-3.2-1b": {Layers: 16, Heads: 32, KVHeads: 8, DModel: 2048, DHead: 64, DMLP: 8192, Vocab: 128256, Ctx: 131072, Eps: 1e-5, RotaryBase: 5e5,
		RotaryBands: transformer.RotaryBands{Factor: 32, Low: 1, High: 4, Original: 8192}},
	"llama-3.1-8b": {Layers: 32, Heads: 32, KVHeads: 8, DModel: 4096, DHead: 128, DMLP: 14336, Vocab: 128256, Ctx: 131072, Eps: 1e-5, RotaryBase: 5e5,
		RotaryBands: transformer.RotaryBands{Factor: 8, Low: 1, High: 4, Original: 8192}},
}

// everyOther are windows of local attention in every other layer, from the first.
func everyOther(layers, window int) []int {
	out := make([]int, layers)
	for l := 0; l < layers; l += 2 {
		out[l] = window
	}
	return out
}

// shapeNames lists the shapes that have names.
func shapeNames() []string {
	return append([]string{"gpt2", "gpt2-medium"}, slices.Sorted(maps.Keys(randomShapes))...)
}

// randomConfig reads a shape: the name of one, or LxHxDxFxV.
func randomConfig(shape string) (transformer.Config, error) {
	if c, ok := randomShapes[shape]; ok {
		c.VocabOut, c.RotaryDim, c.AttnScale = c.Vocab, c.DHead, math.Sqrt(float64(c.DHead))
		c.Norm, c.GatedMLP, c.Direction, c.Positions = transformer.RMSNorm, true, transformer.Causal, transformer.Rotary
		c.Activation = cmp.Or(c.Activation, transformer.SiLU)
		return c, smallEnough(c)
	}
	var sizes [5]int
	switch shape {
	case "gpt2":
		sizes = [5]int{12, 12, 768, 3072, 50257}
	case "gpt2-medium":
		sizes = [5]int{24, 16, 1024, 4096, 50257}
	default:
		parts := strings.Split(shape, "x")
		if len(parts) != len(sizes) {
			return transformer.Config{}, fmt.Errorf("expected %s or LxHxDxFxV (layers, heads, d_model, d_mlp, vocabulary), found %s", strings.Join(shapeNames(), ", "), oneline.Quote(shape))
		}
		for i, p := range parts {
			n, err := strconv.Atoi(p)
			if err != nil || n < 0 || strconv.Itoa(n) != p {
				return transformer.Config{}, fmt.Errorf("expected five whole numbers LxHxDxFxV, found %s", oneline.Quote(p))
			}
			sizes[i] = n
		}
	}
	return sizedConfig(sizes)
}

func sizedConfig(s [5]int) (transformer.Config, error) {
	c := transformer.Config{
		Layers: s[0], Heads: s[1], DModel: s[2], DMLP: s[3], Vocab: s[4], VocabOut: s[4], Ctx: 1024, AttnOnly: s[3] == 0,
		Activation: transformer.GELUNew, Norm: transformer.LayerNorm, Eps: 1e-5, Direction: transformer.Causal, Positions: transformer.Standard,
	}
	if c.Heads < 1 || c.DModel%c.Heads != 0 {
		return c, fmt.Errorf("expected a number of heads that divides d_model %d, found %d", c.DModel, c.Heads)
	}
	c.DHead = c.DModel / c.Heads
	c.AttnScale = math.Sqrt(float64(c.DHead))
	if err := c.Validate(); err != nil {
		return c, err
	}
	return c, smallEnough(c)
}

// smallEnough refuses a shape of more weights than are made.
func smallEnough(c transformer.Config) error {
	d, v, f, k := float64(c.DModel), float64(c.Vocab), float64(c.DMLP+c.MLPWidth()), float64(c.DHead)
	if n := float64(c.Layers)*(2*d*k*float64(c.Heads+c.KV())+d*f) + 2*v*d; n > maxRandom {
		return fmt.Errorf("expected at most 2^32 parameters, which are 16 GiB of weights, found about %.1e", n)
	}
	return nil
}

// tensorSpec is one random tensor.
type tensorSpec struct {
	name  string
	shape []int
	std   float64 // 0 for all ones
}

// randomSpecs lists a model's tensors. The scales make every part matter:
// queries and keys are large enough for attention to choose, and what heads and
// MLPs write is of the size of the embeddings.
func randomSpecs(c transformer.Config) (specs []tensorSpec) {
	per := func(x float64, n int) float64 { return x / math.Sqrt(float64(n)) }
	const bias = 0.02
	matrices := map[string]float64{"W_E": 0.5 / cmp.Or(c.EmbedScale, 1), "W_pos": 0.1, "W_U": per(2, c.DModel), "W_Q": per(1.5, c.DModel), "W_K": per(1.5, c.DModel),
		"W_V": per(1, c.DModel), "W_O": per(1, c.Heads*c.DHead), "W_in": per(1, c.DModel), "W_gate": per(1, c.DModel), "W_out": per(1, max(1, c.DMLP)), "w": 0}
	for _, p := range (&transformer.Params{Blocks: make([]transformer.BlockParams, c.Layers)}).All(c) {
		std, ok := matrices[strings.TrimPrefix(p.Name[strings.LastIndex(p.Name, ".")+1:], "_")]
		if !ok {
			std = bias
		}
		specs = append(specs, tensorSpec{p.Name, p.Shape, std})
	}
	return specs
}

// randomWeights fills a model's tensors.
func randomWeights(ctx context.Context, name string, c transformer.Config, seed uint64, threads int) (*weights.Memory, error) {
	const part = 1 << 18 // numbers between two looks at the context
	arrays := map[string]weights.Array{}
	for _, s := range randomSpecs(c) {
		n := 1
		for _, d := range s.shape {
			n *= d
		}
		values := floats.Make(n)
		start := tensorSeed(seed, s.name)
		tensor.Parallel(n, threads, func(lo, hi int) {
			for ; lo < hi && ctx.Err() == nil; lo += part {
				fill(values[lo:min(lo+part, hi)], start, lo, s.std)
			}
		})
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		arrays[s.name] = weights.Array{Shape: s.shape, Values: values}
	}
	return weights.FromMap(name, arrays), nil
}

// tensorSeed hashes the model's seed and a tensor's name.
func tensorSeed(seed uint64, name string) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d/%s", seed, name)
	return h.Sum64()
}

// fill sets values i, i+1, … of a tensor: approximately normal numbers of mean
// 0, each a sum of four uniform ones of 16 bits. Value i depends on start and i
// only, and is one rounded product, so that it is the same on every machine and
// for any number of threads.
func fill(values []float32, start uint64, i int, std float64) {
	if std == 0 {
		for k := range values {
			values[k] = 1
		}
		return
	}
	const mean = 4 * 65535 / 2
	scale := float32(std * math.Sqrt(3) / 65536) // a sum of four has variance 4·(2^16)²/12
	for k := range values {
		x := mix(start + uint64(i+k)*0x9e3779b97f4a7c15)
		sum := int32(x&0xffff) + int32(x>>16&0xffff) + int32(x>>32&0xffff) + int32(x>>48)
		values[k] = float32(sum-mean) * scale
	}
}

// mix is the output function of SplitMix64 (Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
