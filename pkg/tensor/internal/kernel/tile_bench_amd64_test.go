//go:build amd64 && !noasm

package kernel

import (
	"testing"
	"time"
)

// BenchmarkTile is one tile of the micro-kernel whose operands stay in the
// first-level cache: what a product would reach without memory.
func BenchmarkTile(b *testing.B) {
	a, panel, c := make([]float32, MR*KC), make([]float32, NR*KC), make([]float32, MR*NR)
	for _, t := range []struct {
		name string
		set  level
		run  func()
	}{
		{"avx512", avx512, func() {
			gemm12x32PackedAVX512(KC, &a[0], 0, &panel[0], NR, &c[0], NR, NR, nil, 0, &panel[0])
		}},
		{"avx512/add", avx512, func() {
			gemm12x32PackedAVX512(KC, &a[0], 0, &panel[0], NR, &c[0], NR, NR, &c[0], NR, &panel[0])
		}},
		{"avx512/strided", avx512, func() {
			gemm12x32StridedAVX512(KC, &a[0], KC, &panel[0], NR, &c[0], NR, NR, nil, 0)
		}},
		{"avx2", avx2, func() {
			for i := 0; i < MR; i += 6 {
				for j := 0; j < NR; j += 16 {
					gemm6x16PackedAVX2(KC, &a[i], 0, &panel[j], NR, &c[i*NR+j], NR, 16, nil, 0, &panel[0])
				}
			}
		}},
	} {
		b.Run(t.name, func(b *testing.B) {
			restore, ok := Force(levelNames[t.set])
			if !ok {
				b.Skip("this machine has it not")
			}
			defer restore()
			best := 0.0
			for range 20 {
				start := time.Now()
				flops := FMALoop(1 << 16)
				best = max(best, float64(flops)/float64(time.Since(start).Nanoseconds()))
			}
			for b.Loop() {
				for range 16 {
					t.run()
				}
			}
			rate := 16 * 2 * MR * NR * KC * float64(b.N) / float64(b.Elapsed().Nanoseconds())
			b.ReportMetric(rate, "GFLOP/s")
			b.ReportMetric(100*rate/best, "%peak")
		})
	}
}

// BenchmarkPackTile is what packing a costs: 300×768 values.
func BenchmarkPackTile(b *testing.B) {
	const m, k = 300, 768
	a, buf := make([]float32, m*k), make([]float32, m*k)
	s := stripe{a: a, lda: k, m: m, to: k}
	b.SetBytes(4 * m * k)
	for b.Loop() {
		s.pack(buf)
	}
}
