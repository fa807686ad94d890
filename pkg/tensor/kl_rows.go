package tensor

import "github.com/seed-2c350065/acdc/pkg/tensor/internal/kernel"

// KLTermsRows sets mean[i], beyond[i] and largest[i] to KLTerms of rows pick[i]
// of p and x and row i of y, to the bit.
func KLTermsRows(mean, beyond []float64, largest []float32, p, x Matrix, pick []int, y Matrix) {
	p.checkPicked("KLTermsRows", "p", pick, y)
	x.checkPicked("KLTermsRows", "x", pick, y)
	y.check("KLTermsRows", "y")
	for _, n := range []int{len(mean), len(beyond), len(largest), len(pick)} {
		sameLen("KLTermsRows", n, y.Rows)
	}
	if y.Cols <= kernel.KLColumns {
		kernel.KLTermsRows(p.Data, p.Stride, x.Data, x.Stride, pick, y.Data, y.Stride, y.Cols, mean, beyond, largest)
		return
	}
	for i, row := range pick {
		mean[i], beyond[i], largest[i] = KLTerms(p.Row(row), x.Row(row), y.Row(i))
	}
}
