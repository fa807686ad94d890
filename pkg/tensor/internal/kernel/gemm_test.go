package kernel

import (
	"fmt"
	"math"
	"math/rand"
	"testing"
)

// A product is one case: a [m,k] with stride lda, b [k,n] with stride ldb,
// c [m,n] with stride ldc.
type product struct{ m, k, n int }

func (p product) String() string { return fmt.Sprintf("%d×%d×%d", p.m, p.k, p.n) }

// products are sizes around every cut-off: tiles of 1, 2, 3, 4, 6, 8 and 12 rows,
// panels of 16 and 32 columns, blocks of 256 and 504.
func products() []product {
	ms := []int{1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 27}
	ks := []int{0, 1, 3, 4, 7, 8, 17, 40}
	ns := []int{1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 49}
	var all []product
	for _, m := range ms {
		for _, k := range ks {
			for _, n := range ns {
				all = append(all, product{m, k, n})
			}
		}
	}
	for _, k := range []int{255, 256, 257, 513} {
		for _, m := range []int{1, 11, 12, 26} {
			for _, n := range []int{5, 47, 256, 270} {
				all = append(all, product{m, k, n})
			}
		}
	}
	return append(all, product{503, 20, 257}, product{504, 30, 256}, product{505, 259, 258}, product{1021, 9, 260})
}

// operands are the arguments of a case, with guard values around and between
// the rows.
type operands struct {
	product
	a, b, c       []float32
	lda, ldb, ldc int
	out           guarded
}

func newOperands(rnd *rand.Rand, p product, pad int) *operands {
	o := &operands{product: p, lda: p.k + pad, ldb: p.n + 2*pad, ldc: p.n + 3*pad}
	o.a = newGuarded(normal(rnd, p.m*o.lda, 1), pad).x
	o.b = newGuarded(normal(rnd, p.k*o.ldb, 1), pad+1).x
	start := normal(rnd, p.m*o.ldc, 1)
	for i := range start {
		if i%o.ldc >= p.n {
			start[i] = guard
		}
	}
	o.out = newGuarded(start, pad+2)
	o.c = o.out.x
	return o
}

// want is the product in float64 and the size of its terms, Σ|a·b|.
func (o *operands) want(i, j int) (sum, size float64) {
	for l := range o.k {
		v := float64(o.a[i*o.lda+l]) * float64(o.b[l*o.ldb+j])
		sum += v
		size += math.Abs(v)
	}
	return sum, size
}

func (o *operands) packed() []float32 {
	buf := make([]float32, PackedLen(o.k, o.n))
	Pack(buf, o.b, o.ldb, o.k, o.n)
	return buf
}

func (o *operands) gemm(add bool) {
	Gemm(o.c, o.ldc, o.a, o.lda, o.m, o.k, o.packed(), o.n, 0, Panels(o.n), add)
}

// check compares c with the oracle, given what c was before, and returns the
// largest error relative to the size of the terms.
func (o *operands) check(t *testing.T, before []float32) (worst float64) {
	t.Helper()
	o.out.check(t, "%v", o.product)
	for i := range o.m {
		for j := range o.ldc {
			got := o.c[i*o.ldc+j]
			if j >= o.n {
				if got != guard {
					t.Fatalf("%v wrote between the rows, at [%d,%d]", o.product, i, j)
				}
				continue
			}
			want, size := o.want(i, j)
			if before != nil {
				v := float64(before[i*o.ldc+j])
				want += v
				size += math.Abs(v)
			}
			if d := math.Abs(float64(got)-want) / max(size, 1e-30); !(d <= 1e-6) {
				t.Fatalf("%v [%d,%d] is %g, want %g", o.product, i, j, got, want)
			} else {
				worst = max(worst, d)
			}
		}
	}
	return worst
}

func TestGemm(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		rnd, worst := rand.New(rand.NewSource(2)), 0.0
		for i, p := range products() {
			o := newOperands(rnd, p, i%4)
			o.gemm(false)
			worst = max(worst, o.check(t, nil))
			before := append([]float32(nil), o.c...)
			o.gemm(true)
			worst = max(worst, o.check(t, before))
		}
		t.Logf("largest error %.3g of the sum of the terms' sizes", worst)
	})
}

