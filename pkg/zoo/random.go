package zoo

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
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

// randomConfig reads a shape: gpt2, gpt2-medium or LxHxDxFxV.
func randomConfig(shape string) (transformer.Config, error) {
	var sizes [5]int
	switch shape {
	case "gpt2":
		sizes = [5]int{12, 12, 768, 3072, 50257}
	case "gpt2-medium":
		sizes = [5]int{24, 16, 1024, 4096, 50257}
	default:
		parts := strings.Split(shape, "x")
		if len(parts) != len(sizes) {
			return transformer.Config{}, fmt.Errorf("expected gpt2, gpt2-medium or LxHxDxFxV (layers, heads, d_model, d_mlp, vocabulary), found %s", oneline.Quote(shape))
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
	d, v, f := float64(c.DModel), float64(c.Vocab), float64(c.DMLP)
	if n := float64(c.Layers)*(4*d*d+2*d*f) + 2*v*d; n > maxRandom {
		return c, fmt.Errorf("expected at most 2^32 parameters, found about %.1e", n)
	}
	return c, nil
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
func randomSpecs(c transformer.Config) []tensorSpec {
	h, k, d, f := c.Heads, c.DHead, c.DModel, c.DMLP
	per := func(x float64, n int) float64 { return x / math.Sqrt(float64(n)) }
	const bias = 0.02
	specs := []tensorSpec{
		{"embed.W_E", []int{c.Vocab, d}, 0.5},
		{"pos_embed.W_pos", []int{c.Ctx, d}, 0.1},
		{"ln_final.w", []int{d}, 0}, {"ln_final.b", []int{d}, bias},
		{"unembed.W_U", []int{d, c.VocabOut}, per(2, d)}, {"unembed.b_U", []int{c.VocabOut}, bias},
	}
	for l := range c.Layers {
		p := fmt.Sprintf("blocks.%d.", l)
		specs = append(specs,
			tensorSpec{p + "ln1.w", []int{d}, 0}, tensorSpec{p + "ln1.b", []int{d}, bias},
			tensorSpec{p + "attn.W_Q", []int{h, d, k}, per(1.5, d)}, tensorSpec{p + "attn.b_Q", []int{h, k}, bias},
			tensorSpec{p + "attn.W_K", []int{h, d, k}, per(1.5, d)}, tensorSpec{p + "attn.b_K", []int{h, k}, bias},
			tensorSpec{p + "attn.W_V", []int{h, d, k}, per(1, d)}, tensorSpec{p + "attn.b_V", []int{h, k}, bias},
			tensorSpec{p + "attn.W_O", []int{h, k, d}, per(1, h*k)}, tensorSpec{p + "attn.b_O", []int{d}, bias})
		if c.AttnOnly {
			continue
		}
		specs = append(specs,
			tensorSpec{p + "ln2.w", []int{d}, 0}, tensorSpec{p + "ln2.b", []int{d}, bias},
			tensorSpec{p + "mlp.W_in", []int{d, f}, per(1, d)}, tensorSpec{p + "mlp.b_in", []int{f}, bias},
			tensorSpec{p + "mlp.W_out", []int{f, d}, per(1, f)}, tensorSpec{p + "mlp.b_out", []int{d}, bias})
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
