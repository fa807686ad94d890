package compile_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/rasp"
	"github.com/seed-2c350065/acdc/pkg/rasp/compile"
	"github.com/seed-2c350065/acdc/pkg/rasp/text"
)

// fromText compiles a program.
func fromText(t testing.TB, source string, o compile.Options) (rasp.Expr, *compile.Model, error) {
	t.Helper()
	f, err := text.Parse("p.rasp", source)
	require.NoError(t, err)
	program, err := f.Program()
	require.NoError(t, err)
	d, err := f.Domain(nil, 0, false)
	require.NoError(t, err)
	m, err := compile.Compile(context.Background(), program, d, o)
	return program, m, err
}

// Programs of one feature each, which random ones seldom bring together.
func TestFeaturesCompute(t *testing.T) {
	for name, source := range map[string]string{
		"the input":               `return tokens`,
		"the positions":           `return indices`,
		"a constant":              `return constant("x")`,
		"a numerical constant":    `return numerical(constant(0.25))`,
		"a map of a constant":     `return map(x -> x + 1, constant(2))`,
		"constants in a map":      `return sequence_map((x, y) -> x - y, constant(3), sequence_map((x, y) -> x + y, indices, constant(1)))`,
		"the same operand twice":  `return sequence_map((x, y) -> x * y, indices, indices)`,
		"numbers by steps":        `let m = aggregate(select(indices, indices, <=), numerical(map(t -> t == "a", tokens))) return numerical(map(x -> x * x, m))`,
		"equal numbers":           `let m = aggregate(select(indices, indices, <=), numerical(map(t -> t == "a", tokens))) return map(x -> x == 1 / 3, m)`,
		"linear of one":           `let x = numerical(map(i -> i - 2, indices)) return linear(0.5, x, -2, x)`,
		"a default number":        `let m = aggregate(select(indices, indices, <), numerical(map(t -> t == "a", tokens)), -3) return aggregate(select(indices, indices, <), m, 2)`,
		"a default value as key":  `let p = aggregate(select(indices, indices, (k, q) -> k == q - 1), tokens, "a") return width(select(p, tokens, ==))`,
		"a default out of range":  `let p = aggregate(select(indices, indices, (k, q) -> k == q - 1), tokens, "z") return aggregate(select(p, p, (k, q) -> false), p, "y")`,
		"not, of the undefined":   `let p = aggregate(select(indices, indices, (k, q) -> k == q - 1), tokens) return width(not select(p, tokens, ==))`,
		"or, of the undefined":    `let p = aggregate(select(indices, indices, (k, q) -> k == q - 1), tokens) return width(select(p, tokens, ==) or select(tokens, p, true))`,
		"three things at once":    `return width(select(tokens, tokens, ==) and not (select(indices, tokens, (k, t) -> t == "a" and k > 1) or select(indices, indices, >)))`,
		"truth values as numbers": `return aggregate(select(tokens, tokens, true), numerical(sequence_map((t, i) -> t == "a" or i == 0, tokens, indices)))`,
		"steps at BOS":            `let x = numerical(map(i -> if i > 1 then 1 else -1, indices)) let y = map(v -> v < 0.5, x) return width(select(y, y, ==))`,
		"many heads":              `let a = width(select(tokens, tokens, ==)) let b = width(select(tokens, tokens, <)) let c = width(select(indices, indices, <)) return sequence_map((x, y) -> x * 10 + y, a, sequence_map((x, y) -> x * 10 + y, b, c))`,
	} {
		for _, causal := range []string{"", "causal "} {
			t.Run(causal+name, func(t *testing.T) {
				program, m, err := fromText(t, `vocab "a", "b", "c" max_len 5 `+causal+source, compile.Options{})
				require.NoError(t, err)
				inputs, all := m.Domain.Inputs(1000, 1)
				require.True(t, all)
				assert.LessOrEqual(t, compile.Worst(t, program, m, inputs), 1e-5)
				assert.LessOrEqual(t, worstPlain(t, program, m, inputs[:40]), 1e-5)
			})
		}
	}
}

// Long inputs need a larger temperature, steeper steps, and no more.
func TestLongInputs(t *testing.T) {
	for name, source := range map[string]string{
		"length":     `return width(select(tokens, tokens, true))`,
		"histogram":  `return width(select(tokens, tokens, ==))`,
		"proportion": `return aggregate(select(indices, indices, <=), numerical(map(t -> t == "b", tokens)), 0)`,
		"reverse":    `return aggregate(select(indices, sequence_map((n, i) -> n - i - 1, width(select(tokens, tokens, true)), indices), ==), tokens)`,
		"majority":   `return map(x -> x > 0.5, aggregate(select(indices, indices, <=), numerical(map(t -> t == "b", tokens))))`,
	} {
		t.Run(name, func(t *testing.T) {
			program, m, err := fromText(t, `vocab "a", "b" max_len 40 `+source, compile.Options{})
			require.NoError(t, err)
			inputs, _ := m.Domain.Inputs(100, 1)
			assert.LessOrEqual(t, compile.Worst(t, program, m, inputs), 1e-5)
		})
	}
}

