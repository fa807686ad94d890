package tensor_test

import (
	"math"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

var (
	inf = float32(math.Inf(1))
	nan = float32(math.NaN())
)

func TestElementwise(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		a, b, d := []float32{1, 2, 3}, []float32{10, 20, 30}, []float32{0, 0, 0}
		tensor.AddTo(d, a, b)
		assert.Equal(t, []float32{11, 22, 33}, d)
		tensor.SubTo(d, a, b)
		assert.Equal(t, []float32{-9, -18, -27}, d)
		tensor.Add(d, b)
		assert.Equal(t, []float32{1, 2, 3}, d)
		tensor.Sub(d, b)
		assert.Equal(t, []float32{-9, -18, -27}, d)
		tensor.Axpy(d, 2, b)
		assert.Equal(t, []float32{11, 22, 33}, d)
		m := tensor.New(3, 5).Matrix().Columns(1, 4)
		tensor.AddRows(m, a)
		assert.Equal(t, []float32{0, 1, 2, 3, 0, 0, 1, 2, 3, 0, 0, 1, 2, 3}, append([]float32{0}, m.Data...))
	})
}

// TestLayerNormSameBits checks that a row's result depends neither on the
// kernel nor on the rows beside it.
func TestLayerNormSameBits(t *testing.T) {
	for n := 1; n < 200; n++ {
		rnd := rand.New(rand.NewSource(int64(n)))
		x, w, b := random(rnd, 5, n+3), random(rnd, n).Data, random(rnd, n).Data
		var first *tensor.Tensor
		for _, name := range kernels() {
			if name == "portable" {
				continue
			}
			restore, err := tensor.ForceKernel(name)
			assert.NoError(t, err)
			got, single := x.Clone(), x.Clone()
			m, s := got.Matrix().Columns(1, n+1), single.Matrix().Columns(1, n+1)
			tensor.LayerNorm(m, x.Matrix().Columns(1, n+1), w, b, 1e-5)
			tensor.LayerNorm(m.Slice(3, 4), m.Slice(3, 4), nil, nil, 1e-5)
			for i := range 5 {
				tensor.LayerNorm(s.Slice(i, i+1), s.Slice(i, i+1), w, b, 1e-5)
			}
			tensor.LayerNorm(s.Slice(3, 4), s.Slice(3, 4), nil, nil, 1e-5)
			restore()
			requireSameBits(t, single.Data, got.Data, name, n)
			if first != nil {
				requireSameBits(t, first.Data, got.Data, name, n)
			}
			first = got
		}
	}
}

func TestLayerNorm(t *testing.T) {
	const eps = 1e-5
	eachKernel(t, func(t *testing.T) {
		worst := 0.0
		for _, n := range []int{1, 2, 15, 16, 17, 33, 49, 63, 64, 65, 768, 1000} {
			rnd := rand.New(rand.NewSource(int64(n)))
			x, w, b := random(rnd, 3, n), random(rnd, n), random(rnd, n)
			tensor.Axpy(x.Data, 3, x.Data)
			plain, affine := tensor.New(3, n), x.Clone()
			tensor.LayerNorm(plain.Matrix(), x.Matrix(), nil, nil, eps)
			tensor.LayerNorm(affine.Matrix(), affine.Matrix(), w.Data, b.Data, eps)
			for i := range 3 {
				var mean, variance float64
				for _, v := range x.Row(i) {
					mean += float64(v) / float64(n)
				}
				for _, v := range x.Row(i) {
					variance += (float64(v) - mean) * (float64(v) - mean) / float64(n)
				}
				for j, v := range x.Row(i) {
					want := (float64(v) - mean) / math.Sqrt(variance+eps)
					worst = math.Max(worst, math.Abs(float64(plain.Row(i)[j])-want))
					want = want*float64(w.Data[j]) + float64(b.Data[j])
					worst = math.Max(worst, math.Abs(float64(affine.Row(i)[j])-want))
				}
			}
		}
		t.Logf("largest error %.3g", worst)
		assert.Less(t, worst, 5e-6)
	})
}

