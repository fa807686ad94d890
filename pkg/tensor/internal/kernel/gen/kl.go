package main

import "fmt"

// The registers of klTerms beside those of every rowLoop: the largest d in 8
// and 9, Σ p·d and Σ p·φ(d) from 12 on. The frame holds their float64 lanes.
const (
	klLargest = 8
	klFlush   = 512 // elements between two flushes, as in rows_portable.go
	klFrame   = 2 * 16 * 8
)

// writeKL writes a loop that a rowLoop does not cover: float32 lanes which are
// flushed to float64 ones, and three results.
func writeKL(f *file) {
	f.functionFrame("klTerms", "for i: d = y[i] - x[i]; mean += p[i]·d; beyond += p[i]·φ(d), φ(d) = exp(d) - 1 - d; largest = max(largest, d)",
		"(p, x, y []float32) (mean, beyond float64, largest float32)", klFrame, 92)
	for i, s := range []string{"p", "x", "y"} {
		f.in("MOVQ", fmt.Sprintf("%s_base+%d(FP)", s, 24*i), pointers[i])
	}
	f.in("MOVQ", "p_len+8(FP)", "CX")
	f.zero(0, klLargest, klLargest+1)
	for at := 0; at < klFrame; at += 4 * f.width {
		f.in("VMOVUPS", 0, klAt(at))
	}
	f.label("outer")
	f.zero(lanes0, lanes0+1, lanes0+2, lanes0+3)
	f.in("MOVQ", fmt.Sprintf("$%d", klFlush/16), "BX")
	f.label("loop")
	f.in("CMPQ", "CX", "$16")
	f.in("JLT", "tail")
	f.klStep(false)
	for i := range 3 {
		f.in("ADDQ", "$64", pointers[i])
	}
	f.in("SUBQ", "$16", "CX")
	f.in("DECQ", "BX")
	f.in("JNZ", "loop")
	f.klFlush()
	f.in("JMP", "outer")
	f.label("tail")
	f.in("TESTQ", "CX", "CX")
	f.in("JZ", "done")
	f.setMask("CX")
	f.klStep(true)
	f.label("done")
	f.klFlush()
	for s, result := range []string{"mean+72(FP)", "beyond+80(FP)"} {
		for r := range 2 * f.parts() {
			f.in("VMOVUPS", klAt(128*s+4*f.width*r), lanes0+r)
		}
		f.fold64()
		f.in("VMOVSD", "X12", result)
	}
	for p := range f.parts() {
		f.in("VMOVAPS", klLargest+p, lanes0+p)
	}
	f.fold("VMAXPS")
	f.in("VMOVSS", "X12", "largest+88(FP)")
	f.end()
}

func klAt(at int) string { return fmt.Sprintf("lanes-%d(SP)", klFrame-at) }

func (f *file) zero(registers ...int) {
	for _, r := range registers {
		f.in("VPXOR"+f.q(), r, r, r)
	}
}

// klFlush adds the float32 lanes to the frame's.
func (f *file) klFlush() {
	for s := range 2 {
		for p := range f.parts() {
			f.widen(lanes0+s*f.parts()+p, 0, 1)
			for half := range 2 {
				at := klAt(128*s + 8*f.width*p + 4*f.width*half)
				f.in("VADDPD", at, half, half)
				f.in("VMOVUPS", half, at)
			}
		}
	}
}

func (f *file) klStep(masked bool) {
	for p := range f.parts() {
		f.klPart(step{part: p, masked: masked})
	}
}

// klPart: as phi in math_portable.go, which explains the steps. Register 0 is
// d, 7 is p, 1 becomes 2ⁿ, 2 is r, 4 is φ(r), 5 becomes φ(d).
func (f *file) klPart(s step) {
	f.load(s, 2, 0)
	f.load(s, 1, 1)
	f.load(s, 0, 7)
	f.in("VSUBPS", 1, 0, 0)
	f.in("VMAXPS", 0, klLargest+s.part, klLargest+s.part)
	f.in("VFMADD231PS", 0, 7, lanes0+s.part)
	f.in("VMOVUPS", cPhiLow, 1)
	f.in("VMAXPS", 0, 1, 2)
	f.in("VMOVUPS", cPhiHigh, 1)
	f.in("VMINPS", 2, 1, 2)
	f.in("VMOVUPS", cLog2e, 1)
	f.in("VFMADD213PS", cRounding, 2, 1)
	f.in("VSUBPS", cRounding, 1, 3)
	f.in("VFNMADD231PS", cLn2High, 3, 2)
	f.in("VFNMADD231PS", cLn2Low, 3, 2)
	f.in("VPADDD", cBiasOne, 1, 1)
	f.in("VPSLLD", "$23", 1, 1)
	f.in("VMOVUPS", cPhi5, 4)
	for c := cPhi4; c >= cPhi1; c-- {
		f.in("VFMADD213PS", c, 2, 4)
	}
	f.in("VFMADD213PS", cHalf, 2, 4)
	f.in("VMULPS", 2, 2, 5)
	f.in("VMULPS", 5, 4, 4)
	f.in("VSUBPS", cOne, 1, 5)
	f.in("VSUBPS", 0, 5, 5)
	f.in("VFMADD231PS", 1, 2, 5)
	f.in("VFMADD231PS", 1, 4, 5)
	f.in("VFMADD231PS", 5, 7, lanes0+f.parts()+s.part)
}
