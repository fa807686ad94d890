package kernel

import "math"

func addToPortable(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

func subToPortable(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] - b[i]
	}
}

func axpyPortable(dst, x []float32, alpha float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] += float32(alpha * x[i])
	}
}

func scalePortable(x []float32, s float32) {
	for i := range x {
		x[i] *= s
	}
}

func subScalarsPortable(dst, x []float32, s, t float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = (x[i] - s) - t
	}
}

func reluPortable(x []float32) {
	for i, v := range x {
		if v < 0 {
			x[i] = 0
		}
	}
}

func geluPortable(x []float32) {
	for i, v := range x {
		x[i] = gelu(v)
	}
}

func geluNewPortable(x []float32) {
	for i, v := range x {
		x[i] = geluNew(v)
	}
}

func siluPortable(x []float32) {
	for i, v := range x {
		x[i] = silu(v)
	}
}

// tree adds 16 lanes: i with i+8, then i+4, i+2, i+1.
func tree[T float32 | float64](lanes *[16]T) T {
	for w := 8; w > 0; w /= 2 {
		for i := range w {
			lanes[i] += lanes[i+w]
		}
	}
	return lanes[0]
}

// tree64 is tree for 64 lanes: i with i+32 and i+16 first.
func tree64(lanes *[64]float32) float32 {
	var sum [16]float32
	for i := range sum {
		sum[i] = (lanes[i] + lanes[i+32]) + (lanes[i+16] + lanes[i+48])
	}
	return tree(&sum)
}

func layerNormPortable(dst []float32, ldd int, x []float32, ldx int, w, b []float32, rows, cols int, eps float32) {
	n := float32(cols)
	for i := range rows {
		to, from := dst[i*ldd:i*ldd+cols], x[i*ldx:i*ldx+cols]
		var lanes [64]float32
		for j, v := range from {
			lanes[j&63] += v
		}
		mean := tree64(&lanes) / n
		lanes = [64]float32{}
		for j, v := range from {
			d := v - mean
			lanes[j&63] += float32(d * d)
		}
		variance := tree64(&lanes) / n
		inv := float32(1 / math.Sqrt(float64(variance+eps)))
		for j, v := range from {
			to[j] = (v - mean) * inv
		}
		if w != nil {
			for j, v := range to {
				to[j] = float32(v*w[j]) + b[j]
			}
		}
	}
}

func causalSoftmaxPortable(x []float32, ld, n int, scale float32) {
	for t := range n {
		row := x[t*ld : t*ld+n]
		valid := row[:t+1]
		scalePortable(valid, scale)
		sum := expSumPortable(valid, valid, maxPortable(valid))
		scalePortable(valid, float32(1/float64(sum)))
		clear(row[t+1:])
	}
}

func maxPortable(x []float32) float32 {
	m := x[0]
	for _, v := range x {
		if v > m || v != v {
			m = v
		}
	}
	return m
}

func sumZeroPortable(x []float32) float32 {
	var lanes [16]float32
	for i, v := range x {
		lanes[i&15] += v - v
	}
	return tree(&lanes)
}

func expSumPortable(dst, x []float32, top float32) float32 {
	var lanes [16]float32
	dst = dst[:len(x)]
	for i, v := range x {
		e := exp(v - top)
		dst[i] = e
		lanes[i&15] += e
	}
	return tree(&lanes)
}

func sumExpPortable(x []float32, top float32) float32 {
	var lanes [16]float32
	for i, v := range x {
		lanes[i&15] += exp(v - top)
	}
	return tree(&lanes)
}

func klDivergencePortable(logp, logq []float32) float64 {
	var lanes [16]float64
	logq = logq[:len(logp)]
	for i, lp := range logp {
		if p := exp(lp); p != 0 {
			lanes[i&15] += float64(p) * float64(lp-logq[i])
		}
	}
	return tree(&lanes)
}

func squaredDistancePortable(a, b []float32) float64 {
	var lanes [16]float64
	b = b[:len(a)]
	for i, v := range a {
		d := float64(v) - float64(b[i])
		lanes[i&15] += d * d
	}
	return tree(&lanes)
}

// klFlush is the length over which klTerms adds in float32.
const klFlush = 512

func klTermsPortable(p, x, y []float32) (mean, beyond float64, largest float32) {
	var means, beyonds [16]float64
	x, y = x[:len(p)], y[:len(p)]
	for from := 0; from < len(p); from += klFlush {
		var m, b [16]float32
		for i := from; i < min(from+klFlush, len(p)); i++ {
			d := y[i] - x[i]
			if d > largest {
				largest = d
			}
			m[i&15] += float32(p[i] * d)
			b[i&15] += float32(p[i] * phi(d))
		}
		for i := range m {
			means[i] += float64(m[i])
			beyonds[i] += float64(b[i])
		}
	}
	return tree(&means), tree(&beyonds), largest
}