func TestSoftmax(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		worst, worstLog := 0.0, 0.0
		for _, n := range []int{1, 2, 15, 16, 17, 40, 1023, 1024, 1025, 50257} {
			x := random(rand.New(rand.NewSource(int64(n))), n)
			tensor.Axpy(x.Data, 3, x.Data)
			top, sum := math.Inf(-1), 0.0
			for _, v := range x.Data {
				top = math.Max(top, float64(v))
			}
			for _, v := range x.Data {
				sum += math.Exp(float64(v) - top)
			}
			p, lp := x.Clone(), x.Clone()
			tensor.Softmax(p.Data)
			tensor.LogSoftmax(lp.Data, lp.Data)
			for i, v := range x.Data {
				want := float64(v) - top - math.Log(sum)
				worst = math.Max(worst, math.Abs(float64(p.Data[i])/math.Exp(want)-1))
				worstLog = math.Max(worstLog, math.Abs(float64(lp.Data[i])-want)/math.Max(1, math.Abs(want)))
			}
		}
		t.Logf("largest relative error %.3g, of the logarithm %.3g", worst, worstLog)
		assert.Less(t, worst, 2e-6)
		assert.Less(t, worstLog, 3e-7)
	})
}

// TestCausalSoftmax compares the bits with those of Softmax row by row.
func TestCausalSoftmax(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 2, 15, 16, 17, 31, 32, 33, 40, 48, 100, 1025, -15, -16, -17, -40, -1025} {
			stride := n + 5
			if n < 0 { // with rows whole vectors apart
				n = -n
				stride = (n + 31) &^ 15
			}
			all := random(rand.New(rand.NewSource(int64(n))), n, stride)
			tensor.Axpy(all.Data, 3, all.Data)
			if n > 5 {
				all.Row(2)[2], all.Row(3)[1], all.Row(4)[1] = nan, inf, -inf
			}
			want := all.Clone()
			for i := range n {
				row := want.Row(i)
				tensor.AddTo(row[:i+1], make([]float32, i+1), row[:i+1])
				for j := range row[:i+1] {
					row[j] *= 0.3
				}
				tensor.Softmax(row[:i+1])
				clear(row[i+1 : n])
			}
			tensor.CausalSoftmax(all.Matrix().Columns(0, n), 0.3)
			requireSameBits(t, want.Data, all.Data, n)
		}
	})
}

func TestSoftmaxSpecial(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		row := []float32{1, -inf, 1, -inf, -200}
		tensor.Softmax(row)
		assert.Equal(t, []float32{0.5, 0, 0.5, 0, 0}, row)
		log := []float32{1, -inf, 1}
		tensor.LogSoftmax(log, log)
		assert.Equal(t, float32(math.Log(0.5)), log[0])
		assert.Equal(t, -inf, log[1])
		for _, bad := range [][]float32{{1, nan, 2}, {1, inf}, {-inf, -inf}, {nan}} {
			p, lp := append([]float32(nil), bad...), append([]float32(nil), bad...)
			tensor.Softmax(p)
			tensor.LogSoftmax(lp, lp)
			for i := range p {
				if bad[i] == -inf || bad[i] == inf || bad[i] != bad[i] {
					assert.NotEqual(t, p[i], p[i], "%v gives %v", bad, p)
				}
			}
			assert.True(t, anyNaN(lp), "LogSoftmax of %v gives %v", bad, lp)
		}
		tensor.Softmax(nil)
		tensor.LogSoftmax(nil, nil)
	})
}

func anyNaN(x []float32) bool {
	for _, v := range x {
		if v != v {
			return true
		}
	}
	return false
}

func TestActivations(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, c := range []struct {
			run  func([]float32)
			want []float64 // at -2, 0, 1
		}{
			{tensor.ReLU, []float64{0, 0, 1}},
			{tensor.GELU, []float64{-0.045500263896, 0, 0.841344746069}},
			{tensor.GELUNew, []float64{-0.045402305912, 0, 0.841191990608}},
			{tensor.SiLU, []float64{-0.238405844044, 0, 0.731058578630}},
		} {
			x := []float32{-2, 0, 1}
			c.run(x)
			for i, v := range x {
				assert.InDelta(t, c.want[i], v, 1.5e-7)
			}
		}
	})
}

