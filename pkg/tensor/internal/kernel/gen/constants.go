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
	cErfHigh
	cErfLow
	cErfP0
	cErfP1
	cErfP2
	cErfP3
	cErfP4
	cErfP5
	cErfP6
	cErfQ0
	cErfQ1
	cErfQ2
	cErfQ3
	cErfQ4
	cGeluA
	cGeluB
	constantCount
)

// values are those of math_portable.go, where they are explained.
var values = [constantCount]float64{
	cOne: 1, cHalf: 0.5, cSign: math.Copysign(0, -1), cNegInf: math.Inf(-1),
	cExpLow: -86.25, cExpHigh: 89, cLog2e: 1.44269504,
	cLn2High: 0.693359375, cLn2Low: -2.12194440e-4, cRounding: 12582912,
	cExp0: 5.0000001201e-1, cExp1: 1.6666665459e-1, cExp2: 4.1665795894e-2,
	cExp3: 8.3334519073e-3, cExp4: 1.3981999507e-3, cExp5: 1.9875691500e-4,
	cSqrtHalf: 0.70710678118654752440, cErfHigh: 3.925, cErfLow: -3.925,
	cErfP0: -1.60960333262415e-02, cErfP1: -2.95459980854025e-03, cErfP2: -7.34990630326855e-04,
	cErfP3: -5.69250639462346e-05, cErfP4: -2.10102402082508e-06, cErfP5: 2.77068142495902e-08,
	cErfP6: -2.72614225801306e-10,
	cErfQ0: -1.42647390514189e-02, cErfQ1: -7.37332916720468e-03, cErfQ2: -1.68282697438203e-03,
	cErfQ3: -2.13374055278905e-04, cErfQ4: -1.45660718464996e-05,
	cGeluA: -1.59576912160573071176, cGeluB: -1.59576912160573071176 * 0.044715,
}

// writeConstants writes the table of constants and the table of masks.
func writeConstants(f *file) {
	fmt.Fprintln(&f.buf)
	for c, v := range values {
		bits := math.Float32bits(float32(v))
		if constant(c) == cBias {
			bits = 126
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
