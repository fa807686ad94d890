package kernel

import (
	"fmt"
	"math"
	"math/rand"
	"testing"
)

// A rowCase is a loop over n elements of slices s with two numbers, and its
// oracle in float64: element gives s[0][i], total the result.
type rowCase struct {
	name    string
	slices  int
	run     func(s [][]float32, p, q float32) float64
	element func(x []float64, p, q float64) float64
	total   func(x []float64, p, q float64) float64 // one element's share of the result
	scale   float64                                 // of the random values
	unit    float64                                 // error allowed, relative to max(1, |want|), a share of √n for totals
}

func nothing(f func()) float64 { f(); return 0 }

func (c rowCase) String() string { return c.name }

var rowCases = []rowCase{
	{name: "AddTo", slices: 3, scale: 1, unit: 1e-7,
		run:     func(s [][]float32, _, _ float32) float64 { return nothing(func() { AddTo(s[0], s[1], s[2]) }) },
		element: func(x []float64, _, _ float64) float64 { return x[1] + x[2] }},
	{name: "AddTo in place", slices: 2, scale: 1, unit: 1e-7,
		run:     func(s [][]float32, _, _ float32) float64 { return nothing(func() { AddTo(s[0], s[0], s[1]) }) },
		element: func(x []float64, _, _ float64) float64 { return x[0] + x[1] }},
	{name: "SubTo", slices: 3, scale: 1, unit: 1e-7,
		run:     func(s [][]float32, _, _ float32) float64 { return nothing(func() { SubTo(s[0], s[1], s[2]) }) },
		element: func(x []float64, _, _ float64) float64 { return x[1] - x[2] }},
	{name: "Axpy", slices: 2, scale: 1, unit: 2e-7,
		run:     func(s [][]float32, p, _ float32) float64 { return nothing(func() { Axpy(s[0], s[1], p) }) },
		element: func(x []float64, p, _ float64) float64 { return x[0] + p*x[1] }},
	{name: "Scale", slices: 1, scale: 1, unit: 1e-7,
		run:     func(s [][]float32, p, _ float32) float64 { return nothing(func() { Scale(s[0], p) }) },
		element: func(x []float64, p, _ float64) float64 { return x[0] * p }},
	{name: "SubScalars", slices: 2, scale: 1, unit: 2e-7,
		run:     func(s [][]float32, p, q float32) float64 { return nothing(func() { SubScalars(s[0], s[1], p, q) }) },
		element: func(x []float64, p, q float64) float64 { return x[1] - p - q }},
	{name: "ReLU", slices: 1, scale: 1, unit: 1e-9,
		run: func(s [][]float32, _, _ float32) float64 { return nothing(func() { ReLU(s[0]) }) },
		element: func(x []float64, _, _ float64) float64 {
			if x[0] < 0 {
				return 0
			}
			return x[0]
		}},
	{name: "GELU", slices: 1, scale: 3, unit: 2e-7,
		run:     func(s [][]float32, _, _ float32) float64 { return nothing(func() { GELU(s[0]) }) },
		element: func(x []float64, _, _ float64) float64 { return x[0] * 0.5 * math.Erfc(-x[0]/math.Sqrt2) }},
	{name: "GELUNew", slices: 1, scale: 3, unit: 3e-7,
		run: func(s [][]float32, _, _ float32) float64 { return nothing(func() { GELUNew(s[0]) }) },
		element: func(x []float64, _, _ float64) float64 {
			return 0.5 * x[0] * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x[0]+0.044715*x[0]*x[0]*x[0])))
		}},
	{name: "SiLU", slices: 1, scale: 8, unit: 3e-7,
		run:     func(s [][]float32, _, _ float32) float64 { return nothing(func() { SiLU(s[0]) }) },
		element: func(x []float64, _, _ float64) float64 { return x[0] / (1 + math.Exp(-x[0])) }},
	{name: "MulTo", slices: 3, scale: 1, unit: 1e-7,
		run:     func(s [][]float32, _, _ float32) float64 { return nothing(func() { MulTo(s[0], s[1], s[2]) }) },
		element: func(x []float64, _, _ float64) float64 { return x[1] * x[2] }},
	{name: "MulAdd", slices: 3, scale: 1, unit: 2e-7,
		run:     func(s [][]float32, _, _ float32) float64 { return nothing(func() { MulAdd(s[0], s[1], s[2]) }) },
		element: func(x []float64, _, _ float64) float64 { return x[0] + x[1]*x[2] }},
	{name: "Sum", slices: 1, scale: 1, unit: 3e-7,
		run:   func(s [][]float32, _, _ float32) float64 { return float64(Sum(s[0])) },
		total: func(x []float64, _, _ float64) float64 { return x[0] }},
	{name: "Dot", slices: 2, scale: 1, unit: 3e-7,
		run:   func(s [][]float32, _, _ float32) float64 { return float64(Dot(s[0], s[1])) },
		total: func(x []float64, _, _ float64) float64 { return x[0] * x[1] }},
	{name: "ReLUBackward", slices: 2, scale: 1, unit: 1e-9,
		run: func(s [][]float32, _, _ float32) float64 { return nothing(func() { ReLUBackward(s[0], s[1]) }) },
		element: func(x []float64, _, _ float64) float64 {
			if x[1] > 0 {
				return x[0]
			}
			return 0
		}},
	{name: "GELUBackward", slices: 2, scale: 3, unit: 6e-7,
		run:     func(s [][]float32, _, _ float32) float64 { return nothing(func() { GELUBackward(s[0], s[1]) }) },
		element: func(x []float64, _, _ float64) float64 { return x[0] * geluDerivative(x[1]) }},
	{name: "GELUNewBackward", slices: 2, scale: 3, unit: 3e-6,
		run:     func(s [][]float32, _, _ float32) float64 { return nothing(func() { GELUNewBackward(s[0], s[1]) }) },
		element: func(x []float64, _, _ float64) float64 { return x[0] * geluNewDerivative(x[1]) }},
	{name: "SiLUBackward", slices: 2, scale: 8, unit: 2e-6,
		run:     func(s [][]float32, _, _ float32) float64 { return nothing(func() { SiLUBackward(s[0], s[1]) }) },
		element: func(x []float64, _, _ float64) float64 { return x[0] * siluDerivative(x[1]) }},
	{name: "SumZero", slices: 1, scale: 1, unit: 1e-9,
		run:   func(s [][]float32, _, _ float32) float64 { return float64(SumZero(s[0])) },
		total: func(x []float64, _, _ float64) float64 { return x[0] - x[0] }},
	{name: "ExpSum", slices: 2, scale: 3, unit: 1e-6,
		run:     func(s [][]float32, p, _ float32) float64 { return float64(ExpSum(s[0], s[1], p)) },
		element: func(x []float64, p, _ float64) float64 { return math.Exp(x[1] - p) },
		total:   func(x []float64, p, _ float64) float64 { return math.Exp(x[1] - p) }},
	{name: "SumExp", slices: 1, scale: 3, unit: 1e-6,
		run:   func(s [][]float32, p, _ float32) float64 { return float64(SumExp(s[0], p)) },
		total: func(x []float64, p, _ float64) float64 { return math.Exp(x[0] - p) }},
	{name: "KLDivergence", slices: 2, scale: 3, unit: 5e-7,
		run: func(s [][]float32, _, _ float32) float64 { return KLDivergence(s[0], s[1]) },
		total: func(x []float64, _, _ float64) float64 {
			if x[0] < expLow {
				return 0
			}
			return math.Exp(x[0]) * (x[0] - x[1])
		}},
	{name: "KLTerms mean", slices: 3, scale: 3, unit: 5e-7,
		run:   func(s [][]float32, _, _ float32) float64 { m, _, _ := KLTerms(s[0], s[1], s[2]); return m },
		total: func(x []float64, _, _ float64) float64 { return x[0] * (x[2] - x[1]) }},
	{name: "KLTerms beyond", slices: 3, scale: 3, unit: 2e-6,
		run:   func(s [][]float32, _, _ float32) float64 { _, b, _ := KLTerms(s[0], s[1], s[2]); return b },
		total: func(x []float64, _, _ float64) float64 { return x[0] * beyond(x[2]-x[1]) }},
	{name: "SquaredDistance", slices: 2, scale: 1, unit: 1e-14,
		run:   func(s [][]float32, _, _ float32) float64 { return SquaredDistance(s[0], s[1]) },
		total: func(x []float64, _, _ float64) float64 { return (x[0] - x[1]) * (x[0] - x[1]) }},
}

