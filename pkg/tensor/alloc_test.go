//go:build !race

package tensor_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// TestNothingAllocates is left out under the race detector, which makes
// sync.Pool forget at random.
func TestNothingAllocates(t *testing.T) {
	a, c, b := tensor.New(40, 300), tensor.New(40, 288), tensor.New(300, 288)
	p := tensor.Pack(b.Matrix())
	x, y, z := tensor.New(15, 64), tensor.New(15, 15), tensor.New(15, 64)
	d := [3]*tensor.Tensor{tensor.New(15, 64), tensor.New(15, 64), tensor.New(15, 64)}
	got := testing.AllocsPerRun(100, func() {
		tensor.MatMul(c.Matrix(), a.Matrix(), p)
		tensor.MulNT(y.Matrix(), x.Matrix(), x.Matrix(), 1)
		tensor.MulNN(x.Matrix(), y.Matrix(), x.Matrix())
		tensor.Attention(z.Matrix(), x.Matrix(), x.Matrix(), x.Matrix(), 1, true)
		tensor.LayerNorm(z.Matrix(), x.Matrix(), nil, nil, 1e-5)
		tensor.Standardize(z.Matrix(), x.Data[:15], x.Matrix(), 1e-5)
		tensor.LayerNormBackward(z.Matrix(), x.Matrix(), z.Matrix(), x.Data[:15], nil, false)
		tensor.AttentionBackward(d[0].Matrix(), d[1].Matrix(), d[2].Matrix(), z.Matrix(), y.Matrix(), tensor.Matrix{}, x.Matrix(), x.Matrix(), x.Matrix(), 1)
		tensor.GELUNewBackward(z.Data, x.Data)
		tensor.KLTerms(z.Data, x.Data, z.Data)
	})
	assert.Less(t, got, 1.0, "allocations in steady state")
}
