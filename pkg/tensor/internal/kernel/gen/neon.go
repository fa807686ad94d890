package main

import "fmt"

// writeNeon writes the micro-kernels of arm64: rows by 8 columns, a read row
// by row, four columns of it at a time.
func writeNeon(f *file) {
	for _, rows := range []int{8, 4, 1} {
		f.neonTile(rows)
	}
}

// Registers: V0 up to 2·rows are the sums, V16 to V23 four elements of a's
// rows, V24 and V25 b's row. R0 counts k, R1 and R2 are b and its stride in
// bytes, R3 and R12 c and its stride, R4 to R11 the rows of a.
func (f *file) neonTile(rows int) {
	name := fmt.Sprintf("gemm%dx8", rows)
	f.function(name, fmt.Sprintf("for i < %d, j < 8: s = 0; for l < k: s = fma(a[i·lda+l], b[l·ldb+j], s); c[i·ldc+j] = s, or += s with add", rows),
		"(k int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int, add bool)", 57)
	f.in("MOVD", "k+0(FP)", "R0")
	f.in("MOVD", "a+8(FP)", "R4")
	f.in("MOVD", "lda+16(FP)", "R13")
	f.in("MOVD", "b+24(FP)", "R1")
	f.in("MOVD", "ldb+32(FP)", "R2")
	f.in("MOVD", "c+40(FP)", "R3")
	f.in("MOVD", "ldc+48(FP)", "R12")
	for _, r := range []string{"R13", "R2", "R12"} {
		f.in("LSL", "$2", r, r)
	}
	for i := 1; i < rows; i++ {
		f.in("ADD", "R13", fmt.Sprintf("R%d", 3+i), fmt.Sprintf("R%d", 4+i))
	}
	for r := range 2 * rows {
		v := fmt.Sprintf("V%d.B16", r)
		f.in("VEOR", v, v, v)
	}
	f.label("loop4")
	f.in("SUBS", "$4", "R0", "R0")
	f.in("BLT", "rest")
	for i := range rows {
		f.in("VLD1.P", fmt.Sprintf("16(R%d)", 4+i), fmt.Sprintf("[V%d.S4]", 16+i))
	}
	for l := range 4 {
		f.neonMultiply(rows, l)
	}
	f.in("B", "loop4")
	f.label("rest")
	f.in("ADD", "$4", "R0", "R0")
	f.label("loop1")
	f.in("SUBS", "$1", "R0", "R0")
	f.in("BLT", "finish")
	for i := range rows {
		f.in("VLD1.P", fmt.Sprintf("4(R%d)", 4+i), fmt.Sprintf("V%d.S[0]", 16+i))
	}
	f.neonMultiply(rows, 0)
	f.in("B", "loop1")
	f.label("finish")
	f.in("MOVBU", "add+56(FP)", "R13")
	f.in("CBZ", "R13", "store")
	f.in("MOVD", "R3", "R13")
	for i := range rows {
		f.in("VLD1", "(R13)", "[V24.S4, V25.S4]")
		f.in("ADD", "R12", "R13", "R13")
		for v := range 2 {
			f.fadd(2*i+v, 24+v, 2*i+v)
		}
	}
	f.label("store")
	for i := range rows {
		f.in("VST1", fmt.Sprintf("[V%d.S4, V%d.S4]", 2*i, 2*i+1), "(R3)")
		f.in("ADD", "R12", "R3", "R3")
	}
	f.in("RET")
}

// neonMultiply adds the products of element l of the rows of a and a row of b.
func (f *file) neonMultiply(rows, l int) {
	f.in("VLD1", "(R1)", "[V24.S4, V25.S4]")
	f.in("ADD", "R2", "R1", "R1")
	for i := range rows {
		for v := range 2 {
			f.fmla(2*i+v, 24+v, 16+i, l)
		}
	}
}

// fmla is FMLA Vd.4S, Vn.4S, Vm.S[index], which the assembler has not.
func (f *file) fmla(d, n, m, index int) {
	word := 0x4f801000 | index&1<<21 | m<<16 | index>>1<<11 | n<<5 | d
	f.in("WORD", fmt.Sprintf("$0x%08x // FMLA V%d.4S, V%d.4S, V%d.S[%d]", word, d, n, m, index))
}

// fadd is FADD Vd.4S, Vn.4S, Vm.4S, which the assembler has not.
func (f *file) fadd(d, n, m int) {
	word := 0x4e20d400 | m<<16 | n<<5 | d
	f.in("WORD", fmt.Sprintf("$0x%08x // FADD V%d.4S, V%d.4S, V%d.4S", word, d, n, m))
}
