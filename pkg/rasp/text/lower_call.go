package text

import (
	"fmt"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/rasp"
)

// arguments are how many an operation takes, in words.
func arguments(want [2]int) string {
	switch {
	case want[0] < want[1]:
		return fmt.Sprintf("%d or %d arguments", want[0], want[1])
	case want[0] == 1:
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", want[0])
}

// numerical makes a map, a sequence_map or a constant whose results are numbers.
func (x *lowering) numerical(n Node) (rasp.Expr, error) {
	c, ok := n.(*Call)
	if !ok || c.Name != "map" && c.Name != "sequence_map" && c.Name != "constant" {
		return nil, x.errorf(n, "expected map(...), sequence_map(...) or constant(...) in numerical, found %s", oneline.Quote(Print(n)))
	}
	if want := sequences[c.Name]; len(c.Args) != want[0] {
		return nil, x.errorf(c, "expected %s of %s, found %d", arguments(want), c.Name, len(c.Args))
	}
	return x.encoded(c, rasp.Numerical)
}

// encoded makes a map, a sequence_map or a constant.
func (x *lowering) encoded(n *Call, as rasp.Encoding) (rasp.Expr, error) {
	if n.Name == "constant" {
		v, err := x.literal(n.Args[0])
		return &rasp.Constant{Value: v, As: as}, err
	}
	f, err := x.function(n.Args[0], len(n.Args)-1)
	if err != nil {
		return nil, err
	}
	var operands [2]rasp.Expr
	for i, a := range n.Args[1:] {
		if operands[i], err = x.sequence(a); err != nil {
			return nil, err
		}
	}
	two := func(a, b rasp.Value) (rasp.Value, error) {
		s := scope{x.file, f.Params, [2]rasp.Value{a, b}}
		v, err := s.eval(f.Body)
		if err == nil && as == rasp.Numerical && v.Kind() == rasp.StringKind {
			err = s.kind(f.Body, v, rasp.NumberKind)
		}
		return v, err
	}
	if n.Name == "sequence_map" {
		return &rasp.SequenceMap{F: two, X: operands[0], Y: operands[1], As: as}, nil
	}
	return &rasp.Map{F: func(v rasp.Value) (rasp.Value, error) { return two(v, rasp.Value{}) }, X: operands[0], As: as}, nil
}

// function is a function of so many arguments.
func (x *lowering) function(n Node, arguments int) (*Function, error) {
	f, ok := n.(*Function)
	if !ok || len(f.Params) != arguments {
		want := "x -> ..."
		if arguments == 2 {
			want = "(x, y) -> ..."
		}
		return nil, x.errorf(n, "expected a function %s, found %s", want, oneline.Quote(Print(n)))
	}
	return f, x.checkBody(f.Body, f.Params)
}

// predicate makes the predicate of a select.
func (x *lowering) predicate(n Node) (rasp.Predicate, error) {
	key, query := &Name{n.Pos(), "key"}, &Name{n.Pos(), "query"}
	f := &Function{Params: []string{"key", "query"}}
	switch n := n.(type) {
	case *Comparison:
		f.Body = &Binary{n.At, n.Op, key, query}
	case *Literal:
		if n.Value.Kind() != rasp.BoolKind {
			return nil, x.errorf(n, "expected a predicate, found %s", oneline.Quote(Print(n)))
		}
		f.Body = n
	default:
		var err error
		if f, err = x.function(n, 2); err != nil {
			return nil, err
		}
	}
	return func(key, query rasp.Value) (bool, error) {
		s := scope{x.file, f.Params, [2]rasp.Value{key, query}}
		v, err := s.eval(f.Body)
		if err == nil && v.Defined() {
			err = s.kind(f.Body, v, rasp.BoolKind)
		}
		return v.True(), err
	}, nil
}

// literal is a value that stands in the program.
func (x *lowering) literal(n Node) (rasp.Value, error) {
	l, ok := n.(*Literal)
	if !ok {
		return rasp.Value{}, x.errorf(n, "expected a value, found %s", oneline.Quote(Print(n)))
	}
	return l.Value, nil
}

func (x *lowering) linear(n *Call) (rasp.Expr, error) {
	e := &rasp.Linear{}
	for i, to := range []struct {
		factor  *float64
		operand *rasp.Expr
	}{{&e.A, &e.X}, {&e.B, &e.Y}} {
		v, err := x.literal(n.Args[2*i])
		if err != nil {
			return nil, err
		}
		if v.Kind() != rasp.NumberKind {
			return nil, x.errorf(n.Args[2*i], "expected a number as a factor of linear, found %s", oneline.Quote(Print(n.Args[2*i])))
		}
		*to.factor, _ = v.Float()
		if *to.operand, err = x.sequence(n.Args[2*i+1]); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (x *lowering) aggregate(n *Call) (rasp.Expr, error) {
	e := &rasp.Aggregate{}
	var err error
	if e.Selector, err = x.selector(n.Args[0]); err != nil {
		return nil, err
	}
	if e.X, err = x.sequence(n.Args[1]); err != nil {
		return nil, err
	}
	if len(n.Args) == 3 {
		e.Default, err = x.literal(n.Args[2])
	}
	return e, err
}
