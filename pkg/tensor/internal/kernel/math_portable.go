package kernel

import "math"

// Constants of the exponential; the assembly uses the same.
const (
	expLow   = -86.25         // below it exp is 0: 2ⁿ stays a normal number
	expHigh  = 89             // above it exp is +Inf
	log2e    = 1.44269504     // 1/ln 2
	ln2High  = 0.693359375    // ln 2 to 9 bits, so that n·ln2High is exact
	ln2Low   = -2.12194440e-4 // ln 2 - ln2High
	rounding = 12582912       // 1.5·2²³: adding it rounds to an integer
)

// expCoefficients are those of Cephes' expf:
// eʳ ≈ 1 + r + r²(e0 + e1·r + … + e5·r⁵) for |r| ≤ ln 2/2.
var expCoefficients = [6]float32{
	5.0000001201e-1, 1.6666665459e-1, 4.1665795894e-2,
	8.3334519073e-3, 1.3981999507e-3, 1.9875691500e-4,
}

// exp returns eˣ: 0 below -86.25, +Inf above 88.73, relative error < 2e-7.
func exp(x float32) float32 {
	if x < expLow {
		return 0
	}
	if x > expHigh {
		x = expHigh
	}
	t := float32(x*log2e) + rounding
	n := t - rounding
	r := x - float32(n*ln2High)
	r -= float32(n * ln2Low)
	c := &expCoefficients
	p := c[5]
	for i := 4; i >= 0; i-- {
		p = float32(p*r) + c[i]
	}
	y := float32(float32(r*r)*p) + r
	y++
	// t's last bits are n. 2ⁿ⁻¹ and a doubling let n = 128 pass and the
	// overflow become +Inf.
	y *= math.Float32frombits((math.Float32bits(t) + 126) << 23)
	return y + y
}

// erf's rational approximation for |z| ≤ erfHigh, beyond which it is 1 in
// float32: z·P(z²)/Q(z²) (the coefficients are Eigen's, MPL 2.0).
const erfHigh = 3.925

const (
	sqrtHalf = 0.70710678118654752440
	geluA    = -1.59576912160573071176 // -2√(2/π)
	geluB    = geluA * 0.044715
)

// geluNew returns x/(1+exp(-2√(2/π)(x+0.044715x³))).
func geluNew(x float32) float32 {
	u := float32(float32(x*x)*geluB) + geluA
	return x / (1 + exp(x*u))
}

// silu returns x/(1+exp(-x)).
func silu(x float32) float32 { return x / (1 + exp(-x)) }

// gelu returns x/2·(1+erf(x/√2)).
func gelu(x float32) float32 {
	return float32(0.5*x) * (1 + erf(x*sqrtHalf))
}

var erfP = [7]float32{
	-1.60960333262415e-02, -2.95459980854025e-03, -7.34990630326855e-04,
	-5.69250639462346e-05, -2.10102402082508e-06, 2.77068142495902e-08,
	-2.72614225801306e-10,
}

var erfQ = [5]float32{
	-1.42647390514189e-02, -7.37332916720468e-03, -1.68282697438203e-03,
	-2.13374055278905e-04, -1.45660718464996e-05,
}

// erf returns the error function, absolute error < 2e-7, odd, and exactly
// ±1 from ±3.925.
func erf(z float32) float32 {
	switch {
	case z > erfHigh:
		return 1
	case z < -erfHigh:
		return -1
	}
	s := z * z
	p := erfP[6]
	for i := 5; i >= 0; i-- {
		p = float32(p*s) + erfP[i]
	}
	q := erfQ[4]
	for i := 3; i >= 0; i-- {
		q = float32(q*s) + erfQ[i]
	}
	return float32(z*p) / q
}
