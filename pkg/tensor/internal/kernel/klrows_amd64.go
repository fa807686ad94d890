//go:build amd64 && !noasm

package kernel

// KLTermsRows: for i < len(pick): mean[i], beyond[i], largest[i] = KLTerms of
// rows pick[i] of p and x and row i of y, cols ≤ KLColumns.
func KLTermsRows(p []float32, ldp int, x []float32, ldx int, pick []int, y []float32, ldy, cols int, mean, beyond []float64, largest []float32) {
	rows := len(pick)
	switch set := active(); {
	case set == portable || rows == 0 || cols == 0:
		klTermsRowsPortable(p, ldp, x, ldx, pick, y, ldy, cols, mean, beyond, largest)
	case set == avx512:
		klTermsRowsAVX512(&p[0], ldp, &x[0], ldx, &pick[0], &y[0], ldy, rows, cols, &mean[0], &beyond[0], &largest[0])
	default:
		klTermsRowsAVX2(&p[0], ldp, &x[0], ldx, &pick[0], &y[0], ldy, rows, cols, &mean[0], &beyond[0], &largest[0])
	}
}
