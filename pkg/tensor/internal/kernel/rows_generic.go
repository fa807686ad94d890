//go:build !amd64 || noasm

package kernel

// AddTo: for i: dst[i] = a[i] + b[i]
func AddTo(dst, a, b []float32) { addToPortable(dst, a, b) }

// SubTo: for i: dst[i] = a[i] - b[i]
func SubTo(dst, a, b []float32) { subToPortable(dst, a, b) }

// Axpy: for i: dst[i] = fma(alpha, x[i], dst[i])
func Axpy(dst, x []float32, alpha float32) { axpyPortable(dst, x, alpha) }

// Scale: for i: x[i] *= s
func Scale(x []float32, s float32) { scalePortable(x, s) }

// SubScalars: for i: dst[i] = (x[i] - s) - t
func SubScalars(dst, x []float32, s, t float32) { subScalarsPortable(dst, x, s, t) }

// ReLU: for i: if x[i] < 0 { x[i] = 0 }
func ReLU(x []float32) { reluPortable(x) }

// GELU: for i: x[i] = x[i]/2·(1 + erf(x[i]/√2))
func GELU(x []float32) { geluPortable(x) }

// GELUNew: for i: x[i] = x[i] / (1 + exp(-2√(2/π)(x[i] + 0.044715·x[i]³)))
func GELUNew(x []float32) { geluNewPortable(x) }

// SiLU: for i: x[i] = x[i] / (1 + exp(-x[i]))
func SiLU(x []float32) { siluPortable(x) }

// Max: for i: m = max(m, x[i]); any value when there is a NaN
func Max(x []float32) float32 { return maxPortable(x) }

// SumZero: for i: s += x[i] - x[i], 0 when all are finite, else NaN
func SumZero(x []float32) float32 { return sumZeroPortable(x) }

// ExpSum: for i: dst[i] = exp(x[i]-top); s += dst[i], in lanes
func ExpSum(dst, x []float32, top float32) float32 { return expSumPortable(dst, x, top) }

// SumExp: for i: s += exp(x[i]-top), in lanes
func SumExp(x []float32, top float32) float32 { return sumExpPortable(x, top) }

// KLDivergence: for i: if p := exp(logp[i]); p != 0 { s = fma(p, logp[i]-logq[i], s) }, in float64 lanes
func KLDivergence(logp, logq []float32) float64 { return klDivergencePortable(logp, logq) }

// SquaredDistance: for i: s = fma(a[i]-b[i], a[i]-b[i], s), in float64 lanes
func SquaredDistance(a, b []float32) float64 { return squaredDistancePortable(a, b) }

// KLTerms: for i: d = y[i] - x[i]; mean += p[i]·d; beyond += p[i]·φ(d),
// φ(d) = exp(d) - 1 - d; largest = max(largest, d), from 0. Lanes add in
// float32 for 512 elements, then in float64.
func KLTerms(p, x, y []float32) (mean, beyond float64, largest float32) {
	return klTermsPortable(p, x, y)
}

// LayerNorm: for i < rows: mean = Σx[i,j]/cols, variance = Σ(x[i,j]-mean)²/cols,
// dst[i,j] = (x[i,j]-mean)/√(variance+eps), then ·w[j] + b[j] unless w is nil.
// The sums run in 64 lanes; cols > 0.
func LayerNorm(dst []float32, ldd int, x []float32, ldx int, w, b []float32, rows, cols int, eps float32) {
	layerNormPortable(dst, ldd, x, ldx, w, b, rows, cols, eps)
}

// CausalSoftmax: for t < n: x[t,j] = exp(scale·x[t,j] - max)/Σ for j ≤ t, and 0
// for t < j < n, in the order of ExpSum; n ≤ 1024.
func CausalSoftmax(x []float32, ld, n int, scale float32) { causalSoftmaxPortable(x, ld, n, scale) }