// What cannot be compiled is refused in one line.
func TestRefusedPrograms(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{`vocab "BOS" max_len 2 return tokens`, `vocabulary: expected no token "BOS", which the compiler adds`},
		{`vocab 1 max_len 2 let never = map(x -> undefined, tokens) return never`, `never: expected an output that can be defined, found one that never is`},
		{`vocab 1 max_len 2 return map(x -> x + "a", tokens)`, `p.rasp:1:39: expected a number, found a string, "a"`},
		{`vocab 1 max_len 2 return width(select(tokens, tokens, (k, q) -> k < "a"))`, `p.rasp:1:69: expected a number, found a string, "a"`},
		{`vocab 1 max_len 2 let x = numerical(map(i -> i / 100000, indices)) let y = map(v -> v == 0, x) return y`,
			`y: expected numbers at least 0.0001 apart where a map of a numerical sequence has different results, found 0 and 1e-05`},
		{`vocab 1 max_len 200 return width(select(tokens, tokens, true))`, `width: expected a maximum length of which 32 bits can count the positions, found 200`},
		{`vocab 1 max_len 2 return numerical(constant(1e7))`, `constant: expected a numerical sequence of numbers up to 1e+06, found one up to 1e+07`},
		{`vocab 1 max_len 1000 let b = sequence_map((i, j) -> i * 1000 + j, indices, map(i -> i + 1, indices)) return sequence_map((x, y) -> 1, b, indices)`,
			`sequence_map: expected a program with at most 1048576 values and pairs of values to ask functions and selectors about, found 1001001000 or more`},
		{`vocab 1 max_len 30 let m = aggregate(select(indices, indices, <=), numerical(map(i -> i * i + i / 7, indices))) return map(x -> x > 1, m)`,
			`map: expected a numerical sequence that can be at most 20000 numbers, found 25023 or more`},
	} {
		_, _, err := fromText(t, c.source, compile.Options{})
		assert.EqualError(t, err, c.want, c.source)
	}
	_, _, err := fromText(t, `vocab 1 max_len 2 return tokens`, compile.Options{BOS: "x", Pad: "x"})
	assert.EqualError(t, err, `tokens of the compiler: expected two different ones for BOS and padding, found "x" twice`)
	_, _, err = fromText(t, `vocab 1 max_len 2 return tokens`, compile.Options{Logits: 7})
	assert.EqualError(t, err, "logits: expected at most one for each of 6 residual dimensions, found 7")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = compile.Compile(ended, rasp.Tokens{}, rasp.Domain{Vocab: []rasp.Value{rasp.Number(1)}, MaxLen: 1}, compile.Options{})
	assert.ErrorIs(t, err, context.Canceled)
}

// Tokens, labels and logits say what they stand for.
func TestNames(t *testing.T) {
	_, m, err := fromText(t, `vocab "b", 2, "Z", true max_len 2 let n = map(i -> if i == 0 then undefined else "one", indices) return n`, compile.Options{BOS: "<s>", Pad: "<pad>"})
	require.NoError(t, err)
	assert.Equal(t, []rasp.Value{rasp.Number(2), rasp.Bool(true), rasp.String("<pad>"), rasp.String("<s>"), rasp.String("Z"), rasp.String("b")}, m.Tokens)
	assert.Equal(t, []string{"indices:0", "indices:1", "n:one", "one", "tokens:2", "tokens:true", "tokens:<pad>", "tokens:<s>", "tokens:Z", "tokens:b"}, m.Labels)
	assert.Equal(t, []rasp.Value{rasp.String("one")}, m.Output)
	ids, err := m.Encode([]rasp.Value{rasp.String("b"), rasp.Number(2)})
	require.NoError(t, err)
	assert.Equal(t, []int{3, 5, 0}, ids)
	assert.Equal(t, []int{3, 2}, []int{m.BOS, m.Pad})
	_, err = m.Encode([]rasp.Value{rasp.String("<s>")})
	assert.EqualError(t, err, `input: expected tokens of the vocabulary, found "<s>" at position 0`)
	v, err := m.Decode([]float32{0.4})
	require.NoError(t, err)
	assert.Equal(t, rasp.Undefined(), v)
	_, err = m.Decode(nil)
	assert.EqualError(t, err, "logits: expected 1 at a position, found 0")
}

// Names that two sequences or the compiler itself have become different labels.
func TestLabelsAreUnique(t *testing.T) {
	a := &rasp.Width{Name: "one", Selector: &rasp.Select{Keys: rasp.Tokens{}, Queries: rasp.Tokens{}, P: func(_, _ rasp.Value) (bool, error) { return true, nil }}}
	b := &rasp.SequenceMap{Name: "one", X: a, Y: rasp.Indices{}, F: func(x, _ rasp.Value) (rasp.Value, error) { return x, nil }}
	d, err := rasp.NewDomain([]rasp.Value{rasp.Number(1)}, 1, false)
	require.NoError(t, err)
	m, err := compile.Compile(t.Context(), b, d, compile.Options{})
	require.NoError(t, err)
	assert.Equal(t, []string{"indices:0", "one", "one_1:0", "one_1:1", "one_1_attn_output", "one_2:0", "one_2:1", "tokens:1", "tokens:BOS", "tokens:compiler_pad"}, m.Labels)
}

// Functions that became others by folding constants leave nothing behind: the
// circuit has a path through every part.
func TestFoldedConstantsAreNoParts(t *testing.T) {
	_, m, err := fromText(t, `vocab 1 max_len 3 return sequence_map((x, y) -> x + y, indices, constant(2))`, compile.Options{})
	require.NoError(t, err)
	g, err := circuit.New(circuit.Config{Definition: circuit.ACDC, Layers: 1, Heads: 1, SplitEmbed: true})
	require.NoError(t, err)
	mask, err := m.Circuit(t.Context(), g)
	require.NoError(t, err)
	var edges []string
	for i, present := range mask {
		if present {
			edges = append(edges, g.Edge(i).String())
		}
	}
	assert.Equal(t, []string{"pos_embed->m0", "m0->logits"}, edges)
}