func geluDerivative(x float64) float64 {
	return 0.5*math.Erfc(-x/math.Sqrt2) + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
}

func geluNewDerivative(x float64) float64 {
	c := math.Sqrt(2 / math.Pi)
	th := math.Tanh(c * (x + 0.044715*x*x*x))
	return 0.5*(1+th) + 0.5*x*(1-th*th)*c*(1+3*0.044715*x*x)
}

func siluDerivative(x float64) float64 {
	s := 1 / (1 + math.Exp(-x))
	return s + x*s*(1-s)
}

// beyond is e^d - 1 - d.
func beyond(d float64) float64 {
	if math.Abs(d) > 0.1 {
		return math.Expm1(d) - d
	}
	sum, term := 0.0, d*d/2
	for i := 3; i < 20; i++ {
		sum += term
		term *= d / float64(i)
	}
	return sum
}

var rowSizes = []int{0, 1, 2, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 49, 63, 64, 65, 127, 129, 768, 1023, 1025}

// special replaces some values by those that are handled apart.
func special(rnd *rand.Rand, x []float32) {
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), 1e30, -1e30, 1e-40, 88.8, -88, 1e5, -1e5}
	for i := range x {
		if rnd.Intn(4) == 0 {
			x[i] = float32(odd[rnd.Intn(len(odd))])
		}
	}
}

