package tensor

import "github.com/seed-2c350065/acdc/internal/floats"

// Tensor is a dense row-major float32 array. Data may be read and written
// directly; views made by Reshape and Slice share it.
type Tensor struct {
	Data  []float32
	shape []int
}

// New returns a tensor of zeros.
func New(shape ...int) *Tensor {
	n := volume(shape)
	return &Tensor{Data: floats.Make(n), shape: append([]int(nil), shape...)}
}

// From wraps data without copying it. It panics with ErrShape when
// len(data) is not the product of shape.
func From(data []float32, shape ...int) *Tensor {
	if n := volume(shape); n != len(data) {
		panic(shapeError("From: %d values for shape %v, which has %d", len(data), shape, n))
	}
	return &Tensor{Data: data, shape: append([]int(nil), shape...)}
}

// volume returns the product of the dimensions, 1 for none.
func volume(shape []int) int {
	n := 1
	for _, d := range shape {
		if d < 0 {
			panic(shapeError("negative dimension in %v", shape))
		}
		n *= d
	}
	return n
}

// Shape returns a copy of the dimensions.
func (t *Tensor) Shape() []int { return append([]int(nil), t.shape...) }

// Dim returns the size of dimension i; negative i counts from the last.
func (t *Tensor) Dim(i int) int {
	if i < 0 {
		i += len(t.shape)
	}
	if i < 0 || i >= len(t.shape) {
		panic(shapeError("Dim: no dimension %d in %v", i, t.shape))
	}
	return t.shape[i]
}

// Len returns the number of values.
func (t *Tensor) Len() int { return len(t.Data) }

// Rows returns the product of all dimensions but the last.
func (t *Tensor) Rows() int {
	if len(t.shape) == 0 {
		return 1
	}
	return volume(t.shape[:len(t.shape)-1])
}

// Cols returns the last dimension.
func (t *Tensor) Cols() int {
	if len(t.shape) == 0 {
		return 1
	}
	return t.shape[len(t.shape)-1]
}

// Row returns row i of the [Rows, Cols] view.
func (t *Tensor) Row(i int) []float32 {
	c := t.Cols()
	if i < 0 || (i+1)*c > len(t.Data) {
		panic(shapeError("Row: no row %d of %d", i, t.Rows()))
	}
	return t.Data[i*c : (i+1)*c : (i+1)*c]
}

// Reshape returns a view of the same data with another shape.
func (t *Tensor) Reshape(shape ...int) *Tensor { return From(t.Data, shape...) }

// Slice returns the view [i:j) along the first dimension.
func (t *Tensor) Slice(i, j int) *Tensor {
	if len(t.shape) == 0 || i < 0 || j < i || j > t.shape[0] {
		panic(shapeError("Slice: [%d:%d) of shape %v", i, j, t.shape))
	}
	step := volume(t.shape[1:])
	shape := append([]int(nil), t.shape...)
	shape[0] = j - i
	return &Tensor{Data: t.Data[i*step : j*step : j*step], shape: shape}
}

// Clone returns a copy with its own data.
func (t *Tensor) Clone() *Tensor {
	return &Tensor{Data: append(floats.Make(len(t.Data))[:0], t.Data...), shape: t.Shape()}
}

// Zero sets every value to 0.
func (t *Tensor) Zero() { clear(t.Data) }

// Matrix returns the [Rows, Cols] view.
func (t *Tensor) Matrix() Matrix {
	return Matrix{Data: t.Data, Rows: t.Rows(), Cols: t.Cols(), Stride: t.Cols()}
}
