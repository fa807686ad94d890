package main

import (
	"fmt"
	"math"
)

// constant names a row of the table of constants, each repeated 16 times.
type constant int

const (
	cOne constant = iota
	cHalf
	cSign
	cNegInf
	cExpLow
	cExpHigh
	cLog2e
	cLn2High
	cLn2Low
	cRounding
	cBias // 126, the exponent's bias less one, as an integer
	cExp0
	cExp1
	cExp2
	cExp3
	cExp4
	cExp5
	cSqrtHalf
	cAbs // all bits but the sign
	cErfSplit
	cErf0
	cErf1
	cErf2
	cErf3
	cErf4
	cErf5
	cErfc0
	cErfc1
	cErfc2
	cErfc3
	cErfc4
	cErfc5
	cErfc6
	cGeluA
	cGeluB
	cPhiLow
	cPhiHigh
	cBiasOne // 127, the exponent's bias, as an integer
	cPhi1
	cPhi2
	cPhi3
	cPhi4
	cPhi5
	cSlopeLow // beyond these two a slope is 0 or 1
	cSlopeHigh
	cMinusHalf
	cDensity // 1/√(2π)
	cGeluB3
	constantCount
)

// slopeEnd is where slopes end, as in slope_portable.go.
const slopeEnd = 86

// values are those of math_portable.go, where they are explained.
var values = [constantCount]float64{
	cOne: 1, cHalf: 0.5, cSign: math.Copysign(0, -1), cNegInf: math.Inf(-1),
	cExpLow: -86.25, cExpHigh: 89, cLog2e: 1.44269504,
	cLn2High: 0.693359375, cLn2Low: -2.12194440e-4, cRounding: 12582912,
	cExp0: 5.0000001201e-1, cExp1: 1.6666665459e-1, cExp2: 4.1665795894e-2,
	cExp3: 8.3334519073e-3, cExp4: 1.3981999507e-3, cExp5: 1.9875691500e-4,
	cSqrtHalf: 0.70710678118654752440, cErfSplit: 0.927734375,
	cErf0: 1.28379166e-1, cErf1: -3.76125336e-1, cErf2: 1.12819925e-1,
	cErf3: -2.67681349e-2, cErf4: 4.99119423e-3, cErf5: -5.96761703e-4,
	cErfc0: -1.28717512e-1, cErfc1: -6.34846687e-1, cErfc2: -1.06777877e-1,
	cErfc3: 2.42546219e-2, cErfc4: -3.88396438e-3, cErfc5: 3.83197126e-4, cErfc6: -1.72853470e-5,
	cGeluA: -1.59576912160573071176, cGeluB: -1.59576912160573071176 * 0.044715,
	cPhiLow: -86.25, cPhiHigh: 88,
	cPhi1: 0.166666665, cPhi2: 0.0416664652, cPhi3: 0.00833336075,
	cPhi4: 0.00139336302, cPhi5: 0.000198578117,
	cSlopeLow: -slopeEnd, cSlopeHigh: slopeEnd, cMinusHalf: -0.5,
	cDensity: 0.39894228040143267794, cGeluB3: 3 * -1.59576912160573071176 * 0.044715,
}

// writeConstants writes the table of constants and the table of masks.
func writeConstants(f *file) {
	fmt.Fprintln(&f.buf)
	for c, v := range values {
		bits := math.Float32bits(float32(v))
		switch constant(c) {
		case cBias:
			bits = 126
		case cBiasOne:
			bits = 127
		case cAbs:
			bits = 0x7fffffff
		}
		for i := range 8 {
			fmt.Fprintf(&f.buf, "DATA constants<>+%d(SB)/8, $0x%08x%08x\n", 64*c+8*i, bits, bits)
		}
	}
	fmt.Fprintf(&f.buf, "GLOBL constants<>(SB), RODATA|NOPTR, $%d\n", 64*constantCount)
	if f.isa == avx2 {
		writeMasks(f)
	}
}

// writeMasks writes 16 times -1, then 16 times 0: read from 4·n bytes before
// the middle, it masks n lanes.
func writeMasks(f *file) {
	fmt.Fprintln(&f.buf)
	for i := range 16 {
		v := "$-1"
		if i >= 8 {
			v = "$0"
		}
		fmt.Fprintf(&f.buf, "DATA masks<>+%d(SB)/8, %s\n", 8*i, v)
	}
	fmt.Fprintln(&f.buf, "GLOBL masks<>(SB), RODATA|NOPTR, $128")
}
