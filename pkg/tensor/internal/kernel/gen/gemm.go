package main

import (
	"fmt"
	"strings"
)

// tile is one micro-kernel: rows of c by vectors registers.
type tile struct {
	rows, vectors int
	packed        bool // a in tiles of 12 rows, column by column
}

func tiles(s isa) (all []tile) {
	full, rest, widths := 12, []int{8, 6, 4, 3, 2, 1}, []int{2, 1}
	if s == avx2 {
		full, rest, widths = 6, []int{4, 3, 2, 1}, []int{2}
	}
	for _, v := range widths {
		all = append(all, tile{full, v, true}, tile{full, v, false})
		for _, r := range rest {
			all = append(all, tile{r, v, false})
		}
	}
	return all
}

// unroll is the steps of k in a loop: 2 measured faster than 1, 4 and 8.
const unroll = 2

func writeGemm(f *file) {
	for _, t := range tiles(f.isa) {
		t.write(f)
	}
	writePeak(f)
	if f.isa == avx2 {
		writeMasks(f)
	}
}

func (t tile) name(f *file) string {
	kind := "Strided"
	if t.packed {
		kind = "Packed"
	}
	return fmt.Sprintf("gemm%dx%d%s", t.rows, t.vectors*f.width, kind)
}

// Registers: 0 up to rows·vectors are the sums, then b's row, then a's
// elements. SI, R9, R10, R11 point to rows 0, 3, 6, 9 of a, R8 is its stride
// in bytes, BX and DX are b and its stride, DI and R12 c and its stride.
func (t tile) sums() int { return t.rows * t.vectors }

func (t tile) write(f *file) {
	cols := t.vectors * f.width
	from := "a[i·lda+l]"
	if t.packed {
		from = "a[12·l+i]"
	}
	doc := fmt.Sprintf("for i < %d, j < cols ≤ %d: s = 0; for l < k: s = fma(%s, b[l·ldb+j], s); c[i·ldc+j] = s, or base[i·ldbase+j] + s unless base is nil", t.rows, cols, from)
	signature, size := "(k int, a *float32, lda int, b *float32, ldb int, c *float32, ldc, cols int, base *float32, ldbase int)", 80
	if t.packed {
		doc += "; next is fetched into the second-level cache"
		signature, size = strings.TrimSuffix(signature, ")")+", next *float32)", 88
	}
	f.function(t.name(f), doc, signature, size)
	t.arguments(f)
	f.label("loop")
	f.in("SUBQ", fmt.Sprintf("$%d", unroll), "CX")
	f.in("JLT", "rest")
	for l := range unroll {
		t.multiply(f, l)
	}
	t.advance(f, unroll)
	if t.packed {
		f.in("PREFETCHT1", "(R13)")
		f.in("ADDQ", "$64", "R13")
	}
	f.in("JMP", "loop")
	f.label("rest")
	f.in("ADDQ", fmt.Sprintf("$%d", unroll), "CX")
	f.label("loop1")
	f.in("SUBQ", "$1", "CX")
	f.in("JLT", "finish")
	t.multiply(f, 0)
	t.advance(f, 1)
	f.in("JMP", "loop1")
	f.label("finish")
	if f.isa == avx512 {
		t.finish512(f)
	} else {
		t.finish2(f)
	}
}

func (t tile) arguments(f *file) {
	f.in("MOVQ", "k+0(FP)", "CX")
	f.in("MOVQ", "a+8(FP)", "SI")
	f.in("MOVQ", "lda+16(FP)", "R8")
	f.in("MOVQ", "b+24(FP)", "BX")
	f.in("MOVQ", "ldb+32(FP)", "DX")
	f.in("MOVQ", "c+40(FP)", "DI")
	f.in("MOVQ", "ldc+48(FP)", "R12")
	for _, r := range []string{"R8", "DX", "R12"} {
		f.in("SHLQ", "$2", r)
	}
	if !t.packed {
		for i, r := range t.bases()[1:] {
			f.in("LEAQ", fmt.Sprintf("(%s)(R8*2)", t.bases()[i]), r)
			f.in("ADDQ", "R8", r)
		}
	}
	f.in("MOVQ", "ldbase+72(FP)", "R13")
	f.in("SHLQ", "$2", "R13")
	f.in("MOVQ", "base+64(FP)", "AX")
	f.in("TESTQ", "AX", "AX")
	f.in("CMOVQEQ", "DI", "AX")
	f.in("CMOVQEQ", "R12", "R13")
	for i := range t.rows {
		f.in("PREFETCHT0", "(AX)")
		if t.vectors*f.width == 32 {
			f.in("PREFETCHT0", "64(AX)")
		}
		if i < t.rows-1 {
			f.in("ADDQ", "R13", "AX")
		}
	}
	if t.packed {
		f.in("MOVQ", "next+80(FP)", "R13")
	}
	for r := range t.sums() {
		f.in("VPXOR"+f.q(), r, r, r)
	}
}

func (t tile) bases() []string {
	if t.packed {
		return []string{"SI"}
	}
	return []string{"SI", "R9", "R10", "R11"}[:(t.rows+2)/3]
}

// element is the address of a[i, l].
func (t tile) element(i, l int) string {
	if t.packed {
		return fmt.Sprintf("%d(SI)", 48*l+4*i)
	}
	base := t.bases()[i/3]
	if i%3 == 0 {
		return fmt.Sprintf("%d(%s)", 4*l, base)
	}
	return fmt.Sprintf("%d(%s)(R8*%d)", 4*l, base, i%3)
}