func TestKLDivergence(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, n := range []int{1, 5, 16, 33, 50257} {
			rnd := rand.New(rand.NewSource(int64(n)))
			p, q := random(rnd, n), random(rnd, n)
			tensor.LogSoftmax(p.Data, p.Data)
			tensor.LogSoftmax(q.Data, q.Data)
			want := 0.0
			for i, v := range p.Data {
				want += math.Exp(float64(v)) * (float64(v) - float64(q.Data[i]))
			}
			assert.InDelta(t, want, tensor.KLDivergence(p.Data, q.Data), 2e-7, "of %d values", n)
			assert.Zero(t, tensor.KLDivergence(p.Data, p.Data))
		}
		assert.InDelta(t, math.Ln2, tensor.KLDivergence([]float32{0, -inf}, []float32{-math.Ln2, -math.Ln2}), 1e-7)
		assert.Zero(t, tensor.KLDivergence([]float32{0, -inf}, []float32{0, -inf}))
		assert.True(t, math.IsInf(tensor.KLDivergence([]float32{-1}, []float32{-inf}), 1))
		assert.True(t, math.IsNaN(tensor.KLDivergence([]float32{nan}, []float32{0})))
	})
}

// TestKLTerms compares with float64 over lengths and scales; d is of either
// sign.
func TestKLTerms(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		worst := 0.0
		for _, n := range []int{1, 5, 16, 33, 511, 513, 50257} {
			for _, scale := range []float64{1e-7, 1e-4, 0.1, 1, 4} {
				rnd := rand.New(rand.NewSource(int64(n)))
				x, y, p := random(rnd, n).Data, random(rnd, n).Data, random(rnd, n).Data
				tensor.Softmax(p)
				var mean, beyond, size, largest float64
				for i := range x {
					y[i] = x[i] + float32(scale)*y[i]
					d := float64(y[i] - x[i])
					e := expm1x(d)
					mean += float64(p[i]) * d
					beyond += float64(p[i]) * e
					size += float64(p[i]) * math.Abs(d)
					largest = math.Max(largest, d)
				}
				m, b, l := tensor.KLTerms(p, x, y)
				worst = max(worst, math.Abs(m-mean)/(size+1e-300), math.Abs(b-beyond)/(beyond+1e-300))
				assert.Equal(t, float32(largest), l)
			}
		}
		t.Logf("largest relative error %.3g", worst)
		assert.Less(t, worst, 1e-6)
	})
}

// expm1x is e^d - 1 - d, which is (e^(d/2) - 1)² and twice that of d/2: sums of
// what is not negative, so that nothing cancels.
func expm1x(d float64) float64 {
	if math.Abs(d) < 1e-6 {
		return d * d / 2 * (1 + d/3)
	}
	half := math.Expm1(d / 2)
	return half*half + 2*expm1x(d/2)
}

func TestLogProb(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, n := range []int{1, 15, 1025, 50257} {
			x := random(rand.New(rand.NewSource(int64(n))), n).Data
			log := make([]float32, n)
			tensor.LogSoftmax(log, x)
			for _, i := range []int{0, n / 2, n - 1} {
				assert.InEpsilon(t, log[i]-1, tensor.LogProb(x, i)-1, 1e-6)
			}
		}
		assert.True(t, math.IsNaN(tensor.LogProb([]float32{1, nan}, 0)))
	})
}

func TestSquaredDistance(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		assert.Equal(t, 25.0, tensor.SquaredDistance([]float32{3, 1, 0}, []float32{0, 1, 4}))
		assert.Equal(t, 1e-16, math.Round(1e20*tensor.SquaredDistance([]float32{1e-8}, []float32{0}))/1e20)
	})
}

func TestHasNonFinite(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, n := range []int{1, 15, 16, 17, 1024, 1025, 3000} {
			x := make([]float32, n)
			x[0] = math.MaxFloat32
			_, found := tensor.HasNonFinite(x)
			assert.False(t, found)
			for _, bad := range []float32{nan, inf, -inf} {
				for _, at := range []int{0, n / 2, n - 1} {
					old := x[at]
					x[at] = bad
					index, found := tensor.HasNonFinite(x)
					assert.Equal(t, at, index)
					assert.True(t, found)
					x[at] = old
				}
			}
		}
	})
}
