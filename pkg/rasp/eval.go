package rasp

import "fmt"

// Eval is the meaning of a program: the value of its output at each position of
// an input of the domain. The program is one that Check accepts.
func Eval(output Expr, d Domain, input []Value) ([]Value, error) {
	if err := d.CheckInput(input); err != nil {
		return nil, err
	}
	return NewRun(d, input).Value(output)
}

// Run is the evaluation of sequences on one input, each once.
type Run struct {
	Domain Domain
	Input  []Value // one that Domain.CheckInput accepts
	known  map[Expr][]Value
}

// NewRun begins an evaluation.
func NewRun(d Domain, input []Value) *Run {
	return &Run{Domain: d, Input: input, known: map[Expr][]Value{}}
}

// Value is a sequence's value at each position.
func (r *Run) Value(e Expr) ([]Value, error) {
	if v, ok := r.known[e]; ok {
		return v, nil
	}
	v, err := r.compute(e)
	if err != nil {
		return nil, err
	}
	r.known[e] = v
	return v, nil
}

func (r *Run) compute(e Expr) ([]Value, error) {
	switch e := e.(type) {
	case Tokens:
		return r.Input, nil
	case Indices:
		return r.each(func(i int) (Value, error) { return Number(float64(i)), nil })
	case *Constant:
		return r.each(func(int) (Value, error) { return held(e.Value, e.Encoding()), nil })
	case *Map:
		x, err := r.Value(e.X)
		if err != nil {
			return nil, err
		}
		return r.each(func(i int) (Value, error) { return e.Apply(x[i]) })
	case *SequenceMap:
		return r.both(e.X, e.Y, e.Apply)
	case *Linear:
		return r.both(e.X, e.Y, e.Apply)
	case *Aggregate:
		return r.aggregate(e)
	case *Width:
		return r.width(e)
	}
	panic(fmt.Sprintf("rasp: no meaning of %T", e))
}

// Apply is the function of one value as the encoding holds it.
func (m *Map) Apply(x Value) (Value, error) {
	if !x.Defined() {
		return held(x, m.Encoding()), nil
	}
	v, err := m.F(x)
	return result(v, err, m)
}

// Apply is the function of two values as the encoding holds it.
func (m *SequenceMap) Apply(x, y Value) (Value, error) {
	if !x.Defined() || !y.Defined() {
		return held(Undefined(), m.Encoding()), nil
	}
	v, err := m.F(x, y)
	return result(v, err, m)
}

// Apply is the sum of two numbers, each times its factor.
func (l *Linear) Apply(x, y Value) (Value, error) {
	return result(Number(Settled(l.A*x.num+l.B*y.num)), nil, l)
}

// result checks what a function gave.
func result(v Value, err error, e Expr) (Value, error) {
	if err != nil {
		return Value{}, err // which says where the function stands
	}
	if err := fits(v, e.Encoding()); err != nil {
		label, _ := e.Label()
		return Value{}, fmt.Errorf("%s: %w", label, err)
	}
	return held(v, e.Encoding()), nil
}

// held is a value as an encoding holds it: a numerical one is a number.
func held(v Value, as Encoding) Value {
	if as == Numerical {
		return Number(v.num)
	}
	return v
}

func (r *Run) each(f func(i int) (Value, error)) ([]Value, error) {
	out := make([]Value, len(r.Input))
	for i := range out {
		v, err := f(i)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (r *Run) both(x, y Expr, f Func2) ([]Value, error) {
	a, err := r.Value(x)
	if err != nil {
		return nil, err
	}
	b, err := r.Value(y)
	if err != nil {
		return nil, err
	}
	return r.each(func(i int) (Value, error) { return f(a[i], b[i]) })
}

func (r *Run) aggregate(e *Aggregate) ([]Value, error) {
	x, err := r.Value(e.X)
	if err != nil {
		return nil, err
	}
	selected, err := r.Selected(e.Selector)
	if err != nil {
		return nil, err
	}
	return r.each(func(i int) (Value, error) {
		if len(selected[i]) == 0 {
			return held(e.Default, e.Encoding()), nil
		}
		if e.Encoding() == Numerical {
			sum := 0.0
			for _, k := range selected[i] {
				sum += x[k].num
			}
			return Number(Settled(sum / float64(len(selected[i])))), nil
		}
		first := x[selected[i][0]]
		for _, k := range selected[i] {
			if x[k] != first {
				label, _ := e.Label()
				return Value{}, &MixedError{Label: label, Position: i, A: first, B: x[k]}
			}
		}
		return first, nil
	})
}

// MixedError says that a categorical Aggregate selects different values, whose
// mean is no value.
type MixedError struct {
	Label    string
	Position int
	A, B     Value // two of the values
}

// Error implements error.
func (e *MixedError) Error() string {
	return fmt.Sprintf("%s: expected one value among those selected at position %d, as a categorical aggregate needs, found %q and %q",
		e.Label, e.Position, e.A, e.B)
}

func (r *Run) width(e *Width) ([]Value, error) {
	selected, err := r.Selected(e.Selector)
	if err != nil {
		return nil, err
	}
	return r.each(func(i int) (Value, error) { return Number(float64(len(selected[i]))), nil })
}

// Selected lists by position, the query's, the positions that it selects.
func (r *Run) Selected(s Selector) ([][]int, error) {
	out := make([][]int, len(r.Input))
	for q := range out {
		last := len(out) - 1
		if r.Domain.Causal {
			last = q
		}
		for k := 0; k <= last; k++ {
			yes, defined, err := r.selects(s, k, q)
			if err != nil {
				return nil, err
			}
			if yes && defined {
				out[q] = append(out[q], k)
			}
		}
	}
	return out, nil
}

// selects says whether query q selects key k, and whether all that is compared
// for it is defined.
func (r *Run) selects(s Selector, k, q int) (yes, defined bool, err error) {
	switch s := s.(type) {
	case *Select:
		return r.compares(s, k, q)
	case *Not:
		yes, defined, err = r.selects(s.A, k, q)
		return !yes, defined, err
	case *And:
		return r.joined(s.A, s.B, k, q, func(a, b bool) bool { return a && b })
	case *Or:
		return r.joined(s.A, s.B, k, q, func(a, b bool) bool { return a || b })
	}
	panic(fmt.Sprintf("rasp: no meaning of %T", s))
}

func (r *Run) joined(a, b Selector, k, q int, join func(a, b bool) bool) (yes, defined bool, err error) {
	x, xDefined, err := r.selects(a, k, q)
	if err != nil {
		return false, false, err
	}
	y, yDefined, err := r.selects(b, k, q)
	return join(x, y), xDefined && yDefined, err
}

func (r *Run) compares(s *Select, k, q int) (yes, defined bool, err error) {
	keys, err := r.Value(s.Keys)
	if err != nil {
		return false, false, err
	}
	queries, err := r.Value(s.Queries)
	if err != nil || !keys[k].Defined() || !queries[q].Defined() {
		return false, false, err
	}
	yes, err = s.P(keys[k], queries[q])
	return yes, true, err
}
