package text

import (
	"math"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/rasp"
)

// scalars are the functions of values, with how many arguments each takes.
var scalars = map[string]int{"abs": 1, "floor": 1, "min": 2, "max": 2}

// scope is a function's arguments with their values.
type scope struct {
	file   string
	names  []string
	values [2]rasp.Value
}

// eval computes an expression of values. What is computed of an undefined value
// is undefined.
func (s *scope) eval(n Node) (rasp.Value, error) {
	switch n := n.(type) {
	case *Literal:
		return n.Value, nil
	case *Name:
		for i, name := range s.names {
			if name == n.Name {
				return s.values[i], nil
			}
		}
	case *Unary:
		return s.unary(n)
	case *Binary:
		return s.binary(n)
	case *If:
		cond, err := s.eval(n.Cond)
		if err != nil || !cond.Defined() {
			return rasp.Value{}, err
		}
		if err := s.kind(n.Cond, cond, rasp.BoolKind); err != nil {
			return rasp.Value{}, err
		}
		if cond.True() {
			return s.eval(n.Then)
		}
		return s.eval(n.Else)
	case *Call:
		return s.call(n)
	}
	return rasp.Value{}, errorAt(s.file, n.Pos(), "expected an expression of values, found %s", oneline.Quote(Print(n)))
}

// kind refuses a value of another kind.
func (s *scope) kind(n Node, v rasp.Value, want rasp.Kind) error {
	if v.Kind() == want {
		return nil
	}
	return errorAt(s.file, n.Pos(), "expected %v, found %v, %s", want, v.Kind(), oneline.Quote(v.String()))
}

func (s *scope) unary(n *Unary) (rasp.Value, error) {
	want := rasp.NumberKind
	if n.Op == "not" {
		want = rasp.BoolKind
	}
	x, err := s.eval(n.X)
	if err != nil || !x.Defined() {
		return rasp.Value{}, err
	}
	if err := s.kind(n.X, x, want); err != nil {
		return rasp.Value{}, err
	}
	if n.Op == "not" {
		return rasp.Bool(!x.True()), nil
	}
	f, _ := x.Float()
	return rasp.Number(-f), nil
}

func (s *scope) binary(n *Binary) (rasp.Value, error) {
	x, err := s.eval(n.X)
	if err != nil {
		return rasp.Value{}, err
	}
	y, err := s.eval(n.Y)
	if err != nil || !x.Defined() || !y.Defined() {
		return rasp.Value{}, err
	}
	want := rasp.NumberKind
	switch n.Op {
	case "==":
		return rasp.Bool(x == y), nil
	case "!=":
		return rasp.Bool(x != y), nil
	case "<", "<=", ">", ">=":
		if x.Kind() == rasp.StringKind {
			want = rasp.StringKind
		}
	case "and", "or":
		want = rasp.BoolKind
	}
	if err := s.kind(n.X, x, want); err != nil {
		return rasp.Value{}, err
	}
	if err := s.kind(n.Y, y, want); err != nil {
		return rasp.Value{}, err
	}
	return s.finite(n, operate(n.Op, x, y))
}

// operate computes an operation on two values of its kind.
func operate(op string, x, y rasp.Value) rasp.Value {
	order := rasp.Compare(x, y)
	a, _ := x.Float()
	b, _ := y.Float()
	switch op {
	case "<":
		return rasp.Bool(order < 0)
	case "<=":
		return rasp.Bool(order <= 0)
	case ">":
		return rasp.Bool(order > 0)
	case ">=":
		return rasp.Bool(order >= 0)
	case "and":
		return rasp.Bool(x.True() && y.True())
	case "or":
		return rasp.Bool(x.True() || y.True())
	case "+":
		return rasp.Number(a + b)
	case "-":
		return rasp.Number(a - b)
	case "*":
		return rasp.Number(a * b)
	}
	if b == 0 {
		return rasp.Undefined()
	}
	if op == "/" {
		return rasp.Number(a / b)
	}
	return rasp.Number(a - b*math.Floor(a/b))
}

// finite refuses a number that is too large.
func (s *scope) finite(n Node, v rasp.Value) (rasp.Value, error) {
	if f, _ := v.Float(); math.IsInf(f, 0) || math.IsNaN(f) {
		return rasp.Value{}, errorAt(s.file, n.Pos(), "expected a number of 64 bits, found one that is too large")
	}
	return v, nil
}

func (s *scope) call(n *Call) (rasp.Value, error) {
	var x [2]float64
	for i, a := range n.Args {
		v, err := s.eval(a)
		if err != nil || !v.Defined() {
			return rasp.Value{}, err
		}
		if err := s.kind(a, v, rasp.NumberKind); err != nil {
			return rasp.Value{}, err
		}
		x[i], _ = v.Float()
	}
	switch n.Name {
	case "abs":
		return rasp.Number(math.Abs(x[0])), nil
	case "floor":
		return rasp.Number(math.Floor(x[0])), nil
	case "min":
		return rasp.Number(math.Min(x[0], x[1])), nil
	}
	return rasp.Number(math.Max(x[0], x[1])), nil
}