// TestRows checks every loop against float64, the values around its slices,
// and every way of aligning them.
func TestRows(t *testing.T) {
	const p, q = float32(0.37), float32(1.7)
	for _, c := range rowCases {
		t.Run(c.name, func(t *testing.T) {
			eachKernel(t, func(t *testing.T) {
				rnd, worst := rand.New(rand.NewSource(1)), 0.0
				for _, n := range rowSizes {
					for misalign := range 4 {
						in, got, result := c.once(t, rnd, n, misalign, p, q, false)
						worst = max(worst, c.worst(in, got, result, p, q))
					}
				}
				t.Logf("largest error %.3g of %.1g", worst*c.unit, c.unit)
				if worst > 1 {
					t.Errorf("error %.3g times the allowed %.1g", worst, c.unit)
				}
			})
		})
	}
}

// once runs the loop on fresh values and returns them as they were, s[0] as
// it is now, and the result.
func (c rowCase) once(t *testing.T, rnd *rand.Rand, n, misalign int, p, q float32, odd bool) (in [][]float32, got []float32, result float64) {
	t.Helper()
	var g []guarded
	var s [][]float32
	for i := range c.slices {
		x := normal(rnd, n, c.scale)
		if odd {
			special(rnd, x)
		}
		in = append(in, x)
		g = append(g, newGuarded(x, (misalign*(i+1))%4))
		s = append(s, g[i].x)
	}
	result = c.run(s, p, q)
	for i := range g {
		g[i].check(t, "%s slice %d", c.name, i)
		if i > 0 && firstDifference(g[i].x, in[i]) >= 0 {
			t.Fatalf("%s changed its input %d", c.name, i)
		}
	}
	return in, s[0], result
}

// worst returns the largest deviation from the oracle.
func (c rowCase) worst(in [][]float32, got []float32, result float64, p, q float32) float64 {
	worst, total, size := 0.0, 0.0, 1.0
	x := make([]float64, c.slices)
	for i := range got {
		for j := range x {
			x[j] = float64(in[j][i])
		}
		want := float64(in[0][i])
		if c.element != nil {
			want = c.element(x, float64(p), float64(q))
		}
		worst = max(worst, deviation(float64(got[i]), want, c.unit))
		if c.total != nil {
			v := c.total(x, float64(p), float64(q))
			total += v
			size += math.Abs(v)
		}
	}
	return max(worst, deviation(result, total, c.unit*size/max(1, math.Abs(total))))
}

