// Package baseline has the methods that others are held to: an order of the
// edges that knows nothing, and one that knows only sizes.
package baseline

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Random scores every edge by chance, from 0 to 1, by the request's seed.
type Random struct{}

// Name returns "random".
func (Random) Name() string { return "random" }

// Score draws the scores. Every example's are the same.
func (Random) Score(_ context.Context, r discover.Request) (*discover.Scored, error) {
	rng := rand.New(rand.NewPCG(r.Seed, 0x4a2d))
	scores := make(circuit.Scores, r.Experiment.Graph().NumEdges())
	for i := range scores {
		scores[i] = rng.Float64()
	}
	out := &discover.Scored{Scores: scores}
	for i := 0; r.PerExample && i < r.Experiment.Runs().Examples(); i++ {
		out.Examples = append(out.Examples, scores)
	}
	return out, nil
}

// Activation scores an edge by the size of what its sender adds to the residual
// stream in the clean run: the mean over positions of ‖a_u‖₂. A direct edge has
// the most of those into its head's input.
type Activation struct{}

// Name returns "activation".
func (Activation) Name() string { return "activation" }

// Score runs the model once.
func (Activation) Score(ctx context.Context, r discover.Request) (*discover.Scored, error) {
	runs := r.Experiment.Runs()
	g := runs.Graph()
	var all []circuit.Scores
	for b, err := range runs.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		own := make([]circuit.Scores, b.Examples())
		tensor.Parallel(len(own), runs.Threads(), func(lo, hi int) {
			for i := lo; i < hi && ctx.Err() == nil; i++ {
				size := sizes(b, i)
				own[i] = discover.ByStream(g, func(sender int, _ circuit.Node) float64 { return size[sender] })
			}
		})
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		all = append(all, own...)
	}
	out := &discover.Scored{Scores: discover.MeanOf(all), Cost: circuit.Cost{ForwardPasses: 1, FLOP: r.Experiment.ForwardFLOP()}}
	if r.PerExample {
		out.Examples = all
	}
	return out, nil
}

// sizes are the mean sizes of what each sender adds, in the batch's example i.
func sizes(b *ablate.Batch, i int) []float64 {
	model, t := b.Runs.Model(), b.Runs.Positions()
	lo, hi := i*t+b.Pad.Of(i), (i+1)*t
	dst := tensor.New(hi-lo, model.Config.DModel).Matrix()
	out := make([]float64, len(b.Runs.Senders()))
	for u, s := range b.Runs.Senders() {
		b.Contribution(s, dst, lo, hi)
		for p := range dst.Rows {
			sum := 0.0
			for _, x := range dst.Row(p) {
				sum += float64(x) * float64(x)
			}
			out[u] += math.Sqrt(sum) / float64(dst.Rows)
		}
	}
	return out
}
