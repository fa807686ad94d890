//go:build (!amd64 && !arm64) || noasm

package kernel

// Gemm: c = a·b, or c += a·b with add, for the columns of b's panels
// [from,to); c [m,n], a [m,k], b [k,n] packed by Pack.
//
//	for each block [k0, k0+KC) of [0,k): acc = 0
//		for l in block: acc = fma(a[i,l], b[l,j], acc)
//		c[i,j] += acc
func Gemm(c []float32, ldc int, a []float32, lda, m, k int, b []float32, n, from, to int, add bool) {
	gemmPortable(c, ldc, a, lda, m, k, b, n, from, to, add)
}

// MulNN: c [m,n] = a [m,k] · b [k,n], in Gemm's order
func MulNN(c []float32, ldc int, a []float32, lda int, b []float32, ldb, m, n, k int) {
	mulNNPacked(c, ldc, a, lda, b, ldb, m, n, k)
}

// transpose8 would do whole eights of columns of
//
//	for i < 8, l < k: dst[l·ldd+i] = scale·src[i·lds+l]
//
// and return their number.
func transpose8([]float32, int, []float32, int, int, float32) int { return 0 }

// FMALoop has nothing to measure without assembly; it returns 0.
func FMALoop(int) (flops int) { return 0 }
