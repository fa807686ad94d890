package ablate

import (
	"context"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Ablation says what the corrupted run is.
type Ablation string

// The ablations.
const (
	// Resample runs the model on the corrupt prompts. Where position embeddings
	// are a sender of their own, they are permuted over positions.
	Resample Ablation = "resample"
	// Zero sets every sender's output to zero; what remains is biases.
	Zero Ablation = "zero"
	// Mean sets every sender's output to its mean, position by position, over
	// the corrupt prompts, or over the clean ones where there are no others.
	Mean Ablation = "mean"
	// Optimal sets every sender's output to one constant, the same at every
	// position, under which the metric is least (Li & Janson 2024,
	// arXiv:2409.09951): see Config.Constants.
	Optimal Ablation = "optimal"
)

// Ablations lists the valid ablations.
func Ablations() []Ablation { return []Ablation{Resample, Zero, Mean, Optimal} }

// Parse reads an ablation's name; another is an error that lists the valid
// ones.
func Parse(s string) (Ablation, error) { return choice.Parse("ablation", s, Ablations()) }

// corruptedRun makes the run whose values cut edges carry, of the examples
// [lo,hi).
func (r *Runs) corruptedRun(ctx context.Context, lo, hi int) (*transformer.Activations, error) {
	var hooks []transformer.Hook
	tokens := r.data.Clean
	switch {
	case r.ablation != Resample:
		hooks = replace(r.replaced, hi-lo)
	case r.permutation != nil:
		hooks = []transformer.Hook{{At: transformer.HookPoint{Point: transformer.HookPosEmbed}, Do: r.permute}}
		fallthrough
	default:
		tokens = r.data.Corrupt
	}
	return r.record(ctx, tokens[lo:hi], lo, hi, hooks)
}

// record runs the model on the examples [lo,hi).
func (r *Runs) record(ctx context.Context, tokens [][]int, lo, hi int, hooks []transformer.Hook) (*transformer.Activations, error) {
	return r.model.Record(ctx, tokens, r.split(), transformer.Options{Hooks: hooks, Threads: r.threads, Pad: r.pad.Part(lo, hi)})
}

// permute fills position embeddings x [B,T,D] with those of other positions.
func (r *Runs) permute(x *tensor.Tensor) {
	b, t, d := x.Dim(0), x.Dim(1), x.Dim(2)
	for i := range b * t {
		copy(x.Data[i*d:(i+1)*d], r.model.Params.Pos.Row(r.permutation[i%t]))
	}
}
