package tensor

import (
	"math"

	"github.com/seed-2c350065/acdc/pkg/tensor/internal/kernel"
)

// The operations below go backward through those of a forward pass. Of y = f(x)
// and a loss m, dy is ∂m/∂y and dx is ∂m/∂x, of the shapes of y and x.

// Standardize sets each row of dst to x̂ = (x-mean)/σ and inv of the row to 1/σ,
// σ = sqrt(var+eps): LayerNorm without weights, and what LayerNormBackward needs
// of it. dst may be x.
func Standardize(dst Matrix, inv []float32, x Matrix, eps float32) {
	dst.check("Standardize", "dst")
	x.check("Standardize", "x")
	sameLen("Standardize rows", dst.Rows, x.Rows)
	sameLen("Standardize columns", dst.Cols, x.Cols)
	sameLen("Standardize inv", len(inv), x.Rows)
	n := float32(x.Cols)
	for i := range x.Rows {
		row := dst.Row(i)
		kernel.SubScalars(row, x.Row(i), kernel.Sum(x.Row(i))/n, 0)
		inv[i] = float32(1 / math.Sqrt(float64(kernel.Dot(row, row)/n+eps)))
		kernel.Scale(row, inv[i])
	}
}

// LayerNormBackward sets each row of dx from dy and Standardize's x̂ and 1/σ of
// x, y being x̂·w + b or, without w, x̂. With c = dy·w and means over the row
//
//	dx = (c − mean c − x̂ · mean(c·x̂)) / σ.
//
// With fixed, 1/σ counts as a constant, and the last term is left out. dx may be
// dy.
func LayerNormBackward(dx, dy, xhat Matrix, inv, w []float32, fixed bool) {
	dx.check("LayerNormBackward", "dx")
	dy.check("LayerNormBackward", "dy")
	xhat.check("LayerNormBackward", "xhat")
	for _, m := range []Matrix{dy, xhat} {
		sameLen("LayerNormBackward rows", m.Rows, dx.Rows)
		sameLen("LayerNormBackward columns", m.Cols, dx.Cols)
	}
	sameLen("LayerNormBackward inv", len(inv), dx.Rows)
	if w != nil {
		sameLen("LayerNormBackward w", len(w), dx.Cols)
	}
	n := float32(dx.Cols)
	for i := range dx.Rows {
		row := dx.Row(i)
		if w != nil {
			kernel.MulTo(row, dy.Row(i), w)
		} else {
			copy(row, dy.Row(i))
		}
		mean := kernel.Sum(row) / n
		if !fixed {
			kernel.Axpy(row, xhat.Row(i), -kernel.Dot(row, xhat.Row(i))/n)
		}
		kernel.SubScalars(row, row, mean, 0)
		kernel.Scale(row, inv[i])
	}
}

// sumRows is how many rows are added up before they are added to a result.
const sumRows = kernel.KC

// AddLayerNormGradients adds the gradients of LayerNorm's weights and biases:
// dw += Σ dy·x̂ and db += Σ dy over rows, on up to threads goroutines. A nil db is
// that of a norm without biases.
func AddLayerNormGradients(dw, db []float32, dy, xhat Matrix, threads int) {
	dy.check("AddLayerNormGradients", "dy")
	xhat.check("AddLayerNormGradients", "xhat")
	sameLen("AddLayerNormGradients rows", dy.Rows, xhat.Rows)
	sameLen("AddLayerNormGradients columns", dy.Cols, xhat.Cols)
	sameLen("AddLayerNormGradients dw", len(dw), dy.Cols)
	if db != nil {
		AddColumnSums(db, dy, threads)
	}
	eachColumns(dw, threads, func(sum []float32, from, to, lo, hi int) {
		for i := lo; i < hi; i++ {
			kernel.MulAdd(sum, dy.Row(i)[from:to], xhat.Row(i)[from:to])
		}
	}, dy.Rows)
}

