package kernel

import (
	"math"
	"math/rand"
	"testing"
)

// eachKernel runs f under every set of kernels this machine has.
func eachKernel(t *testing.T, f func(t *testing.T)) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			restore, ok := Force(name)
			if !ok {
				t.Fatalf("no kernel %s", name)
			}
			defer restore()
			f(t)
		})
	}
}

// guard is what stands before and after every slice under test.
const guard = float32(-123.25)

// guarded is a slice with guard values around it, at any alignment.
type guarded struct {
	all, x []float32
}

const guardLen = 40

func newGuarded(values []float32, misalign int) guarded {
	n, from := len(values), guardLen+misalign
	all := make([]float32, from+n+guardLen)
	for i := range all {
		all[i] = guard
	}
	copy(all[from:], values)
	return guarded{all, all[from : from+n : from+n]}
}

// check fails when a guard value has changed.
func (g guarded) check(t *testing.T, what string, args ...any) {
	t.Helper()
	from := len(g.all) - guardLen - len(g.x)
	for i, v := range g.all {
		if (i < from || i >= from+len(g.x)) && v != guard {
			t.Fatalf(what+": wrote %g at %d outside of %d values", append(args, v, i-from, len(g.x))...)
		}
	}
}

// normal returns n values of a normal distribution times scale.
func normal(rnd *rand.Rand, n int, scale float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(scale * rnd.NormFloat64())
	}
	return x
}

// same tells whether the bits are equal, any NaN being equal to any other.
func same(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || (a != a && b != b)
}

func firstDifference(a, b []float32) int {
	for i := range a {
		if !same(a[i], b[i]) {
			return i
		}
	}
	return -1
}

// deviation is |got-want| over max(1, |want|)·unit; NaN agrees with NaN and
// an infinity with itself.
func deviation(got, want, unit float64) float64 {
	switch {
	case got == want, math.IsNaN(got) && math.IsNaN(want):
		return 0
	case math.IsNaN(got) != math.IsNaN(want), math.IsInf(got, 0) || math.IsInf(want, 0):
		return math.Inf(1)
	}
	return math.Abs(got-want) / (math.Max(1, math.Abs(want)) * unit)
}
