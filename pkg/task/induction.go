package task

import (
	"context"
	"math/rand/v2"
)

// inductionPrompts are those of the induction task, and those that the builtin
// model of its name was trained on.
var inductionPrompts = Repeats{Vocab: 128, Length: 48, MinPeriod: 8, MaxPeriod: 20}

var induction = Task{
	Name:        "induction",
	Description: "continue a repeated random sequence: ... A B ... A -> B",
	Model:       "induction",
	Metric:      "kl_div",
	Threshold:   0.5,
	Ablation:    "resample",
	Examples:    40,
	Generate:    generateInduction,
}

// generateInduction makes prompts of random tokens of which a block is repeated.
// The corrupt prompt of an example is the clean one of another, so that every
// token statistic is kept and the repeat says something else. The mask counts
// the positions inside the repeat whose next token the first copy foretells.
func generateInduction(ctx context.Context, seed uint64, examples int) Data {
	rng := rand.New(rand.NewPCG(seed, 0x1d0c7104))
	var d Data
	pool := max(examples, 2) // a single example needs another to be corrupted by
	for range pool {
		if ctx.Err() != nil {
			return Data{}
		}
		row, mask, _ := inductionPrompts.Draw(rng)
		d.Clean, d.Mask = append(d.Clean, row), append(d.Mask, mask)
	}
	d.Corrupt = Ring(d.Clean, rng)
	return d.Take(examples)
}

var orGate = Task{
	Name:        "or_gate",
	Description: "a one-layer model that computes OR of its two heads (Conmy et al. 2023, appendix)",
	Model:       "or_gate",
	Metric:      "l2",
	Threshold:   0.5,
	Ablation:    "zero",
	Examples:    1,
	Generate: func(_ context.Context, _ uint64, examples int) Data {
		d := Data{}
		for range examples {
			d.Clean, d.Corrupt = append(d.Clean, []int{0}), append(d.Corrupt, []int{0})
		}
		return d
	},
}
