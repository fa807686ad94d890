//go:build !amd64 || noasm

package kernel

// KLTermsRows: for i < len(pick): mean[i], beyond[i], largest[i] = KLTerms of
// rows pick[i] of p and x and row i of y, cols ≤ KLColumns.
func KLTermsRows(p []float32, ldp int, x []float32, ldx int, pick []int, y []float32, ldy, cols int, mean, beyond []float64, largest []float32) {
	klTermsRowsPortable(p, ldp, x, ldx, pick, y, ldy, cols, mean, beyond, largest)
}
