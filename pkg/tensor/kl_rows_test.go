package tensor_test

import (
	"math"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// TestKLTermsRows: it is KLTerms of each row, to the bit, also of rows that are
// the same, far apart, or not finite.
func TestKLTermsRows(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		rnd := rand.New(rand.NewSource(9))
		for _, cols := range []int{1, 5, 15, 16, 17, 31, 32, 33, 128, 500, 511, 512, 513, 1100} {
			p, x, y := random(rnd, 9, cols), random(rnd, 9, cols), random(rnd, 7, cols)
			for i := range p.Data {
				p.Data[i] = float32(math.Abs(float64(p.Data[i]))) / float32(cols)
			}
			pick := []int{8, 0, 0, 3, 5, 2, 1}
			copy(y.Row(0), x.Row(8))
			y.Row(1)[cols-1] = float32(math.NaN())
			y.Row(2)[0] = 1e30
			y.Row(3)[cols/2] = float32(math.Inf(-1))
			mean, beyond, largest := make([]float64, 7), make([]float64, 7), make([]float32, 7)
			tensor.KLTermsRows(mean, beyond, largest, p.Matrix(), x.Matrix(), pick, y.Matrix())
			for i, row := range pick {
				a, b, c := tensor.KLTerms(p.Row(row), x.Row(row), y.Row(i))
				for k, v := range [][2]float64{{a, mean[i]}, {b, beyond[i]}, {float64(c), float64(largest[i])}} {
					if v[0] != v[0] && v[1] != v[1] {
						continue
					}
					require.Equal(t, math.Float64bits(v[0]), math.Float64bits(v[1]), "%d columns, row %d, result %d: %v, want %v", cols, i, k, v[1], v[0])
				}
			}
		}
	})
}
