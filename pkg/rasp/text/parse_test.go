package text

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/rasp"
)

// program reads and makes a program.
func program(source string) (*File, rasp.Expr, error) {
	f, err := Parse("p.rasp", source)
	if err != nil {
		return nil, nil, err
	}
	e, err := f.Program()
	return f, e, err
}

// Every error is one line that begins with its place.
func TestErrors(t *testing.T) {
	deep := strings.Repeat("(", 200) + "1"
	many := "let s0 = select(tokens, tokens, ==)\n"
	for i := range 40 {
		many += fmt.Sprintf("let s%d = s%d and s%d\n", i+1, i, i)
	}
	for _, c := range []struct{ source, want string }{
		{"", `p.rasp:1:1: expected vocab, max_len, causal, let or return, found the end of the file`},
		{"let a tokens", `p.rasp:1:7: expected "=" after the name, found "tokens"`},
		{"let map = tokens", `p.rasp:1:5: expected a name after let, found "map", which has a meaning of its own`},
		{"let 3 = tokens", `p.rasp:1:5: expected a name after let, found "3"`},
		{"let a = tokens\nlet a = indices return a", `p.rasp:2:5: expected a name of its own after let, found "a" a second time`},
		{"return tokens tokens", `p.rasp:1:15: expected nothing after return's expression, found "tokens"`},
		{"return", `p.rasp:1:7: expected an expression, found the end of the file`},
		{"return ß", `p.rasp:1:8: expected tokens, indices or a name that let has bound before, found "ß"`},
		{"# ß\n  return §", `p.rasp:2:10: expected a word, a number, a string or a sign, found '§'`},
		{"return \"\xff\"", `p.rasp:1:9: expected UTF-8 text, found other bytes`},
		{"return \"a", `p.rasp:1:8: expected a string that ends in " on its line, found "\"a"`},
		{`return constant("\xff")`, `p.rasp:1:17: expected a string of Unicode text, found "\"\\xff\""`},
		{"return constant(1e999)", `p.rasp:1:17: expected a number of 64 bits, found "1e999"`},
		{"vocab x return tokens", `p.rasp:1:7: expected a number, a string in quotes, true or false in vocab, found "x"`},
		{"vocab 1 vocab 2 return tokens", `p.rasp:1:9: expected vocab once, found it twice`},
		{"max_len 2 max_len 2 return tokens", `p.rasp:1:11: expected max_len once, found it twice`},
		{"causal causal return tokens", `p.rasp:1:8: expected causal once, found it twice`},
		{"max_len 2.5 return tokens", `p.rasp:1:9: expected an integer from 1 to 1000 after max_len, found "2.5"`},
		{"max_len \"5\" return tokens", `p.rasp:1:9: expected an integer from 1 to 1000 after max_len, found "\"5\""`},
		{"return map(x -> x + y, tokens)", `p.rasp:1:21: expected an argument of the function (x), found "y"`},
		{"return map(x -> sin(x), tokens)", `p.rasp:1:17: expected a function of values (abs, floor, max, min), found "sin"`},
		{"return map(x -> min(x), tokens)", `p.rasp:1:17: expected 2 arguments of min, found 1`},
		{"return map(x -> (y -> y), tokens)", `p.rasp:1:18: expected an expression of values, found "y -> y"`},
		{"return map(x -> min(x, <), tokens)", `p.rasp:1:24: expected an expression of values, found "<"`},
		{"return map((x, x) -> x, tokens)", `p.rasp:1:16: expected two different arguments, found "x" twice`},
		{"return map((x, y) -> x, tokens)", `p.rasp:1:12: expected a function x -> ..., found "(x, y) -> x"`},
		{"return sequence_map(x -> x, tokens, tokens)", `p.rasp:1:21: expected a function (x, y) -> ..., found "x -> x"`},
		{"return map(tokens)", `p.rasp:1:8: expected 2 arguments of map, found 1`},
		{"return width(select(tokens, tokens))", `p.rasp:1:14: expected 3 arguments of select (keys, queries, predicate), found 2`},
		{"return aggregate(tokens, tokens, 1, 2)", `p.rasp:1:8: expected 2 or 3 arguments of aggregate, found 4`},
		{"return widht(tokens)", `p.rasp:1:8: expected select or one of aggregate, constant, linear, map, numerical, sequence_map, width, found "widht"`},
		{"return width(tokens)", `p.rasp:1:14: expected a selector, found the sequence "tokens"`},
		{"return select(tokens, tokens, ==)", `p.rasp:1:8: expected a sequence, found the selector "select(tokens, tokens, ==)"`},
		{"return tokens + 1", `p.rasp:1:15: expected a sequence or a selector, found "tokens + 1": functions of values stand in map and sequence_map`},
		{"return width(select(tokens, tokens, 1))", `p.rasp:1:37: expected a predicate, found "1"`},
		{"return width(select(tokens, tokens, x -> true))", `p.rasp:1:37: expected a function (x, y) -> ..., found "x -> true"`},
		{"return width(select(constant(1), numerical(constant(1)), ==))", `p.rasp:1:8: expected a categorical operand of select, found "constant", which is numerical`},
		{"return numerical(tokens)", `p.rasp:1:18: expected map(...), sequence_map(...) or constant(...) in numerical, found "tokens"`},
		{"return numerical(constant(\"a\"))", `p.rasp:1:8: expected a number in a numerical sequence, found a string "a"`},
		{"return numerical(map(tokens))", `p.rasp:1:18: expected 2 arguments of map, found 1`},
		{"return linear(1, tokens, 1, tokens)", `p.rasp:1:8: expected a numerical operand of linear, found "tokens", which is categorical`},
		{"return linear(true, tokens, 1, tokens)", `p.rasp:1:15: expected a number as a factor of linear, found "true"`},
		{"return constant(tokens)", `p.rasp:1:17: expected a value, found "tokens"`},
		{"return map(x -> x == 1 == true, tokens)", `p.rasp:1:24: expected one comparison, found a second "==": put one in parentheses`},
		{"return map(x -> if x 1 else 2, tokens)", `p.rasp:1:22: expected "then" of if, found "1"`},
		{"return map(x -> x, tokens", `p.rasp:1:26: expected "," or ")" after an argument of map, found the end of the file`},
		{"return (tokens", `p.rasp:1:15: expected ")" at the end of the parentheses, found the end of the file`},
		{"return " + deep, `p.rasp:1:108: expected at most 100 expressions within each other, found more`},
		{"return map(x -> x" + strings.Repeat(" + 1", 200) + ", tokens)", `p.rasp:1:405: expected at most 100 expressions within each other, found more`},
		{many + "return width(s40)", `p.rasp:7:13: selector: expected at most 64 parts (select, and, or, not), found more`},
		{strings.Repeat(" ", 1<<16) + "x", `p.rasp:1:1: expected at most 65536 bytes, found 65537`},
	} {
		_, _, err := program(c.source)
		assert.EqualError(t, err, c.want, "%.80s", c.source)
	}
}

