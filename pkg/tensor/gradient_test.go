package tensor_test

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// wide is x in float64.
func wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// differences is the gradient of f at x by central differences; x is changed
// in passing.
func differences(x []float64, f func() float64) []float64 {
	const h = 1e-5
	out := make([]float64, len(x))
	for i, v := range x {
		x[i] = v + h
		up := f()
		x[i] = v - h
		down := f()
		x[i] = v
		out[i] = (up - down) / (2 * h)
	}
	return out
}

// requireNear compares with a gradient by differences.
func requireNear(t *testing.T, want []float64, got []float32, unit float64, what ...any) {
	t.Helper()
	require.Equal(t, len(want), len(got), fmt.Sprint(what...))
	size := 1.0
	for _, v := range want {
		size = max(size, math.Abs(v))
	}
	for i, v := range want {
		require.InDelta(t, v, float64(got[i]), unit*size, fmt.Sprint(what...))
	}
}

// dots is Σ a·b.
func dots(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// layerNorm64 is the definition, of rows of n; with fixed, 1/σ is that given.
func layerNorm64(x, w, b []float64, n int, eps float64, fixed []float64) []float64 {
	out := make([]float64, len(x))
	for i := 0; i < len(x); i += n {
		mean, variance := 0.0, 0.0
		for _, v := range x[i : i+n] {
			mean += v / float64(n)
		}
		for _, v := range x[i : i+n] {
			variance += (v - mean) * (v - mean) / float64(n)
		}
		inv := 1 / math.Sqrt(variance+eps)
		if fixed != nil {
			inv = fixed[i/n]
		}
		for j, v := range x[i : i+n] {
			out[i+j] = (v-mean)*inv*w[j] + b[j]
		}
	}
	return out
}

func TestLayerNormBackward(t *testing.T) {
	const rows, eps = 4, 1e-5
	eachKernel(t, func(t *testing.T) {
		for _, n := range []int{1, 2, 7, 16, 33, 100} {
			for _, affine := range []bool{false, true} {
				for _, fixed := range []bool{false, true} {
					rnd := rand.New(rand.NewSource(int64(n)))
					x, dy, w, b := random(rnd, rows, n), random(rnd, rows, n), random(rnd, n), random(rnd, n)
					xhat, dx, inv := tensor.New(rows, n), tensor.New(rows, n), make([]float32, rows)
					tensor.Standardize(xhat.Matrix(), inv, x.Matrix(), eps)
					plain := tensor.New(rows, n)
					tensor.LayerNorm(plain.Matrix(), x.Matrix(), nil, nil, eps)
					requireNear(t, wide(plain.Data), xhat.Data, 1e-6, "x̂")
					weights := w.Data
					x64, w64, b64, dy64 := wide(x.Data), wide(w.Data), wide(b.Data), wide(dy.Data)
					if !affine {
						weights = nil
						for j := range w64 {
							w64[j], b64[j] = 1, 0
						}
					}
					var held []float64
					if fixed {
						held = wide(inv)
					}
					loss := func() float64 { return dots(dy64, layerNorm64(x64, w64, b64, n, eps, held)) }
					tensor.LayerNormBackward(dx.Matrix(), dy.Matrix(), xhat.Matrix(), inv, weights, fixed)
					unit := 3e-6
					if n <= 2 {
						unit = 3e-3 // x̂ is ±1 whatever x, but for eps: everything cancels
					}
					requireNear(t, differences(x64, loss), dx.Data, unit, n, affine, fixed)
					dw, db := make([]float32, n), make([]float32, n)
					tensor.AddLayerNormGradients(dw, db, dy.Matrix(), xhat.Matrix(), 2)
					requireNear(t, differences(w64, loss), dw, 3e-6, n)
					requireNear(t, differences(b64, loss), db, 3e-6, n)
					same := dy.Clone()
					tensor.LayerNormBackward(same.Matrix(), same.Matrix(), xhat.Matrix(), inv, weights, fixed)
					requireSameBits(t, dx.Data, same.Data, "in place")
				}
			}
		}
	})
}

func TestSumsOverRows(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, s := range [][2]int{{1, 1}, {3, 40}, {700, 130}, {257, 600}} {
			rnd := rand.New(rand.NewSource(3))
			x, xhat := random(rnd, s[0], s[1]+3).Matrix().Columns(1, s[1]+1), random(rnd, s[0], s[1]).Matrix()
			start := random(rnd, s[1]).Data
			var first [2][]float32
			for threads := 1; threads <= 3; threads++ {
				sums, dw := append([]float32(nil), start...), make([]float32, s[1])
				tensor.AddColumnSums(sums, x, threads)
				tensor.AddLayerNormGradients(dw, make([]float32, s[1]), x, xhat, threads)
				if threads == 1 {
					first = [2][]float32{sums, dw}
				}
				requireSameBits(t, first[0], sums)
				requireSameBits(t, first[1], dw)
			}
			for j := range s[1] {
				sum, product := float64(start[j]), 0.0
				for i := range s[0] {
					sum += float64(x.Row(i)[j])
					product += float64(x.Row(i)[j]) * float64(xhat.Row(i)[j])
				}
				require.InDelta(t, sum, float64(first[0][j]), 3e-6*math.Sqrt(float64(s[0])))
				require.InDelta(t, product, float64(first[1][j]), 6e-6*math.Sqrt(float64(s[0])))
			}
		}
	})
}