// AddColumnSums adds the gradient of a bias: dst += Σ rows of dy, in their
// order, on up to threads goroutines.
func AddColumnSums(dst []float32, dy Matrix, threads int) {
	dy.check("AddColumnSums", "dy")
	sameLen("AddColumnSums", len(dst), dy.Cols)
	eachColumns(dst, threads, func(sum []float32, from, to, lo, hi int) {
		for i := lo; i < hi; i++ {
			kernel.AddTo(sum, sum, dy.Row(i)[from:to])
		}
	}, dy.Rows)
}

// eachColumns adds to each column of dst what add adds, from 0, for each block
// of rows, of which there are n. Threads share the columns.
func eachColumns(dst []float32, threads int, add func(sum []float32, from, to, lo, hi int), n int) {
	const width = 16
	if len(dst)*n < 1<<16 {
		threads = 1
	}
	Parallel((len(dst)+width-1)/width, threads, func(first, last int) {
		from, to := first*width, min(last*width, len(dst))
		buf := kernel.Borrow(to - from)
		for lo := 0; lo < n; lo += sumRows {
			clear(*buf)
			add(*buf, from, to, lo, min(lo+sumRows, n))
			kernel.AddTo(dst[from:to], dst[from:to], *buf)
		}
		kernel.Return(buf)
	})
}

// ScatterAdd adds row i of x to row at[i] of dst, in the order of i: the
// gradient of rows that were looked up. Threads share the columns.
func ScatterAdd(dst Matrix, at []int, x Matrix, threads int) {
	dst.check("ScatterAdd", "dst")
	x.check("ScatterAdd", "x")
	sameLen("ScatterAdd rows", len(at), x.Rows)
	sameLen("ScatterAdd columns", dst.Cols, x.Cols)
	if x.Rows*x.Cols < 1<<16 {
		threads = 1
	}
	const width = 16
	Parallel((x.Cols+width-1)/width, threads, func(first, last int) {
		from, to := first*width, min(last*width, x.Cols)
		for i, row := range at {
			sum := dst.Row(row)[from:to]
			kernel.AddTo(sum, sum, x.Row(i)[from:to])
		}
	})
}

// SoftmaxBackward turns dp into the gradient with respect to what p is the
// Softmax of: p·(dp − Σ p·dp). Where p is 0, it is 0.
func SoftmaxBackward(dp, p []float32) {
	sameLen("SoftmaxBackward", len(dp), len(p))
	kernel.SubScalars(dp, dp, kernel.Dot(p, dp), 0)
	kernel.MulTo(dp, dp, p)
}

// CrossEntropyBackward returns −log softmax(x)[label], in nats, and turns the
// logits x into weight times its gradient with respect to them:
// weight·(softmax(x) − [label]).
func CrossEntropyBackward(x []float32, label int, weight float32) float64 {
	loss := -LogProb(x, label)
	Softmax(x)
	x[label] = 0
	rest := kernel.Sum(x) // 1 − p of the label, without cancellation
	if rest < 0.5 {
		loss = -math.Log1p(-float64(rest))
	}
	x[label] = -rest
	kernel.Scale(x, weight)
	return loss
}

// ReLUBackward sets dx to 0 where x, ReLU's input, is not above 0.
func ReLUBackward(dx, x []float32) { activationBackward("ReLUBackward", kernel.ReLUBackward, dx, x) }

// GELUBackward multiplies dx by GELU's slope at its input x, Φ(x) + x·φ(x).
func GELUBackward(dx, x []float32) { activationBackward("GELUBackward", kernel.GELUBackward, dx, x) }

// GELUNewBackward multiplies dx by GELUNew's slope at its input x:
// s + s(1−s)·x·2√(2/π)(1+3·0.044715x²), s = 1/(1+exp(-2√(2/π)(x+0.044715x³))).
func GELUNewBackward(dx, x []float32) {
	activationBackward("GELUNewBackward", kernel.GELUNewBackward, dx, x)
}

// SiLUBackward multiplies dx by SiLU's slope at its input x: s + s(1−s)·x,
// s = 1/(1+exp(-x)).
func SiLUBackward(dx, x []float32) { activationBackward("SiLUBackward", kernel.SiLUBackward, dx, x) }

func activationBackward(op string, f func(dx, x []float32), dx, x []float32) {
	sameLen(op, len(dx), len(x))
	f(dx, x)
}