// multiply adds the product of column l of a and a row of b.
func (t tile) multiply(f *file, l int) {
	b := t.sums()
	free := 32
	if f.isa == avx2 {
		free = 16
	}
	free -= b + t.vectors
	at := 0
	if t.fixedB(f) {
		at = 4 * f.width * t.vectors * l
	}
	for v := range t.vectors {
		f.in("VMOVUPS", fmt.Sprintf("%d(BX)", at+4*f.width*v), b+v)
	}
	if !t.fixedB(f) {
		f.in("ADDQ", "DX", "BX")
	}
	for i := range t.rows {
		if t.vectors == 1 {
			f.in("VFMADD231PS.BCST", t.element(i, l), b, i)
			continue
		}
		e := b + t.vectors + i%min(free, 6)
		f.in("VBROADCASTSS", t.element(i, l), e)
		for v := range t.vectors {
			f.in("VFMADD231PS", b+v, e, i*t.vectors+v)
		}
	}
}

// fixedB tells whether b's stride is the tile's width, as in a panel.
func (t tile) fixedB(f *file) bool { return t.packed && f.isa == avx512 }

func (t tile) advance(f *file, n int) {
	if t.fixedB(f) {
		f.in("ADDQ", fmt.Sprintf("$%d", 4*f.width*t.vectors*n), "BX")
	}
	step := 4 * n
	if t.packed {
		step = 48 * n
	}
	for _, r := range t.bases() {
		f.in("ADDQ", fmt.Sprintf("$%d", step), r)
	}
}

// finish512 stores through masks, which cost nothing when they are full.
func (t tile) finish512(f *file) {
	f.in("MOVQ", "cols+56(FP)", "CX")
	f.in("MOVQ", "$1", "AX")
	f.in("SHLQ", "CX", "AX")
	f.in("DECQ", "AX")
	f.in("KMOVW", "AX", "K1")
	if t.vectors == 2 {
		f.in("SHRQ", "$16", "AX")
		f.in("KMOVW", "AX", "K2")
	}
	t.base(f)
	f.in("JZ", "store")
	t.eachRow(f, "AX", "R8", func(i, v int, at string) {
		k, r := fmt.Sprintf("K%d", v+1), t.sums()+v
		f.in("VMOVUPS.Z", at, k, r)
		f.in("VADDPS", r, i*t.vectors+v, i*t.vectors+v)
	})
	f.label("store")
	t.eachRow(f, "DI", "R12", func(i, v int, at string) {
		f.in("VMOVUPS", i*t.vectors+v, fmt.Sprintf("K%d", v+1), at)
	})
	f.end()
}

// finish2 has a way of its own for full tiles: masked stores are slow on
// some machines.
func (t tile) finish2(f *file) {
	b := t.sums()
	f.in("MOVQ", "cols+56(FP)", "CX")
	t.base(f)
	f.in("CMPQ", "CX", "$16")
	f.in("JNE", "partial")
	f.in("TESTQ", "AX", "AX")
	f.in("JZ", "store")
	t.eachRow(f, "AX", "R8", func(i, v int, at string) {
		f.in("VADDPS", at, i*t.vectors+v, i*t.vectors+v)
	})
	f.label("store")
	t.eachRow(f, "DI", "R12", func(i, v int, at string) { f.in("VMOVUPS", i*t.vectors+v, at) })
	f.end()
	f.label("partial")
	f.in("LEAQ", "masks<>+64(SB)", "R13")
	f.in("SHLQ", "$2", "CX")
	f.in("SUBQ", "CX", "R13")
	f.in("VMOVUPS", "(R13)", b)
	f.in("VMOVUPS", "32(R13)", b+1)
	f.in("TESTQ", "AX", "AX")
	f.in("JZ", "storePartial")
	t.eachRow(f, "AX", "R8", func(i, v int, at string) {
		f.in("VMASKMOVPS", at, b+v, b+2)
		f.in("VADDPS", b+2, i*t.vectors+v, i*t.vectors+v)
	})
	f.label("storePartial")
	t.eachRow(f, "DI", "R12", func(i, v int, at string) { f.in("VMASKMOVPS", i*t.vectors+v, b+v, at) })
	f.end()
}

// base points AX to what the sums are added to, R8 being its stride; zero is
// set where they are added to nothing.
func (t tile) base(f *file) {
	f.in("MOVQ", "ldbase+72(FP)", "R8")
	f.in("SHLQ", "$2", "R8")
	f.in("MOVQ", "base+64(FP)", "AX")
	f.in("TESTQ", "AX", "AX")
}

func (t tile) eachRow(f *file, ptr, stride string, do func(i, v int, at string)) {
	for i := range t.rows {
		for v := range t.vectors {
			do(i, v, fmt.Sprintf("%d(%s)", 4*f.width*v, ptr))
		}
		if i < t.rows-1 {
			f.in("ADDQ", stride, ptr)
		}
	}
}

// writePeak writes a loop of nothing but independent multiply-adds, the
// measure of what a product could reach at most.
func writePeak(f *file) {
	const chains = 12
	f.function("peak", fmt.Sprintf("for i < n: %d independent vector multiply-adds", chains), "(n int)", 8)
	f.in("MOVQ", "n+0(FP)", "CX")
	for r := range chains + 2 {
		f.in("VPXOR"+f.q(), r, r, r)
	}
	f.label("loop")
	for r := range chains {
		f.in("VFMADD231PS", chains, chains+1, r)
	}
	f.in("DECQ", "CX")
	f.in("JG", "loop")
	f.end()
}
