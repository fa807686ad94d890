package tensor_test

import (
	"math/rand"
	"testing"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// TestMatMulOnto: it is a copy and MatMulAdd, to the bit.
func TestMatMulOnto(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, s := range sizes {
			rnd := rand.New(rand.NewSource(3))
			a, b, base := random(rnd, s[0], s[1]), tensor.Pack(random(rnd, s[1], s[2]).Matrix()), random(rnd, s[0], s[2])
			want, got := base.Clone(), tensor.New(s[0], s[2])
			tensor.MatMulAdd(want.Matrix(), a.Matrix(), b)
			tensor.MatMulOnto(got.Matrix(), base.Matrix(), a.Matrix(), b)
			requireSameBits(t, want.Data, got.Data, s)
		}
	})
	panicsWithShape(t, "MatMulOnto: dst [2,3] onto base [1,3]", func() {
		tensor.MatMulOnto(tensor.New(2, 3).Matrix(), tensor.New(1, 3).Matrix(), tensor.New(2, 4).Matrix(), tensor.Pack(tensor.New(4, 3).Matrix()))
	})
}

// TestMatMulBias: it is MatMul and AddRows, to the bit.
func TestMatMulBias(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, s := range append(sizes, [3]int{9, 256, 50}, [3]int{9, 255, 33}) {
			rnd := rand.New(rand.NewSource(5))
			a, b, bias := random(rnd, s[0], s[1]), tensor.Pack(random(rnd, s[1], s[2]).Matrix()), random(rnd, 1, s[2]).Data
			want, got := tensor.New(s[0], s[2]), tensor.New(s[0], s[2])
			tensor.MatMul(want.Matrix(), a.Matrix(), b)
			tensor.AddRows(want.Matrix(), bias)
			tensor.MatMulBias(got.Matrix(), a.Matrix(), b, bias)
			requireSameBits(t, want.Data, got.Data, s)
		}
	})
	panicsWithShape(t, "MatMulBias", func() {
		tensor.MatMulBias(tensor.New(2, 3).Matrix(), tensor.New(2, 4).Matrix(), tensor.Pack(tensor.New(4, 3).Matrix()), make([]float32, 2))
	})
}

// TestSubRows: it is SubTo of picked rows.
func TestSubRows(t *testing.T) {
	rnd := rand.New(rand.NewSource(4))
	a, b, pick := random(rnd, 5, 19), random(rnd, 3, 19), []int{4, 0, 4}
	got := tensor.New(3, 19)
	tensor.SubRows(got.Matrix(), a.Matrix(), pick, b.Matrix(), nil)
	for i, p := range pick {
		want := make([]float32, 19)
		tensor.SubTo(want, a.Row(p), b.Row(i))
		requireSameBits(t, want, got.Row(i), i)
	}
	panicsWithShape(t, "SubRows: no row 5 of 5 of a", func() { tensor.SubRows(got.Matrix(), a.Matrix(), []int{0, 1, 5}, b.Matrix(), nil) })
	panicsWithShape(t, "SubRows: dst [3,19] of a [5,19], 5 rows of it", func() { tensor.SubRows(got.Matrix(), a.Matrix(), nil, b.Matrix(), nil) })
}