func TestScatterAdd(t *testing.T) {
	rnd := rand.New(rand.NewSource(4))
	const rows, vocab, d = 900, 7, 90
	x, at, start := random(rnd, rows, d), make([]int, rows), random(rnd, vocab, d)
	want := start.Clone()
	for i := range at {
		at[i] = rnd.Intn(vocab - 1) // the last is never looked up
		for j, v := range x.Row(i) {
			want.Row(at[i])[j] += v
		}
	}
	for threads := 1; threads <= 3; threads++ {
		got := start.Clone()
		tensor.ScatterAdd(got.Matrix(), at, x.Matrix(), threads)
		requireSameBits(t, want.Data, got.Data, threads)
		requireSameBits(t, start.Row(vocab-1), got.Row(vocab-1))
	}
	panicsWithShape(t, "ScatterAdd rows", func() { tensor.ScatterAdd(start.Matrix(), at[1:], x.Matrix(), 1) })
}

// softmax64 is the definition.
func softmax64(x []float64) []float64 {
	out, sum := make([]float64, len(x)), 0.0
	for i, v := range x {
		out[i] = math.Exp(v)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

func TestSoftmaxBackwards(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, n := range []int{1, 2, 15, 16, 17, 100} {
			rnd := rand.New(rand.NewSource(int64(n)))
			x, dy := random(rnd, n).Data, random(rnd, n).Data
			x64, dy64 := wide(x), wide(dy)

			p, dp := append([]float32(nil), x...), append([]float32(nil), dy...)
			tensor.Softmax(p)
			tensor.SoftmaxBackward(dp, p)
			requireNear(t, differences(x64, func() float64 { return dots(dy64, softmax64(x64)) }), dp, 1e-6, n)

			label, grad := rnd.Intn(n), append([]float32(nil), x...)
			loss := tensor.CrossEntropyBackward(grad, label, 0.25)
			nll := func() float64 { return -math.Log(softmax64(x64)[label]) }
			require.InDelta(t, nll(), loss, 1e-6)
			want := differences(x64, nll)
			for i := range want {
				want[i] *= 0.25
			}
			requireNear(t, want, grad, 1e-6, n)
		}
	})
}

// What the model is nearly sure of keeps its digits.
func TestCrossEntropyOfWhatIsNearlySure(t *testing.T) {
	x := []float32{20, 0}
	loss := tensor.CrossEntropyBackward(x, 0, 1)
	assert.InEpsilon(t, math.Exp(-20), loss, 1e-6)
	assert.InEpsilon(t, -math.Exp(-20), float64(x[0]), 1e-6)
	assert.InEpsilon(t, math.Exp(-20), float64(x[1]), 1e-6)
}

