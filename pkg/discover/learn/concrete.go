package learn

import (
	"math"
	"math/rand/v2"
)

// The hard concrete distribution (Louizos et al. 2018, arXiv:1712.01312): with u
// uniform,
//
//	z = clamp((ζ − γ)·σ((log u − log(1−u) + s)/β) + γ, 0, 1).
const (
	Beta  = 2. / 3
	Gamma = -0.1
	Zeta  = 1.1
)

// shift is −β log(−γ/ζ).
var shift = -Beta * math.Log(-Gamma/Zeta)

// Sigmoid is 1/(1+e^−x).
func Sigmoid(x float64) float64 {
	if x < 0 {
		e := math.Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-x))
}

// Sample draws z, and its derivative with respect to s; u is at least edge from
// 0 and 1.
func Sample(rng *rand.Rand, s, edge float64) (z, slope float64) {
	u := edge + (1-2*edge)*rng.Float64()
	return concrete(u, s)
}

func concrete(u, s float64) (z, slope float64) {
	y := Sigmoid((math.Log(u) - math.Log1p(-u) + s) / Beta)
	z = (Zeta-Gamma)*y + Gamma
	switch {
	case z <= 0:
		return 0, 0
	case z >= 1:
		return 1, 0
	}
	return z, (Zeta - Gamma) * y * (1 - y) / Beta
}

// Open is the probability that z is above 0, σ(s − β log(−γ/ζ)), and its
// derivative.
func Open(s float64) (p, slope float64) {
	p = Sigmoid(s + shift)
	return p, p * (1 - p)
}

// Mean is the expectation of z.
func Mean(s float64) float64 {
	const points = 256
	sum := 0.0
	for i := range points {
		z, _ := concrete((float64(i)+0.5)/points, s)
		sum += z
	}
	return sum / points
}
