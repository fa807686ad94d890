package transformer

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
		n += int64(batch) * int64(t) * int64(c.Layers) * int64(c.DModel) * int64(c.MLPWidth()) * 2
	}
	return n
}

// scoresFLOP is FLOP of all scores, one of the two products of attention.
func (c Config) scoresFLOP(batch, t int) int64 {
	return 2 * int64(c.Layers) * int64(batch) * int64(c.Heads) * int64(t) * int64(t) * int64(c.DHead)
}
