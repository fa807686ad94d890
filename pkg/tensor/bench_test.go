package tensor_test

import (
	"fmt"
	"math/rand"
	"testing"
	"time"

	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/tensor/internal/kernel"
)

// peak measures the GFLOP/s of one thread that does nothing but
// multiply-adds, the best of a few short runs.
func peak() (best float64) {
	for range 20 {
		start := time.Now()
		flops := kernel.FMALoop(1 << 18)
		best = max(best, float64(flops)/float64(time.Since(start).Nanoseconds()))
	}
	return best
}

// report adds GFLOP/s and the share of the peak of one thread.
func report(b *testing.B, flops int) {
	rate := float64(flops) * float64(b.N) / float64(b.Elapsed().Nanoseconds())
	b.ReportMetric(rate, "GFLOP/s")
	if p := peak(); p > 0 {
		b.ReportMetric(100*rate/p, "%peak")
	}
}

func BenchmarkPeak(b *testing.B) {
	for _, name := range kernels() {
		b.Run(name, func(b *testing.B) {
			restore, _ := tensor.ForceKernel(name)
			defer restore()
			flops := 0
			for b.Loop() {
				flops = kernel.FMALoop(1 << 16)
			}
			report(b, flops)
		})
	}
}

var benchSizes = [][3]int{
	{64, 64, 64}, {512, 512, 512}, {1024, 1024, 1024}, {300, 768, 3072}, {300, 768, 768},
	{300, 64, 768}, {300, 768, 64}, {300, 768, 16}, {15, 768, 768}, {1500, 768, 3072}, {1500, 768, 50257},
}

func BenchmarkMatMul(b *testing.B) {
	for _, s := range benchSizes {
		m, k, n := s[0], s[1], s[2]
		rnd := rand.New(rand.NewSource(1))
		x, y, c := random(rnd, m, k), random(rnd, k, n), tensor.New(m, n)
		p := tensor.Pack(y.Matrix())
		for i := range c.Data {
			c.Data[i] = 1 // so that no page is new when the clock runs
		}
		for _, name := range kernels() {
			if name == "portable" && m*k*n > 1<<27 {
				continue
			}
			b.Run(fmt.Sprintf("%dx%dx%d/%s", m, k, n, name), func(b *testing.B) {
				restore, _ := tensor.ForceKernel(name)
				defer restore()
				for b.Loop() {
					tensor.MatMul(c.Matrix(), x.Matrix(), p)
				}
				report(b, 2*m*k*n)
			})
		}
	}
}

// BenchmarkPadded is the largest product into rows that start at whole cache
// lines.
func BenchmarkPadded(b *testing.B) {
	const m, k, n, stride = 1500, 768, 50257, 50272
	rnd := rand.New(rand.NewSource(1))
	x, p := random(rnd, m, k), tensor.Pack(random(rnd, k, n).Matrix())
	c := tensor.New(m, stride)
	for i := range c.Data {
		c.Data[i] = 1
	}
	for b.Loop() {
		tensor.MatMul(c.Matrix().Columns(0, n), x.Matrix(), p)
	}
	report(b, 2*m*k*n)
}

func BenchmarkPack(b *testing.B) {
	x := random(rand.New(rand.NewSource(1)), 768, 768)
	b.Run("Pack/768x768", func(b *testing.B) {
		b.SetBytes(4 * 768 * 768)
		for b.Loop() {
			tensor.Pack(x.Matrix())
		}
	})
	b.Run("PackTransposed/768x768", func(b *testing.B) {
		b.SetBytes(4 * 768 * 768)
		for b.Loop() {
			tensor.PackTransposed(x.Matrix())
		}
	})
}

// BenchmarkAttention is the products of one head: scores and mixing, with
// rows T and K apart in a [T, 12·K] matrix.
func BenchmarkAttention(b *testing.B) {
	for _, s := range [][2]int{{15, 64}, {40, 16}, {40, 64}, {256, 64}, {1024, 64}} {
		n, k := s[0], s[1]
		rnd := rand.New(rand.NewSource(1))
		q, v, scores := random(rnd, n, 12*k), random(rnd, n, 12*k), tensor.New(n, n)
		head := q.Matrix().Columns(k, 2*k)
		values := v.Matrix().Columns(k, 2*k)
		b.Run(fmt.Sprintf("MulNT/T=%d/K=%d", n, k), func(b *testing.B) {
			for b.Loop() {
				tensor.MulNT(scores.Matrix(), head, values, 0.125)
			}
			report(b, 2*n*n*k)
		})
		b.Run(fmt.Sprintf("MulNN/T=%d/K=%d", n, k), func(b *testing.B) {
			for b.Loop() {
				tensor.MulNN(head, scores.Matrix(), values)
			}
			report(b, 2*n*n*k)
		})
	}
}

