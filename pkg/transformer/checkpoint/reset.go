package checkpoint

import (
	"context"
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// reset shuffles the weights so that what the model learned is lost and every
// number is kept: the control of Conmy et al. 2023, appendix, where a method
// should find nothing. In every block W_Q, W_K, W_V, b_Q, b_K and b_V are each
// shuffled over heads (with one head over the head's components), W_in, b_in,
// W_gate and b_gate each over neurons. What heads and MLPs write with stays in place, as do
// embeddings and norms.
func (w *draft) reset(ctx context.Context, c Config, seed uint64, threads int) {
	tensor.Parallel(len(w.Blocks), threads, func(lo, hi int) {
		for l := lo; l < hi; l++ {
			w.Blocks[l].reset(ctx, c, rand.New(rand.NewPCG(seed, uint64(l))))
		}
	})
}

func (b *blockDraft) reset(ctx context.Context, c Config, rng *rand.Rand) {
	for side := range b.W {
		heads := c.SideHeads(side)
		if heads == 1 {
			b.W[side] = permuted(ctx, b.W[side], c.DModel, c.DHead, 1, rng)
			b.B[side] = permuted(ctx, tensor.From(b.B[side], c.DHead), 1, c.DHead, 1, rng).Data
			continue
		}
		b.W[side] = permuted(ctx, b.W[side], 1, heads, c.DModel*c.DHead, rng)
		b.B[side] = permuted(ctx, tensor.From(b.B[side], heads*c.DHead), 1, heads, c.DHead, rng).Data
	}
	if !c.AttnOnly {
		b.WIn = permuted(ctx, b.WIn, c.DModel, c.DMLP, 1, rng)
		b.BIn = permuted(ctx, tensor.From(b.BIn, c.DMLP), 1, c.DMLP, 1, rng).Data
	}
	if c.GatedMLP {
		b.WGate = permuted(ctx, b.WGate, c.DModel, c.DMLP, 1, rng)
		b.BGate = permuted(ctx, tensor.From(b.BGate, c.DMLP), 1, c.DMLP, 1, rng).Data
	}
}

// permuted shuffles the middle dimension of a tensor seen as [outer,n,inner],
// the same way everywhere, until the context ends.
func permuted(ctx context.Context, t *tensor.Tensor, outer, n, inner int, rng *rand.Rand) *tensor.Tensor {
	out := tensor.New(t.Shape()...)
	order := rng.Perm(n)
	moved := part
	for o := range outer {
		for to, from := range order {
			if moved += inner; moved >= part {
				if moved = 0; ctx.Err() != nil {
					return out
				}
			}
			copy(out.Data[(o*n+to)*inner:(o*n+to+1)*inner], t.Data[(o*n+from)*inner:])
		}
	}
	return out
}
