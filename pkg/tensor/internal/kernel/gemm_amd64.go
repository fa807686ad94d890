//go:build amd64 && !noasm

package kernel

// Sizes that decide speed only.
const (
	packFrom    = 96      // columns from which packing a pays
	cacheFloats = 1 << 17 // values of a packed at a time
	minRows     = 84      // but at least so many rows
	maxDepth    = 16 * KC // of so many columns at most
)

// Gemm: c = a·b, or c += a·b with add, for the columns of b's panels
// [from,to); c [m,n], a [m,k], b [k,n] packed by Pack.
//
//	for each block [k0, k0+KC) of [0,k): acc = 0
//		for l in block: acc = fma(a[i,l], b[l,j], acc)
//		c[i,j] += acc
func Gemm(c []float32, ldc int, a []float32, lda, m, k int, b []float32, n, from, to int, add bool) {
	set := active()
	if set == portable || k == 0 {
		gemmPortable(c, ldc, a, lda, m, k, b, n, from, to, add)
		return
	}
	var base rows
	if add {
		base = rows{c, ldc}
	}
	gemmOnto(set, c, ldc, base, a, lda, m, k, b, n, from, to)
}

// GemmOnto: c = base + a·b, in Gemm's order; base [m,n] may be c.
func GemmOnto(c []float32, ldc int, base []float32, ldbase int, a []float32, lda, m, k int, b []float32, n int) {
	set := active()
	if set == portable || k == 0 {
		gemmOntoCopy(c, ldc, base, ldbase, a, lda, m, k, b, n)
		return
	}
	gemmOnto(set, c, ldc, rows{base, ldbase}, a, lda, m, k, b, n, 0, Panels(n))
}

// rows are rows ld apart, or, of no data, nothing at all.
type rows struct {
	data []float32
	ld   int
}

// from is the rows from row i, column j.
func (r rows) from(i, j int) rows {
	if r.data == nil {
		return r
	}
	return rows{r.data[i*r.ld+j:], r.ld}
}

// at points to row i; it is nil where there is nothing.
func (r rows) at(i int) *float32 {
	if r.data == nil {
		return nil
	}
	return &r.data[i*r.ld]
}

// gemmOnto is c = base + a·b for whole blocks: base is added to the first.
//
// The loops, from outside in: up to maxDepth of k, up to mc rows of a (packed
// together, to stay in the second-level cache), panels of b, blocks of KC
// (so that c's part of the panel stays in cache between them), tiles.
func gemmOnto(set level, c []float32, ldc int, base rows, a []float32, lda, m, k int, b []float32, n, from, to int) {
	depth := min(k, maxDepth)
	mc := min(MC, max(minRows, cacheFloats/depth/MR*MR))
	var packed []float32
	if m >= MR && (to-from)*NR >= packFrom {
		buf := Borrow(min(mc, m) * depth)
		defer Return(buf)
		packed = *buf
	}
	for g0 := 0; g0 < k; g0 += depth {
		g1 := min(g0+depth, k)
		for i0 := 0; i0 < m; i0 += mc {
			s := stripe{set: set, a: a[i0*lda:], lda: lda, m: min(mc, m-i0), from: g0, to: g1}
			if packed != nil {
				s.pack(packed)
			}
			for p := from; p < to; p++ {
				w := panelWidth(n, p)
				s.panel(rows{c[i0*ldc+p*NR:], ldc}, base.from(i0, p*NR), b[p*NR*k:], w, min(w, n-p*NR))
			}
		}
	}
}

// stripe is up to mc rows by up to maxDepth columns [from,to) of a.
type stripe struct {
	set      level
	a        []float32
	lda      int
	m        int
	from, to int
	packed   []float32 // blocks of KC columns, each of them whole tiles; nil to read a itself
}

// block is KC columns of a stripe.
type block struct {
	set    level
	a      []float32
	lda    int
	m, k   int
	packed []float32 // tiles of 12 rows, each column by column; nil to read a itself
	c      rows
	base   rows // what the block's sums are added to
}

// block returns the block of columns from k0.
func (s *stripe) block(k0 int) block {
	blk := block{set: s.set, a: s.a[k0:], lda: s.lda, m: s.m, k: min(KC, s.to-k0)}
	if s.packed != nil {
		whole := s.m / MR * MR
		blk.packed = s.packed[whole*(k0-s.from) : whole*(k0-s.from+blk.k)]
	}
	return blk
}

// pack lays the whole tiles out in buf.
func (s *stripe) pack(buf []float32) {
	s.packed = buf
	for k0 := s.from; k0 < s.to; k0 += KC {
		blk := s.block(k0)
		for i := 0; i+MR <= s.m; i += MR {
			packTile(blk.packed[i*blk.k:(i+MR)*blk.k], blk.a[i*s.lda:], s.lda, blk.k)
		}
	}
}

