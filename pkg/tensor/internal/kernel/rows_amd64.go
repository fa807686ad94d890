//go:build amd64 && !noasm

package kernel

// AddTo: for i: dst[i] = a[i] + b[i]
func AddTo(dst, a, b []float32) {
	switch active() {
	case avx512:
		addToAVX512(dst, a, b)
	case avx2:
		addToAVX2(dst, a, b)
	default:
		addToPortable(dst, a, b)
	}
}

// SubTo: for i: dst[i] = a[i] - b[i]
func SubTo(dst, a, b []float32) {
	switch active() {
	case avx512:
		subToAVX512(dst, a, b)
	case avx2:
		subToAVX2(dst, a, b)
	default:
		subToPortable(dst, a, b)
	}
}

// Axpy: for i: dst[i] = fma(alpha, x[i], dst[i])
func Axpy(dst, x []float32, alpha float32) {
	switch active() {
	case avx512:
		axpyAVX512(dst, x, alpha)
	case avx2:
		axpyAVX2(dst, x, alpha)
	default:
		axpyPortable(dst, x, alpha)
	}
}

// Scale: for i: x[i] *= s
func Scale(x []float32, s float32) {
	switch active() {
	case avx512:
		scaleAVX512(x, s)
	case avx2:
		scaleAVX2(x, s)
	default:
		scalePortable(x, s)
	}
}

// SubScalars: for i: dst[i] = (x[i] - s) - t
func SubScalars(dst, x []float32, s, t float32) {
	switch active() {
	case avx512:
		subScalarsAVX512(dst, x, s, t)
	case avx2:
		subScalarsAVX2(dst, x, s, t)
	default:
		subScalarsPortable(dst, x, s, t)
	}
}

// ReLU: for i: if x[i] < 0 { x[i] = 0 }
func ReLU(x []float32) {
	switch active() {
	case avx512:
		reluAVX512(x)
	case avx2:
		reluAVX2(x)
	default:
		reluPortable(x)
	}
}

// GELU: for i: x[i] = x[i]/2·(1 + erf(x[i]/√2))
func GELU(x []float32) {
	switch active() {
	case avx512:
		geluAVX512(x)
	case avx2:
		geluAVX2(x)
	default:
		geluPortable(x)
	}
}

// GELUNew: for i: x[i] = x[i] / (1 + exp(-2√(2/π)(x[i] + 0.044715·x[i]³)))
func GELUNew(x []float32) {
	switch active() {
	case avx512:
		geluNewAVX512(x)
	case avx2:
		geluNewAVX2(x)
	default:
		geluNewPortable(x)
	}
}

// SiLU: for i: x[i] = x[i] / (1 + exp(-x[i]))
func SiLU(x []float32) {
	switch active() {
	case avx512:
		siluAVX512(x)
	case avx2:
		siluAVX2(x)
	default:
		siluPortable(x)
	}
}

// Max: for i: m = max(m, x[i]); any value when there is a NaN
func Max(x []float32) float32 {
	switch active() {
	case avx512:
		return maxAVX512(x)
	case avx2:
		return maxAVX2(x)
	default:
		return maxPortable(x)
	}
}

// SumZero: for i: s += x[i] - x[i], 0 when all are finite, else NaN
func SumZero(x []float32) float32 {
	switch active() {
	case avx512:
		return sumZeroAVX512(x)
	case avx2:
		return sumZeroAVX2(x)
	default:
		return sumZeroPortable(x)
	}
}

// ExpSum: for i: dst[i] = exp(x[i]-top); s += dst[i], in lanes
func ExpSum(dst, x []float32, top float32) float32 {
	switch active() {
	case avx512:
		return expSumAVX512(dst, x, top)
	case avx2:
		return expSumAVX2(dst, x, top)
	default:
		return expSumPortable(dst, x, top)
	}
}

// SumExp: for i: s += exp(x[i]-top), in lanes
func SumExp(x []float32, top float32) float32 {
	switch active() {
	case avx512:
		return sumExpAVX512(x, top)
	case avx2:
		return sumExpAVX2(x, top)
	default:
		return sumExpPortable(x, top)
	}
}

// KLDivergence: for i: if p := exp(logp[i]); p != 0 { s = fma(p, logp[i]-logq[i], s) }, in float64 lanes
func KLDivergence(logp, logq []float32) float64 {
	switch active() {
	case avx512:
		return klDivergenceAVX512(logp, logq)
	case avx2:
		return klDivergenceAVX2(logp, logq)
	default:
		return klDivergencePortable(logp, logq)
	}
}

// SquaredDistance: for i: s = fma(a[i]-b[i], a[i]-b[i], s), in float64 lanes
func SquaredDistance(a, b []float32) float64 {
	switch active() {
	case avx512:
		return squaredDistanceAVX512(a, b)
	case avx2:
		return squaredDistanceAVX2(a, b)
	default:
		return squaredDistancePortable(a, b)
	}
}

// KLTerms: for i: d = y[i] - x[i]; mean += p[i]·d; beyond += p[i]·φ(d),
// φ(d) = exp(d) - 1 - d; largest = max(largest, d), from 0. Lanes add in
// float32 for 512 elements, then in float64.
func KLTerms(p, x, y []float32) (mean, beyond float64, largest float32) {
	switch active() {
	case avx512:
		return klTermsAVX512(p, x, y)
	case avx2:
		return klTermsAVX2(p, x, y)
	default:
		return klTermsPortable(p, x, y)
	}
}

// LayerNorm: for i < rows: mean = Σx[i,j]/cols, variance = Σ(x[i,j]-mean)²/cols,
// dst[i,j] = (x[i,j]-mean)/√(variance+eps), then ·w[j] + b[j] unless w is nil.
// The sums run in 64 lanes; cols > 0.
func LayerNorm(dst []float32, ldd int, x []float32, ldx int, w, b []float32, rows, cols int, eps float32) {
	set := active()
	if set == portable || rows == 0 {
		layerNormPortable(dst, ldd, x, ldx, w, b, rows, cols, eps)
		return
	}
	var pw, pb *float32
	if w != nil {
		pw, pb = &w[0], &b[0]
	}
	if set == avx512 {
		layerNormAVX512(&dst[0], ldd, &x[0], ldx, pw, pb, rows, cols, float32(cols), eps)
	} else {
		layerNormAVX2(&dst[0], ldd, &x[0], ldx, pw, pb, rows, cols, float32(cols), eps)
	}
}

// CausalSoftmax: for t < n: x[t,j] = exp(scale·x[t,j] - max)/Σ for j ≤ t, and 0
// for t < j < n, in the order of ExpSum; n ≤ 1024.
func CausalSoftmax(x []float32, ld, n int, scale float32) {
	switch set := active(); {
	case set == portable || n == 0:
		causalSoftmaxPortable(x, ld, n, scale)
	case set == avx512:
		causalSoftmaxAVX512(&x[0], ld, n, scale)
	default:
		causalSoftmaxAVX2(&x[0], ld, n, scale)
	}
}
