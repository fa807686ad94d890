package kernel

import "sync"

// scratch holds buffers between calls.
var scratch = sync.Pool{New: func() any { return new([]float32) }}

// Borrow returns a buffer of n values of any content; hand it back with
// Return.
func Borrow(n int) *[]float32 {
	buf := scratch.Get().(*[]float32)
	if cap(*buf) < n {
		*buf = make([]float32, n)
	}
	*buf = (*buf)[:n]
	return buf
}

// Return takes back what Borrow returned.
func Return(buf *[]float32) { scratch.Put(buf) }

// MulNT: c [m,n] = a [m,k] · (scale·b [n,k])ᵀ, in Gemm's order
func MulNT(c []float32, ldc int, a []float32, lda int, b []float32, ldb, m, n, k int, scale float32) {
	buf := Borrow(PackedLen(k, n))
	PackTransposed(*buf, b, ldb, k, n, scale)
	Gemm(c, ldc, a, lda, m, k, *buf, n, 0, Panels(n), false)
	Return(buf)
}

// mulNNPacked: c [m,n] = a [m,k] · b [k,n], in Gemm's order
func mulNNPacked(c []float32, ldc int, a []float32, lda int, b []float32, ldb, m, n, k int) {
	buf := Borrow(PackedLen(k, n))
	Pack(*buf, b, ldb, k, n)
	Gemm(c, ldc, a, lda, m, k, *buf, n, 0, Panels(n), false)
	Return(buf)
}

// CausalScores: c[i,j] = Σ_l a[i,l]·scale·b[j,l] for j ≤ i of [t,t], in Gemm's
// order; what c holds elsewhere is of no use. a and b are [t,k].
func CausalScores(c []float32, ldc int, a []float32, lda int, b []float32, ldb, t, k int, scale float32) {
	buf := Borrow(PackedLen(k, t))
	PackTransposed(*buf, b, ldb, k, t, scale)
	for p := range Panels(t) {
		from := p * NR / MR * MR
		Gemm(c[from*ldc:], ldc, a[from*lda:], lda, t-from, k, *buf, t, p, p+1, false)
	}
	Return(buf)
}

// CausalMix: c [t,n] = a [t,t] · b [t,n] of an a whose elements j > i are 0, in
// Gemm's order but for those.
func CausalMix(c []float32, ldc int, a []float32, lda int, b []float32, ldb, t, n int) {
	for i := 0; i < t; i += 2 * MR {
		to := min(i+2*MR, t)
		MulNN(c[i*ldc:], ldc, a[i*lda:], lda, b, ldb, to-i, n, to)
	}
}