// panel multiplies the stripe by one panel of b, w columns wide and cols of
// them in use, and sets c to base and the product.
func (s *stripe) panel(c, base rows, b []float32, w, cols int) {
	for k0 := s.from; k0 < s.to; k0 += KC {
		blk := s.block(k0)
		if blk.c, blk.base = c, base; k0 > 0 {
			blk.base = c
		}
		blk.panel(b[k0*w:], w, cols)
	}
}

// packTile: for l < k, i < 12: dst[12·l+i] = a[i·lda+l]
func packTile(dst, a []float32, lda, k int) {
	whole := k &^ 3
	if whole > 0 {
		for i := 0; i < MR; i += 4 {
			transpose4AVX2(&dst[i], MR, &a[i*lda], lda, whole)
		}
	}
	for l := whole; l < k; l++ {
		for i := range MR {
			dst[l*MR+i] = a[i*lda+l]
		}
	}
}

// panel multiplies the block by one panel of b, w columns wide and cols of
// them in use, onto base into c.
func (s *block) panel(b []float32, w, cols int) {
	switch {
	case s.set == avx512 && cols <= 16:
		s.panel512Narrow(b, w, cols)
	case s.set == avx512:
		s.panel512(b, w, cols)
	default:
		s.panel2(b, w, min(cols, 16))
		if cols > 16 {
			s.c, s.base = s.c.from(0, 16), s.base.from(0, 16)
			s.panel2(b[16:], w, cols-16)
		}
	}
}

// ahead is the part of b after this block that the tile from row i fetches:
// a tile of 12 rows reads k/2 lines, a quarter of a block 32 wide. Later tiles
// name their own b again, which costs little.
func (s *block) ahead(b []float32, ldb, i int) *float32 {
	at := s.k*ldb + i/MR*(s.k/2)*16
	if i >= 4*MR || at >= len(b) {
		return &b[0]
	}
	return &b[at]
}

// panel512 is panel for AVX-512 and more than 16 columns.
func (s *block) panel512(b []float32, ldb, cols int) {
	i := 0
	for ; i+12 <= s.m; i += 12 {
		if s.packed != nil {
			gemm12x32PackedAVX512(s.k, &s.packed[i*s.k], 0, &b[0], ldb, s.c.at(i), s.c.ld, cols, s.base.at(i), s.base.ld, s.ahead(b, ldb, i))
		} else {
			gemm12x32StridedAVX512(s.k, &s.a[i*s.lda], s.lda, &b[0], ldb, s.c.at(i), s.c.ld, cols, s.base.at(i), s.base.ld)
		}
	}
	for i < s.m {
		pa, pc, base := &s.a[i*s.lda], s.c.at(i), s.base.at(i)
		switch r := s.m - i; {
		case r >= 8:
			gemm8x32StridedAVX512(s.k, pa, s.lda, &b[0], ldb, pc, s.c.ld, cols, base, s.base.ld)
			i += 8
		case r >= 6:
			gemm6x32StridedAVX512(s.k, pa, s.lda, &b[0], ldb, pc, s.c.ld, cols, base, s.base.ld)
			i += 6
		case r >= 4:
			gemm4x32StridedAVX512(s.k, pa, s.lda, &b[0], ldb, pc, s.c.ld, cols, base, s.base.ld)
			i += 4
		case r == 3:
			gemm3x32StridedAVX512(s.k, pa, s.lda, &b[0], ldb, pc, s.c.ld, cols, base, s.base.ld)
			i += 3
		case r == 2:
			gemm2x32StridedAVX512(s.k, pa, s.lda, &b[0], ldb, pc, s.c.ld, cols, base, s.base.ld)
			i += 2
		default:
			gemm1x32StridedAVX512(s.k, pa, s.lda, &b[0], ldb, pc, s.c.ld, cols, base, s.base.ld)
			i++
		}
	}
}