// Errors of functions, which only values bring about, begin with their place
// too.
func TestErrorsOfFunctions(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"map(x -> x + 1, tokens)", `p.rasp:4:19: expected a number, found a string, "a"`},
		{"map(x -> 1 - x, tokens)", `p.rasp:4:23: expected a number, found a string, "a"`},
		{"map(x -> -x, tokens)", `p.rasp:4:20: expected a number, found a string, "a"`},
		{"map(x -> not x, tokens)", `p.rasp:4:23: expected a truth value, found a string, "a"`},
		{"map(x -> x and true, tokens)", `p.rasp:4:19: expected a truth value, found a string, "a"`},
		{"map(x -> if x then 1 else 2, tokens)", `p.rasp:4:22: expected a truth value, found a string, "a"`},
		{"map(x -> x < 1, tokens)", `p.rasp:4:23: expected a string, found a number, "1"`},
		{"map(x -> (x == \"a\") < true, tokens)", `p.rasp:4:22: expected a number, found a truth value, "true"`},
		{"map(x -> abs(x), tokens)", `p.rasp:4:23: expected a number, found a string, "a"`},
		{"map(x -> 1e300 * 1e300, tokens)", `p.rasp:4:25: expected a number of 64 bits, found one that is too large`},
		{"numerical(map(x -> x, tokens))", `p.rasp:4:29: expected a number, found a string, "a"`},
		{"width(select(tokens, tokens, (k, q) -> k))", `p.rasp:4:49: expected a truth value, found a string, "a"`},
		{"width(select(tokens, indices, <))", `p.rasp:4:40: expected a string, found a number, "0"`},
	} {
		f, e, err := program("vocab \"a\"\n\nmax_len 2\n" + "let v1 = " + c.source + "\nreturn v1")
		require.NoError(t, err)
		d, err := f.Domain(nil, 0, false)
		require.NoError(t, err)
		_, err = rasp.Eval(e, d, []rasp.Value{rasp.String("a")})
		assert.EqualError(t, err, c.want, c.source)
	}
}