// TestRowsSameBits compares the assembly kernels with each other, on NaN,
// infinities and denormals too.
func TestRowsSameBits(t *testing.T) {
	if len(Names()) < 3 {
		t.Skip("needs AVX-512")
	}
	for _, c := range rowCases {
		for _, n := range rowSizes {
			for _, odd := range []bool{false, true} {
				var got [2][]float32
				var result [2]float64
				for i, name := range []string{"avx512", "avx2"} {
					restore, _ := Force(name)
					_, got[i], result[i] = c.once(t, rand.New(rand.NewSource(int64(n))), n, i, 0.37, 1.7, odd)
					restore()
				}
				if i := firstDifference(got[0], got[1]); i >= 0 {
					t.Fatalf("%s(%d) at %d: avx512 %g, avx2 %g", c, n, i, got[0][i], got[1][i])
				}
				if a, b := result[0], result[1]; a != b && !(a != a && b != b) {
					t.Fatalf("%s(%d): avx512 %g, avx2 %g", c, n, a, b)
				}
			}
		}
	}
}

// TestRowsSpecial checks NaN and infinities against the oracle, element by
// element.
func TestRowsSpecial(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		name string
		run  func(x []float32)
		want map[float64]float64
	}{
		{"ReLU", ReLU, map[float64]float64{nan: nan, inf: inf, -inf: 0, -3: 0, 3: 3}},
		{"GELU", GELU, map[float64]float64{nan: nan, inf: inf, -inf: nan, -1e30: 0, 1e30: float64(float32(1e30)), -20: 0, 20: 20, 0: 0}},
		{"GELUNew", GELUNew, map[float64]float64{nan: nan, inf: inf, -inf: nan, -1e30: 0, 1e30: float64(float32(1e30)), -20: 0, 20: 20, 0: 0}},
		{"SiLU", SiLU, map[float64]float64{nan: nan, inf: inf, -inf: nan, -1e30: 0, 1e30: float64(float32(1e30)), -200: 0, 200: 200, 0: 0}},
		{"ReLU's slope", slope(ReLUBackward), map[float64]float64{inf: 1, -inf: 0, 0: 0, 1e-40: 1}},
		{"GELU's slope", slope(GELUBackward), map[float64]float64{nan: nan, inf: 1, -inf: 0, -1e30: 0, 1e30: 1, -90: 0, 90: 1, 0: 0.5}},
		{"GELUNew's slope", slope(GELUNewBackward), map[float64]float64{nan: nan, inf: 1, -inf: 0, -1e30: 0, 1e30: 1, -90: 0, 90: 1, 0: 0.5}},
		{"SiLU's slope", slope(SiLUBackward), map[float64]float64{nan: nan, inf: 1, -inf: 0, -1e30: 0, 1e30: 1, -90: 0, 90: 1, 0: 0.5}},
		{"exp", func(x []float32) { ExpSum(x, x, 0) },
			map[float64]float64{nan: nan, inf: inf, -inf: 0, -86.5: 0, -1e5: 0, -1e30: 0, 88.8: inf, 1e30: inf, 0: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachKernel(t, func(t *testing.T) {
				for in, want := range c.want {
					for n := 1; n < 40; n++ {
						x := make([]float32, n)
						x[n-1] = float32(in)
						if c.run(x); deviation(float64(x[n-1]), want, 1e-9) > 1 {
							t.Fatalf("%s(%g) at %d is %g, want %g", c.name, in, n-1, x[n-1], want)
						}
					}
				}
			})
		})
	}
}

// slope puts the slope at x in the place of x.
func slope(backward func(dst, x []float32)) func(x []float32) {
	return func(x []float32) {
		one := make([]float32, len(x))
		for i := range one {
			one[i] = 1
		}
		backward(one, x)
		copy(x, one)
	}
}

// TestMax checks every position of the largest value.
func TestMax(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		rnd := rand.New(rand.NewSource(1))
		for _, n := range []int{1, 7, 8, 9, 15, 16, 17, 33, 100} {
			for at := range n {
				g := newGuarded(normal(rnd, n, 1), at%4)
				for i := range g.x {
					g.x[i] -= 100
				}
				g.x[at] = -5
				if got := Max(g.x); got != -5 {
					t.Fatalf("Max of %d values is %g, want -5 at %d", n, got, at)
				}
			}
		}
		x := []float32{float32(math.Inf(-1))}
		if got := Max(x); got != x[0] {
			t.Errorf("Max of -Inf is %g", got)
		}
	})
}

