//go:build !amd64 || noasm

package kernel

// SubRows: for i < rows, j < cols: dst[i,j] = a[ia[i],j] - b[ib[i],j]; ia[i] is
// i where ia is nil, and so is ib[i].
func SubRows(dst []float32, ldd int, a []float32, lda int, ia []int, b []float32, ldb int, ib []int, rows, cols int) {
	subRowsPortable(dst, ldd, a, lda, ia, b, ldb, ib, rows, cols)
}