// What functions compute.
func TestFunctions(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{"1 + 2 * 3", "7"}, {"(1 + 2) * 3", "9"}, {"10 - 3 - 2", "5"}, {"8 / 4 / 2", "1"}, {"-7 % 3", "2"}, {"7 % -3", "-2"},
		{"1 / 0", "undefined"}, {"1 % 0", "undefined"}, {"undefined + 1", "undefined"}, {"undefined == undefined", "undefined"},
		{"if undefined then 1 else 2", "undefined"}, {"-undefined", "undefined"}, {"not undefined", "undefined"}, {"abs(undefined)", "undefined"},
		{"- -3", "3"}, {"-x", "-2"}, {"--x", "2"}, {"not not true", "true"}, {"not 1 == 2", "true"}, {"not false and false", "false"},
		{"true or true and false", "true"}, {"1 < 2 and 2 <= 2", "true"}, {"3 > 4 or 4 >= 5", "false"}, {"\"a\" < \"b\"", "true"}, {"1 != true", "true"},
		{"if x > 1 then if x > 5 then 1 else 2 else 3", "2"}, {"min(x, 1) + max(x, 1)", "3"}, {"abs(-x) + floor(2.7)", "4"}, {"1e2 + 1E+1 + 5e-1", "110.5"},
		{"0.1 + 0.2 == 0.3", "false"}, {"x == 2 == false or true", "error"},
	} {
		f, e, err := program("vocab 2 max_len 1 return map(x -> " + c.body + ", tokens)")
		if c.want == "error" {
			assert.Error(t, err)
			continue
		}
		require.NoError(t, err, c.body)
		d, err := f.Domain(nil, 0, false)
		require.NoError(t, err)
		got, err := rasp.Eval(e, d, d.Vocab)
		require.NoError(t, err)
		assert.Equal(t, c.want, got[0].String(), c.body)
	}
}

// Equal expressions are one sequence, and let names it.
func TestEqualExpressionsAreOne(t *testing.T) {
	_, e, err := program(`
		let n = width(select(tokens, tokens, true)) # named
		let m = width( select(tokens,tokens,true) )
		return sequence_map((a, b) -> a + b, n, m)`)
	require.NoError(t, err)
	sum := e.(*rasp.SequenceMap)
	assert.Same(t, sum.X, sum.Y)
	assert.Equal(t, "n", sum.X.(*rasp.Width).Name)
	label, named := sum.Label()
	assert.Equal(t, "sequence_map", label)
	assert.False(t, named)
}

// What is beside the file goes before what it says.
func TestDomain(t *testing.T) {
	f, _, err := program("vocab 2, \"a\", true, -1 max_len 3 return tokens")
	require.NoError(t, err)
	d, err := f.Domain(nil, 0, true)
	require.NoError(t, err)
	assert.Equal(t, rasp.Domain{Vocab: []rasp.Value{rasp.Number(-1), rasp.Number(2), rasp.Bool(true), rasp.String("a")}, MaxLen: 3, Causal: true}, d)
	vocab, err := ParseVocab(`w, -1.5,"7" ,true`)
	require.NoError(t, err)
	d, err = f.Domain(vocab, 4, false)
	require.NoError(t, err)
	assert.Equal(t, rasp.Domain{Vocab: []rasp.Value{rasp.Number(-1.5), rasp.Bool(true), rasp.String("7"), rasp.String("w")}, MaxLen: 4}, d)
	f, _, err = program("max_len 3 return tokens")
	require.NoError(t, err)
	_, err = f.Domain(nil, 0, false)
	assert.EqualError(t, err, "p.rasp:1:1: expected vocab and max_len, in the file or beside it, found only one of them or none")
	_, err = ParseVocab("a,,b")
	assert.EqualError(t, err, `vocabulary "a,,b": expected tokens with commas between them, found an empty one at place 2`)
}

// withoutPlaces is a tree in which every position is zero.
func withoutPlaces(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			withoutPlaces(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			withoutPlaces(v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[Pos]() {
			v.SetZero()
			return
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				withoutPlaces(v.Field(i))
			}
		}
	}
}

