package tensor_test

import (
	"math"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// rmsNorm64 is RMSNorm in float64, with 1/σ held at inv where it is given.
func rmsNorm64(x, w []float64, n int, eps float64, inv []float64) []float64 {
	out := make([]float64, len(x))
	for row := 0; row < len(x); row += n {
		square := 0.0
		for _, v := range x[row : row+n] {
			square += v * v / float64(n)
		}
		scale := 1 / math.Sqrt(square+eps)
		if inv != nil {
			scale = inv[row/n]
		}
		for j := range n {
			out[row+j] = x[row+j] * scale * w[j]
		}
	}
	return out
}

func TestRMSNorm(t *testing.T) {
	const rows, eps = 4, 1e-5
	eachKernel(t, func(t *testing.T) {
		for _, n := range []int{1, 2, 7, 16, 33, 100} {
			for _, fixed := range []bool{false, true} {
				rnd := rand.New(rand.NewSource(int64(n)))
				x, dy, w, change := random(rnd, rows, n), random(rnd, rows, n), random(rnd, n), random(rnd, rows, n)
				y, xhat, dx, inv := tensor.New(rows, n), tensor.New(rows, n), tensor.New(rows, n), make([]float32, rows)
				x64, w64, dy64 := wide(x.Data), wide(w.Data), wide(dy.Data)
				tensor.RMSNorm(y.Matrix(), x.Matrix(), w.Data, eps)
				requireNear(t, rmsNorm64(x64, w64, n, eps, nil), y.Data, 1e-6, n)
				tensor.StandardizeRMS(xhat.Matrix(), inv, x.Matrix(), eps)
				var held []float64
				if fixed {
					held = wide(inv)
				}
				tensor.RMSNormBackward(dx.Matrix(), dy.Matrix(), xhat.Matrix(), inv, w.Data, fixed)
				unit := 3e-6
				if n == 1 {
					unit = 3e-3 // x̂ is ±1 whatever x, but for eps: everything cancels
				}
				requireNear(t, differences(x64, func() float64 { return dots(dy64, rmsNorm64(x64, w64, n, eps, held)) }), dx.Data, unit, n, fixed)
				dw := make([]float32, n)
				tensor.AddLayerNormGradients(dw, nil, dy.Matrix(), xhat.Matrix(), 2)
				requireNear(t, differences(w64, func() float64 { return dots(dy64, rmsNorm64(x64, w64, n, eps, nil)) }), dw, 3e-6, n)
				forward := tensor.New(rows, n)
				tensor.RMSNormForward(forward.Matrix(), change.Matrix(), xhat.Matrix(), inv, w.Data, fixed)
				require.InDelta(t, dots(wide(dx.Data), wide(change.Data)), dots(dy64, wide(forward.Data)), 1e-4, "the way forward is the transpose")
			}
		}
	})
}

func TestSoftCap(t *testing.T) {
	x := []float32{-1e30, -40, -1, 0, 1e-4, 3, 40, 1e30}
	y, slopes := append([]float32(nil), x...), []float32{1, 1, 1, 1, 1, 1, 1, 1}
	tensor.SoftCap(y, 30)
	tensor.SoftCapBackward(slopes, y, 30)
	for i, v := range x {
		want := math.Tanh(float64(v) / 30)
		assert.InDelta(t, 30*want, float64(y[i]), 3e-6)
		assert.InDelta(t, 1-want*want, float64(slopes[i]), 3e-7)
	}
}
