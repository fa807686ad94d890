package rasp

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func nums(x ...float64) (out []Value) {
	for _, f := range x {
		out = append(out, Number(f))
	}
	return out
}

func less(key, query Value) (bool, error) { return Compare(key, query) < 0, nil }

func equal(key, query Value) (bool, error) { return key == query, nil }

// odd is undefined on even numbers.
func odd(x Expr) *Map {
	return &Map{X: x, F: func(v Value) (Value, error) {
		if int(v.num)%2 == 0 {
			return Undefined(), nil
		}
		return v, nil
	}}
}

func identity(v Value) (Value, error) { return v, nil }

func evalOn(t *testing.T, e Expr, causal bool, input ...float64) []Value {
	t.Helper()
	d, err := NewDomain(nums(1, 2, 3, 4), 5, causal)
	require.NoError(t, err)
	require.NoError(t, Check(e))
	out, err := Eval(e, d, nums(input...))
	require.NoError(t, err)
	return out
}

// The meaning of each kind of sequence, by hand.
func TestEval(t *testing.T) {
	u, byLess := Undefined(), &Select{Tokens{}, Tokens{}, less}
	half := &Map{X: Tokens{}, As: Numerical, F: func(v Value) (Value, error) { return Number(v.num / 2), nil }}
	for name, c := range map[string]struct {
		e      Expr
		causal bool
		want   []Value
	}{
		"tokens":                     {Tokens{}, false, nums(3, 1, 2)},
		"indices":                    {Indices{}, false, nums(0, 1, 2)},
		"constant":                   {&Constant{Value: String("x")}, false, []Value{String("x"), String("x"), String("x")}},
		"numerical truth":            {&Constant{Value: Bool(true), As: Numerical}, false, nums(1, 1, 1)},
		"numerical undefined":        {&Constant{As: Numerical}, false, nums(0, 0, 0)},
		"map":                        {half, false, nums(1.5, 0.5, 1)},
		"map of undefined":           {&Map{X: odd(Tokens{}), F: identity}, false, []Value{Number(3), Number(1), u}},
		"numerical map of undefined": {&Map{X: odd(Tokens{}), F: identity, As: Numerical}, false, nums(3, 1, 0)},
		"sequence map": {&SequenceMap{X: odd(Tokens{}), Y: Indices{}, F: func(a, b Value) (Value, error) { return Number(a.num - b.num), nil }}, false,
			[]Value{Number(3), Number(0), u}},
		"linear":               {&Linear{A: 2, X: half, B: -1, Y: half}, false, nums(1.5, 0.5, 1)},
		"width":                {&Width{Selector: byLess}, false, nums(2, 0, 1)},
		"causal width":         {&Width{Selector: byLess}, true, nums(0, 0, 1)},
		"not":                  {&Width{Selector: &Not{byLess}}, false, nums(1, 3, 2)},
		"and":                  {&Width{Selector: &And{byLess, &Select{Indices{}, Indices{}, less}}}, false, nums(0, 0, 1)},
		"or":                   {&Width{Selector: &Or{byLess, &Select{Indices{}, Indices{}, equal}}}, false, nums(3, 1, 2)},
		"keys undefined":       {&Width{Selector: &Not{&Select{odd(Tokens{}), Tokens{}, equal}}}, false, nums(1, 1, 2)},
		"queries undefined":    {&Width{Selector: &Not{&Select{Tokens{}, odd(Tokens{}), equal}}}, false, nums(2, 2, 0)},
		"undefined beside or":  {&Width{Selector: &Or{&Select{odd(Tokens{}), Tokens{}, equal}, &Select{Tokens{}, Tokens{}, equal}}}, false, nums(1, 1, 0)},
		"mean":                 {&Aggregate{Selector: byLess, X: half}, false, nums(0.75, 0, 0.5)},
		"mean with default":    {&Aggregate{Selector: byLess, X: half, Default: Number(-1)}, false, nums(0.75, -1, 0.5)},
		"one value":            {&Aggregate{Selector: &Select{Indices{}, &Map{X: Tokens{}, F: func(v Value) (Value, error) { return Number(v.num - 1), nil }}, equal}, X: Tokens{}}, false, nums(2, 3, 1)},
		"nothing selected":     {&Aggregate{Selector: &Select{Tokens{}, Indices{}, equal}, X: Indices{}}, false, []Value{u, Number(1), Number(2)}},
		"value with default":   {&Aggregate{Selector: &Select{Tokens{}, Indices{}, equal}, X: Indices{}, Default: String("?")}, false, []Value{String("?"), Number(1), Number(2)}},
		"undefined is a value": {&Aggregate{Selector: &Select{Indices{}, Indices{}, equal}, X: odd(Tokens{}), Default: Number(9)}, false, []Value{Number(3), Number(1), u}},
	} {
		assert.Equal(t, c.want, evalOn(t, c.e, c.causal, 3, 1, 2), name)
	}
}

// Different categorical values have no mean.
func TestMixedValues(t *testing.T) {
	d, err := NewDomain(nums(1, 2), 3, false)
	require.NoError(t, err)
	e := &Aggregate{Name: "m", Selector: &Select{Tokens{}, Tokens{}, less}, X: Indices{}}
	_, err = Eval(e, d, nums(1, 1, 2))
	var mixed *MixedError
	require.ErrorAs(t, err, &mixed)
	assert.EqualError(t, err, `m: expected one value among those selected at position 2, as a categorical aggregate needs, found "0" and "1"`)
	got, err := Eval(e, d, nums(1, 2, 2))
	require.NoError(t, err)
	assert.Equal(t, []Value{Undefined(), Number(0), Number(0)}, got)
}

