package compile_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/rasp"
	"github.com/seed-2c350065/acdc/pkg/rasp/compile"
	"github.com/seed-2c350065/acdc/pkg/rasp/text"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// writer draws a program, statement by statement. It keeps apart categorical
// sequences of numbers, those of strings, and numerical ones.
type writer struct {
	rng                       *rand.Rand
	b                         strings.Builder
	counts, letters, numerics []string
	n                         int
}

func (w *writer) pick(of ...string) string { return of[w.rng.IntN(len(of))] }

// recent picks one of a list, often the last, so that programs become deep.
func (w *writer) recent(of []string) string {
	if w.rng.IntN(2) == 0 {
		return of[len(of)-1]
	}
	return w.pick(of...)
}

// let binds an expression to a new name.
func (w *writer) let(format string, args ...any) string {
	w.n++
	name := fmt.Sprintf("v%d", w.n)
	fmt.Fprintf(&w.b, "let %s = %s\n", name, fmt.Sprintf(format, args...))
	return name
}

// selector draws a selector of any positions.
func (w *writer) selector() string {
	leaf := func() string {
		switch w.rng.IntN(5) {
		case 0:
			return fmt.Sprintf("select(%s, %s, ==)", w.recent(w.letters), w.recent(w.letters))
		case 1:
			return fmt.Sprintf("select(tokens, indices, (k, q) -> k == \"a\" or q %s %d)", w.pick("<", "=="), w.rng.IntN(4))
		case 2:
			return fmt.Sprintf("select(tokens, tokens, %s)", w.pick("true", "!=", "<=", "false"))
		}
		return fmt.Sprintf("select(%s, %s, %s)", w.recent(w.counts), w.recent(w.counts), w.pick("==", "<", "<=", ">", ">=", "!="))
	}
	switch w.rng.IntN(6) {
	case 0:
		return leaf() + " and " + leaf()
	case 1:
		return leaf() + " or " + leaf()
	case 2:
		return "not " + leaf()
	}
	return leaf()
}

// shift selects one position at most.
func (w *writer) shift() string {
	return fmt.Sprintf("select(indices, %s, (k, q) -> k == q %s %d)", w.recent(w.counts), w.pick("+", "-"), w.rng.IntN(3))
}

func (w *writer) statement() {
	switch w.rng.IntN(11) {
	case 0:
		w.counts = append(w.counts, w.let("width(%s)", w.selector()))
	case 1:
		w.counts = append(w.counts, w.let("map(x -> %s, %s)", w.pick("x - 1", "x % 3", "if x > 1 then undefined else x", "max(x, 2) * 2", "3 / x", "7"), w.recent(w.counts)))
	case 2:
		w.counts = append(w.counts, w.let("sequence_map((x, y) -> %s, %s, %s)", w.pick("x - y", "x * y % 4", "if x < y then x else y", "if x == y then undefined else 1"), w.recent(w.counts), w.recent(w.counts)))
	case 3:
		w.letters = append(w.letters, w.let("sequence_map((x, t) -> if x > %d then t else \"%s\", %s, %s)", w.rng.IntN(3), w.pick("a", "b", "other"), w.recent(w.counts), w.recent(w.letters)))
	case 4:
		w.letters = append(w.letters, w.let("aggregate(%s, %s%s)", w.shift(), w.recent(w.letters), w.pick("", ", \"none\"", ", \"a\"")))
	case 5:
		w.counts = append(w.counts, w.let("aggregate(%s, %s%s)", w.shift(), w.recent(w.counts), w.pick("", ", 0", ", -2")))
	case 6:
		w.numerics = append(w.numerics, w.let("numerical(map(x -> %s, %s))", w.pick("x == 1", "x / 2", "x - 2"), w.recent(w.counts)))
	case 7:
		w.numerics = append(w.numerics, w.let("numerical(map(t -> t %s \"b\", %s))", w.pick("==", "<"), w.recent(w.letters)))
	case 8:
		w.numerics = append(w.numerics, w.let("aggregate(%s, %s%s)", w.selector(), w.recent(w.numerics), w.pick("", ", 0", ", 1", ", -0.5")))
	case 9:
		w.numerics = append(w.numerics, w.let("linear(%s, %s, %s, %s)", w.pick("1", "-1", "0.5", "0"), w.recent(w.numerics), w.pick("1", "-2"), w.recent(w.numerics)))
	case 10:
		w.counts = append(w.counts, w.let("map(x -> %s, %s)", w.pick("if x > 0.3 then 1 else 0", "floor(x)", "if x == 0 then undefined else 2"), w.recent(w.numerics)))
	}
}

