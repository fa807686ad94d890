//go:build amd64 && !noasm

package kernel

// SubRows: for i < rows, j < cols: dst[i,j] = a[ia[i],j] - b[ib[i],j]; ia[i] is
// i where ia is nil, and so is ib[i].
func SubRows(dst []float32, ldd int, a []float32, lda int, ia []int, b []float32, ldb int, ib []int, rows, cols int) {
	set := active()
	if set == portable || rows == 0 || cols == 0 {
		subRowsPortable(dst, ldd, a, lda, ia, b, ldb, ib, rows, cols)
		return
	}
	var pa, pb *int
	if ia != nil {
		pa = &ia[0]
	}
	if ib != nil {
		pb = &ib[0]
	}
	if set == avx512 {
		subRowsAVX512(&dst[0], ldd, &a[0], lda, pa, &b[0], ldb, pb, rows, cols)
	} else {
		subRowsAVX2(&dst[0], ldd, &a[0], lda, pa, &b[0], ldb, pb, rows, cols)
	}
}