// A sequence is computed once, however often it is used.
func TestEachSequenceOnce(t *testing.T) {
	calls := 0
	e := Expr(&Map{X: Tokens{}, F: func(v Value) (Value, error) { calls++; return v, nil }})
	for range 30 {
		e = &SequenceMap{X: e, Y: e, F: func(a, _ Value) (Value, error) { return a, nil }}
	}
	assert.Equal(t, nums(2, 1), evalOn(t, e, false, 2, 1))
	assert.Equal(t, 2, calls)
}

// Each unsound program is refused in one line that names the sequence.
func TestCheck(t *testing.T) {
	number, word := &Constant{Value: Number(1), As: Numerical}, &Constant{Name: "w", Value: String("a")}
	two := func(a, _ Value) (Value, error) { return a, nil }
	for _, c := range []struct {
		e    Expr
		want string
	}{
		{&Constant{Name: "c", Value: String("a"), As: Numerical}, `c: expected a number in a numerical sequence, found a string "a"`},
		{&Map{X: Tokens{}, F: identity, As: "ordinal"}, `map: expected the encoding categorical or numerical, found "ordinal"`},
		{&SequenceMap{X: number, Y: word, F: two}, `sequence_map: expected a categorical operand of sequence_map, found "constant", which is numerical`},
		{&SequenceMap{X: word, Y: number, F: two}, `sequence_map: expected a categorical operand of sequence_map, found "constant", which is numerical`},
		{&Linear{X: word, Y: number}, `linear: expected a numerical operand of linear, found "w", which is categorical`},
		{&Linear{X: number, Y: Tokens{}}, `linear: expected a numerical operand of linear, found "tokens", which is categorical`},
		{&Width{Selector: &Select{number, word, equal}}, `width: expected a categorical operand of select, found "constant", which is numerical`},
		{&Aggregate{Selector: &Not{&And{&Select{word, word, equal}, &Select{word, number, equal}}}, X: word},
			`aggregate: expected a categorical operand of select, found "constant", which is numerical`},
		{&Aggregate{Selector: &Select{word, word, equal}, X: number, Default: String("b")}, `aggregate: expected a number in a numerical sequence, found a string "b"`},
	} {
		assert.EqualError(t, Check(c.e), c.want)
		assert.EqualError(t, Check(&Map{X: c.e, F: identity}), c.want, "below another")
	}
}

// Programs that would never end or ask for all memory are refused.
func TestBounds(t *testing.T) {
	circle := &Map{F: identity}
	circle.X = &Map{X: circle, F: identity}
	assert.EqualError(t, Check(circle), "program: a sequence is computed from itself")

	long := Expr(Tokens{})
	for range MaxExprs {
		long = &Map{X: long, F: identity}
	}
	assert.EqualError(t, Check(long), "program: expected at most 2000 sequences, found more")

	wide := Selector(&Select{Tokens{}, Tokens{}, equal})
	for range 60 {
		wide = &And{wide, wide}
	}
	assert.EqualError(t, Check(&Width{Selector: wide}), "selector: expected at most 64 parts (select, and, or, not), found more")
}

// A function's own error comes back as it is, a result that cannot be held with
// the sequence's name.
func TestErrorsOfFunctions(t *testing.T) {
	d, err := NewDomain(nums(1), 1, false)
	require.NoError(t, err)
	broken := errors.New("here: broken")
	_, err = Eval(&Map{X: Tokens{}, F: func(Value) (Value, error) { return Value{}, broken }}, d, nums(1))
	assert.Equal(t, broken, err)
	_, err = Eval(&Width{Selector: &Select{Tokens{}, Tokens{}, func(_, _ Value) (bool, error) { return false, broken }}}, d, nums(1))
	assert.Equal(t, broken, err)
	_, err = Eval(&Map{Name: "m", X: Tokens{}, As: Numerical, F: func(Value) (Value, error) { return String("x"), nil }}, d, nums(1))
	assert.EqualError(t, err, `m: expected a number in a numerical sequence, found a string "x"`)
	large := &Constant{Value: Number(1e308), As: Numerical}
	_, err = Eval(&Linear{Name: "l", A: 10, X: large, B: 1, Y: large}, d, nums(1))
	assert.EqualError(t, err, "l: expected a finite number, found +Inf")
}

// Domains and inputs are checked field by field.
func TestDomain(t *testing.T) {
	for _, c := range []struct {
		vocab []Value
		max   int
		want  string
	}{
		{nums(1), 0, "maximum length: expected 1 to 1000, found 0"},
		{nums(1), 1001, "maximum length: expected 1 to 1000, found 1001"},
		{nil, 1, "vocabulary: expected 1 to 10000 tokens, found 0"},
		{nums(2, 1, 2), 1, `vocabulary: expected every token once, found "2" twice`},
		{[]Value{Undefined()}, 1, "vocabulary: expected numbers, strings and truth values, found an undefined value"},
	} {
		_, err := NewDomain(c.vocab, c.max, false)
		assert.EqualError(t, err, c.want)
	}
	d, err := NewDomain(nums(2, 1), 2, false)
	require.NoError(t, err)
	_, err = Eval(Tokens{}, d, nums(1, 3))
	assert.EqualError(t, err, `input: expected tokens of the vocabulary, found "3" at position 1`)
	_, err = Eval(Tokens{}, d, nil)
	assert.EqualError(t, err, "input: expected 1 to 2 tokens, found 0")

	inputs, all := d.Inputs(6, 0)
	assert.True(t, all)
	assert.Equal(t, [][]Value{nums(1), nums(2), nums(1, 1), nums(1, 2), nums(2, 1), nums(2, 2)}, inputs)
	inputs, all = d.Inputs(5, 0)
	assert.False(t, all)
	assert.Len(t, inputs, 5)
	again, _ := d.Inputs(5, 0)
	assert.Equal(t, inputs, again)
}
