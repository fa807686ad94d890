package train

import (
	"context"
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/pkg/train/interchange"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// imitation is the objective of Interchange: the model computes what a program
// computes, where the program computes it.
type imitation struct{ pair *interchange.Pair }

func (imitation) tokenizer() []byte { return nil }

func (x imitation) addGradient(ctx context.Context, m *transformer.Model, rng *rand.Rand, _ int, grads *transformer.Params) (float64, error) {
	return x.pair.AddGradient(ctx, m, rng, chunkSize, grads)
}

func (x imitation) measure(ctx context.Context, m *transformer.Model, seed uint64, threads int) ([]Measure, error) {
	q, err := x.pair.Measure(ctx, m, seed, threads)
	if err != nil {
		return nil, err
	}
	return qualities(q), nil
}

// qualities are how well a model is a program, as measures.
func qualities(q interchange.Quality) []Measure {
	return []Measure{
		{Name: "behaviour loss", Value: q.Losses.Behaviour}, {Name: "interchange loss", Value: q.Losses.Interchange}, {Name: "strict loss", Value: q.Losses.Strict},
		{Name: "accuracy", Value: q.Accuracy}, {Name: "interchange accuracy", Value: q.Interchange, At: q.At},
		{Name: "of answers that change", Value: q.Changed}, {Name: "effect from outside", Value: q.Effect, At: q.EffectAt},
		{Name: "accuracy of the circuit alone", Value: q.Alone},
	}
}
