package tensor_test

import (
	"math"
	"math/rand"
	"testing"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// TestAttentionAt: it is the products and the softmax of each row, to the bit.
func TestAttentionAt(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		rnd := rand.New(rand.NewSource(8))
		for _, s := range [][3]int{{1, 1, 1}, {5, 16, 4}, {18, 40, 16}, {7, 33, 20}, {30, 17, 64}, {3, 1030, 8}} {
			n, size, width := s[0], s[1], s[2]
			q, k, v := random(rnd, n, width), random(rnd, size, width), random(rnd, size, width)
			q.Data[0] = float32(math.Inf(1)) // its row is NaN
			at := make([]int, n)
			for i := range at {
				at[i] = rnd.Intn(size)
			}
			scores, want, got := tensor.New(n, size), tensor.New(n, width), tensor.New(n, width)
			tensor.MulNT(scores.Matrix(), q.Matrix(), k.Matrix(), 0.25)
			for i, p := range at {
				tensor.Softmax(scores.Row(i)[:p+1])
				clear(scores.Row(i)[p+1:])
			}
			tensor.MulNN(want.Matrix(), scores.Matrix(), v.Matrix())
			tensor.AttentionAt(got.Matrix(), q.Matrix(), k.Matrix(), v.Matrix(), 0.25, at)
			requireSameBits(t, want.Data, got.Data, s)
		}
	})
	x := tensor.New(2, 3).Matrix()
	panicsWithShape(t, "AttentionAt: no position 2 of 2", func() { tensor.AttentionAt(x, x, x, x, 1, []int{1, 2}) })
	panicsWithShape(t, "at 1 positions", func() { tensor.AttentionAt(x, x, x, x, 1, []int{1}) })
}
