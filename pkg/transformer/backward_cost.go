package transformer

import "github.com/seed-2c350065/acdc/pkg/tensor"

// BackwardFLOP is FLOP of a way backward through such a pass: of the gradients
// of activations and, with weights, of those of weights. Without keptPre half of
// each MLP is computed again; the scores of attention always are.
func (c Config) BackwardFLOP(batch, t, logits int, weights, keptPre bool) int64 {
	forward, scores := c.FLOP(batch, t, logits), c.scoresFLOP(batch, t)
	n := forward - 2*scores + 5*scores // dv, dp, dq, dk
	if weights {
		n += forward - 2*scores
	}
	if !keptPre && !c.AttnOnly {
		n += int64(batch) * int64(t) * int64(c.Layers) * int64(c.DModel) * int64(c.DMLP) * 2
	}
	return n
}

// scoresFLOP is FLOP of all scores, one of the two products of attention.
func (c Config) scoresFLOP(batch, t int) int64 {
	return 2 * int64(c.Layers) * int64(batch) * int64(c.Heads) * int64(t) * int64(t) * int64(c.DHead)
}

// BackwardFloats is how many numbers Backward holds at most beside the tape, the
// gradient of logits, the packed weights (BackwardPackedFloats) and the gradients
// that it gives: each of one position, with logits at all of them, and so many
// beside, for examples of t positions.
func BackwardFloats(c Config, t int, o BackwardOptions) (each, beside int64) {
	d, hk, f, threads := int64(c.DModel), int64(c.Heads*c.DHead), int64(c.DMLP), int64(max(o.Threads, 1))
	each = 4*d + 3*d + 4*hk + 6 // streams, the final norm's, heads, and what has one number a position
	hidden := 2*f + 2*d + 1
	for _, h := range o.Hooks {
		if h.At.Point == HookMLPPre || h.At.Point == HookMLPPost {
			each += hidden
			break
		}
	}
	beside = hidden*reverseRows + threads*(max(int64(AttendScratch(t)), f)+2*int64(AttendScratch(t)))
	beside += threads * int64(tensor.PackedLen(t, t)+tensor.PackedLen(max(t, c.DHead), max(t, c.DHead)))
	if o.Grads != nil {
		each += 2 * d
		beside += int64(tensor.MulTNScratch(max(c.DModel, c.DMLP, c.Heads*c.DHead)))
	}
	return each, beside
}
