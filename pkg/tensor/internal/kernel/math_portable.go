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

// erfSplit is where gelu changes its approximation.
const erfSplit = 0.927734375

// erfCoefficients, N. Juffa's: erf z ≈ z + z(c0 + c1·z² + … + c5·z¹⁰) for
// |z| ≤ erfSplit.
var erfCoefficients = [6]float32{
	1.28379166e-1, -3.76125336e-1, 1.12819925e-1,
	-2.67681349e-2, 4.99119423e-3, -5.96761703e-4,
}

// erfcCoefficients, N. Juffa's: erfc t ≈ exp(-t + t(c0 + c1·t + … + c6·t⁶))
// for t > erfSplit.
var erfcCoefficients = [7]float32{
	-1.28717512e-1, -6.34846687e-1, -1.06777877e-1,
	2.42546219e-2, -3.88396438e-3, 3.83197126e-4, -1.72853470e-5,
}

// gelu returns x·Φ(x).
func gelu(x float32) float32 { return x * normalCDF(x) }

// normalCDF returns Φ(x), with z = x/√2: (1 + erf z)/2 near 0, else
// erfc(-z)/2 or 1 - erfc(z)/2, which loses no digits where Φ is small.
func normalCDF(x float32) float32 {
	z := float32(x * sqrtHalf)
	t, s := float32(math.Abs(float64(z))), z*z
	if !(t > erfSplit) {
		c := &erfCoefficients
		p := c[5]
		for i := 4; i >= 0; i-- {
			p = float32(p*s) + c[i]
		}
		e := float32(p*z) + z
		return float32(0.5*e) + 0.5
	}
	c := &erfcCoefficients
	p := float32((float32(c[6]*t)+c[5])*s) + (float32(c[4]*t) + c[3])
	for i := 2; i >= 0; i-- {
		p = float32(p*t) + c[i]
	}
	tail := 0.5 * exp(float32(p*t)-t)
	if z < 0 {
		return tail
	}
	return 1 - tail
}

const (
	phiLow  = -86.25 // below it eᵈ is nothing beside -1 - d
	phiHigh = 88     // above it phi stays finite, but is too small
)

// phiCoefficients make (eʳ - 1 - r)/r² ≈ 1/2 + c0·r + … + c4·r⁵ for
// |r| ≤ ln 2/2, with the smallest relative error, 6e-8.
var phiCoefficients = [5]float32{0.166666665, 0.0416664652, 0.00833336075, 0.00139336302, 0.000198578117}

// phi returns φ(d) = eᵈ - 1 - d, relative error < 1e-6 up to d = 88. With
// d = n·ln 2 + r it is 2ⁿ·φ(r) + 2ⁿ·r + (2ⁿ - 1 - d); n is 0 for small d,
// and then the last two terms cancel exactly.
func phi(d float32) float32 {
	x := d
	if x < phiLow {
		x = phiLow
	}
	if x > phiHigh {
		x = phiHigh
	}
	t := float32(x*log2e) + rounding
	n := t - rounding
	r := x - float32(n*ln2High)
	r -= float32(n * ln2Low)
	c := &phiCoefficients
	p := c[4]
	for i := 3; i >= 0; i-- {
		p = float32(p*r) + c[i]
	}
	p = float32(p*r) + 0.5
	p *= float32(r * r)
	s := math.Float32frombits((math.Float32bits(t) + 127) << 23)
	v := (s - 1) - d
	v += float32(s * r)
	return v + float32(s*p)
}