// randomProgram draws a program of a few statements.
func randomProgram(rng *rand.Rand) string {
	w := &writer{rng: rng, counts: []string{"indices"}, letters: []string{"tokens"}}
	fmt.Fprintf(&w.b, "vocab %s\nmax_len %d\n", w.pick(`"a", "b", "c"`, `"a", "b"`, `"c", "b", "a", "d"`), 2+rng.IntN(4))
	if rng.IntN(3) == 0 {
		w.b.WriteString("causal\n")
	}
	w.numerics = []string{w.let("numerical(map(t -> %s, tokens))", w.pick(`t == "a"`, `if t == "b" then 2 else -1`))}
	for range 1 + rng.IntN(10) {
		w.statement()
	}
	w.b.WriteString("return " + fmt.Sprintf("v%d", w.n) + "\n")
	return w.b.String()
}

// programCases is how many random programs are compiled.
func programCases() int {
	if testing.Short() {
		return 20
	}
	return 200
}

// Random programs, compiled, are what their interpreter says, in the
// transformer and in its pass written out.
func TestRandomProgramsCompute(t *testing.T) {
	rng, compiled, worst, drawn := rand.New(rand.NewPCG(3, 1)), 0, 0.0, 0
	for ; compiled < programCases(); drawn++ {
		source := randomProgram(rng)
		f, err := text.Parse("random.rasp", source)
		require.NoError(t, err, source)
		program, err := f.Program()
		require.NoError(t, err, source)
		d, err := f.Domain(nil, 0, false)
		require.NoError(t, err, source)
		m, err := compile.Compile(t.Context(), program, d, compile.Options{})
		if err != nil { // of too many values, or of none
			require.Contains(t, err.Error(), "expected", source)
			continue
		}
		inputs, _ := d.Inputs(100, uint64(drawn))
		if meaningful(program, d, inputs) < len(inputs)/10+1 {
			continue
		}
		compiled++
		largest := math.Max(compile.Worst(t, program, m, inputs), worstPlain(t, program, m, inputs[:min(len(inputs), 20)]))
		worst = math.Max(worst, largest)
		if !assert.LessOrEqual(t, largest, 1e-5, source) {
			return
		}
	}
	t.Logf("%d programs of %d drawn: largest difference %.2e", compiled, drawn, worst)
	assert.Less(t, drawn, 2*compiled+20, "programs without a meaning or a transformer")
}

// meaningful counts the inputs on which a program has a meaning.
func meaningful(program rasp.Expr, d rasp.Domain, inputs [][]rasp.Value) (n int) {
	for _, x := range inputs {
		if _, err := rasp.Eval(program, d, x); err == nil {
			n++
		}
	}
	return n
}

// worstPlain holds the pass written out against the interpreter and the
// transformer, input by input.
func worstPlain(t *testing.T, program rasp.Expr, m *compile.Model, inputs [][]rasp.Value) (largest float64) {
	t.Helper()
	for _, x := range inputs {
		want, err := rasp.Eval(program, m.Domain, x)
		if err != nil {
			continue
		}
		tokens, err := m.Encode(x)
		require.NoError(t, err)
		logits, err := m.Transformer.Forward(t.Context(), [][]int{tokens}, transformer.Options{})
		require.NoError(t, err)
		for p, row := range compile.Plain(m.Transformer, tokens)[1:] {
			for i, exact := range m.Logits(want[p]) {
				largest = math.Max(largest, math.Abs(row[i]-exact))
				largest = math.Max(largest, math.Abs(row[i]-float64(logits.Row(p + 1)[i])))
			}
		}
	}
	return largest
}
