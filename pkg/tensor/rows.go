package tensor

import (
	"fmt"
	"math"
	"runtime"
	"strings"

	"github.com/seed-2c350065/acdc/pkg/tensor/internal/kernel"
)

// Add sets dst += a.
func Add(dst, a []float32) {
	sameLen("Add", len(dst), len(a))
	kernel.AddTo(dst, dst, a)
}

// Sub sets dst -= a.
func Sub(dst, a []float32) {
	sameLen("Sub", len(dst), len(a))
	kernel.SubTo(dst, dst, a)
}

// AddTo sets dst = a + b. dst may be a or b.
func AddTo(dst, a, b []float32) {
	sameLen("AddTo", len(dst), len(a))
	sameLen("AddTo", len(dst), len(b))
	kernel.AddTo(dst, a, b)
}

// SubTo sets dst = a - b. dst may be a or b.
func SubTo(dst, a, b []float32) {
	sameLen("SubTo", len(dst), len(a))
	sameLen("SubTo", len(dst), len(b))
	kernel.SubTo(dst, a, b)
}

// MulTo sets dst = a · b, element by element. dst may be a or b.
func MulTo(dst, a, b []float32) {
	sameLen("MulTo", len(dst), len(a))
	sameLen("MulTo", len(dst), len(b))
	kernel.MulTo(dst, a, b)
}

// Axpy sets dst += alpha·x.
func Axpy(dst []float32, alpha float32, x []float32) {
	sameLen("Axpy", len(dst), len(x))
	kernel.Axpy(dst, x, alpha)
}

// Dot returns Σ a·b, in float32 in a fixed order.
func Dot(a, b []float32) float32 {
	sameLen("Dot", len(b), len(a))
	return kernel.Dot(a, b)
}

// Scale sets x *= s.
func Scale(x []float32, s float32) { kernel.Scale(x, s) }

// AddRows adds bias to every row of dst.
func AddRows(dst Matrix, bias []float32) {
	dst.check("AddRows", "dst")
	sameLen("AddRows", dst.Cols, len(bias))
	for i := range dst.Rows {
		row := dst.Row(i)
		kernel.AddTo(row, row, bias)
	}
}

// LayerNorm sets each row of dst to (x-mean)/sqrt(var+eps)·w + b with
// mean = Σx/n and var = Σ(x-mean)²/n over that row (Ba, Kiros and Hinton
// 2016, equation 4, with the variance of the population). Nil w and b leave
// the affine part out. dst may be x.
func LayerNorm(dst, x Matrix, w, b []float32, eps float32) {
	dst.check("LayerNorm", "dst")
	x.check("LayerNorm", "x")
	sameLen("LayerNorm rows", dst.Rows, x.Rows)
	sameLen("LayerNorm columns", dst.Cols, x.Cols)
	if w != nil || b != nil {
		sameLen("LayerNorm w", len(w), x.Cols)
		sameLen("LayerNorm b", len(b), x.Cols)
	}
	if x.Rows > 0 && x.Cols > 0 {
		kernel.LayerNorm(dst.Data, dst.Stride, x.Data, x.Stride, w, b, x.Rows, x.Cols, eps)
	}
}

// chunk is the length over which sums of exponentials run in float32; the
// chunks' sums are added in float64.
const chunk = 1024

// Softmax replaces row by exp(row-max)/Σexp(row-max). Entries of -Inf, and
// those more than 86 below the largest, give exactly 0; a row with NaN or
// +Inf, or with nothing but -Inf, gives NaN.
func Softmax(row []float32) {
	if len(row) == 0 {
		return
	}
	top := kernel.Max(row)
	var sum float64
	for i := 0; i < len(row); i += chunk {
		part := row[i:min(i+chunk, len(row))]
		sum += float64(kernel.ExpSum(part, part, top))
	}
	kernel.Scale(row, float32(1/sum))
}

// CausalSoftmax turns the scores [T,T] of one head of a causal model into its
// attention pattern: row t becomes Softmax(scale·row[:t+1]), with the same
// bits, and 0 beyond. It is two to three times faster than row by row when
// rows are whole vectors apart, Stride being a multiple of 16.
func CausalSoftmax(scores Matrix, scale float32) {
	scores.check("CausalSoftmax", "scores")
	sameLen("CausalSoftmax", scores.Rows, scores.Cols)
	if scores.Rows <= 16 || scores.Rows <= chunk && scores.Stride%16 == 0 {
		kernel.CausalSoftmax(scores.Data, scores.Stride, scores.Rows, scale)
		return
	}
	for t := range scores.Rows {
		row := scores.Row(t)
		if scale != 1 {
			kernel.Scale(row[:t+1], scale)
		}
		Softmax(row[:t+1])
		clear(row[t+1:])
	}
}

