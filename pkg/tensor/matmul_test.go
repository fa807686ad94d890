package tensor_test

import (
	"fmt"
	"math"
	"math/rand"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

var sizes = [][3]int{{1, 1, 1}, {7, 300, 20}, {13, 64, 100}, {40, 16, 40}, {100, 257, 333}, {300, 64, 768}, {517, 520, 65}}

// oracle is a·b in float64.
func oracle(a, b *tensor.Tensor) blas64.General {
	wide := func(x *tensor.Tensor) blas64.General {
		g := blas64.General{Rows: x.Rows(), Cols: x.Cols(), Stride: x.Cols(), Data: make([]float64, x.Len())}
		for i, v := range x.Data {
			g.Data[i] = float64(v)
		}
		return g
	}
	c := blas64.General{Rows: a.Rows(), Cols: b.Cols(), Stride: b.Cols(), Data: make([]float64, a.Rows()*b.Cols())}
	blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, wide(a), wide(b), 0, c)
	return c
}

func transpose(x *tensor.Tensor) *tensor.Tensor {
	y := tensor.New(x.Cols(), x.Rows())
	for i := range x.Rows() {
		for j, v := range x.Row(i) {
			y.Row(j)[i] = v
		}
	}
	return y
}

// TestMatMul compares every way to a product with float64.
func TestMatMul(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, s := range sizes {
			rnd := rand.New(rand.NewSource(1))
			a, b := random(rnd, s[0], s[1]), random(rnd, s[1], s[2])
			want := oracle(a, b)
			c := tensor.New(s[0], s[2])
			tensor.MatMul(c.Matrix(), a.Matrix(), tensor.Pack(b.Matrix()))
			worst := 0.0
			for i, v := range c.Data {
				worst = math.Max(worst, math.Abs(float64(v)-want.Data[i])/math.Sqrt(float64(s[1])))
			}
			t.Logf("%v: largest error %.3g·√K", s, worst)
			assert.Less(t, worst, 5e-6, "%v", s)

			d := tensor.New(s[0], s[2])
			tensor.MatMul(d.Matrix(), a.Matrix(), tensor.PackTransposed(transpose(b).Matrix()))
			requireSameBits(t, c.Data, d.Data, "PackTransposed", s)
			tensor.MulNN(d.Matrix(), a.Matrix(), b.Matrix())
			requireSameBits(t, c.Data, d.Data, "MulNN", s)
			tensor.MulNT(d.Matrix(), a.Matrix(), transpose(b).Matrix(), 1)
			requireSameBits(t, c.Data, d.Data, "MulNT", s)
			tensor.Sub(d.Data, c.Data)
			tensor.MatMulAdd(d.Matrix(), a.Matrix(), tensor.Pack(b.Matrix()))
			if s[1] <= 256 {
				requireSameBits(t, c.Data, d.Data, "MatMulAdd", s)
			}
			tensor.MatMulAdd(d.Matrix(), a.Matrix(), tensor.Pack(b.Matrix()))
			for i, v := range d.Data {
				assert.InDelta(t, 2*want.Data[i], v, 1e-5*math.Sqrt(float64(s[1])), "MatMulAdd %v", s)
			}
		}
	})
}

// TestMatMulSameBits checks that a result depends neither on the kernel nor
// on how rows are split over calls and threads.
func TestMatMulSameBits(t *testing.T) {
	for _, s := range append(sizes, [3]int{29, 300, 900}, [3]int{700, 768, 64}, [3]int{100, 1030, 340}) {
		rnd := rand.New(rand.NewSource(2))
		a, b := random(rnd, s[0], s[1]), tensor.Pack(random(rnd, s[1], s[2]).Matrix())
		var first *tensor.Tensor
		for _, name := range kernels() {
			restore, err := tensor.ForceKernel(name)
			assert.NoError(t, err)
			c := tensor.New(s[0], s[2])
			tensor.MatMul(c.Matrix(), a.Matrix(), b)
			if first != nil && name != "portable" {
				requireSameBits(t, first.Data, c.Data, s, name)
			}
			first = c
			for _, step := range []int{1, 5, 12, 31, 200} {
				d := tensor.New(s[0], s[2])
				for i := 0; i < s[0]; i += step {
					j := min(i+step, s[0])
					tensor.MatMul(d.Slice(i, j).Matrix(), a.Slice(i, j).Matrix(), b)
				}
				requireSameBits(t, c.Data, d.Data, s, name, "rows by", step)
			}
			restore()
		}
	}
}

// TestMatMulConcurrent shares a Packed and the scratch buffers between
// goroutines.
func TestMatMulConcurrent(t *testing.T) {
	rnd := rand.New(rand.NewSource(3))
	a, b := random(rnd, 120, 300), tensor.Pack(random(rnd, 300, 288).Matrix())
	want := tensor.New(120, 288)
	tensor.MatMul(want.Matrix(), a.Matrix(), b)
	var wg sync.WaitGroup
	got := make([]*tensor.Tensor, 8)
	for g := range got {
		got[g] = tensor.New(120, 288)
		wg.Go(func() { tensor.MatMul(got[g].Matrix(), a.Matrix(), b) })
	}
	wg.Wait()
	for _, c := range got {
		requireSameBits(t, want.Data, c.Data)
	}
}

func TestEmptyProducts(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, s := range [][3]int{{0, 3, 4}, {3, 4, 0}, {3, 0, 40}} {
			a, b := tensor.New(s[0], s[1]), tensor.New(s[1], s[2])
			c := tensor.New(s[0], s[2])
			for i := range c.Data {
				c.Data[i] = 7
			}
			tensor.MatMulAdd(c.Matrix(), a.Matrix(), tensor.Pack(b.Matrix()))
			for _, v := range c.Data {
				assert.Equal(t, float32(7), v, "MatMulAdd %v", s)
			}
			tensor.MatMul(c.Matrix(), a.Matrix(), tensor.Pack(b.Matrix()))
			for _, v := range c.Data {
				assert.Zero(t, v, "MatMul %v", s)
			}
			tensor.MulNN(c.Matrix(), a.Matrix(), b.Matrix())
			tensor.MulNT(c.Matrix(), a.Matrix(), tensor.New(s[2], s[1]).Matrix(), 1)
		}
	})
}

func TestPackedSize(t *testing.T) {
	for _, c := range []struct{ k, n, columns int }{{10, 16, 16}, {10, 17, 32}, {10, 32, 32}, {10, 33, 48}, {10, 64, 64}, {10, 0, 0}} {
		assert.Equal(t, c.k*c.columns, tensor.PackedLen(c.k, c.n), fmt.Sprint(c))
	}
}

func TestParallel(t *testing.T) {
	for n := range 9 {
		for threads := range 6 {
			var mu sync.Mutex
			seen := make([]int, n)
			tensor.Parallel(n, threads, func(from, to int) {
				mu.Lock()
				defer mu.Unlock()
				for i := from; i < to; i++ {
					seen[i]++
				}
			})
			for i, times := range seen {
				assert.Equal(t, 1, times, "%d of %d on %d threads", i, n, threads)
			}
		}
	}
}
