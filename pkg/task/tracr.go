package task

import (
	"context"
	"math/rand/v2"
	"slices"
)

// The tasks of Conmy et al. 2023 on models that Tracr compiles (Lindner et al.
// 2023), whose circuits are known. Token and position embeddings are two senders.
var (
	tracrReverse = Task{
		Name:        "tracr-reverse",
		Description: "reverse three tokens, on a compiled program (Lindner et al. 2023)",
		Model:       "tracr-reverse", Metric: "l2", Threshold: 0.05, Ablation: "resample", SplitEmbed: true,
		Examples: len(permutations), Generate: generateReverse,
	}
	tracrProportion = Task{
		Name:        "tracr-proportion",
		Description: "say how much of the input so far is x, on a compiled program (Lindner et al. 2023)",
		Model:       "tracr-proportion", Metric: "l2_first", Threshold: 0.05, Ablation: "resample", SplitEmbed: true,
		Examples: 50, Generate: generateProportion,
	}
)

// permutations are the prompts of tracr-reverse, the three tokens in every order
// behind the beginning of sequence.
var permutations = [][]int{{3, 0, 1, 2}, {3, 0, 2, 1}, {3, 1, 0, 2}, {3, 1, 2, 0}, {3, 2, 0, 1}, {3, 2, 1, 0}}

// generateReverse makes all prompts, again and again where more are asked for.
func generateReverse(_ context.Context, seed uint64, examples int) Data {
	d := Data{}
	for i := range examples {
		d.Clean = append(d.Clean, slices.Clone(permutations[i%len(permutations)]))
	}
	return corrupted(d, rand.New(rand.NewPCG(seed, 0x7e7e)))
}

// generateProportion makes prompts as the reference does: its tokens are the
// first four of the model's vocabulary, which mixes the beginning of sequence and
// padding, at any place, with w and x.
func generateProportion(ctx context.Context, seed uint64, examples int) Data {
	const length, tokens = 4, 4
	rng := rand.New(rand.NewPCG(seed, 0x940))
	d := Data{}
	for range examples {
		if ctx.Err() != nil {
			return Data{}
		}
		row := make([]int, length)
		for i := range row {
			row[i] = rng.IntN(tokens)
		}
		d.Clean = append(d.Clean, row)
	}
	return corrupted(d, rng)
}

// corrupted gives each prompt another one as its corrupt prompt, and the positions
// another order.
func corrupted(d Data, rng *rand.Rand) Data {
	d.Corrupt = Ring(d.Clean, rng)
	length := len(d.Clean[0])
	d.PosPermutation = rng.Perm(length)
	for slices.IsSorted(d.PosPermutation) {
		d.PosPermutation = rng.Perm(length)
	}
	return d
}
