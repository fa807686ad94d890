package main

// writeKLRows writes klTerms of many rows of at most klFlush columns, whose
// lanes need no flush in between. R8 and R9 are the strides of p and x in bytes,
// R10 the numbers of their rows, BX and R11 a row of y and its stride, R14 the
// row's number, R12 how many there are, R13 the bytes of a row's whole vectors,
// R15 the columns of its tail; DI, SI and DX point to the three rows, CX walks
// along.
func writeKLRows(f *file) {
	f.function("klTermsRows", "for i < rows: mean[i], beyond[i], largest[i] = klTerms of rows pick[i] of p and x and row i of y, cols ≤ 512",
		"(p *float32, ldp int, x *float32, ldx int, pick *int, y *float32, ldy, rows, cols int, mean, beyond *float64, largest *float32)", 96)
	for _, a := range [][2]string{{"ldp+8", "R8"}, {"ldx+24", "R9"}, {"pick+32", "R10"}, {"y+40", "BX"}, {"ldy+48", "R11"}, {"rows+56", "R12"}, {"cols+64", "CX"}} {
		f.in("MOVQ", a[0]+"(FP)", a[1])
	}
	for _, r := range []string{"R8", "R9", "R11"} {
		f.in("SHLQ", "$2", r)
	}
	f.whole("CX", "R13")
	f.in("ANDQ", "$15", "CX")
	f.in("MOVQ", "CX", "R15")
	f.setMask("CX")
	f.in("XORQ", "R14", "R14")
	f.label("row")
	f.in("MOVQ", "(R10)(R14*8)", "SI")
	f.in("MOVQ", "SI", "DI")
	f.in("IMULQ", "R8", "DI")
	f.in("ADDQ", "p+0(FP)", "DI")
	f.in("IMULQ", "R9", "SI")
	f.in("ADDQ", "x+16(FP)", "SI")
	f.in("MOVQ", "BX", "DX")
	f.zero(klLargest, klLargest+1, lanes0, lanes0+1, lanes0+2, lanes0+3)
	f.in("XORQ", "CX", "CX")
	f.label("loop")
	f.in("CMPQ", "CX", "R13")
	f.in("JGE", "tail")
	for p := range f.parts() {
		f.klPart(step{part: p, index: "CX"})
	}
	f.in("ADDQ", "$64", "CX")
	f.in("JMP", "loop")
	f.label("tail")
	f.in("TESTQ", "R15", "R15")
	f.in("JZ", "done")
	for p := range f.parts() {
		f.klPart(step{part: p, masked: true, index: "CX"})
	}
	f.label("done")
	f.klRowsResults()
	f.in("ADDQ", "R11", "BX")
	f.in("INCQ", "R14")
	f.in("CMPQ", "R14", "R12")
	f.in("JLT", "row")
	f.end()
}

// klRowsResults folds the lanes and stores the row's results. A flush adds lanes
// to zeros, which makes −0 of none.
func (f *file) klRowsResults() {
	for p := range f.parts() {
		f.in("VMOVAPS", lanes0+f.parts()+p, 6+p)
	}
	f.zero(5)
	for s, result := range []string{"mean+72(FP)", "beyond+80(FP)"} {
		for p := range f.parts() {
			from := lanes0 + p
			if s == 1 {
				from = 6 + p
			}
			f.widen(from, 2*p, 2*p+1)
		}
		for r := range 2 * f.parts() {
			f.in("VADDPD", 5, r, lanes0+r)
		}
		f.fold64()
		f.in("MOVQ", result, "AX")
		f.in("VMOVSD", "X12", "(AX)(R14*8)")
	}
	for p := range f.parts() {
		f.in("VMOVAPS", klLargest+p, lanes0+p)
	}
	f.fold("VMAXPS")
	f.in("MOVQ", "largest+88(FP)", "AX")
	f.in("VMOVSS", "X12", "(AX)(R14*4)")
}
