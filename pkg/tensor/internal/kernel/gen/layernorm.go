package main

import "fmt"

// Registers of layerNorm: the sums' 64 lanes fill 12 to 15 (AVX-512) or 8 to
// 15 (AVX2), the mean is in 4, 1/√(variance + eps) in 5, AVX2's masks are 6
// and 7.
const (
	normMean = 4
	normInv  = 5
	normMask = 6
)

// normLane is the register of part p of lanes [16q, 16q+16).
func (f *file) normLane(q, p int) int {
	if f.isa == avx512 {
		return lanes0 + q
	}
	return 8 + 2*q + p
}

// writeLayerNorm writes the normalization of many rows. Pointers: DI and BX
// dst and its stride, SI and R9 x and its stride, DX and R8 w and b, R10 the
// rows left, R11 the columns, AX, CX and R12 scratch.
func writeLayerNorm(f *file) {
	f.mask = normMask
	defer func() { f.mask = mask0 }()
	f.function("layerNorm", "for i < rows: mean = Σx[i·ldx+j]/n, variance = Σ(x[i·ldx+j]-mean)²/n, dst[i·ldd+j] = (x[i·ldx+j]-mean)/√(variance+eps), ·w[j] + b[j] unless w is nil; n is cols",
		"(dst *float32, ldd int, x *float32, ldx int, w, b *float32, rows, cols int, n, eps float32)", 72)
	for i, r := range []string{"DI", "BX", "SI", "R9", "DX", "R8", "R10", "R11"} {
		name := []string{"dst", "ldd", "x", "ldx", "w", "b", "rows", "cols"}[i]
		f.in("MOVQ", fmt.Sprintf("%s+%d(FP)", name, 8*i), r)
	}
	f.in("SHLQ", "$2", "BX")
	f.in("SHLQ", "$2", "R9")
	f.in("MOVQ", "R11", "CX")
	f.in("ANDQ", "$15", "CX")
	f.setMask("CX")
	f.label("row")
	f.reduce64("mean", func(s step, acc int) {
		f.load(s, 1, 0)
		f.in("VADDPS", 0, acc, acc)
	})
	f.in("VDIVSS", "n+64(FP)", "X12", "X12")
	f.in("VBROADCASTSS", "X12", normMean)
	f.reduce64("variance", func(s step, acc int) {
		f.load(s, 1, 0)
		f.in("VSUBPS", normMean, 0, 0)
		f.clip(s, 0)
		f.in("VFMADD231PS", 0, 0, acc)
	})
	f.in("VDIVSS", "n+64(FP)", "X12", "X12")
	f.in("VADDSS", "eps+68(FP)", "X12", "X12")
	f.in("VCVTSS2SD", "X12", "X12", "X12")
	f.in("VSQRTSD", "X12", "X12", "X12")
	f.in("VMOVSS", "constants<>+"+fmt.Sprint(64*int(cOne))+"(SB)", "X0")
	f.in("VCVTSS2SD", "X0", "X0", "X0")
	f.in("VDIVSD", "X12", "X0", "X12")
	f.in("VCVTSD2SS", "X12", "X12", "X12")
	f.in("VBROADCASTSS", "X12", normInv)
	f.in("TESTQ", "DX", "DX")
	f.in("JZ", "plain")
	f.normalize("affine", true)
	f.label("next")
	f.in("ADDQ", "BX", "DI")
	f.in("ADDQ", "R9", "SI")
	f.in("DECQ", "R10")
	f.in("JNZ", "row")
	f.end()
	f.label("plain")
	f.normalize("plainLoop", false)
	f.in("JMP", "next")
}

// reduce64 folds body over the row at SI, element j in lane j mod 64, and adds
// the lanes as a tree into X12.
func (f *file) reduce64(name string, body func(s step, acc int)) {
	for q := range 4 {
		for p := range f.parts() {
			f.zero(f.normLane(q, p))
		}
	}
	block := func(q, at int, masked bool) {
		for p := range f.parts() {
			body(step{part: p, masked: masked, offset: at}, f.normLane(q, p))
		}
	}
	f.in("MOVQ", "SI", "R12")
	f.in("MOVQ", "R11", "CX")
	f.label(name)
	f.in("SUBQ", "$64", "CX")
	f.in("JLT", name+"Rest")
	for q := range 4 {
		block(q, 64*q, false)
	}
	f.in("ADDQ", "$256", "SI")
	f.in("JMP", name)
	f.label(name + "Rest")
	f.in("ADDQ", "$64", "CX")
	for q := range 4 {
		if q < 3 {
			f.in("CMPQ", "CX", "$16")
			f.in("JLT", fmt.Sprintf("%sTail%d", name, q))
			block(q, 64*q, false)
			f.in("SUBQ", "$16", "CX")
		}
	}
	for q := 3; q >= 0; q-- {
		f.label(fmt.Sprintf("%sTail%d", name, q))
		f.in("TESTQ", "CX", "CX")
		f.in("JZ", name+"Fold")
		block(q, 64*q, true)
		if q > 0 {
			f.in("JMP", name+"Fold")
		}
	}
	f.label(name + "Fold")
	f.in("MOVQ", "R12", "SI")
	for p := range f.parts() {
		a := func(q int) int { return f.normLane(q, p) }
		f.in("VADDPS", a(2), a(0), a(0))
		f.in("VADDPS", a(3), a(1), a(1))
		f.in("VADDPS", a(1), a(0), lanes0+p)
	}
	f.fold("VADDPS")
}

// normalize writes the row; CX counts its bytes up to R12.
func (f *file) normalize(name string, affine bool) {
	body := func(masked bool) {
		for p := range f.parts() {
			s := step{part: p, masked: masked, index: "CX"}
			f.load(s, 1, 0)
			f.in("VSUBPS", normMean, 0, 0)
			f.in("VMULPS", normInv, 0, 0)
			if affine {
				f.load(s, 2, 1)
				f.load(s, 3, 2)
				f.in("VFMADD213PS", 2, 1, 0)
			}
			f.store(s, 0, 0)
		}
	}
	f.in("MOVQ", "R11", "R12")
	f.in("ANDQ", "$-16", "R12")
	f.in("SHLQ", "$2", "R12")
	f.in("XORQ", "CX", "CX")
	f.label(name)
	f.in("CMPQ", "CX", "R12")
	f.in("JGE", name+"Tail")
	body(false)
	f.in("ADDQ", "$64", "CX")
	f.in("JMP", name)
	f.label(name + "Tail")
	f.in("TESTQ", "$15", "R11")
	f.in("JZ", name+"Done")
	body(true)
	f.label(name + "Done")
}