func TestActivationBackwards(t *testing.T) {
	for _, c := range []struct {
		name     string
		backward func(dx, x []float32)
		function func(x float64) float64
	}{
		{"ReLU", tensor.ReLUBackward, func(x float64) float64 { return math.Max(x, 0) }},
		{"GELU", tensor.GELUBackward, func(x float64) float64 { return x * 0.5 * math.Erfc(-x/math.Sqrt2) }},
		{"GELUNew", tensor.GELUNewBackward, func(x float64) float64 {
			return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
		}},
		{"SiLU", tensor.SiLUBackward, func(x float64) float64 { return x / (1 + math.Exp(-x)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachKernel(t, func(t *testing.T) {
				rnd := rand.New(rand.NewSource(9))
				x, dx := random(rnd, 301), random(rnd, 301)
				tensor.Scale(x.Data, 3)
				x64, dy64 := wide(x.Data), wide(dx.Data)
				c.backward(dx.Data, x.Data)
				requireNear(t, differences(x64, func() float64 {
					sum := 0.0
					for i, v := range x64 {
						sum += dy64[i] * c.function(v)
					}
					return sum
				}), dx.Data, 3e-6)
			})
			panicsWithShape(t, c.name+"Backward: lengths 2 and 3", func() { c.backward(make([]float32, 2), make([]float32, 3)) })
		})
	}
}

// attention64 is Σ dz·z of one head, by the definition.
func attention64(q, k, v, dz []float64, t, width int, scale float64, causal bool) float64 {
	sum := 0.0
	for i := range t {
		last := t
		if causal {
			last = i + 1
		}
		scores := make([]float64, last)
		for j := range scores {
			scores[j] = scale * dots(q[i*width:(i+1)*width], k[j*width:(j+1)*width])
		}
		for j, p := range softmax64(scores) {
			sum += p * dots(dz[i*width:(i+1)*width], v[j*width:(j+1)*width])
		}
	}
	return sum
}

func TestAttentionBackward(t *testing.T) {
	const scale = 0.3
	eachKernel(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 2, 5, 12, 17} {
			for _, width := range []int{1, 5, 16} {
				for _, causal := range []bool{false, true} {
					rnd := rand.New(rand.NewSource(int64(n)))
					x := random(rnd, n, 4*width).Matrix()
					var in [4]tensor.Matrix // q, k, v, dz
					var in64 [4][]float64
					for i := range in {
						in[i] = x.Columns(i*width, (i+1)*width)
						for r := range n {
							in64[i] = append(in64[i], wide(in[i].Row(r))...)
						}
					}
					p := tensor.New(n, n)
					tensor.MulNT(p.Matrix(), in[0], in[1], scale)
					for r := range n {
						last := n
						if causal {
							last = r + 1
						}
						tensor.Softmax(p.Row(r)[:last])
						clear(p.Row(r)[last:])
					}
					var d [3]*tensor.Tensor
					for i := range d {
						d[i] = tensor.New(n, width)
					}
					tensor.AttentionBackward(d[0].Matrix(), d[1].Matrix(), d[2].Matrix(), in[3], p.Matrix(), tensor.Matrix{}, in[0], in[1], in[2], scale)
					for i, name := range []string{"dq", "dk", "dv"} {
						want := differences(in64[i], func() float64 {
							return attention64(in64[0], in64[1], in64[2], in64[3], n, width, scale, causal)
						})
						requireNear(t, want, d[i].Data, 3e-6, name, n, width, causal)
					}
				}
			}
		}
	})
	m := tensor.New(3, 4).Matrix()
	panicsWithShape(t, "MixBackward: dv [3,4] of p [3,4], dz [3,4]", func() { tensor.MixBackward(m, m, m) })
	panicsWithShape(t, "Attention: z [3,4]", func() { tensor.AttentionBackward(m, m, m, m, m, tensor.Matrix{}, m, m.Slice(0, 2), m, 1) })
}

// The products of turned activations are those of float64, have the bits of
// MatMulAdd of the transpose, and do not depend on threads or on what else is
// multiplied.
func TestMulTNAdd(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, s := range [][3]int{{1, 1, 1}, {5, 13, 40}, {300, 64, 33}, {1500, 70, 100}, {2100, 20, 5}, {40, 30, 2100}} {
			k, m, n := s[0], s[1], s[2]
			rnd := rand.New(rand.NewSource(1))
			a, b, c := random(rnd, k, m+5).Matrix().Columns(2, m+2), random(rnd, k, n), random(rnd, k, 17)
			at := tensor.New(m, k)
			for i := range m {
				for j := range k {
					at.Row(i)[j] = a.Row(j)[i]
				}
			}
			start := random(rnd, m, n)
			want := start.Clone()
			tensor.MatMulAdd(want.Matrix(), at.Matrix(), tensor.Pack(b.Matrix()))
			exact := oracle(at, b)
			for threads := 1; threads <= 3; threads++ {
				got, other := start.Clone(), tensor.New(m, 20)
				tensor.MulTNAdd(threads, a, tensor.Product{Dst: got.Matrix(), B: b.Matrix()},
					tensor.Product{Dst: other.Matrix().Columns(1, 18), B: c.Matrix()})
				requireSameBits(t, want.Data, got.Data, s, threads)
				second := oracle(at, c)
				for i := range m {
					for j := range 17 {
						require.InDelta(t, second.Data[i*17+j], float64(other.Row(i)[j+1]), 1e-5*math.Sqrt(float64(k)))
					}
					require.Zero(t, other.Row(i)[0])
					require.Zero(t, other.Row(i)[18])
				}
			}
			for i, v := range want.Data {
				require.InDelta(t, exact.Data[i]+float64(start.Data[i]), float64(v), 1e-5*math.Sqrt(float64(k)))
			}
		}
	})
	x := tensor.New(2, 3).Matrix()
	panicsWithShape(t, "MulTNAdd: dst [2,3] += a [2,3]ᵀ · b [2,3]", func() { tensor.MulTNAdd(1, x, tensor.Product{Dst: x, B: x}) })
}

// BenchmarkMulTNAdd has the gradients of GPT-2's W_in at 1,500 positions.
func BenchmarkMulTNAdd(b *testing.B) {
	rnd := rand.New(rand.NewSource(1))
	x, dy, dst := random(rnd, 1500, 768), random(rnd, 1500, 3072), tensor.New(768, 3072)
	for b.Loop() {
		tensor.MulTNAdd(1, x.Matrix(), tensor.Product{Dst: dst.Matrix(), B: dy.Matrix()})
	}
	report(b, 2*1500*768*3072)
}
