package compile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/rasp"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

func number(v rasp.Value) float64 { x, _ := v.Float(); return x }

func always(rasp.Value, rasp.Value) (bool, error) { return true, nil }

// strings1 are the tokens of a vocabulary of one-letter strings.
func strings1(letters string) (out []rasp.Value) {
	for _, c := range letters {
		out = append(out, rasp.String(string(c)))
	}
	return out
}

func numbers(from, to int) (out []rasp.Value) {
	for i := from; i <= to; i++ {
		out = append(out, rasp.Number(float64(i)))
	}
	return out
}

// reverse is Tracr's make_reverse, proportion its make_frac_prevs of x.
func reverse() rasp.Expr {
	length := &rasp.Width{Name: "length", Selector: &rasp.Select{Keys: rasp.Tokens{}, Queries: rasp.Tokens{}, P: always}}
	left := &rasp.SequenceMap{Name: "left", X: length, Y: rasp.Indices{},
		F: func(a, b rasp.Value) (rasp.Value, error) { return rasp.Number(number(a) - number(b)), nil }}
	opposite := &rasp.Map{Name: "opposite", X: left, F: func(v rasp.Value) (rasp.Value, error) { return rasp.Number(number(v) - 1), nil }}
	same := func(a, b rasp.Value) (bool, error) { return a == b, nil }
	return &rasp.Aggregate{Name: "reverse", X: rasp.Tokens{}, Selector: &rasp.Select{Keys: rasp.Indices{}, Queries: opposite, P: same}}
}

func proportion() rasp.Expr {
	isX := &rasp.Map{Name: "is_x", X: rasp.Tokens{}, As: rasp.Numerical, F: func(v rasp.Value) (rasp.Value, error) { return rasp.Bool(v.Text() == "x"), nil }}
	before := func(key, query rasp.Value) (bool, error) { return number(key) <= number(query), nil }
	return &rasp.Aggregate{Name: "frac_prevs", X: isX, Default: rasp.Number(0), Selector: &rasp.Select{Keys: rasp.Indices{}, Queries: rasp.Indices{}, P: before}}
}

// golds are the compiled models that Tracr made, and how their variables are
// called there.
var golds = []struct {
	name    string
	program rasp.Expr
	vocab   []rasp.Value
	logits  int
	names   []string
	edges   int
}{
	{"tracr-reverse", reverse(), numbers(1, 3), 0, []string{"selector_width_5_selector_width_attn_output", "length_attn_output",
		"selector_width_5:", "length:", "sequence_map_4:", "left:", "map_3:", "opposite:", "aggregate_1:", "reverse:"}, 15},
	{"tracr-proportion", proportion(), strings1("wxyz"), 4, []string{"frac_prevs_7", "frac_prevs", "map_9", "is_x"}, 10},
}

func compileGold(t *testing.T, i int) *Model {
	t.Helper()
	d, err := rasp.NewDomain(golds[i].vocab, 5, false)
	require.NoError(t, err)
	m, err := Compile(t.Context(), golds[i].program, d, Options{Logits: golds[i].logits})
	require.NoError(t, err)
	return m
}

// residual says for each parameter which of its axes are residual dimensions.
func residual(name string) (rows, columns bool) {
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case "W_E", "W_pos", "W_O", "W_out":
		return false, true
	case "b_O", "b_out":
		return false, true
	case "W_Q", "W_K", "W_V", "W_in", "W_U":
		return true, false
	}
	return false, false
}

// The weights are Tracr's, number for number, but for the order of the residual
// dimensions.
func TestWeightsAreTracrs(t *testing.T) {
	for i, gold := range golds {
		t.Run(gold.name, func(t *testing.T) {
			m, want := compileGold(t, i), golden.Model(t, gold.name)
			c, w := m.Transformer.Config, want.Config
			w.Eps = c.Eps // there is no norm
			assert.Equal(t, w, c)
			assert.Equal(t, tracrs(t, gold.name).tokens(), texts(m.Tokens))
			to := permutation(t, gold.name, strings.NewReplacer(gold.names...), m.Labels)
			theirs := want.Params.All(c)
			for j, p := range m.Transformer.Params.All(c) {
				require.Equal(t, theirs[j].Name, p.Name)
				assert.Equal(t, theirs[j].Data(), permuted(p, to), p.Name)
			}
		})
	}
}

// tracr is what Tracr says of a model.
type tracr struct {
	Labels []string `json:"residual_labels"`
	IDs    [][2]any `json:"token_ids"`
}

func tracrs(t *testing.T, name string) (out tracr) {
	t.Helper()
	golden.ReadJSON(t, &out, "tracr", name+".config.json")
	return out
}

// tokens are the tokens by id.
func (m tracr) tokens() []string {
	out := make([]string, len(m.IDs))
	for _, x := range m.IDs {
		out[int(x[0].(float64))] = fmt.Sprint(x[1])
	}
	return out
}

func texts(values []rasp.Value) (out []string) {
	for _, v := range values {
		out = append(out, v.String())
	}
	return out
}

// permutation finds for each of Tracr's residual dimensions ours.
func permutation(t *testing.T, name string, ours *strings.Replacer, labels []string) (to []int) {
	t.Helper()
	raw := tracrs(t, name)
	require.Len(t, labels, len(raw.Labels))
	for _, label := range raw.Labels {
		at := slices.Index(labels, ours.Replace(label))
		require.NotContains(t, to, at, label)
		require.GreaterOrEqual(t, at, 0, "%s is %s", label, ours.Replace(label))
		to = append(to, at)
	}
	return to
}

// permuted is a parameter with its residual dimensions in Tracr's order.
func permuted(p transformer.Param, to []int) []float32 {
	rows, columns := residual(p.Name)
	out := slices.Clone(p.Data())
	inner := 1
	if rows {
		inner = p.Shape[len(p.Shape)-1]
	}
	for i := range out {
		if at := i / inner % len(to); rows || columns {
			out[i] = p.Data()[i+(to[at]-at)*inner]
		}
	}
	return out
}

// The true circuits are the reference's lists.
func TestCircuitsAreTheReferences(t *testing.T) {
	for i, gold := range golds {
		t.Run(gold.name, func(t *testing.T) {
			m := compileGold(t, i)
			c := m.Transformer.Config
			g, err := circuit.New(circuit.Config{Definition: circuit.ACDC, Layers: c.Layers, Heads: c.Heads, SplitEmbed: true})
			require.NoError(t, err)
			mask, err := m.Circuit(t.Context(), g)
			require.NoError(t, err)
			want := golden.TrueEdges(t, gold.name, g)
			assert.Equal(t, gold.edges, mask.Count())
			for e := range mask {
				assert.Equal(t, want[e], mask[e], g.Edge(e).String())
			}
		})
	}
}

// Both behave as the programs mean on all their inputs.
func TestGoldModelsCompute(t *testing.T) {
	for i, n := range []int{363, 1364} {
		m := compileGold(t, i)
		inputs, all := m.Domain.Inputs(10_000, 0)
		assert.True(t, all)
		assert.Len(t, inputs, n)
		assert.LessOrEqual(t, Worst(t, golds[i].program, m, inputs), 1e-5, golds[i].name)
	}
}
