package main

import (
	"fmt"
	"strings"
)

// A rowLoop is a loop over slices of equal length, 16 elements a step, with
// a masked last step.
//
// Registers: 0 to 7 are scratch, 8 and 9 hold the scalar arguments, 10 and 11
// AVX2's masks (K1 is AVX-512's), 12 to 15 the lanes of a reduction.
type rowLoop struct {
	name, doc string
	slices    []string
	scalars   []string
	result    string
	start     constant // the lanes' first value, for a float32 result, or noStart for 0
	body      func(f *file, s step)
	fold      string // the reduction's operation
}

const noStart constant = -1

// step is one part of 16 lanes: part 0 only for AVX-512, 0 and 1 for AVX2.
type step struct {
	part   int
	masked bool
	offset int    // bytes from the pointer
	index  string // a register of more bytes, or none
}

var pointers = []string{"DI", "SI", "DX", "R8"}

const (
	scalar0, scalar1 = 8, 9
	mask0            = 10
	lanes0           = 12
)

func (l rowLoop) write(f *file) {
	signature, size, resultAt := l.signature()
	f.function(l.name, l.doc, signature, size)
	for i, s := range l.slices {
		f.in("MOVQ", fmt.Sprintf("%s_base+%d(FP)", s, 24*i), pointers[i])
	}
	f.in("MOVQ", l.slices[0]+"_len+8(FP)", "CX")
	for i, s := range l.scalars {
		f.in("VBROADCASTSS", fmt.Sprintf("%s+%d(FP)", s, 24*len(l.slices)+4*i), scalar0+i)
	}
	l.clear(f)
	f.label("loop")
	f.in("CMPQ", "CX", "$16")
	f.in("JLT", "tail")
	l.step(f, false)
	for i := range l.slices {
		f.in("ADDQ", "$64", pointers[i])
	}
	f.in("SUBQ", "$16", "CX")
	f.in("JMP", "loop")
	f.label("tail")
	f.in("TESTQ", "CX", "CX")
	f.in("JZ", "done")
	f.setMask("CX")
	l.step(f, true)
	f.label("done")
	switch l.result {
	case "float32":
		f.fold(l.fold)
		f.in("VMOVSS", "X12", fmt.Sprintf("ret+%d(FP)", resultAt))
	case "float64":
		f.fold64()
		f.in("VMOVSD", "X12", fmt.Sprintf("ret+%d(FP)", resultAt))
	}
	f.end()
}

func (l rowLoop) step(f *file, masked bool) {
	for p := range f.parts() {
		l.body(f, step{part: p, masked: masked})
	}
}

// clear sets the lanes of a reduction to their first value.
func (l rowLoop) clear(f *file) {
	if l.result == "" {
		return
	}
	for r := lanes0; r < lanes0+4; r++ {
		if l.start == noStart {
			f.in("VPXOR"+f.q(), r, r, r)
		} else {
			f.in("VMOVUPS", l.start, r)
		}
	}
}

// q is the suffix of the bit operations that EVEX names by element size.
func (f *file) q() string {
	if f.isa == avx512 {
		return "D"
	}
	return ""
}

func (l rowLoop) signature() (text string, size, resultAt int) {
	text = "(" + strings.Join(l.slices, ", ") + " []float32"
	if len(l.scalars) > 0 {
		text += ", " + strings.Join(l.scalars, ", ") + " float32"
	}
	size = 24*len(l.slices) + 4*len(l.scalars)
	text += ")"
	if l.result == "" {
		return text, size, 0
	}
	size = (size + 7) &^ 7
	if l.result == "float32" {
		return text + " float32", size + 4, size
	}
	return text + " float64", size + 8, size
}

// setMask prepares the mask of the first n lanes, n from 1 to 16.
func (f *file) setMask(n string) {
	if f.isa == avx512 {
		f.in("MOVQ", "$1", "AX")
		f.in("SHLQ", n, "AX")
		f.in("DECQ", "AX")
		f.in("KMOVW", "AX", "K1")
		return
	}
	f.in("LEAQ", "masks<>+64(SB)", "AX")
	f.in("SHLQ", "$2", n)
	f.in("SUBQ", n, "AX")
	f.in("VMOVUPS", "(AX)", f.mask)
	f.in("VMOVUPS", "32(AX)", f.mask+1)
}

func (s step) at(ptr string) string {
	at := fmt.Sprintf("%d(%s)", s.offset+32*s.part, ptr)
	if s.index != "" {
		at += "(" + s.index + "*1)"
	}
	return at
}

// load reads a part; lanes that are masked out are 0.
func (f *file) load(s step, slice, r int) {
	switch ptr := pointers[slice]; {
	case !s.masked:
		f.in("VMOVUPS", s.at(ptr), r)
	case f.isa == avx512:
		f.in("VMOVUPS.Z", s.at(ptr), "K1", r)
	default:
		f.in("VMASKMOVPS", s.at(ptr), f.mask+s.part, r)
	}
}

func (f *file) store(s step, r, slice int) {
	switch ptr := pointers[slice]; {
	case !s.masked:
		f.in("VMOVUPS", r, s.at(ptr))
	case f.isa == avx512:
		f.in("VMOVUPS", r, "K1", s.at(ptr))
	default:
		f.in("VMASKMOVPS", r, f.mask+s.part, s.at(ptr))
	}
}

// clip sets r's lanes that are masked out to 0.
func (f *file) clip(s step, r int) {
	switch {
	case !s.masked:
	case f.isa == avx512:
		f.in("VMOVAPS.Z", r, "K1", r)
	default:
		f.in("VANDPS", f.mask+s.part, r, r)
	}
}

// fold adds the 16 lanes of register 12 (and 13) as a tree into X12.
func (f *file) fold(op string) {
	if f.isa == avx512 {
		f.in("VEXTRACTF64X4", "$1", "Z12", "Y13")
	}
	f.in(op, "Y13", "Y12", "Y12")
	f.in("VEXTRACTF128", "$1", "Y12", "X13")
	f.in(op, "X13", "X12", "X12")
	f.in("VPERMILPS", "$0x0e", "X12", "X13")
	f.in(op, "X13", "X12", "X12")
	f.in("VPERMILPS", "$0x01", "X12", "X13")
	f.in(op, "X13", "X12", "X12")
}

// fold64 is fold for float64 lanes, which fill registers 12 to 13 or 15.
func (f *file) fold64() {
	if f.isa == avx512 {
		f.in("VADDPD", "Z13", "Z12", "Z12")
		f.in("VEXTRACTF64X4", "$1", "Z12", "Y13")
	} else {
		f.in("VADDPD", "Y14", "Y12", "Y12")
		f.in("VADDPD", "Y15", "Y13", "Y13")
	}
	f.in("VADDPD", "Y13", "Y12", "Y12")
	f.in("VEXTRACTF128", "$1", "Y12", "X13")
	f.in("VADDPD", "X13", "X12", "X12")
	f.in("VPERMILPD", "$1", "X12", "X13")
	f.in("VADDPD", "X13", "X12", "X12")
}

// widen converts register r's float32 lanes to float64, the lower half in
// lo, the upper in hi; hi is not r.
func (f *file) widen(r, lo, hi int) {
	extract := "VEXTRACTF128"
	if f.isa == avx512 {
		extract = "VEXTRACTF64X4"
	}
	f.in(extract, "$1", r, f.halfOf(hi))
	f.in("VCVTPS2PD", f.halfOf(r), lo)
	f.in("VCVTPS2PD", f.halfOf(hi), hi)
}
