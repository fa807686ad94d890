package sweep

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/internal/tablefile"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// small is a grid that takes no time.
func small() Grid {
	return Grid{Tasks: []string{"or_gate"}, Algorithms: []string{"acdc", "exact"}, Thresholds: []float64{0.01, 0.1}, Definition: circuit.ACDC}
}

func newLab(t *testing.T, dir string) *Lab {
	l := &Lab{Origin: Here("v1"), Threads: 2, Folder: Folder(dir)}
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

func planOf(t *testing.T, g Grid) []Planned {
	t.Helper()
	plan, err := g.Plan(t.Context(), newLab(t, ""))
	require.NoError(t, err)
	return plan
}

// made makes all runs, and returns their rows and how many had to be made.
func made(t *testing.T, l *Lab, plan []Planned) (rows []Row, count int) {
	t.Helper()
	for _, p := range plan {
		r, made, err := l.Make(t.Context(), p)
		require.NoError(t, err, p.Setting())
		if made {
			count++
		}
		rows = append(rows, r.Row)
	}
	return rows, count
}

// files are the names and contents of a folder's files.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	list, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range list {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		out[e.Name()] = string(text)
	}
	return out
}

// Every combination is planned once, in the order of the axes, and the same again
// the second time.
func TestPlanHasEveryCombination(t *testing.T) {
	g := small()
	g.Tasks, g.Seeds = []string{"or_gate", "and_gate"}, []uint64{0, 7}
	g.Ablations, g.Metrics = []ablate.Ablation{ablate.Zero, ablate.Resample}, []metric.Name{metric.L2, metric.KL}
	plan := planOf(t, g)
	require.Len(t, plan, 2*2*2*2*(2+2))
	ids := map[string]bool{}
	for _, p := range plan {
		ids[p.ID] = true
		assert.Equal(t, p.Name(), p.ID)
		assert.Len(t, p.ID, nameLength)
	}
	assert.Len(t, ids, len(plan))
	assert.Equal(t, plan, planOf(t, g))
	assert.Equal(t, "or_gate, acdc, l2, zero, seed 0", plan[0].Setting())
	assert.Equal(t, "threshold 0.01", plan[0].Point())
	assert.Equal(t, "or_gate, exact, l2, zero, seed 0", plan[3].Setting())
	assert.Equal(t, []string{"1 edges", "13 edges"}, []string{plan[2].Point(), plan[3].Point()}, "as many sizes as thresholds, up to the edges that can be chosen")
	assert.Equal(t, "or_gate, acdc, kl_div, zero, seed 0", plan[4].Setting())
	assert.Equal(t, "or_gate, acdc, l2, resample, seed 0", plan[8].Setting())
	assert.Equal(t, "or_gate, acdc, l2, zero, seed 7", plan[16].Setting())
	assert.Equal(t, "and_gate, acdc, l2, zero, seed 0", plan[32].Setting())
}

// Whatever decides a result is in the name of its file: every field of a plan
// that is changed gives another name.
func TestNamesSayWhatDecides(t *testing.T) {
	base := planOf(t, small())
	for _, p := range []Planned{base[0], base[3]} {
		text, err := json.Marshal(p)
		require.NoError(t, err)
		var fields map[string]any
		require.NoError(t, json.Unmarshal(text, &fields))
		n := 0
		for _, part := range []string{"origin", "graph", "run", "test"} {
			for name, value := range fields[part].(map[string]any) {
				changed := p
				switch x := value.(type) {
				case string:
					value = x + "x"
				case float64:
					value = x + 1
				case bool:
					value = !x
				default:
					continue
				}
				patched, err := json.Marshal(map[string]any{part: map[string]any{name: value}})
				require.NoError(t, err)
				require.NoError(t, json.Unmarshal(patched, &changed))
				assert.NotEqual(t, p.ID, changed.Name(), "%s.%s", part, name)
				n++
			}
		}
		assert.Greater(t, n, 12)
	}
	g := small()
	g.Thresholds = []float64{0.01, 0.3}
	other := planOf(t, g)
	assert.Equal(t, base[0].ID, other[0].ID)
	assert.NotEqual(t, base[1].ID, other[1].ID)
	assert.Equal(t, base[2].scoresName(), base[3].scoresName(), "sizes share scores")
	assert.NotEqual(t, base[2].scoresName(), base[0].scoresName())
}