// roundTrip prints a file and reads it again.
func roundTrip(t *testing.T, f *File) {
	t.Helper()
	again, err := Parse(f.Name, f.String())
	require.NoError(t, err, f.String())
	require.Equal(t, f.String(), again.String())
	for _, f := range []*File{f, again} {
		withoutPlaces(reflect.ValueOf(f))
		f.vocabAt, f.at = Pos{}, nil
	}
	require.Equal(t, f, again)
}

func TestRoundTrip(t *testing.T) {
	for _, x := range []string{
		"(a -> a)", "map(x -> (x - 1) - (2 - x), a)", "map(x -> -(x + 1) * -2, tokens)", "map(x -> (x == 1) == (x != 2), tokens)",
		"map(x -> not (x and not x or x), tokens)", "map(x -> (if x then 1 else 2) + 3, tokens)", "map(x -> if (if x then x else x) then 1 else 2 + 3, tokens)",
		"a and (b and c) or not (d or e)", "(a or b) and c", "select(a, b, >=)", "f(<, >, x, (x, y) -> x)", "constant(-0)", "constant(- -5)", "constant(1e300)",
		`constant("\"\n§")`, "undefined + true", "-(-x)", "(-1) + x", "x - -1", "x * (-1)", "-(1 * 2)",
	} {
		f, err := Parse("p.rasp", "vocab 1, \"b\\\\\", false, -2\nmax_len 7 causal let q = "+x+"\nreturn "+x)
		require.NoError(t, err, x)
		roundTrip(t, f)
	}
}

// Any text is refused with its place, or read, printed and read again, made a
// program, and evaluated without a panic.
func FuzzParse(f *testing.F) {
	f.Add("vocab 1, 2, 3\nmax_len 5\nlet n = width(select(tokens, tokens, true))\nreturn aggregate(select(indices, map(x -> x - 1, n), ==) and not select(tokens, tokens, (k, q) -> k < q), tokens, 0)")
	f.Add("vocab \"a\" max_len 3 causal return linear(1, numerical(map(t -> if t == \"a\" then 1 else undefined, tokens)), -0.5, numerical(constant(true)))")
	f.Add("return sequence_map((x, y) -> min(x, -y) % 3 / 0, tokens, indices)")
	f.Add("let a = ((")
	f.Fuzz(func(t *testing.T, source string) {
		file, err := Parse("p.rasp", source)
		if err != nil {
			requirePlace(t, err)
			return
		}
		own := *file
		e, err := own.Program()
		roundTrip(t, file)
		if err != nil {
			requirePlace(t, err)
			return
		}
		d, err := file.Domain([]rasp.Value{rasp.Number(1), rasp.String("a")}, 3, false)
		require.NoError(t, err)
		for _, input := range [][]rasp.Value{{rasp.Number(1)}, {rasp.String("a"), rasp.Number(1), rasp.Number(1)}} {
			if out, err := rasp.Eval(e, d, input); err == nil {
				require.Len(t, out, len(input))
			} else {
				require.NotContains(t, err.Error(), "\n")
			}
		}
	})
}

func requirePlace(t *testing.T, err error) {
	t.Helper()
	var at *Error
	require.ErrorAs(t, err, &at)
	require.Positive(t, at.Line)
	require.Positive(t, at.Column)
	require.NotContains(t, err.Error(), "\n")
}

// What the compiler refuses stands at the sequence that it is of, and what is
// refused of the vocabulary at the vocabulary.
func TestRefusalsHavePlaces(t *testing.T) {
	f, err := Parse("p.rasp", "max_len 3\nvocab 1\nlet a = map(x -> x, tokens)\nreturn map(x -> x, a)")
	require.NoError(t, err)
	e, err := f.Program()
	require.NoError(t, err)
	named := e.Operands()[0]
	assert.EqualError(t, f.Locate(&rasp.ExprError{Expr: e, Err: io.EOF}), "p.rasp:4:8: EOF")
	assert.EqualError(t, f.Locate(&rasp.ExprError{Expr: named, Err: io.EOF}), "p.rasp:3:9: a: EOF")
	assert.EqualError(t, f.Locate(io.EOF), "p.rasp:4:8: EOF")
	assert.ErrorIs(t, f.Locate(context.Canceled), context.Canceled)
	_, err = f.Domain(nil, 100_000, false)
	assert.EqualError(t, err, "p.rasp:2:1: maximum length: expected 1 to 1000, found 100000")
	_, err = Parse("p.rasp", "vocab 1,\n1")
	assert.EqualError(t, err, `p.rasp:2:1: expected every token once in vocab, found "1" twice`)
}
