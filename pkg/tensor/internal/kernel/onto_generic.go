//go:build !amd64 || noasm

package kernel

// GemmOnto: c = base + a·b, in Gemm's order; base [m,n] may be c.
func GemmOnto(c []float32, ldc int, base []float32, ldbase int, a []float32, lda, m, k int, b []float32, n int) {
	gemmOntoCopy(c, ldc, base, ldbase, a, lda, m, k, b, n)
}
