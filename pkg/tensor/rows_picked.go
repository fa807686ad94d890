package tensor

import "github.com/seed-2c350065/acdc/pkg/tensor/internal/kernel"

// SubRows sets row i of dst to row ia[i] of a minus row ib[i] of b. Where ia or
// ib is nil, row i is taken. dst may be a or b where their rows are not picked.
func SubRows(dst, a Matrix, ia []int, b Matrix, ib []int) {
	dst.check("SubRows", "dst")
	a.checkPicked("SubRows", "a", ia, dst)
	b.checkPicked("SubRows", "b", ib, dst)
	kernel.SubRows(dst.Data, dst.Stride, a.Data, a.Stride, ia, b.Data, b.Stride, ib, dst.Rows, dst.Cols)
}

// checkPicked panics unless the view has the rows that are picked, or as many as
// dst has, and dst's columns.
func (m Matrix) checkPicked(op, name string, rows []int, dst Matrix) {
	m.check(op, name)
	picked := len(rows)
	if rows == nil {
		picked = m.Rows
	}
	if picked != dst.Rows || m.Cols != dst.Cols {
		panic(shapeError("%s: dst [%d,%d] of %s [%d,%d], %d rows of it", op, dst.Rows, dst.Cols, name, m.Rows, m.Cols, picked))
	}
	for _, i := range rows {
		if uint(i) >= uint(m.Rows) {
			panic(shapeError("%s: no row %d of %d of %s", op, i, m.Rows, name))
		}
	}
}