// panel512Narrow is panel for AVX-512 and up to 16 columns.
func (s *block) panel512Narrow(b []float32, ldb, cols int) {
	i := 0
	for ; i+12 <= s.m; i += 12 {
		if s.packed != nil {
			gemm12x16PackedAVX512(s.k, &s.packed[i*s.k], 0, &b[0], ldb, s.c.at(i), s.c.ld, cols, s.base.at(i), s.base.ld, s.ahead(b, ldb, i))
		} else {
			gemm12x16StridedAVX512(s.k, &s.a[i*s.lda], s.lda, &b[0], ldb, s.c.at(i), s.c.ld, cols, s.base.at(i), s.base.ld)
		}
	}
	for i < s.m {
		pa, pc, base := &s.a[i*s.lda], s.c.at(i), s.base.at(i)
		switch r := s.m - i; {
		case r >= 8:
			gemm8x16StridedAVX512(s.k, pa, s.lda, &b[0], ldb, pc, s.c.ld, cols, base, s.base.ld)
			i += 8
		case r >= 6:
			gemm6x16StridedAVX512(s.k, pa, s.lda, &b[0], ldb, pc, s.c.ld, cols, base, s.base.ld)
			i += 6
		case r >= 4:
			gemm4x16StridedAVX512(s.k, pa, s.lda, &b[0], ldb, pc, s.c.ld, cols, base, s.base.ld)
			i += 4
		case r == 3:
			gemm3x16StridedAVX512(s.k, pa, s.lda, &b[0], ldb, pc, s.c.ld, cols, base, s.base.ld)
			i += 3
		case r == 2:
			gemm2x16StridedAVX512(s.k, pa, s.lda, &b[0], ldb, pc, s.c.ld, cols, base, s.base.ld)
			i += 2
		default:
			gemm1x16StridedAVX512(s.k, pa, s.lda, &b[0], ldb, pc, s.c.ld, cols, base, s.base.ld)
			i++
		}
	}
}

// panel2 is panel for AVX2 and up to 16 columns; a packed tile of 12 rows is
// two of its tiles.
func (s *block) panel2(b []float32, ldb, cols int) {
	i := 0
	if s.packed != nil {
		for ; i+12 <= s.m; i += 12 {
			gemm6x16PackedAVX2(s.k, &s.packed[i*s.k], 0, &b[0], ldb, s.c.at(i), s.c.ld, cols, s.base.at(i), s.base.ld, s.ahead(b, ldb, i))
			gemm6x16PackedAVX2(s.k, &s.packed[i*s.k+6], 0, &b[0], ldb, s.c.at(i+6), s.c.ld, cols, s.base.at(i+6), s.base.ld, s.ahead(b, ldb, i))
		}
	}
	for i < s.m {
		pa, pc, base := &s.a[i*s.lda], s.c.at(i), s.base.at(i)
		switch r := s.m - i; {
		case r >= 6:
			gemm6x16StridedAVX2(s.k, pa, s.lda, &b[0], ldb, pc, s.c.ld, cols, base, s.base.ld)
			i += 6
		case r >= 4:
			gemm4x16StridedAVX2(s.k, pa, s.lda, &b[0], ldb, pc, s.c.ld, cols, base, s.base.ld)
			i += 4
		case r == 3:
			gemm3x16StridedAVX2(s.k, pa, s.lda, &b[0], ldb, pc, s.c.ld, cols, base, s.base.ld)
			i += 3
		case r == 2:
			gemm2x16StridedAVX2(s.k, pa, s.lda, &b[0], ldb, pc, s.c.ld, cols, base, s.base.ld)
			i += 2
		default:
			gemm1x16StridedAVX2(s.k, pa, s.lda, &b[0], ldb, pc, s.c.ld, cols, base, s.base.ld)
			i++
		}
	}
}

// MulNN: c [m,n] = a [m,k] · b [k,n], in Gemm's order. Whole groups of 16
// columns are read from b itself.
func MulNN(c []float32, ldc int, a []float32, lda int, b []float32, ldb, m, n, k int) {
	set := active()
	if set == portable || k == 0 {
		mulNNPacked(c, ldc, a, lda, b, ldb, m, n, k)
		return
	}
	whole := n &^ 15
	for k0 := 0; k0 < k; k0 += KC {
		s := block{set: set, a: a[k0:], lda: lda, m: m, k: min(KC, k-k0)}
		for j := 0; j < whole; j += NR {
			if s.c = (rows{c[j:], ldc}); k0 > 0 {
				s.base = s.c
			}
			s.panel(b[k0*ldb+j:], ldb, min(NR, whole-j))
		}
	}
	if whole < n {
		mulNNPacked(c[whole:], ldc, a, lda, b[whole:], ldb, m, n-whole, k)
	}
}

// transpose8 is the whole eights of columns of
//
//	for i < 8, l < k: dst[l·ldd+i] = scale·src[i·lds+l]
//
// and returns their number.
func transpose8(dst []float32, ldd int, src []float32, lds, k int, scale float32) int {
	whole := k &^ 7
	if active() == portable || whole == 0 {
		return 0
	}
	transpose8AVX2(&dst[0], ldd, &src[0], lds, whole, scale)
	return whole
}

// FMALoop runs a loop of n steps of independent multiply-adds and returns
// the number of floating-point operations done: the most that a product can
// reach, for benchmarks.
func FMALoop(n int) (flops int) {
	switch active() {
	case avx512:
		peakAVX512(n)
		return n * 12 * 16 * 2
	case avx2:
		peakAVX2(n)
		return n * 12 * 8 * 2
	}
	return 0
}
