package tensor

import "github.com/seed-2c350065/acdc/pkg/tensor/internal/kernel"

// Product is a right-hand side of MulTNAdd and where its product is added.
type Product struct{ Dst, B Matrix }

const (
	turnedRows  = 4 * kernel.KC // rows of a that are turned and multiplied at a time
	pieceWidth  = 1024          // columns of a right-hand side that one thread packs
	groupWidth  = 4096          // columns of right-hand sides that are packed at a time
	turnedSpare = 16            // rows of the turned a are not a power of two apart
)

// MulTNAdd sets each Dst [M,N] += aᵀ·B, from a [K,M] and B [K,N]: the gradients
// of weights, a being what they multiply and B the gradient of what came out. It
// uses up to threads goroutines, with the same bits for any number of them: the
// order of summation is MatMulAdd's, blocks of 256 of K being added to Dst.
func MulTNAdd(threads int, a Matrix, products ...Product) {
	a.check("MulTNAdd", "a")
	var parts []Product
	for _, p := range products {
		p.Dst.check("MulTNAdd", "dst")
		p.B.check("MulTNAdd", "b")
		if p.B.Rows != a.Rows || p.Dst.Rows != a.Cols || p.Dst.Cols != p.B.Cols {
			panic(shapeError("MulTNAdd: dst [%d,%d] += a [%d,%d]ᵀ · b [%d,%d]", p.Dst.Rows, p.Dst.Cols, a.Rows, a.Cols, p.B.Rows, p.B.Cols))
		}
		for j := 0; j < p.B.Cols; j += pieceWidth {
			to := min(j+pieceWidth, p.B.Cols)
			parts = append(parts, Product{p.Dst.Columns(j, to), p.B.Columns(j, to)})
		}
	}
	if a.Cols == 0 || len(parts) == 0 {
		return
	}
	for k0 := 0; k0 < a.Rows; k0 += turnedRows {
		x := turn(a.Slice(k0, min(k0+turnedRows, a.Rows)), threads)
		for from := 0; from < len(parts); {
			to, width := from, 0
			for to < len(parts) && (to == from || width+parts[to].B.Cols <= groupWidth) {
				width += parts[to].B.Cols
				to++
			}
			x.multiply(parts[from:to], k0, threads)
			from = to
		}
		kernel.Return(x.buf)
	}
}

// turned is a block of rows of a, turned [M,K].
type turned struct {
	Matrix
	buf *[]float32
}

func turn(a Matrix, threads int) turned {
	stride := a.Rows + turnedSpare
	buf := kernel.Borrow(a.Cols * stride)
	Parallel((a.Cols+7)/8, threads, func(first, last int) {
		from, to := first*8, min(last*8, a.Cols)
		kernel.Transpose((*buf)[from*stride:], stride, a.Data[from:], a.Stride, a.Rows, to-from)
	})
	return turned{Matrix{Data: *buf, Rows: a.Cols, Cols: a.Rows, Stride: stride}, buf}
}

// multiply packs rows of the right-hand sides from k0 on and adds the products.
func (x turned) multiply(parts []Product, k0, threads int) {
	size := 0
	for _, p := range parts {
		size += PackedLen(x.Cols, p.B.Cols)
	}
	buf := kernel.Borrow(size)
	Parallel(len(parts), threads, func(lo, hi int) {
		at := 0
		for i, p := range parts[:hi] {
			if i >= lo {
				kernel.Pack((*buf)[at:], p.B.Data[k0*p.B.Stride:], p.B.Stride, x.Cols, p.B.Cols)
			}
			at += PackedLen(x.Cols, p.B.Cols)
		}
	})
	tiles := (x.Rows + kernel.MR - 1) / kernel.MR
	Parallel(tiles, threads, func(first, last int) {
		from, to, at := first*kernel.MR, min(last*kernel.MR, x.Rows), 0
		for _, p := range parts {
			n := p.B.Cols
			kernel.Gemm(p.Dst.Data[from*p.Dst.Stride:], p.Dst.Stride, x.Data[from*x.Stride:], x.Stride, to-from, x.Cols,
				(*buf)[at:at+PackedLen(x.Cols, n)], n, 0, kernel.Panels(n), true)
			at += PackedLen(x.Cols, n)
		}
	})
	kernel.Return(buf)
}
