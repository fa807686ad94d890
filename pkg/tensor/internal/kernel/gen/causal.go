package main

import "fmt"

// Registers of causalSoftmax: 9 is scale, 8 a row's maximum and then the
// inverse of its sum, 10 and 11 AVX2's mask of a row's valid tail, 14 and 15
// that of the last columns (K3), 5 and 6 the valid tail itself.
const (
	causalTop   = 8
	causalScale = 9
	causalTail  = 5
	causalLast  = 14
)

// writeCausal writes the softmax of a causal model's scores. DI is the row, R8
// its stride, R9 n, R10 the row's valid length, R12 and R13 the bytes of the
// whole vectors in that and in n, CX walks along.
func writeCausal(f *file) {
	f.function("causalSoftmax", "for t < n: x[t·ld+j] = exp(scale·x[t·ld+j] - max)/Σ for j ≤ t, 0 for t < j < n; n ≤ 1024",
		"(x *float32, ld, n int, scale float32)", 28)
	f.in("VBROADCASTSS", "scale+24(FP)", causalScale)
	f.causalRows([]string{"MOVQ $1, R10"}, func() {
		f.in("INCQ", "R10")
		f.in("CMPQ", "R10", "R9")
		f.in("JLE", "row")
	})
}

// writeSoftmaxRows writes the same for rows at any positions, to which R11 points;
// DX counts the rows. Scores are multiplied by 1, which changes none.
func writeSoftmaxRows(f *file) {
	f.function("softmaxRows", "for i < rows, t = at[i]: x[i·ld+j] = exp(x[i·ld+j] - max)/Σ for j ≤ t, 0 for t < j < n; n ≤ 1024",
		"(x *float32, ld, n int, at *int, rows int)", 40)
	f.in("VMOVUPS", cOne, causalScale)
	f.in("MOVQ", "at+24(FP)", "R11")
	f.in("MOVQ", "rows+32(FP)", "DX")
	f.causalRows([]string{"MOVQ (R11), R10", "INCQ R10"}, func() {
		f.in("ADDQ", "$8", "R11")
		f.in("DECQ", "DX")
		f.in("JZ", "end")
		f.in("MOVQ", "(R11)", "R10")
		f.in("INCQ", "R10")
		f.in("JMP", "row")
		f.label("end")
	})
}

// causalRows writes the loop over rows. first sets the first row's valid length;
// next sets the next one's and jumps to row while there is one.
func (f *file) causalRows(first []string, next func()) {
	f.in("MOVQ", "x+0(FP)", "DI")
	f.in("MOVQ", "ld+8(FP)", "R8")
	f.in("MOVQ", "n+16(FP)", "R9")
	f.in("SHLQ", "$2", "R8")
	f.in("MOVQ", "R9", "CX")
	f.in("ANDQ", "$15", "CX")
	f.setMask("CX")
	if f.isa == avx512 {
		f.in("KMOVW", "K1", "K3")
	} else {
		f.in("VMOVAPS", mask0, causalLast)
		f.in("VMOVAPS", mask0+1, causalLast+1)
	}
	f.whole("R9", "R13")
	for _, op := range first {
		f.in(op)
	}
	f.label("row")
	f.whole("R10", "R12")
	f.in("MOVQ", "R10", "CX")
	f.in("ANDQ", "$15", "CX")
	f.setMask("CX")
	f.causalMax()
	f.causalExp()
	f.causalStore()
	f.in("ADDQ", "R8", "DI")
	next()
	f.end()
}

// whole sets to = the bytes of the whole vectors of 16 in n.
func (f *file) whole(n, to string) {
	f.in("MOVQ", n, to)
	f.in("ANDQ", "$-16", to)
	f.in("SHLQ", "$2", to)
}

