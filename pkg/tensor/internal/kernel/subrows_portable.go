package kernel

func subRowsPortable(dst []float32, ldd int, a []float32, lda int, ia []int, b []float32, ldb int, ib []int, rows, cols int) {
	for i := range rows {
		p, q := i, i
		if ia != nil {
			p = ia[i]
		}
		if ib != nil {
			q = ib[i]
		}
		subToPortable(dst[i*ldd:i*ldd+cols], a[p*lda:p*lda+cols], b[q*ldb:q*ldb+cols])
	}
}
