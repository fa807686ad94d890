package rasp

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
)

// Kind says what a value is.
type Kind uint8

// The kinds of values, in the order in which values sort.
const (
	UndefinedKind Kind = iota
	NumberKind
	BoolKind
	StringKind
)

var kindNames = [...]string{"an undefined value", "a number", "a truth value", "a string"}

// String names the kind with its article, as errors do.
func (k Kind) String() string { return kindNames[k] }

// Value is what a sequence has at one position. Values compare with ==; the
// zero Value is undefined.
type Value struct {
	kind Kind
	num  float64 // of a number; 1 for true
	text string  // of a string
}

// Number makes a number, which must be finite.
func Number(x float64) Value { return Value{kind: NumberKind, num: x + 0} } // -0 becomes 0

// Bool makes a truth value.
func Bool(b bool) Value {
	if b {
		return Value{kind: BoolKind, num: 1}
	}
	return Value{kind: BoolKind}
}

// String makes a string.
func String(s string) Value { return Value{kind: StringKind, text: s} }

// Undefined makes the value of what has none.
func Undefined() Value { return Value{} }

// Kind says what the value is.
func (v Value) Kind() Kind { return v.kind }

// Defined reports whether the value is defined.
func (v Value) Defined() bool { return v.kind != UndefinedKind }

// Float is the number that encodes the value numerically: a number itself, 1
// for true and 0 for false, 0 for what is undefined. Strings have none.
func (v Value) Float() (x float64, ok bool) { return v.num, v.kind != StringKind }

// True reports whether the value is true.
func (v Value) True() bool { return v.kind == BoolKind && v.num == 1 }

// Text is a string's text, "" of other values.
func (v Value) Text() string { return v.text }

// String writes the value without quotes, as vocabularies and labels have it.
func (v Value) String() string {
	switch v.kind {
	case NumberKind:
		return strconv.FormatFloat(v.num, 'g', -1, 64)
	case BoolKind:
		return strconv.FormatBool(v.num == 1)
	case StringKind:
		return v.text
	}
	return "undefined"
}

// Settled is a number as exact arithmetic would have it: the fraction of a small
// denominator that x differs from only by rounding, if there is one, by its
// continued fraction. Sums and means are settled, so that comparing them gives
// what one expects in whatever order they were added up.
func Settled(x float64) float64 {
	const most, near = 1e4, 1e-12
	p0, p, q0, q := 0.0, 1.0, 1.0, 0.0
	for rest := x; ; {
		whole := math.Floor(rest)
		p0, p, q0, q = p, whole*p+p0, q, whole*q+q0
		switch {
		case !(q <= most):
			return x
		case math.Abs(p/q-x) <= near*math.Max(1, math.Abs(x)):
			return p/q + 0 // -0 becomes 0
		}
		rest = 1 / (rest - whole)
	}
}

// finite refuses numbers that are not.
func (v Value) finite() error {
	if math.IsNaN(v.num) || math.IsInf(v.num, 0) {
		return fmt.Errorf("expected a finite number, found %v", v.num)
	}
	return nil
}

// Compare orders values: undefined, numbers, truth values, strings, and within
// a kind as one would.
func Compare(a, b Value) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.num, b.num), cmp.Compare(a.text, b.text))
}
