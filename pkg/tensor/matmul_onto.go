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
