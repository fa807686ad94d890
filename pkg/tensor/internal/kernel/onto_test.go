package kernel

import (
	"math/rand"
	"testing"
)

// TestGemmOnto: the kernels that add to a base have the bits of a copy of the
// base and a product that is added to it, also where the base is c itself.
func TestGemmOnto(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		rnd := rand.New(rand.NewSource(6))
		for i, p := range products() {
			o := newOperands(rnd, p, i%4)
			ldbase := p.n + i%3
			base, b := normal(rnd, p.m*ldbase, 1), o.packed()
			gemmOntoCopy(o.c, o.ldc, base, ldbase, o.a, o.lda, o.m, o.k, b, o.n)
			want := append([]float32(nil), o.c...)
			fill(o)
			GemmOnto(o.c, o.ldc, base, ldbase, o.a, o.lda, o.m, o.k, b, o.n)
			o.out.check(t, "GemmOnto %v", p)
			if d := firstDifference(o.c, want); d >= 0 {
				t.Fatalf("GemmOnto %v at %d: %g, copied %g", p, d, o.c[d], want[d])
			}
			for i := range o.m {
				copy(o.c[i*o.ldc:i*o.ldc+o.n], base[i*ldbase:])
			}
			GemmOnto(o.c, o.ldc, o.c, o.ldc, o.a, o.lda, o.m, o.k, b, o.n)
			if d := firstDifference(o.c, want); d >= 0 {
				t.Fatalf("GemmOnto %v in place at %d: %g, copied %g", p, d, o.c[d], want[d])
			}
		}
	})
}

// TestSubRows holds the kernels to the loop over rows that they are, with and
// without rows picked, in any place of a larger matrix.
func TestSubRows(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		rnd := rand.New(rand.NewSource(7))
		for _, rows := range []int{0, 1, 2, 7, 20} {
			for _, cols := range []int{1, 5, 15, 16, 17, 31, 32, 40, 64, 96, 100} {
				for kind := range 4 {
					lda, ldb, ldd := cols+kind, cols+2, cols+3
					a, b := normal(rnd, 30*lda, 1), normal(rnd, 30*ldb, 1)
					pick := func(on bool) []int {
						if !on {
							return nil
						}
						p := make([]int, rows)
						for i := range p {
							p[i] = rnd.Intn(30)
						}
						return p
					}
					ia, ib := pick(kind&1 != 0), pick(kind&2 != 0)
					start := normal(rnd, rows*ldd, 1)
					for i := range start {
						start[i] = guard
					}
					want := append([]float32(nil), start...)
					subRowsPortable(want, ldd, a, lda, ia, b, ldb, ib, rows, cols)
					out := newGuarded(start, kind)
					SubRows(out.x, ldd, a, lda, ia, b, ldb, ib, rows, cols)
					out.check(t, "SubRows %d×%d", rows, cols)
					if d := firstDifference(out.x, want); d >= 0 {
						t.Fatalf("SubRows %d×%d of kind %d at %d: %g, want %g", rows, cols, kind, d, out.x[d], want[d])
					}
				}
			}
		}
	})
}
