package tensor_test

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// apart computes attention from its parts.
func apart(z, q, k, v tensor.Matrix, scale float32, causal bool) {
	scores := tensor.New(q.Rows, q.Rows)
	tensor.MulNT(scores.Matrix(), q, k, scale)
	for t := range q.Rows {
		row := scores.Row(t)
		if causal {
			clear(row[t+1:])
			row = row[:t+1]
		}
		tensor.Softmax(row)
	}
	tensor.MulNN(z, scores.Matrix(), v)
}

func TestAttention(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 2, 11, 12, 13, 15, 16, 17, 31, 33, 40, 49, 257, 300} {
			for _, k := range []int{1, 8, 16, 24, 64} {
				rnd := rand.New(rand.NewSource(int64(n)))
				x := random(rnd, n, 4*k).Matrix()
				q, key, v := x.Columns(0, k), x.Columns(k, 2*k), x.Columns(2*k, 3*k)
				for _, causal := range []bool{false, true} {
					want, got := tensor.New(n, k), tensor.New(n, k)
					apart(want.Matrix(), q, key, v, 0.3, causal)
					tensor.Attention(got.Matrix(), q, key, v, 0.3, causal)
					requireSameBits(t, want.Data, got.Data, n, k, causal)
				}
			}
		}
	})
}

// TestCausalAttentionSeesNothingAhead lets a NaN at a later position reach no
// earlier one.
func TestCausalAttentionSeesNothingAhead(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		rnd := rand.New(rand.NewSource(1))
		for _, n := range []int{15, 40, 60} {
			q, k, v, z := random(rnd, n, 16), random(rnd, n, 16), random(rnd, n, 16), tensor.New(n, 16)
			k.Row(n - 1)[3] = nan
			tensor.Attention(z.Matrix(), q.Matrix(), k.Matrix(), v.Matrix(), 1, true)
			_, found := tensor.HasNonFinite(z.Data[:(n-1)*16])
			assert.False(t, found)
			assert.True(t, anyNaN(z.Row(n-1)))
		}
	})
}

func TestAttentionShapes(t *testing.T) {
	m := tensor.New(3, 4).Matrix()
	panicsWithShape(t, "Attention: z [3,4] of q [3,4], k [2,4], v [3,4]", func() { tensor.Attention(m, m, m.Slice(0, 2), m, 1, true) })
}

func BenchmarkAttentionHead(b *testing.B) {
	for _, s := range [][2]int{{15, 64}, {40, 16}, {256, 64}} {
		n, k := s[0], s[1]
		x, z := random(rand.New(rand.NewSource(1)), n, 12*k).Matrix(), tensor.New(n, k)
		q, key, v := x.Columns(0, k), x.Columns(k, 2*k), x.Columns(2*k, 3*k)
		scores := tensor.New(n, n)
		b.Run(fmt.Sprintf("fused/T=%d/K=%d", n, k), func(b *testing.B) {
			for b.Loop() {
				tensor.Attention(z.Matrix(), q, key, v, 0.125, true)
			}
		})
		b.Run(fmt.Sprintf("apart/T=%d/K=%d", n, k), func(b *testing.B) {
			for b.Loop() {
				tensor.MulNT(scores.Matrix(), q, key, 0.125)
				for t := range n {
					row := scores.Row(t)
					tensor.Softmax(row[:t+1])
					clear(row[t+1:])
				}
				tensor.MulNN(z.Matrix(), scores.Matrix(), v)
			}
		})
	}
}
