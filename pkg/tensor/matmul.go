package tensor

import (
	"github.com/seed-2c350065/acdc/internal/floats"
	"github.com/seed-2c350065/acdc/pkg/tensor/internal/kernel"
)

// Packed is a right-hand matrix [K,N] laid out once in the panels the
// micro-kernels read. The layout is the same for every kernel, so a Packed
// stays valid when ForceKernel changes it. It is read-only after packing, until
// it is packed again, and safe for concurrent use.
type Packed struct {
	data []float32
	k, n int
}

// PackedLen is how many numbers a packed [k,n] matrix has.
func PackedLen(k, n int) int { return kernel.PackedLen(k, n) }

// Pack lays out b [K,N].
func Pack(b Matrix) *Packed { return new(Packed).Pack(b) }

// PackTransposed lays out the transpose of b [N,K], a [K,N] matrix.
func PackTransposed(b Matrix) *Packed { return new(Packed).PackTransposed(b) }

// Pack lays out b [K,N] in p, whose memory it takes where it is large enough,
// and returns p. Nothing may use p meanwhile.
func (p *Packed) Pack(b Matrix) *Packed {
	b.check("Pack", "b")
	p.resize(b.Rows, b.Cols)
	kernel.Pack(p.data, b.Data, b.Stride, b.Rows, b.Cols)
	return p
}

// PackTransposed is Pack of the transpose of b [N,K].
func (p *Packed) PackTransposed(b Matrix) *Packed {
	b.check("PackTransposed", "b")
	p.resize(b.Cols, b.Rows)
	kernel.PackTransposed(p.data, b.Data, b.Stride, b.Cols, b.Rows, 1)
	return p
}

// resize makes p a [k,n] matrix of any content.
func (p *Packed) resize(k, n int) {
	p.k, p.n = k, n
	if size := PackedLen(k, n); cap(p.data) < size {
		p.data = floats.Make(size)
	} else {
		p.data = p.data[:size]
	}
}

// MatMul sets dst [M,N] = a [M,K] · b [K,N]. It uses one thread and may be
// called from several goroutines on disjoint dst. dst must not overlap a.
//
// Every element is the same function of its row of a and its column of b,
// whatever M, N, the strides or the kernel (up to FMA, which "portable" has
// not): for each block of 256 consecutive k, acc = 0 and then
// acc = fma(a[i,k], b[k,j], acc) in order of k; the blocks' acc are added in
// order.
func MatMul(dst, a Matrix, b *Packed) { matMul("MatMul", dst, a, b, false) }

// MatMulAdd sets dst += a·b: as MatMul, but the blocks are added to dst.
func MatMulAdd(dst, a Matrix, b *Packed) { matMul("MatMulAdd", dst, a, b, true) }

func matMul(op string, dst, a Matrix, b *Packed, add bool) {
	checkProduct(op, dst, a, b)
	if dst.Rows == 0 || dst.Cols == 0 {
		return
	}
	kernel.Gemm(dst.Data, dst.Stride, a.Data, a.Stride, dst.Rows, b.k, b.data, b.n, 0, kernel.Panels(b.n), add)
}

func checkProduct(op string, dst, a Matrix, b *Packed) {
	dst.check(op, "dst")
	a.check(op, "a")
	if b == nil {
		panic(shapeError("%s: no b", op))
	}
	if a.Cols != b.k || dst.Rows != a.Rows || dst.Cols != b.n {
		panic(shapeError("%s: dst [%d,%d] = a [%d,%d] · b [%d,%d]", op, dst.Rows, dst.Cols, a.Rows, a.Cols, b.k, b.n))
	}
}

// checkUnpacked checks a product in which b is the right-hand matrix [k,n] or,
// with the mark ᵀ, its transpose. It reports whether there is nothing to compute.
func checkUnpacked(op string, dst, a, b Matrix, k, n int, mark string) (isEmpty bool) {
	dst.check(op, "dst")
	a.check(op, "a")
	b.check(op, "b")
	if dst.Rows != a.Rows || dst.Cols != n || a.Cols != k {
		panic(shapeError("%s: dst [%d,%d] = a [%d,%d] · b [%d,%d]%s", op, dst.Rows, dst.Cols, a.Rows, a.Cols, b.Rows, b.Cols, mark))
	}
	return dst.Rows == 0 || dst.Cols == 0
}

// MulNT sets dst [M,N] = a [M,K] · (scale·b [N,K])ᵀ, for the small products
// of attention scores. The order of summation is MatMul's; scale multiplies
// b's elements first, which is exact when it is a power of two.
func MulNT(dst, a, b Matrix, scale float32) {
	if isEmpty := checkUnpacked("MulNT", dst, a, b, b.Cols, b.Rows, "ᵀ"); isEmpty {
		return
	}
	kernel.MulNT(dst.Data, dst.Stride, a.Data, a.Stride, b.Data, b.Stride, a.Rows, b.Rows, a.Cols, scale)
}

// MulNN sets dst [M,N] = a [M,K] · b [K,N] without packing b first. Its bits
// are those of MatMul.
func MulNN(dst, a, b Matrix) {
	if isEmpty := checkUnpacked("MulNN", dst, a, b, b.Rows, b.Cols, ""); isEmpty {
		return
	}
	kernel.MulNN(dst.Data, dst.Stride, a.Data, a.Stride, b.Data, b.Stride, a.Rows, b.Cols, a.Cols)
}
