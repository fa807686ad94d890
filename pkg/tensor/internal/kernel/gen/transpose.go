package main

import "fmt"

// writeTranspose writes the two transpositions that packing is made of.
func writeTranspose(f *file) {
	writeTranspose8(f)
	writeTranspose4(f)
}

// transposeArguments loads SI and R8 with src and its stride in bytes, DI
// and R9 with dst and its stride, CX with k, R10 and R11 with three strides.
func transposeArguments(f *file) {
	f.in("MOVQ", "dst+0(FP)", "DI")
	f.in("MOVQ", "ldd+8(FP)", "R9")
	f.in("MOVQ", "src+16(FP)", "SI")
	f.in("MOVQ", "lds+24(FP)", "R8")
	f.in("MOVQ", "k+32(FP)", "CX")
	f.in("SHLQ", "$2", "R8")
	f.in("SHLQ", "$2", "R9")
	f.in("LEAQ", "(R8)(R8*2)", "R10")
	f.in("LEAQ", "(R9)(R9*2)", "R11")
}

// fourth is the address of row i of four from base.
func fourth(i int, base, stride, three string) string {
	return [4]string{"(" + base + ")", fmt.Sprintf("(%s)(%s*1)", base, stride),
		fmt.Sprintf("(%s)(%s*2)", base, stride), fmt.Sprintf("(%s)(%s*1)", base, three)}[i]
}

func writeTranspose8(f *file) {
	f.function("transpose8", "for i < 8, l < k: dst[l·ldd+i] = scale·src[i·lds+l]; k a multiple of 8",
		"(dst *float32, ldd int, src *float32, lds, k int, scale float32)", 44)
	transposeArguments(f)
	f.in("VBROADCASTSS", "scale+40(FP)", "Y15")
	f.label("loop")
	f.in("SUBQ", "$8", "CX")
	f.in("JLT", "done")
	f.in("LEAQ", "(SI)(R8*4)", "AX")
	for i := range 8 {
		base := "SI"
		if i >= 4 {
			base = "AX"
		}
		f.in("VMULPS", fourth(i%4, base, "R8", "R10"), 15, i)
	}
	f.in("ADDQ", "$32", "SI")
	for i := 0; i < 8; i += 2 { // pairs of rows
		f.in("VUNPCKLPS", i+1, i, "Y8")
		f.in("VUNPCKHPS", i+1, i, fmt.Sprintf("Y%d", i+1))
		f.in("VMOVAPS", "Y8", i)
	}
	for i := 0; i < 8; i += 4 { // fours of rows: column 0 and 4, 1 and 5, 2 and 6, 3 and 7
		f.in("VSHUFPS", "$0x44", i+2, i, 8)
		f.in("VSHUFPS", "$0xee", i+2, i, 9)
		f.in("VSHUFPS", "$0x44", i+3, i+1, 10)
		f.in("VSHUFPS", "$0xee", i+3, i+1, 11)
		for j := range 4 {
			f.in("VMOVAPS", 8+j, i+j)
		}
	}
	f.in("LEAQ", "(DI)(R9*4)", "AX")
	for i := range 4 {
		f.in("VPERM2F128", "$0x20", 4+i, i, 8)
		f.in("VPERM2F128", "$0x31", 4+i, i, 9)
		f.in("VMOVUPS", 8, fourth(i, "DI", "R9", "R11"))
		f.in("VMOVUPS", 9, fourth(i, "AX", "R9", "R11"))
	}
	f.in("LEAQ", "(AX)(R9*4)", "DI")
	f.in("JMP", "loop")
	f.label("done")
	f.end()
}

func writeTranspose4(f *file) {
	f.function("transpose4", "for i < 4, l < k: dst[l·ldd+i] = src[i·lds+l]; k a multiple of 4",
		"(dst *float32, ldd int, src *float32, lds, k int)", 40)
	transposeArguments(f)
	f.label("loop")
	f.in("SUBQ", "$4", "CX")
	f.in("JLT", "done")
	for i := range 4 {
		f.in("VMOVUPS", fourth(i, "SI", "R8", "R10"), fmt.Sprintf("X%d", i))
	}
	f.in("ADDQ", "$16", "SI")
	f.in("VUNPCKLPS", "X1", "X0", "X4")
	f.in("VUNPCKHPS", "X1", "X0", "X5")
	f.in("VUNPCKLPS", "X3", "X2", "X6")
	f.in("VUNPCKHPS", "X3", "X2", "X7")
	f.in("VSHUFPS", "$0x44", "X6", "X4", "X0")
	f.in("VSHUFPS", "$0xee", "X6", "X4", "X1")
	f.in("VSHUFPS", "$0x44", "X7", "X5", "X2")
	f.in("VSHUFPS", "$0xee", "X7", "X5", "X3")
	for i := range 4 {
		f.in("VMOVUPS", fmt.Sprintf("X%d", i), fourth(i, "DI", "R9", "R11"))
	}
	f.in("LEAQ", "(DI)(R9*4)", "DI")
	f.in("JMP", "loop")
	f.label("done")
	f.end()
}