// LogSoftmax sets dst = (x-max) - log Σexp(x-max). dst may be x.
func LogSoftmax(dst, x []float32) {
	sameLen("LogSoftmax", len(dst), len(x))
	if len(x) == 0 {
		return
	}
	top := kernel.Max(x)
	var sum float64
	for i := 0; i < len(x); i += chunk {
		sum += float64(kernel.SumExp(x[i:min(i+chunk, len(x))], top))
	}
	kernel.SubScalars(dst, x, top, float32(math.Log(sum)))
}

// LogProb returns x[i] - max - log Σexp(x-max), LogSoftmax's element i, in
// float64 and without the rest.
func LogProb(x []float32, i int) float64 {
	if i < 0 || i >= len(x) {
		panic(shapeError("LogProb: no element %d of %d", i, len(x)))
	}
	top := kernel.Max(x)
	var sum float64
	for from := 0; from < len(x); from += chunk {
		sum += float64(kernel.SumExp(x[from:min(from+chunk, len(x))], top))
	}
	return float64(x[i]) - float64(top) - math.Log(sum)
}

// ReLU sets x = max(x, 0). NaN stays NaN.
func ReLU(x []float32) { kernel.ReLU(x) }

// GELU sets x = x/2·(1+erf(x/√2)) (Hendrycks and Gimpel 2016). As in the
// formula, -Inf gives NaN.
func GELU(x []float32) { kernel.GELU(x) }

// GELUNew sets x = x/2·(1+tanh(√(2/π)(x+0.044715x³))), computed as
// x/(1+exp(-2√(2/π)(x+0.044715x³))), GPT-2's activation. As in the formula,
// -Inf gives NaN.
func GELUNew(x []float32) { kernel.GELUNew(x) }

// SiLU sets x = x/(1+exp(-x)). As in the formula, -Inf gives NaN.
func SiLU(x []float32) { kernel.SiLU(x) }

// KLDivergence returns Σ exp(logp)·(logp-logq), added up in float64 in a
// fixed order. Identical input gives exactly 0, and logp = -Inf (any logp
// whose exponential underflows) contributes 0.
func KLDivergence(logp, logq []float32) float64 {
	sameLen("KLDivergence", len(logp), len(logq))
	return kernel.KLDivergence(logp, logq)
}

// KLTerms compares logits y with logits x of probabilities p, d = y − x being
// small or not, and returns
//
//	mean    = Σ p d
//	beyond  = Σ p (e^d − 1 − d)
//	largest = the largest d, at least 0
//
// in one pass, from which KL(softmax x ‖ softmax y) follows without
// cancellation. Every term has its relative precision, 1e-6 beside that of
// a float32 d, however small d is; equal rows give exactly 0, a NaN gives NaN
// sums. Above d = 88 the terms are too small. Sums run in float32 lanes for
// 512 elements, then in float64, in a fixed order.
func KLTerms(p, x, y []float32) (mean, beyond float64, largest float32) {
	sameLen("KLTerms x", len(x), len(p))
	sameLen("KLTerms y", len(y), len(p))
	return kernel.KLTerms(p, x, y)
}

// SquaredDistance returns Σ(a-b)², in float64 in a fixed order.
func SquaredDistance(a, b []float32) float64 {
	sameLen("SquaredDistance", len(a), len(b))
	return kernel.SquaredDistance(a, b)
}

// HasNonFinite returns the index of the first NaN or infinity.
func HasNonFinite(x []float32) (index int, found bool) {
	for i := 0; i < len(x); i += chunk {
		part := x[i:min(i+chunk, len(x))]
		if kernel.SumZero(part) == 0 {
			continue
		}
		for j, v := range part {
			if v-v != 0 {
				return i + j, true
			}
		}
	}
	return 0, false
}

// KernelName returns the kernels in use: "avx512", "avx2" or "portable".
func KernelName() string { return kernel.Name() }

// Arithmetic names what rounding depends on: the fast kernels of one processor
// family give the same bits, the portable ones others.
func Arithmetic() string {
	if KernelName() == "portable" {
		return runtime.GOARCH + " portable"
	}
	return runtime.GOARCH
}

// Grown returns x with at least n elements; what they hold is undefined.
func Grown[T any](x []T, n int) []T {
	if n < 0 {
		panic(shapeError("Grown: to %d elements", n))
	}
	if cap(x) < n {
		return make([]T, n)
	}
	return x[:n]
}

// ForceKernel makes the whole process use the named kernels until restore is
// called, for tests and comparisons of several packages. The error of a name that this machine
// has not wraps ErrKernel and lists those that it has.
func ForceKernel(name string) (restore func(), err error) {
	restore, ok := kernel.Force(name)
	if !ok {
		return nil, fmt.Errorf("%w %q: this machine has %s", ErrKernel, name, strings.Join(kernel.Names(), ", "))
	}
	return restore, nil
}
