package kernel

// gemmOntoCopy is GemmOnto without kernels of its own: the base is copied
// first.
func gemmOntoCopy(c []float32, ldc int, base []float32, ldbase int, a []float32, lda, m, k int, b []float32, n int) {
	for i := range m {
		copy(c[i*ldc:i*ldc+n], base[i*ldbase:i*ldbase+n])
	}
	Gemm(c, ldc, a, lda, m, k, b, n, 0, Panels(n), true)
}
