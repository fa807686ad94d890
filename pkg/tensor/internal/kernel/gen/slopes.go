package main

// slopeLoops go backward through the activation functions: the gradient dst
// with respect to what one gave becomes that with respect to its input x. What
// is computed is explained in slope_portable.go.
var slopeLoops = []rowLoop{
	{name: "reluBackward", doc: "for i: if !(x[i] > 0) { dst[i] = 0 }",
		slices: []string{"dst", "x"}, body: reluBackward},
	{name: "geluBackward", doc: "for i: dst[i] *= Φ(x[i]) + x[i]·φ(x[i])",
		slices: []string{"dst", "x"}, body: timesSlope(geluSlope)},
	{name: "geluNewBackward", doc: "for i: dst[i] *= s - s(1-s)·u'(x[i])·x[i], s = 1/(1+exp(x[i]·(a+b·x[i]²)))",
		slices: []string{"dst", "x"}, body: timesSlope(geluNewSlope)},
	{name: "siluBackward", doc: "for i: dst[i] *= s + s(1-s)·x[i], s = 1/(1+exp(-x[i]))",
		slices: []string{"dst", "x"}, body: timesSlope(siluSlope)},
}

func reluBackward(f *file, s step) {
	f.load(s, 1, 0)
	f.load(s, 0, 1)
	f.in("VPXOR"+f.q(), 2, 2, 2)
	if f.isa == avx512 {
		f.in("VCMPPS", "$0x1e", 2, 0, "K2") // greater
		f.in("VMOVAPS.Z", 1, "K2", 1)
	} else {
		f.in("VCMPPS", "$0x1e", 2, 0, 0)
		f.in("VANDPS", 0, 1, 1)
	}
	f.store(s, 1, 0)
}

// timesSlope multiplies dst by a function that takes x, clamped, in register 0
// and leaves its result there.
func timesSlope(slope func(f *file)) func(f *file, s step) {
	return func(f *file, s step) {
		f.load(s, 1, 0)
		f.in("VMOVUPS", cSlopeLow, 1)
		f.in("VMAXPS", 0, 1, 0)
		f.in("VMOVUPS", cSlopeHigh, 1)
		f.in("VMINPS", 0, 1, 0)
		slope(f)
		f.load(s, 0, 1)
		f.in("VMULPS", 0, 1, 0)
		f.store(s, 0, 0)
	}
}

func geluSlope(f *file) {
	normalCDF(f)
	f.in("VMULPS", 6, 6, 0)
	f.in("VMULPS", cMinusHalf, 0, 0)
	exp(f)
	f.in("VMULPS", cDensity, 0, 0)
	f.in("VFMADD213PS", 5, 6, 0)
}

// geluNewSlope: register 5 is x·(a+3b·x²).
func geluNewSlope(f *file) {
	f.in("VMULPS", 0, 0, 7)
	f.in("VMOVUPS", cGeluB3, 5)
	f.in("VFMADD213PS", cGeluA, 7, 5)
	f.in("VMULPS", 0, 5, 5)
	f.in("VMOVUPS", cGeluB, 1)
	f.in("VFMADD213PS", cGeluA, 7, 1)
	f.in("VMULPS", 1, 0, 0)
	sigmoidAndRest(f)
	f.in("VFNMADD231PS", 5, 1, 0)
}

func siluSlope(f *file) {
	f.in("VMOVAPS", 0, 6)
	f.in("VXORPS", cSign, 0, 0)
	sigmoidAndRest(f)
	f.in("VFMADD231PS", 6, 1, 0)
}

// sigmoidAndRest: register 0 = s = 1/(1 + exp(register 0)), 1 = s(1-s)
func sigmoidAndRest(f *file) {
	exp(f)
	f.in("VADDPS", cOne, 0, 0)
	f.in("VMOVUPS", cOne, 1)
	f.in("VDIVPS", 0, 1, 0)
	f.in("VSUBPS", 0, 1, 1)
	f.in("VMULPS", 0, 1, 1)
}
