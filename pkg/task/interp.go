package task

import (
	"context"
	"math/rand/v2"
)

// The tasks of the builtin models that were trained to be programs, as InterpBench
// trains them (Gupta et al. 2024), whose circuits are known. Token and position
// embeddings are one sender, and the beginning of sequence, at which programs have
// no value, does not count.
var (
	interpSort = Task{
		Name:        "interp-sort",
		Description: "sort five tokens of eight, on a model trained to be a program (Gupta et al. 2024)",
		Model:       "interp-sort", Metric: "kl_div", Threshold: 0.001, Ablation: "resample", Examples: 50,
		Generate: behindBOS(8, func(rng *rand.Rand) []int { return rng.Perm(8)[:5] }),
	}
	interpProportion = Task{
		Name:        "interp-proportion",
		Description: "say how much of the input so far is x, on a model trained to be a program (Gupta et al. 2024)",
		Model:       "interp-proportion", Metric: "l2", Threshold: 0.005, Ablation: "resample", Examples: 50,
		Generate: behindBOS(0, func(rng *rand.Rand) []int { return uniform(rng, 2, 4, 5) }),
	}
	interpDetectPattern = Task{
		Name:        "interp-detect-pattern",
		Description: "say where a b c ends, on a model trained to be a program (Gupta et al. 2024)",
		Model:       "interp-detect-pattern", Metric: "kl_div", Threshold: 0.02, Ablation: "resample", Examples: 50,
		Generate: behindBOS(0, func(rng *rand.Rand) []int {
			row := uniform(rng, 1, 3, 6)
			copy(row[rng.IntN(4):], []int{1, 2, 3}) // else it is hardly ever there
			return row
		}),
	}
)

// uniform draws n tokens of so many ids, the first of which is given.
func uniform(rng *rand.Rand, first, ids, n int) []int {
	row := make([]int, n)
	for i := range row {
		row[i] = first + rng.IntN(ids)
	}
	return row
}

// behindBOS generates prompts that are drawn, behind the beginning of sequence,
// with others as their corrupt ones.
func behindBOS(bos int, draw func(rng *rand.Rand) []int) func(ctx context.Context, seed uint64, examples int) Data {
	return func(ctx context.Context, seed uint64, examples int) Data {
		rng := rand.New(rand.NewPCG(seed, 0x1b))
		d := Data{}
		for range examples {
			if ctx.Err() != nil {
				return Data{}
			}
			row := append([]int{bos}, draw(rng)...)
			counts := make([]bool, len(row))
			for i := 1; i < len(row); i++ {
				counts[i] = true
			}
			d.Clean, d.Mask = append(d.Clean, row), append(d.Mask, counts)
		}
		d.Corrupt = Ring(d.Clean, rng)
		return d
	}
}
