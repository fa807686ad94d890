package tensor_test

import (
	"testing"

	"github.com/seed-2c350065/acdc/internal/misuse"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Nothing that is used wrongly ends in a panic that does not say so.
func TestEveryMisuse(t *testing.T) {
	matrix := func(rows, cols int) tensor.Matrix { return tensor.New(rows, cols).Matrix() }
	misuse.Walk(t, misuse.Package{
		Types: []any{tensor.Matrix{}, &tensor.Packed{}, &tensor.Tensor{}},
		Fresh: []func() any{func() any { return tensor.New(2, 3) }, func() any { return tensor.New(0, 3) }, func() any { return matrix(2, 3) },
			func() any { return tensor.Matrix{Rows: 2, Cols: 3, Stride: 1, Data: make([]float32, 2)} },
			func() any { return tensor.Matrix{Rows: -1, Cols: 3} },
			func() any { return tensor.Pack(matrix(2, 3)) }},
		Funcs: []any{tensor.Add, tensor.AddColumnSums, tensor.AddLayerNormGradients, tensor.AddRows, tensor.AddTo, tensor.Arithmetic,
			tensor.Attention, tensor.AttentionAt, tensor.AttentionBackward, tensor.Axpy, tensor.CausalSoftmax, tensor.CrossEntropyBackward,
			tensor.Dot, tensor.ForceKernel, tensor.GELU, tensor.GELUBackward, tensor.GELUNew, tensor.GELUNewBackward, tensor.Grown[float32],
			tensor.HasNonFinite, tensor.KLDivergence, tensor.KLTerms, tensor.KLTermsRows, tensor.KernelName, tensor.LayerNorm,
			tensor.LayerNormBackward, tensor.LogProb, tensor.LogSoftmax, tensor.MatMul, tensor.MatMulAdd,
			tensor.MatMulBias, tensor.MatMulOnto, tensor.MixBackward, tensor.MulNN, tensor.MulNT, tensor.MulTNAdd,
			tensor.MulTo, tensor.PackedLen, tensor.Parallel, tensor.RMSNorm, tensor.RMSNormBackward, tensor.RMSNormForward, tensor.ReLU, tensor.ReLUBackward, tensor.Scale,
			tensor.ScatterAdd, tensor.SiLU, tensor.SoftCap, tensor.SoftCapBackward, tensor.StandardizeRMS, tensor.SiLUBackward, tensor.Softmax, tensor.SoftmaxBackward, tensor.SquaredDistance,
			tensor.Standardize, tensor.Sub, tensor.SubRows, tensor.SubTo, tensor.Pack, tensor.PackTransposed, tensor.From, tensor.New},
		Arguments: []any{tensor.New(2, 3), tensor.New(7), tensor.New(), matrix(2, 3), matrix(3, 2), tensor.Matrix{Rows: 2, Cols: 3, Stride: 3},
			tensor.Pack(matrix(2, 3)), &tensor.Packed{}, make([]float32, 2), make([]float32, 3), make([]float64, 2), []int{0, 1}, []int{-1, 9},
			[]int{1000, 1000}, []tensor.Product{{Dst: matrix(3, 3), B: matrix(2, 3)}}, []tensor.Product{{}}},
	})
}
