package kernel

func softmaxRowsPortable(x []float32, ld, n int, at []int) {
	for i, t := range at {
		row := x[i*ld : i*ld+n]
		valid := row[:t+1]
		sum := expSumPortable(valid, valid, maxPortable(valid))
		scalePortable(valid, float32(1/float64(sum)))
		clear(row[t+1:])
	}
}