// TestExpAccuracy sweeps the exponential and the functions made of it, whose
// relative error must stay small in their tails too (GELU's grows to 1e-4
// there, of values below 1e-5).
func TestExpAccuracy(t *testing.T) {
	for _, c := range []struct {
		name     string
		run      func(x []float32)
		oracle   func(x float64) float64
		from, to float64
		unit     float64
	}{
		{"exp", func(x []float32) { ExpSum(x, x, 0) }, math.Exp, -86.2, 88.7, 2e-7},
		{"GELU", GELU, func(x float64) float64 { return x * 0.5 * math.Erfc(-x/math.Sqrt2) }, -5, 9, 1e-4},
		{"SiLU", SiLU, func(x float64) float64 { return x / (1 + math.Exp(-x)) }, -80, 80, 3e-7},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachKernel(t, func(t *testing.T) {
				const n = 200_000
				x, in := make([]float32, n), make([]float32, n)
				for i := range x {
					x[i] = float32(c.from + (c.to-c.from)*float64(i)/n)
				}
				copy(in, x)
				c.run(x)
				worst, where := 0.0, float32(0)
				for i, v := range x {
					want := c.oracle(float64(in[i]))
					if e := math.Abs(float64(v)-want) / math.Abs(want); e > worst {
						worst, where = e, in[i]
					}
				}
				t.Logf("largest relative error %.3g at %g", worst, where)
				if worst > c.unit {
					t.Errorf("relative error %.3g at %g, allowed %.1g", worst, where, c.unit)
				}
			})
		})
	}
}

// TestKLTermsAccuracy sweeps e^d - 1 - d over sizes and signs of d: its
// relative error must stay small where it is of second order.
func TestKLTermsAccuracy(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		worst, where := 0.0, float32(0)
		for e := -8.0; e < math.Log10(80); e += 0.0003 {
			for _, sign := range []float64{-1, 1} {
				d := float32(sign * math.Pow(10, e))
				mean, got, largest := KLTerms([]float32{0.25}, []float32{0}, []float32{d})
				if mean != 0.25*float64(d) || largest != max(d, 0) {
					t.Fatalf("d = %g: mean %g, largest %g", d, mean, largest)
				}
				want := 0.25 * beyond(float64(d))
				if e := math.Abs(got-want) / want; e > worst {
					worst, where = e, d
				}
			}
		}
		t.Logf("largest relative error %.3g at %g", worst, where)
		if worst > 1e-6 {
			t.Errorf("relative error %.3g at %g", worst, where)
		}
	})
}

// TestKLTermsLargest checks every position of the largest difference, NaN,
// and equal rows.
func TestKLTermsLargest(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		rnd := rand.New(rand.NewSource(1))
		for _, n := range []int{1, 8, 15, 16, 17, 33, 513} {
			p, x := normal(rnd, n, 1), normal(rnd, n, 3)
			if m, b, largest := KLTerms(p, x, x); m != 0 || b != 0 || largest != 0 {
				t.Fatalf("equal rows give %g, %g, %g", m, b, largest)
			}
			for at := range n {
				y := append([]float32(nil), x...)
				y[at] = x[at] + 1000
				if _, _, largest := KLTerms(p, x, y); largest != y[at]-x[at] {
					t.Fatalf("largest of %d is %g, want %g at %d", n, largest, y[at]-x[at], at)
				}
				y[at] = float32(math.NaN())
				if m, b, _ := KLTerms(p, x, y); m == m || b == b {
					t.Fatalf("NaN at %d of %d gives %g, %g", at, n, m, b)
				}
			}
		}
	})
}

func BenchmarkRows(b *testing.B) {
	for _, c := range rowCases {
		for _, n := range []int{15, 768} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				var s [][]float32
				for range c.slices {
					s = append(s, make([]float32, n))
				}
				b.SetBytes(int64(4 * n * c.slices))
				for b.Loop() {
					c.run(s, 0, 1)
				}
			})
		}
	}
}
