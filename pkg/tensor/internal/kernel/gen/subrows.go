package main

import "fmt"

// writeSubRows writes the difference of two matrices whose rows may be picked.
// DI and BX are dst and its stride in bytes, SI and R8 a's, DX and R9 b's, R10
// and R11 the numbers of their rows or 0, R12 the rows left, R13 the bytes of a
// row's whole vectors, R15 and CX are scratch; a's row is in R14, b's in AX.
func writeSubRows(f *file) {
	f.function("subRows", "for i < rows, j < cols: dst[i·ldd+j] = a[ia[i]·lda+j] - b[ib[i]·ldb+j]; ia[i] is i where ia is nil, and so is ib[i]",
		"(dst *float32, ldd int, a *float32, lda int, ia *int, b *float32, ldb int, ib *int, rows, cols int)", 80)
	for i, r := range []string{"DI", "BX", "SI", "R8", "R10", "DX", "R9", "R11", "R12", "CX"} {
		f.in("MOVQ", fmt.Sprintf("%s+%d(FP)", []string{"dst", "ldd", "a", "lda", "ia", "b", "ldb", "ib", "rows", "cols"}[i], 8*i), r)
	}
	for _, r := range []string{"BX", "R8", "R9"} {
		f.in("SHLQ", "$2", r)
	}
	f.whole("CX", "R13")
	f.in("ANDQ", "$15", "CX")
	f.in("MOVQ", "CX", "R15")
	f.setMask("CX")
	f.label("row")
	f.pickedRow("a", "SI", "R8", "R10", "R14")
	f.pickedRow("b", "DX", "R9", "R11", "AX")
	f.in("XORQ", "CX", "CX")
	f.label("loop")
	f.in("CMPQ", "CX", "R13")
	f.in("JGE", "tail")
	for p := range f.parts() {
		f.subPart(step{part: p, index: "CX"})
	}
	f.in("ADDQ", "$64", "CX")
	f.in("JMP", "loop")
	f.label("tail")
	f.in("TESTQ", "R15", "R15")
	f.in("JZ", "next")
	for p := range f.parts() {
		f.subPart(step{part: p, masked: true, index: "CX"})
	}
	f.label("next")
	f.in("ADDQ", "BX", "DI")
	f.in("DECQ", "R12")
	f.in("JG", "row")
	f.end()
}

// pickedRow points row to the next row of the matrix at ptr, by number if there
// are numbers.
func (f *file) pickedRow(name, ptr, stride, numbers, row string) {
	f.in("TESTQ", numbers, numbers)
	f.in("JZ", name+"Next")
	f.in("MOVQ", fmt.Sprintf("(%s)", numbers), row)
	f.in("ADDQ", "$8", numbers)
	f.in("IMULQ", stride, row)
	f.in("ADDQ", ptr, row)
	f.in("JMP", name+"Row")
	f.label(name + "Next")
	f.in("MOVQ", ptr, row)
	f.in("ADDQ", stride, ptr)
	f.label(name + "Row")
}

func (f *file) subPart(s step) {
	switch {
	case !s.masked:
		f.in("VMOVUPS", s.at("R14"), 0)
		f.in("VMOVUPS", s.at("AX"), 1)
	case f.isa == avx512:
		f.in("VMOVUPS.Z", s.at("R14"), "K1", 0)
		f.in("VMOVUPS.Z", s.at("AX"), "K1", 1)
	default:
		f.in("VMASKMOVPS", s.at("R14"), f.mask+s.part, 0)
		f.in("VMASKMOVPS", s.at("AX"), f.mask+s.part, 1)
	}
	f.in("VSUBPS", 1, 0, 0)
	f.store(s, 0, 0)
}
