package rasp

import (
	"errors"
	"fmt"
	"slices"
)

// The sizes of a program that can be computed: its sequences, and the places of
// a selector's Selects.
const (
	MaxExprs   = 2000
	MaxSelects = 64
)

// Order lists the sequences that an output is computed from, itself last, each
// after its operands.
func Order(output Expr) ([]Expr, error) {
	var out []Expr
	done := map[Expr]bool{} // false while its operands are on their way
	var visit func(Expr) error
	visit = func(e Expr) error {
		if ready, seen := done[e]; seen {
			if !ready {
				return errors.New("program: a sequence is computed from itself")
			}
			return nil
		}
		if len(done) == MaxExprs {
			return fmt.Errorf("program: expected at most %d sequences, found more", MaxExprs)
		}
		done[e] = false
		if err := checkSelects(e); err != nil {
			return err
		}
		for _, x := range e.Operands() {
			if err := visit(x); err != nil {
				return err
			}
		}
		done[e] = true
		out = append(out, e)
		return nil
	}
	return out, visit(output)
}

// Check checks a whole program: every sequence that the output is computed from.
func Check(output Expr) error {
	order, err := Order(output)
	if err != nil {
		return err
	}
	for _, e := range order {
		if err := CheckOne(e); err != nil {
			return &ExprError{e, err}
		}
	}
	return nil
}

// ExprError is an error of one of a program's sequences.
type ExprError struct {
	Expr Expr
	Err  error
}

// Error begins with the sequence's name.
func (e *ExprError) Error() string {
	label, _ := e.Expr.Label()
	return label + ": " + e.Err.Error()
}

func (e *ExprError) Unwrap() error { return e.Err }

// CheckOne checks one sequence, of which the operands are sound: that they are
// encoded as it needs them.
func CheckOne(e Expr) error {
	switch e := e.(type) {
	case *Constant:
		return fits(e.Value, e.Encoding())
	case *Map:
		return encoded(e.As.or(), Categorical, Numerical)
	case *SequenceMap:
		return firstOf(encoded(e.As.or(), Categorical, Numerical), operand("of sequence_map", e.X, Categorical), operand("of sequence_map", e.Y, Categorical))
	case *Linear:
		return firstOf(operand("of linear", e.X, Numerical), operand("of linear", e.Y, Numerical),
			Number(e.A).finite(), Number(e.B).finite())
	case *Aggregate:
		return firstOf(checkSelector(e), fits(e.Default, e.Encoding()))
	case *Width:
		return checkSelector(e)
	}
	return nil
}

// firstOf is the first error there is.
func firstOf(errs ...error) error {
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return errs[i]
	}
	return nil
}

func encoded(found Encoding, valid ...Encoding) error {
	if !slices.Contains(valid, found) {
		return fmt.Errorf("expected the encoding %s or %s, found %q", Categorical, Numerical, found)
	}
	return nil
}

func operand(of string, e Expr, need Encoding) error {
	if found := e.Encoding(); found != need {
		label, _ := e.Label()
		return fmt.Errorf("expected a %s operand %s, found %q, which is %s", need, of, label, found)
	}
	return nil
}

// fits refuses a value that the encoding cannot hold.
func fits(v Value, as Encoding) error {
	if _, ok := v.Float(); !ok && as == Numerical {
		return fmt.Errorf("expected a number in a numerical sequence, found %s %q", v.Kind(), v)
	}
	return v.finite()
}

func checkSelector(e Expr) error {
	if err := checkSelects(e); err != nil {
		return err
	}
	for _, x := range selectorOf(e).Operands() {
		if err := operand("of select", x, Categorical); err != nil {
			return err
		}
	}
	return nil
}

// selectorOf is a sequence's selector, nil if it has none.
func selectorOf(e Expr) Selector {
	switch e := e.(type) {
	case *Aggregate:
		return e.Selector
	case *Width:
		return e.Selector
	}
	return nil
}

// checkSelects bounds a sequence's selector before anything walks through it:
// where parts are shared, a small program can have very many Selects.
func checkSelects(e Expr) error {
	if s := selectorOf(e); s != nil {
		return CheckSelector(s)
	}
	return nil
}

// CheckSelector refuses a selector of too many Selects.
func CheckSelector(s Selector) error {
	if left := MaxSelects; !selects(s, &left) {
		return fmt.Errorf("selector: expected at most %d parts (select, and, or, not), found more", MaxSelects)
	}
	return nil
}

// selects counts a selector's parts down from left, and reports whether they
// were enough.
func selects(s Selector, left *int) bool {
	if *left--; *left < 0 {
		return false
	}
	switch s := s.(type) {
	case *And:
		return selects(s.A, left) && selects(s.B, left)
	case *Or:
		return selects(s.A, left) && selects(s.B, left)
	case *Not:
		return selects(s.A, left)
	}
	return true
}