// A row has what acdc discover finds, and what is measured on the other half.
func TestRowsAreDiscoveries(t *testing.T) {
	g := Grid{Tasks: []string{"induction"}, Algorithms: []string{"acdc", "exact"}, Thresholds: []float64{0.1, 0.5}, Sizes: []int{9, 20}, Definition: circuit.ACDC}
	rows, _ := made(t, newLab(t, ""), planOf(t, g))
	require.Len(t, rows, 4)
	for i, m := range []study.Method{{Threshold: &g.Thresholds[0]}, {Threshold: &g.Thresholds[1]}, {Algorithm: "exact", Top: 9}, {Algorithm: "exact", Top: 20}} {
		x, err := study.Spec{Task: "induction"}.Open(t.Context(), 2)
		require.NoError(t, err)
		e, err := patch.Bind(t.Context(), x.Config(circuit.ACDC, false))
		require.NoError(t, err)
		a, err := m.Resolve(x.Task, e.Graph())
		require.NoError(t, err)
		want, err := a.Discover(t.Context(), discover.Request{Experiment: e})
		require.NoError(t, err)
		r := rows[i]
		assert.Equal(t, want.Mask.Count(), r.Edges)
		assert.Equal(t, e.Graph().NumEdges(), r.EdgesTotal)
		assert.InDelta(t, want.MetricFinal, *r.Circuit, 1e-6)
		assert.Equal(t, *r.Circuit, *r.KL, "the metric is KL")
		assert.Equal(t, 0.0, *r.Full)
		assert.Equal(t, e.CorruptedMetric(), *r.Corrupted)
		assert.InDelta(t, 1 - *r.Circuit / *r.Corrupted, *r.Faithfulness, 1e-12)
		assert.Equal(t, want.Cost.Tests, r.Tests)
		assert.Equal(t, want.Cost.FLOP, r.FLOP)
		test, err := study.Spec{Task: "induction", Half: "test"}.Open(t.Context(), 2)
		require.NoError(t, err)
		te, err := patch.Bind(t.Context(), test.Config(circuit.ACDC, false))
		require.NoError(t, err)
		kl, err := te.PlainMetric(t.Context(), want.Mask)
		require.NoError(t, err)
		assert.Equal(t, kl, *r.TestKL)
		assert.NotEqual(t, *r.KL, *r.TestKL)
	}
	assert.Equal(t, acdc.Algorithm{}.Name(), rows[0].Algorithm)
	assert.Equal(t, 0.1, *rows[0].Threshold)
	assert.Nil(t, rows[0].Size)
	assert.Equal(t, 9, *rows[2].Size)
	assert.Nil(t, rows[2].Threshold)
}

// The full graph has KL 0 and faithfulness 1 on both data.
func TestFullCircuit(t *testing.T) {
	g := Grid{Tasks: []string{"induction"}, Algorithms: []string{"random"}, Sizes: []int{41}, Definition: circuit.ACDC}
	rows, _ := made(t, newLab(t, ""), planOf(t, g))
	r := rows[0]
	assert.Equal(t, []int{41, 41, 41}, []int{r.EdgesTotal, r.Edges, r.EdgesPaths})
	for _, x := range []*float64{r.KL, r.TestKL} {
		assert.InDelta(t, 0, *x, 1e-9)
	}
	for _, x := range []*float64{r.Faithfulness, r.TestFaithfulness} {
		assert.InDelta(t, 1, *x, 1e-9)
	}
}

