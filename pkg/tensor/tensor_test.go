package tensor_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// panicsWithShape asserts that f panics with an ErrShape that says text.
func panicsWithShape(t *testing.T, text string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		err, _ := recover().(error)
		if !errors.Is(err, tensor.ErrShape) || !strings.Contains(err.Error(), text) {
			t.Errorf("panic with %v, want ErrShape with %q", err, text)
		}
	}()
	f()
}

func TestTensorViews(t *testing.T) {
	x := tensor.New(2, 3, 4)
	for i := range x.Data {
		x.Data[i] = float32(i)
	}
	assert.Equal(t, []int{2, 3, 4}, x.Shape())
	assert.Equal(t, []int{24, 6, 4, 3, 4}, []int{x.Len(), x.Rows(), x.Cols(), x.Dim(1), x.Dim(-1)})
	assert.Equal(t, []float32{20, 21, 22, 23}, x.Row(5))

	part := x.Slice(1, 2)
	assert.Equal(t, []int{1, 3, 4}, part.Shape())
	part.Data[0] = -1
	assert.Equal(t, float32(-1), x.Data[12], "a slice shares its data")

	flat := x.Reshape(6, 4)
	assert.Equal(t, []int{6, 4}, flat.Shape())
	own := x.Clone()
	own.Zero()
	assert.Equal(t, float32(23), x.Data[23], "a clone does not")

	x.Shape()[0] = 9
	assert.Equal(t, 2, x.Dim(0), "Shape returns a copy")
	assert.Equal(t, []int{1, 1, 1}, []int{tensor.New().Len(), tensor.New().Rows(), tensor.New().Cols()})
}

func TestMatrixViews(t *testing.T) {
	x := tensor.New(4, 6)
	for i := range x.Data {
		x.Data[i] = float32(i)
	}
	m := x.Matrix().Slice(1, 4).Columns(2, 5)
	assert.Equal(t, []int{3, 3, 6}, []int{m.Rows, m.Cols, m.Stride})
	assert.Equal(t, []float32{20, 21, 22}, m.Row(2))
	assert.Equal(t, 0, m.Slice(2, 2).Rows)
	assert.Equal(t, 0, m.Columns(3, 3).Cols)
	assert.Equal(t, 3, cap(m.Row(0)), "a row cannot be appended to in place")
}

func TestShapePanics(t *testing.T) {
	x, v := tensor.New(2, 3), make([]float32, 4)
	m := x.Matrix()
	for text, f := range map[string]func(){
		"5 values for shape [2 3], which has 6":              func() { tensor.From(make([]float32, 5), 2, 3) },
		"negative dimension in [2 -1]":                       func() { tensor.New(2, -1) },
		"no dimension 2 in [2 3]":                            func() { x.Dim(2) },
		"[1:3) of shape [2 3]":                               func() { x.Slice(1, 3) },
		"no row 2 of 2":                                      func() { m.Row(2) },
		"rows [1:3) of 2":                                    func() { m.Slice(1, 3) },
		"Columns: [2:4) of 3":                                func() { m.Columns(2, 4) },
		"MatMul: dst [2,3] = a [2,3] · b [2,3]":              func() { tensor.MatMul(m, m, tensor.Pack(m)) },
		"MatMulAdd: dst [2,3] = a [2,3] · b [2,3]":           func() { tensor.MatMulAdd(m, m, tensor.Pack(m)) },
		"MulNT: dst [2,3] = a [2,3] · b [2,3]ᵀ":              func() { tensor.MulNT(m, m, m, 1) },
		"MulNN: dst [2,3] = a [2,3] · b [2,3]":               func() { tensor.MulNN(m, m, m) },
		"b is [2,3] with stride 2":                           func() { tensor.Pack(tensor.Matrix{Data: v, Rows: 2, Cols: 3, Stride: 2}) },
		"b is [2,3] with stride 3 on 4 values":               func() { tensor.PackTransposed(tensor.Matrix{Data: v, Rows: 2, Cols: 3, Stride: 3}) },
		"Add: lengths 4 and 3":                               func() { tensor.Add(v, v[:3]) },
		"Sub: lengths 4 and 3":                               func() { tensor.Sub(v, v[:3]) },
		"AddTo: lengths 4 and 2":                             func() { tensor.AddTo(v, v, v[:2]) },
		"SubTo: lengths 4 and 2":                             func() { tensor.SubTo(v, v[:2], v) },
		"Axpy: lengths 4 and 1":                              func() { tensor.Axpy(v, 1, v[:1]) },
		"AddRows: lengths 3 and 4":                           func() { tensor.AddRows(m, v) },
		"LayerNorm w: lengths 0 and 3":                       func() { tensor.LayerNorm(m, m, nil, v[:3], 0) },
		"LayerNorm columns: lengths 2 and 3":                 func() { tensor.LayerNorm(m.Columns(0, 2), m, nil, nil, 0) },
		"LogSoftmax: lengths 4 and 3":                        func() { tensor.LogSoftmax(v, v[:3]) },
		"KLDivergence: lengths 4 and 3":                      func() { tensor.KLDivergence(v, v[:3]) },
		"SquaredDistance: lengths 4 and 3":                   func() { tensor.SquaredDistance(v, v[:3]) },
		"tensor: shape mismatch: LayerNorm rows: lengths 1 ": func() { tensor.LayerNorm(m.Slice(0, 1), m, nil, nil, 0) },
	} {
		panicsWithShape(t, text, f)
	}
}
