package tensor

import "github.com/seed-2c350065/acdc/pkg/tensor/internal/kernel"

// MatMulOnto sets dst [M,N] = base [M,N] + a [M,K] · b [K,N]: the bits are those
// of copying base to dst and MatMulAdd. base may be dst, else it must not
// overlap it.
func MatMulOnto(dst, base, a Matrix, b *Packed) {
	checkProduct("MatMulOnto", dst, a, b)
	base.check("MatMulOnto", "base")
	if base.Rows != dst.Rows || base.Cols != dst.Cols {
		panic(shapeError("MatMulOnto: dst [%d,%d] onto base [%d,%d]", dst.Rows, dst.Cols, base.Rows, base.Cols))
	}
	if dst.Rows == 0 || dst.Cols == 0 {
		return
	}
	kernel.GemmOnto(dst.Data, dst.Stride, base.Data, base.Stride, a.Data, a.Stride, dst.Rows, b.k, b.data, b.n)
}

// MatMulBias sets dst [M,N] = a [M,K] · b [K,N] and adds bias [N] to every row:
// the bits are those of MatMul and AddRows. a·b + bias and bias + a·b are the
// same where a·b is a sum of one block.
func MatMulBias(dst, a Matrix, b *Packed, bias []float32) {
	checkProduct("MatMulBias", dst, a, b)
	if b.k > kernel.KC {
		matMul("MatMulBias", dst, a, b, false)
		AddRows(dst, bias)
		return
	}
	sameLen("MatMulBias", dst.Cols, len(bias))
	if dst.Rows > 0 && dst.Cols > 0 {
		kernel.GemmOnto(dst.Data, dst.Stride, bias, 0, a.Data, a.Stride, dst.Rows, b.k, b.data, b.n)
	}
}