func BenchmarkRows(b *testing.B) {
	rnd := rand.New(rand.NewSource(1))
	for _, n := range []int{15, 64, 128, 768, 50257} {
		x, y, p := random(rnd, 1, n), random(rnd, 1, n), random(rnd, 1, n)
		w, d := random(rnd, n).Data, tensor.New(1, n)
		for _, c := range []struct {
			name string
			run  func()
		}{
			{"Add", func() { tensor.Add(d.Data, y.Data) }},
			{"LayerNorm", func() { tensor.LayerNorm(d.Matrix(), x.Matrix(), w, w, 1e-5) }},
			{"Softmax", func() { copy(d.Data, x.Data); tensor.Softmax(d.Data) }},
			{"LogSoftmax", func() { tensor.LogSoftmax(d.Data, x.Data) }},
			{"GELU", func() { copy(d.Data, x.Data); tensor.GELU(d.Data) }},
			{"GELUNew", func() { copy(d.Data, x.Data); tensor.GELUNew(d.Data) }},
			{"KLDivergence", func() { tensor.KLDivergence(x.Data, y.Data) }},
			{"LogProb", func() { tensor.LogProb(x.Data, n/2) }},
			{"KLTerms", func() { tensor.KLTerms(p.Data, x.Data, y.Data) }},
			{"HasNonFinite", func() { tensor.HasNonFinite(x.Data) }},
		} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				b.SetBytes(int64(4 * n))
				for b.Loop() {
					c.run()
				}
			})
		}
	}
}

// BenchmarkMatrixRows is what a layer does to its rows beside products.
func BenchmarkMatrixRows(b *testing.B) {
	rnd := rand.New(rand.NewSource(1))
	for _, s := range [][2]int{{300, 768}, {300, 64}, {1500, 768}} {
		x, y, w := random(rnd, s[0], s[1]), random(rnd, s[0], s[1]), random(rnd, s[1]).Data
		b.Run(fmt.Sprintf("LayerNorm/%dx%d", s[0], s[1]), func(b *testing.B) {
			b.SetBytes(int64(4 * s[0] * s[1]))
			for b.Loop() {
				tensor.LayerNorm(y.Matrix(), x.Matrix(), w, w, 1e-5)
			}
		})
		b.Run(fmt.Sprintf("AddRows/%dx%d", s[0], s[1]), func(b *testing.B) {
			b.SetBytes(int64(4 * s[0] * s[1]))
			for b.Loop() {
				tensor.AddRows(y.Matrix(), w)
			}
		})
	}
	x, bias := random(rnd, 300, 3072), random(rnd, 3072).Data
	b.Run("AddRowsGELUNew/300x3072", func(b *testing.B) {
		for b.Loop() {
			tensor.AddRows(x.Matrix(), bias)
			tensor.GELUNew(x.Data)
		}
	})
	for _, n := range []int{15, 40, 256} {
		scores, in := tensor.New(n, n), random(rnd, n, n)
		for _, stride := range []int{n, (n + 15) &^ 15} {
			padded := tensor.Matrix{Data: make([]float32, n*stride), Rows: n, Cols: n, Stride: stride}
			b.Run(fmt.Sprintf("CausalSoftmax/T=%d/stride=%d", n, stride), func(b *testing.B) {
				for b.Loop() {
					copy(padded.Data, in.Data)
					tensor.CausalSoftmax(padded, 0.125)
				}
			})
		}
		b.Run(fmt.Sprintf("SoftmaxByRow/T=%d", n), func(b *testing.B) {
			for b.Loop() {
				copy(scores.Data, in.Data)
				for t := range n {
					row := scores.Row(t)
					tensor.Softmax(row[:t+1])
					clear(row[t+1:])
				}
			}
		})
	}
}
