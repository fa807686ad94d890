package patch

import (
	"context"

	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Loss measures a run of the batch by its final residual stream out [B·T,D]: the
// metric's value of each of the batch's rows, and the gradient with respect to
// their logits of the experiment's metric, which is the mean over the rows of all
// batches. A metric without a gradient is metric.ErrNoGradient.
func (b *Bound) Loss(ctx context.Context, out tensor.Matrix) ([]float64, transformer.LogitGradient, error) {
	x, model := b.made().OutputRows(out), b.Runs.Model()
	width := logitsWidth(model.Config, b.metric)
	values, loss := make([]float64, x.Rows), transformer.LogitGradient{Rows: b.flat, Grad: tensor.New(x.Rows, width).Matrix()}
	if b.columns != nil {
		loss.Tokens = b.metric.Tokens
	}
	all, errs := count(x.Rows), make([]error, x.Rows)
	const block = 32
	tensor.Parallel((x.Rows+block-1)/block, b.Runs.Threads(), func(first, last int) {
		logits := tensor.New(block, width).Matrix()
		for k := first; k < last && ctx.Err() == nil; k++ {
			lo, hi := k*block, min((k+1)*block, x.Rows)
			model.NormFinal(x.Slice(lo, hi), x.Slice(lo, hi))
			b.finalLogits(logits.Slice(0, hi-lo), x.Slice(lo, hi), all[lo:hi])
			for i := lo; i < hi; i++ {
				row := logits.Row(i - lo)
				errs[i] = b.metric.Gradient(i, row, loss.Grad.Row(i))
				tensor.Scale(loss.Grad.Row(i), 1/float32(b.total))
				values[i] = b.metric.Row(i, row)
			}
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, loss, err
	}
	for _, err := range errs {
		if err != nil {
			return nil, loss, err
		}
	}
	return values, loss, nil
}

// Backward goes backward from the experiment's metric through a run of the
// batch's prompts, and returns the metric's value of each of the batch's rows.
func (b *Bound) Backward(ctx context.Context, run *transformer.Activations, o transformer.BackwardOptions) ([]float64, error) {
	if run == nil || run.Out == nil {
		panic("patch: Backward through no run")
	}
	values, loss, err := b.Loss(ctx, run.Out.Matrix())
	if err != nil {
		return nil, err
	}
	o.Threads = b.Runs.Threads()
	tape := &transformer.Tape{Activations: run, Tokens: b.Tokens, Pad: b.Pad}
	return values, b.Runs.Model().Backward(ctx, tape, loss, o)
}

// BackwardFLOP is the work of Backward without gradients of weights.
func (b *Bound) BackwardFLOP() int64 {
	return b.made().Runs.Model().Config.BackwardFLOP(b.Examples(), b.Runs.Positions(), 0, false, false) + int64(len(b.flat))*b.LogitsFLOP()
}

// Total is the number of the rows of all batches, over which the metric is the
// mean.
func (b *Bound) Total() int { return b.total }
