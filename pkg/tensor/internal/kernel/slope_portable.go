package kernel

// slopeEnd is where the slopes of activation functions end: beyond it they are
// within 1e-35 of 0 or 1, and the squares in their formulas would overflow.
const slopeEnd = 86

// clamp keeps NaN.
func clamp(x float32) float32 {
	if x < -slopeEnd {
		return -slopeEnd
	}
	if x > slopeEnd {
		return slopeEnd
	}
	return x
}

func mulToPortable(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] * b[i]
	}
}

func mulAddPortable(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] += float32(a[i] * b[i])
	}
}

func sumPortable(x []float32) float32 {
	var lanes [16]float32
	for i, v := range x {
		lanes[i&15] += v
	}
	return tree(&lanes)
}

func dotPortable(a, b []float32) float32 {
	var lanes [16]float32
	b = b[:len(a)]
	for i, v := range a {
		lanes[i&15] += float32(v * b[i])
	}
	return tree(&lanes)
}

func reluBackwardPortable(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		if !(x[i] > 0) {
			dst[i] = 0
		}
	}
}

func geluBackwardPortable(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] *= geluSlope(clamp(x[i]))
	}
}

func geluNewBackwardPortable(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] *= geluNewSlope(clamp(x[i]))
	}
}

func siluBackwardPortable(dst, x []float32) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] *= siluSlope(clamp(x[i]))
	}
}

const density = 0.39894228040143267794 // 1/√(2π), the normal density at 0

// geluSlope returns Φ(x) + x·φ(x).
func geluSlope(x float32) float32 {
	e := exp(float32(x*x) * -0.5)
	return float32(float32(e*density)*x) + normalCDF(x)
}

// geluNewSlope returns s - s(1-s)·x·(a+3b·x²) with s = 1/(1+exp(x(a+b·x²))).
func geluNewSlope(x float32) float32 {
	square := x * x
	inner := (float32(square*(3*geluB)) + geluA) * x
	s := 1 / (1 + exp(x*(float32(square*geluB)+geluA)))
	return s - float32(float32(s*(1-s))*inner)
}

// siluSlope returns s + s(1-s)·x with s = 1/(1+exp(-x)).
func siluSlope(x float32) float32 {
	s := 1 / (1 + exp(-x))
	return s + float32(float32(s*(1-s))*x)
}