// TestMul checks the unpacked products, which must have Gemm's bits.
func TestMul(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		rnd := rand.New(rand.NewSource(3))
		for i, p := range products() {
			o := newOperands(rnd, p, i%4)
			o.gemm(false)
			want := append([]float32(nil), o.c...)
			fill(o)
			MulNN(o.c, o.ldc, o.a, o.lda, o.b, o.ldb, o.m, o.n, o.k)
			o.out.check(t, "MulNN %v", p)
			if d := firstDifference(o.c, want); d >= 0 {
				t.Fatalf("MulNN %v at %d: %g, Gemm %g", p, d, o.c[d], want[d])
			}
			bt, ldbt := o.transposed(i % 3)
			fill(o)
			MulNT(o.c, o.ldc, o.a, o.lda, bt, ldbt, o.m, o.n, o.k, 1)
			o.out.check(t, "MulNT %v", p)
			if d := firstDifference(o.c, want); d >= 0 {
				t.Fatalf("MulNT %v at %d: %g, Gemm %g", p, d, o.c[d], want[d])
			}
			MulNT(o.c, o.ldc, o.a, o.lda, bt, ldbt, o.m, o.n, o.k, 0.125)
			for d, v := range o.c {
				if d%o.ldc < o.n && v != want[d]*0.125 {
					t.Fatalf("MulNT %v scaled at %d: %g, want %g", p, d, v, want[d]*0.125)
				}
			}
		}
	})
}

// fill makes c's elements NaN, so that one left out is seen.
func fill(o *operands) {
	for i := range o.c {
		if i%o.ldc < o.n {
			o.c[i] = float32(math.NaN())
		}
	}
}

func (o *operands) transposed(pad int) (bt []float32, ld int) {
	ld = o.k + pad
	bt = make([]float32, o.n*ld)
	for l := range o.k {
		for j := range o.n {
			bt[j*ld+l] = o.b[l*o.ldb+j]
		}
	}
	return bt, ld
}

// TestGemmChain computes the documented order of summation with math.FMA and
// compares the assembly kernels' bits with it.
func TestGemmChain(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		if Name() == "portable" {
			t.Skip("has no fused multiply-add")
		}
		rnd := rand.New(rand.NewSource(4))
		for i, p := range products() {
			o := newOperands(rnd, p, i%4)
			before := append([]float32(nil), o.c...)
			o.gemm(true)
			for range 20 {
				i, j := rnd.Intn(o.m), rnd.Intn(o.n)
				if got, want := o.c[i*o.ldc+j], o.chain(before[i*o.ldc+j], i, j); !same(got, want) {
					t.Fatalf("%v [%d,%d] is %g, the chain gives %g", p, i, j, got, want)
				}
			}
		}
	})
}

// chain is one element in the documented order. A float32 fma is a float64
// one rounded once more, unless that falls on a tie, which random values
// do not in practice meet.
func (o *operands) chain(c float32, i, j int) float32 {
	for k0 := 0; k0 < o.k; k0 += KC {
		var acc float32
		for l := k0; l < min(k0+KC, o.k); l++ {
			acc = float32(math.FMA(float64(o.a[i*o.lda+l]), float64(o.b[l*o.ldb+j]), float64(acc)))
		}
		c += acc
	}
	return c
}

// TestGemmNonFinite lets a NaN and an infinity reach their row and column,
// and nothing else.
func TestGemmNonFinite(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, p := range []product{{13, 20, 33}, {25, 260, 300}, {3, 5, 17}} {
			o := newOperands(rand.New(rand.NewSource(5)), p, 1)
			row, col := o.m-1, o.n-1
			o.a[row*o.lda+2] = float32(math.NaN())
			o.b[3*o.ldb+col] = float32(math.Inf(1))
			o.gemm(false)
			for i := range o.m {
				for j := range o.n {
					v := float64(o.c[i*o.ldc+j])
					if (i == row) != math.IsNaN(v) || (i != row && (j == col) != math.IsInf(v, 0)) {
						t.Fatalf("%v [%d,%d] is %g", p, i, j, v)
					}
				}
			}
		}
	})
}

func TestFMALoop(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		want := map[string]int{"avx512": 10 * 384, "avx2": 10 * 192, "portable": 0}[Name()]
		if got := FMALoop(10); got != want {
			t.Errorf("FMALoop(10) does %d operations, want %d", got, want)
		}
	})
}
