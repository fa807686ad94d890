package compile

import (
	"fmt"
	"math"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/rasp"
)

// maxNumbers bounds how many numbers a numerical variable that is mapped may be.
const maxNumbers = 20_000

// merged sorts numbers and drops those that differ from the one before only by
// rounding.
func merged(x []float64) []float64 {
	slices.Sort(x)
	out := x[:0]
	for _, v := range x {
		if n := len(out); n == 0 || v-out[n-1] > 1e-9*math.Max(1, math.Abs(v)) {
			out = append(out, v)
		}
	}
	return out
}

func tooMany(n int) error {
	if n > maxNumbers {
		return fmt.Errorf("expected a numerical sequence that can be at most %d numbers, found %d or more", maxNumbers, n)
	}
	return nil
}

// sums are all a·x + b·y.
func sums(a float64, x []float64, b float64, y []float64) ([]float64, error) {
	if err := tooMany(len(x) * len(y) / 10); err != nil { // most of which may be equal
		return nil, err
	}
	out := make([]float64, 0, len(x)*len(y))
	for _, v := range x {
		for _, w := range y {
			out = append(out, rasp.Settled(a*v+b*w))
		}
	}
	out = merged(out)
	return out, tooMany(len(out))
}

// means are the means of 1 to n numbers of x.
func means(x []float64, n int) ([]float64, error) {
	all, total := slices.Clone(x), x
	for count := 2; count <= n; count++ {
		var err error
		if total, err = sums(1, total, 1, x); err != nil {
			return nil, err
		}
		for _, s := range total {
			all = append(all, rasp.Settled(s/float64(count)))
		}
		if err := tooMany(len(all) / 10); err != nil {
			return nil, err
		}
	}
	all = merged(all)
	return all, tooMany(len(all))
}

// maxNumber bounds the numbers that 32 bits hold exactly enough.
const maxNumber = 1e6

// checkBound refuses a numerical variable that can be too large.
func (v *variable) checkBound() error {
	if !(v.bound <= maxNumber) {
		return fmt.Errorf("expected a numerical sequence of numbers up to %v, found one up to %v", maxNumber, v.bound)
	}
	return nil
}

// numerical makes the variable a numerical one that is never larger than bound.
func (v *variable) numerical(bound float64, numbers func() ([]float64, error)) {
	v.as, v.bound = rasp.Numerical, bound
	known, err := []float64(nil), error(nil)
	v.numbers = func() ([]float64, error) {
		if known == nil && err == nil {
			known, err = numbers()
		}
		return known, err
	}
}

// holds makes the variable hold results: the categorical values that occur, or
// the numbers.
func (v *variable) holds(as rasp.Encoding, results []rasp.Value, undef bool) {
	if as == rasp.Numerical {
		var at []float64
		bound := 0.0
		for _, r := range results {
			f, _ := r.Float()
			at, bound = append(at, f), math.Max(bound, math.Abs(f))
		}
		if undef {
			at = append(at, 0)
		}
		at = merged(at)
		v.numerical(bound, func() ([]float64, error) { return at, nil })
		return
	}
	v.as, v.undef = rasp.Categorical, undef
	for _, r := range results {
		if r.Defined() {
			v.values = append(v.values, r)
		} else {
			v.undef = true
		}
	}
	slices.SortFunc(v.values, rasp.Compare)
	v.values = slices.Compact(v.values)
}
