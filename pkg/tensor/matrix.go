package tensor

// Matrix is a strided 2-D view: element (i, j) is Data[i*Stride+j].
type Matrix struct {
	Data               []float32
	Rows, Cols, Stride int
}

// Row returns row i.
func (m Matrix) Row(i int) []float32 {
	if i < 0 || i >= m.Rows {
		panic(shapeError("Row: no row %d of %d", i, m.Rows))
	}
	lo, hi := i*m.Stride, i*m.Stride+m.Cols
	if lo < 0 || hi < lo || hi > cap(m.Data) {
		m.check("Row", "the matrix")
	}
	return m.Data[lo:hi:hi]
}

// Slice returns the view of rows [i,j).
func (m Matrix) Slice(i, j int) Matrix {
	if i < 0 || j < i || j > m.Rows {
		panic(shapeError("Slice: rows [%d:%d) of %d", i, j, m.Rows))
	}
	m.check("Slice", "the matrix")
	if i == j {
		return Matrix{Cols: m.Cols, Stride: m.Stride}
	}
	return Matrix{Data: m.Data[i*m.Stride : (j-1)*m.Stride+m.Cols], Rows: j - i, Cols: m.Cols, Stride: m.Stride}
}

// Columns returns the view of columns [i,j), with the same stride.
func (m Matrix) Columns(i, j int) Matrix {
	if i < 0 || j < i || j > m.Cols {
		panic(shapeError("Columns: [%d:%d) of %d", i, j, m.Cols))
	}
	m.check("Columns", "the matrix")
	if m.Rows == 0 || i == j {
		return Matrix{Rows: m.Rows, Cols: j - i, Stride: m.Stride}
	}
	return Matrix{Data: m.Data[i : (m.Rows-1)*m.Stride+j], Rows: m.Rows, Cols: j - i, Stride: m.Stride}
}

// Zero sets every value to 0.
func (m Matrix) Zero() {
	for i := range m.Rows {
		clear(m.Row(i))
	}
}

// check panics with ErrShape when the view does not fit its data.
func (m Matrix) check(op, name string) {
	if m.Rows < 0 || m.Cols < 0 || (m.Rows > 1 && m.Stride < m.Cols) {
		panic(shapeError("%s: %s is [%d,%d] with stride %d", op, name, m.Rows, m.Cols, m.Stride))
	}
	if m.Rows > 0 && m.Cols > 0 && len(m.Data) < (m.Rows-1)*m.Stride+m.Cols {
		panic(shapeError("%s: %s is [%d,%d] with stride %d on %d values", op, name, m.Rows, m.Cols, m.Stride, len(m.Data)))
	}
}