// Runs share the model, the clean and the corrupted runs, and scores.
func TestRunsShare(t *testing.T) {
	opened := 0
	l := newLab(t, t.TempDir())
	l.Opened = func(*study.Study) error { opened++; return nil }
	g := Grid{Tasks: []string{"induction"}, Seeds: []uint64{0, 1}, Metrics: []metric.Name{metric.KL, metric.NLL}, Algorithms: []string{"eap-ig"}, Sizes: []int{5, 10}, Definition: circuit.ACDC}
	plan, err := g.Plan(t.Context(), l)
	require.NoError(t, err)
	var scored []*learned
	var benches []*bench
	for _, p := range plan {
		_, _, err := l.Make(t.Context(), p)
		require.NoError(t, err)
		scored, benches = append(scored, l.scored.last), append(benches, l.bench.last)
	}
	assert.Equal(t, 1, opened, "one model")
	for i := 0; i < len(plan); i += 2 {
		assert.Same(t, scored[i], scored[i+1], "sizes")
		assert.Same(t, benches[i], benches[i+1])
	}
	assert.Same(t, benches[0].found.Whole().Clean, benches[2].found.Whole().Clean, "metrics")
	assert.NotSame(t, scored[0], scored[2])
	assert.NotSame(t, benches[0].found.Whole().Clean, benches[4].found.Whole().Clean, "seeds have other prompts")
}

// CSV and JSON have the same columns with the same values, in one order.
func TestFormats(t *testing.T) {
	rows, _ := made(t, newLab(t, ""), planOf(t, small()))
	text, err := tablefile.Encode(rows, tablefile.CSV)
	require.NoError(t, err)
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	require.NoError(t, err)
	require.Len(t, lines, 1+len(rows))
	lined, err := tablefile.Encode(rows, tablefile.JSONL)
	require.NoError(t, err)
	objects := strings.Split(strings.TrimSpace(string(lined)), "\n")
	require.Len(t, objects, len(rows))
	for i, object := range objects {
		var back Row
		require.NoError(t, json.Unmarshal([]byte(object), &back))
		assert.Equal(t, rows[i], back)
		var values map[string]any
		require.NoError(t, json.Unmarshal([]byte(object), &values))
		require.Len(t, values, len(Columns()))
		for k, c := range Columns() {
			assert.Equal(t, c.Name, lines[0][k])
			cell := lines[1+i][k]
			switch x := values[c.Name].(type) {
			case nil:
				assert.Empty(t, cell, c.Name)
			case float64:
				y, err := strconv.ParseFloat(cell, 64)
				require.NoError(t, err)
				assert.Equal(t, x, y, c.Name)
			case bool:
				assert.Equal(t, strconv.FormatBool(x), cell)
			default:
				assert.Equal(t, x, cell, c.Name)
			}
		}
	}
	array, err := tablefile.Encode(rows, tablefile.JSON)
	require.NoError(t, err)
	var back []Row
	require.NoError(t, json.Unmarshal(array, &back))
	assert.Equal(t, rows, back)
	none, err := tablefile.Encode[Row](nil, tablefile.JSON)
	require.NoError(t, err)
	assert.Equal(t, "[]\n", string(none))
}

// The page has the list of columns.
func TestColumnsAreDocumented(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "sweeps.md"))
	require.NoError(t, err)
	var b strings.Builder
	for _, c := range Columns() {
		about := c.About
		if about == "" {
			about = "〃"
		}
		b.WriteString("| `" + c.Name + "` | " + about + " |\n")
	}
	assert.Contains(t, string(page), b.String())
}

// Whatever stops a run leaves an error and no result.
func TestStopped(t *testing.T) {
	dir := t.TempDir()
	plan := planOf(t, small())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, p := range plan {
		_, _, err := newLab(t, dir).Make(ctx, p)
		assert.ErrorIs(t, err, context.Canceled)
	}
	for name := range files(t, dir) {
		assert.Equal(t, checkpointEnding, filepath.Ext(name))
	}
}

// Options are those of the methods that have them.
func TestOptionsOfMethods(t *testing.T) {
	g := small()
	g.Tasks, g.Algorithms, g.Method = []string{"induction"}, []string{"acdc", "eap-ig", "random"}, study.Method{Steps: 3, Order: acdc.Reverse}
	plan := planOf(t, g)
	for _, p := range plan {
		assert.Equal(t, p.Run.Algorithm == "eap-ig", p.Method.Steps == 3)
		assert.Equal(t, p.Run.Algorithm == "acdc", p.Run.Order == "reverse")
	}
	g.Algorithms = []string{"random"}
	_, err := g.Plan(t.Context(), newLab(t, ""))
	assert.ErrorContains(t, err, "--order: of acdc")
	assert.Equal(t, reflect.TypeFor[*study.UsageError](), reflect.TypeOf(err))
}
