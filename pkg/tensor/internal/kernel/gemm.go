package kernel

import "sync"

// scratch holds buffers between calls.
var scratch = sync.Pool{New: func() any { return new([]float32) }}

// borrow returns a buffer of n values of any content; hand it back with
// scratch.Put.
func borrow(n int) *[]float32 {
	buf := scratch.Get().(*[]float32)
	if cap(*buf) < n {
		*buf = make([]float32, n)
	}
	*buf = (*buf)[:n]
	return buf
}

// MulNT: c [m,n] = a [m,k] · (scale·b [n,k])ᵀ, in Gemm's order
func MulNT(c []float32, ldc int, a []float32, lda int, b []float32, ldb, m, n, k int, scale float32) {
	buf := borrow(PackedLen(k, n))
	PackTransposed(*buf, b, ldb, k, n, scale)
	Gemm(c, ldc, a, lda, m, k, *buf, n, 0, Panels(n), false)
	scratch.Put(buf)
}

// mulNNPacked: c [m,n] = a [m,k] · b [k,n], in Gemm's order
func mulNNPacked(c []float32, ldc int, a []float32, lda int, b []float32, ldb, m, n, k int) {
	buf := borrow(PackedLen(k, n))
	Pack(*buf, b, ldb, k, n)
	Gemm(c, ldc, a, lda, m, k, *buf, n, 0, Panels(n), false)
	scratch.Put(buf)
}
