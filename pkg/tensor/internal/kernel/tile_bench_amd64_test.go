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
			gemm12x32PackedAVX512(KC, &a[0], 0, &panel[0], NR, &c[0], NR, NR, false)
		}},
		{"avx512/add", avx512, func() {
			gemm12x32PackedAVX512(KC, &a[0], 0, &panel[0], NR, &c[0], NR, NR, true)
		}},
		{"avx512/strided", avx512, func() {
			gemm12x32StridedAVX512(KC, &a[0], KC, &panel[0], NR, &c[0], NR, NR, false)
		}},
		{"avx2", avx2, func() {
			for i := 0; i < MR; i += 6 {
				for j := 0; j < NR; j += 16 {
					gemm6x16PackedAVX2(KC, &a[i], 0, &panel[j], NR, &c[i*NR+j], NR, 16, false)
				}
			}
		}},
	} {
		if detect() < t.set {
			continue
		}
		b.Run(t.name, func(b *testing.B) {
			restore, _ := Force(levelNames[t.set])
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
