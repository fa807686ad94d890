package tensor

import (
	"math"

	"github.com/seed-2c350065/acdc/pkg/tensor/internal/kernel"
)

// RMSNorm sets each row of dst to x/sqrt(Σx²/n+eps)·w over that row (Zhang and
// Sennrich 2019, equation 4). A nil w leaves the weights out. dst may be x.
func RMSNorm(dst, x Matrix, w []float32, eps float32) {
	checkRMS("RMSNorm", dst, x, w)
	for i := range x.Rows {
		standardizeRow(dst.Row(i), x.Row(i), eps)
		if w != nil {
			kernel.MulTo(dst.Row(i), dst.Row(i), w)
		}
	}
}

// checkRMS panics unless two matrices, and weights if there are any, fit.
func checkRMS(op string, dst, x Matrix, w []float32) {
	dst.check(op, "dst")
	x.check(op, "x")
	sameLen(op+" rows", dst.Rows, x.Rows)
	sameLen(op+" columns", dst.Cols, x.Cols)
	if w != nil {
		sameLen(op+" w", len(w), x.Cols)
	}
}

// standardizeRow sets dst to x/σ and returns 1/σ, σ = sqrt(Σx²/n+eps).
func standardizeRow(dst, x []float32, eps float32) float32 {
	inv := float32(1 / math.Sqrt(float64(kernel.Dot(x, x)/float32(len(x))+eps)))
	copy(dst, x)
	kernel.Scale(dst, inv)
	return inv
}

// StandardizeRMS sets each row of dst to x̂ = x/σ and inv of the row to 1/σ,
// σ = sqrt(Σx²/n+eps): RMSNorm without weights, and what RMSNormBackward needs of
// it. dst may be x.
func StandardizeRMS(dst Matrix, inv []float32, x Matrix, eps float32) {
	checkRMS("StandardizeRMS", dst, x, nil)
	sameLen("StandardizeRMS inv", len(inv), x.Rows)
	for i := range x.Rows {
		inv[i] = standardizeRow(dst.Row(i), x.Row(i), eps)
	}
}

// RMSNormBackward sets each row of dx from dy and StandardizeRMS's x̂ and 1/σ of
// x, y being x̂·w or, without w, x̂. With c = dy·w and the mean over the row
//
//	dx = (c − x̂ · mean(c·x̂)) / σ.
//
// With fixed, 1/σ counts as a constant, and the last term is left out. dx may be
// dy.
func RMSNormBackward(dx, dy, xhat Matrix, inv, w []float32, fixed bool) {
	checkRMS("RMSNormBackward", dx, dy, w)
	checkRMS("RMSNormBackward", dx, xhat, nil)
	sameLen("RMSNormBackward inv", len(inv), dx.Rows)
	for i := range dx.Rows {
		row := dx.Row(i)
		if w != nil {
			kernel.MulTo(row, dy.Row(i), w)
		} else {
			copy(row, dy.Row(i))
		}
		project(row, xhat.Row(i), inv[i], fixed)
	}
}

// RMSNormForward sets each row of dy to what a small change dx of x changes of
// y = x̂·w, to first order: w · (dx − x̂ · mean(dx·x̂)) / σ, with fixed w · dx / σ.
// dy may be dx.
func RMSNormForward(dy, dx, xhat Matrix, inv, w []float32, fixed bool) {
	checkRMS("RMSNormForward", dy, dx, w)
	checkRMS("RMSNormForward", dy, xhat, nil)
	sameLen("RMSNormForward inv", len(inv), dy.Rows)
	for i := range dy.Rows {
		row := dy.Row(i)
		copy(row, dx.Row(i))
		project(row, xhat.Row(i), inv[i], fixed)
		if w != nil {
			kernel.MulTo(row, row, w)
		}
	}
}

// project sets c to (c − x̂ · mean(c·x̂)) / σ, or with fixed to c / σ.
func project(c, xhat []float32, inv float32, fixed bool) {
	if !fixed {
		kernel.Axpy(c, xhat, -kernel.Dot(c, xhat)/float32(len(c)))
	}
	kernel.Scale(c, inv)
}

// SoftCap sets x = limit·tanh(x/limit).
func SoftCap(x []float32, limit float32) {
	for i, v := range x {
		x[i] = limit * float32(math.Tanh(float64(v/limit)))
	}
}

// SoftCapBackward multiplies dx by SoftCap's slope where it gave y:
// 1 − (y/limit)².
func SoftCapBackward(dx, y []float32, limit float32) {
	sameLen("SoftCapBackward", len(dx), len(y))
	for i, v := range y {
		t := v / limit
		dx[i] *= 1 - t*t
	}
}