// along runs body on the valid elements of the row, vector by vector.
func (f *file) along(name string, body func(s step)) {
	f.in("XORQ", "CX", "CX")
	f.label(name)
	f.in("CMPQ", "CX", "R12")
	f.in("JGE", name+"Tail")
	for p := range f.parts() {
		body(step{part: p, index: "CX"})
	}
	f.in("ADDQ", "$64", "CX")
	f.in("JMP", name)
	f.label(name + "Tail")
	f.in("TESTQ", "$15", "R10")
	f.in("JZ", name+"Done")
	for p := range f.parts() {
		body(step{part: p, masked: true, index: "CX"})
	}
	f.label(name + "Done")
}

func (f *file) causalMax() {
	for p := range f.parts() {
		f.in("VMOVUPS", cNegInf, lanes0+p)
	}
	f.along("max", func(s step) {
		acc := lanes0 + s.part
		f.load(s, 0, 0)
		f.in("VMULPS", causalScale, 0, 0)
		switch {
		case !s.masked:
			f.in("VMAXPS", 0, acc, acc)
		case f.isa == avx512:
			f.in("VMAXPS", 0, acc, "K1", acc)
		default:
			f.in("VBLENDVPS", mask0+s.part, 0, acc, 0)
			f.in("VMAXPS", 0, acc, acc)
		}
	})
	f.fold("VMAXPS")
	f.in("VBROADCASTSS", "X12", causalTop)
}

// causalExp writes the exponentials, all but those of the tail, which stay in
// registers, and leaves 1/Σ in place of the maximum.
func (f *file) causalExp() {
	f.zero(lanes0, lanes0+1, causalTail, causalTail+1)
	f.along("exp", func(s step) {
		f.load(s, 0, 0)
		f.in("VMULPS", causalScale, 0, 0)
		f.in("VSUBPS", causalTop, 0, 0)
		exp(f)
		f.clip(s, 0)
		if s.masked {
			f.in("VMOVAPS", 0, causalTail+s.part)
		} else {
			f.store(s, 0, 0)
		}
		f.in("VADDPS", 0, lanes0+s.part, lanes0+s.part)
	})
	f.fold("VADDPS")
	f.in("VCVTSS2SD", "X12", "X12", "X12")
	f.in("VMOVSS", fmt.Sprintf("constants<>+%d(SB)", 64*int(cOne)), "X0")
	f.in("VCVTSS2SD", "X0", "X0", "X0")
	f.in("VDIVSD", "X12", "X0", "X12")
	f.in("VCVTSD2SS", "X12", "X12", "X12")
	f.in("VBROADCASTSS", "X12", causalTop)
}

// causalStore scales the row, writes its tail, and fills it up with zeros.
func (f *file) causalStore() {
	f.in("XORQ", "CX", "CX")
	f.label("scale")
	f.in("CMPQ", "CX", "R12")
	f.in("JGE", "scaleTail")
	for p := range f.parts() {
		s := step{part: p, index: "CX"}
		f.load(s, 0, 0)
		f.in("VMULPS", causalTop, 0, 0)
		f.store(s, 0, 0)
	}
	f.in("ADDQ", "$64", "CX")
	f.in("JMP", "scale")
	f.label("scaleTail")
	for p := range f.parts() {
		f.in("VMULPS", causalTop, causalTail+p, causalTail+p)
		f.clip(step{part: p, masked: true}, causalTail+p) // 0·NaN
	}
	f.label("fill")
	f.in("CMPQ", "CX", "R13")
	f.in("JGE", "fillTail")
	for p := range f.parts() {
		f.in("VMOVUPS", causalTail+p, step{part: p, index: "CX"}.at("DI"))
		f.zero(causalTail + p)
	}
	f.in("ADDQ", "$64", "CX")
	f.in("JMP", "fill")
	f.label("fillTail")
	f.in("TESTQ", "$15", "R9")
	f.in("JZ", "next")
	for p := range f.parts() {
		at := step{part: p, index: "CX"}.at("DI")
		if f.isa == avx512 {
			f.in("VMOVUPS", causalTail, "K3", at)
		} else {
			f.in("VMASKMOVPS", causalTail+p, causalLast+p, at)
		}
	}
	f.label("next")
}
