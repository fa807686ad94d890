package kernel

// KLColumns is how many columns KLTermsRows takes at most.
const KLColumns = klFlush

func klTermsRowsPortable(p []float32, ldp int, x []float32, ldx int, pick []int, y []float32, ldy, cols int, mean, beyond []float64, largest []float32) {
	for i, row := range pick {
		mean[i], beyond[i], largest[i] = KLTerms(p[row*ldp:row*ldp+cols], x[row*ldx:row*ldx+cols], y[i*ldy:i*ldy+cols])
	}
}
