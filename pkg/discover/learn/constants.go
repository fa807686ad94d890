package learn

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Settings of the training of constants. The published code takes a rate of 2e-3
// and many more steps.
const (
	ConstantSteps = 500
	constantRate  = 1e-2
	constantBatch = 16      // examples a step
	constantHeld  = 1 << 28 // bytes of runs that are not made anew each time
)

// Constants trains the constants of optimal ablation (Li & Janson 2024): from
// the senders' means on, so that the metric is least where senders send them. The
// expectation is over circuits of every size: at each step a share is drawn
// from 0 to 1, and each head, each MLP and the embedding is cut with that
// probability. Batch and room of c are not looked at; no result depends on the
// threads. A metric without a gradient is metric.ErrNoGradient.
func Constants(ctx context.Context, c patch.Config, steps int) (*circuit.Constants, error) {
	k, err := ablate.Means(ctx, c.Model, c.Data, constantBatch, c.Threads)
	if err != nil {
		return nil, err
	}
	c.Ablation, c.Constants, c.Batch = ablate.Optimal, k, constantBatch
	c.Room = patch.Room{Bytes: constantHeld, Runs: 4 * int64(len(c.Data.Clean[0])) * ablate.Floats(c.Model.Config, c.SplitEmbed), Share: 1}
	e, err := patch.Bind(ctx, c)
	if err != nil {
		return nil, err
	}
	x := newConstants(c, k)
	for step := 0; step < steps; {
		for b, err := range e.Batches(ctx) {
			if err != nil {
				return nil, err
			}
			if step == steps {
				break
			}
			if err := x.step(ctx, b, rand.New(rand.NewPCG(c.Seed, uint64(step)<<8|0xc0))); err != nil {
				return nil, fmt.Errorf("constants: step %d: %w", step+1, err)
			}
			step++
		}
	}
	return k, nil
}

// constants are being trained.
type constants struct {
	points  []transformer.HookPoint
	vectors []*[]float32
	first   []int // by vector, its first parameter
	parts   []int // by vector, how many senders it is of
	adam    *adam
}

func newConstants(c patch.Config, k *circuit.Constants) *constants {
	x := &constants{}
	x.points, x.vectors = ablate.Places(c.Model.Config, k)
	var params []float64
	for i, v := range x.vectors {
		x.first, x.parts = append(x.first, len(params)), append(x.parts, 1)
		if x.points[i].Point == transformer.HookZ {
			x.parts[i] = c.Model.Config.Heads
		}
		for _, value := range *v {
			params = append(params, float64(value))
		}
	}
	x.adam = newAdam(params, Options{Betas: [2]float64{0.9, 0.999}})
	return x
}

// step cuts senders at random and descends.
func (x *constants) step(ctx context.Context, b *patch.Bound, rng *rand.Rand) error {
	share := rng.Float64()
	grads := make([]float64, len(x.adam.params))
	var put []transformer.Hook
	var took []transformer.GradientHook
	embedding := rng.Float64() < share // token and position embeddings together
	for i, at := range x.points {
		v, width := *x.vectors[i], len(*x.vectors[i])/x.parts[i]
		for part := range x.parts[i] {
			if at.Point == transformer.HookEmbed || at.Point == transformer.HookPosEmbed {
				if !embedding {
					continue
				}
			} else if rng.Float64() >= share {
				continue
			}
			from, to := part*width, (part+1)*width
			put = append(put, transformer.Hook{At: at, Do: func(t *tensor.Tensor) {
				rows := t.Reshape(t.Len()/len(v), len(v))
				for r := range rows.Rows() {
					copy(rows.Row(r)[from:to], v[from:to])
				}
			}})
			own := grads[x.first[i]+from : x.first[i]+to]
			took = append(took, transformer.GradientHook{At: at, Do: func(_ int, g tensor.Matrix) {
				for r := range g.Rows {
					row := g.Row(r)[from:to]
					for j, value := range row {
						own[j] += float64(value)
					}
					clear(row)
				}
			}})
		}
	}
	run, err := b.Runs.Model().Record(ctx, b.Tokens, false, transformer.Options{Hooks: put, Threads: b.Runs.Threads(), Pad: b.Pad})
	if err != nil {
		return err
	}
	if _, err := b.Backward(ctx, run, transformer.BackwardOptions{Hooks: took}); err != nil {
		return err
	}
	scale := float64(b.Total()) / float64(max(1, b.Rows[1]-b.Rows[0])) // the mean over these rows
	for i := range grads {
		if grads[i] *= scale; math.IsNaN(grads[i]) || math.IsInf(grads[i], 0) {
			return fmt.Errorf("the gradient is not finite")
		}
	}
	x.adam.step(grads, constantRate)
	for i, v := range x.vectors {
		for j := range *v {
			(*v)[j] = float32(x.adam.params[x.first[i]+j])
		}
	}
	return nil
}
