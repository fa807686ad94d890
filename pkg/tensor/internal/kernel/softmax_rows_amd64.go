//go:build amd64 && !noasm

package kernel

// SoftmaxRows: for i < len(at), t = at[i]: x[i,j] = exp(x[i,j] - max)/Σ for
// j ≤ t, and 0 for t < j < n, in the order of ExpSum; t < n ≤ 1024.
func SoftmaxRows(x []float32, ld, n int, at []int) {
	switch set := active(); {
	case set == portable || len(at) == 0:
		softmaxRowsPortable(x, ld, n, at)
	case set == avx512:
		softmaxRowsAVX512(&x[0], ld, n, &at[0], len(at))
	default:
		softmaxRowsAVX2(&x[0], ld, n, &at[0], len(at))
	}
}
