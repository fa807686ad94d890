package train

import (
	"context"
	"math"

	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// chunkSize is the number of examples whose gradient one goroutine computes.
const chunkSize = 8

// chunks are the parts of a step's batch, each with its gradient.
type chunks struct {
	grads []*arena
	loss  []float64
	errs  []error
}

func newChunks(c transformer.Config, batch int) *chunks {
	n := (batch + chunkSize - 1) / chunkSize
	x := &chunks{make([]*arena, n), make([]float64, n), make([]error, n)}
	for i := range x.grads {
		x.grads[i] = newArena(c)
	}
	return x
}

// gradient computes the gradient of every chunk of step s, adds them up, and
// returns the mean of their losses.
func (x *chunks) gradient(ctx context.Context, r *Run, s int) (loss float64, err error) {
	n := len(x.grads)
	each(n, r.threads, func(i int) {
		clear(x.grads[i].flat)
		number := s*n + i
		x.loss[i], x.errs[i] = r.objective.addGradient(ctx, r.model, stream(r.recipe.Seed, number), number, x.grads[i].params)
	})
	for i := range n {
		if x.errs[i] != nil {
			return 0, x.errs[i]
		}
		loss += x.loss[i] / float64(n)
	}
	x.reduce(r.threads)
	return loss, nil
}

// reduce adds up the gradients of all chunks in a tree, 0+1, 2+3, …, then 0+2,
// 4+6, …, which does not depend on who computed them.
func (x *chunks) reduce(threads int) {
	n := len(x.grads)
	tensor.Parallel(len(x.sum()), threads, func(lo, hi int) {
		for gap := 1; gap < n; gap *= 2 {
			for i := 0; i+gap < n; i += 2 * gap {
				tensor.Add(x.grads[i].flat[lo:hi], x.grads[i+gap].flat[lo:hi])
			}
		}
	})
}

// sum is the gradient of all chunks, after gradient.
func (x *chunks) sum() []float32 { return x.grads[0].flat }

// each calls f(0), f(1), …, f(n-1) on up to threads goroutines, each of which
// takes the next when it is done with one.
func each(n, threads int, f func(i int)) {
	next := make(chan int, n)
	for i := range n {
		next <- i
	}
	close(next)
	threads = min(threads, n)
	tensor.Parallel(threads, threads, func(int, int) {
		for i := range next {
			f(i)
		}
	})
}

// addGradient adds the gradient of a batch's loss, Σ weight·(−log q(target)), to
// grads, and returns the loss. It uses one goroutine.
func addGradient(ctx context.Context, m *transformer.Model, b Batch, grads *transformer.Params) (float64, error) {
	_, tape, err := m.RecordTape(ctx, b.Tokens, true, transformer.Options{NoLogits: true})
	if err != nil {
		return 0, err
	}
	var rows, targets []int
	var weights []float32
	t := len(b.Tokens[0])
	for i, row := range b.Weights {
		for at, w := range row {
			if w > 0 {
				rows, targets, weights = append(rows, i*t+at), append(targets, b.Targets[i][at]), append(weights, w)
			}
		}
	}
	logits := logitsAt(m, tape.Out.Matrix(), rows)
	loss := 0.0
	for i, target := range targets {
		loss += slope(logits.Row(i), target, weights[i])
	}
	return loss, m.Backward(ctx, tape, transformer.LogitGradient{Rows: rows, Grad: logits}, transformer.BackwardOptions{Grads: grads})
}

// logitsAt computes the logits of some rows of the final residual stream.
func logitsAt(m *transformer.Model, out tensor.Matrix, rows []int) tensor.Matrix {
	normed := tensor.New(len(rows), out.Cols).Matrix()
	for i, at := range rows {
		copy(normed.Row(i), out.Row(at))
	}
	m.NormFinal(normed, normed)
	logits := tensor.New(len(rows), m.Config.VocabOut).Matrix()
	m.Unembed(logits, normed)
	return logits
}

// slope turns a row of logits into the gradient of weight·(−log q(target)),
// weight·(q − 1 at the target), and returns the value.
func slope(row []float32, target int, weight float32) float64 {
	loss := -float64(weight) * tensor.LogProb(row, target)
	tensor.Softmax(row)
	row[target]--
	for j := range row {
		row[j] *= weight
	}
	if math.IsInf(loss, 0) { // of logits that are infinite
		loss = math.NaN()
	}
	return loss
}
