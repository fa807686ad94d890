package sweep

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/study"
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
	var scored []*discover.Scored
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

// An interrupted or extended sweep makes only what is missing, and gives the
// same files as one that was not.
func TestOnlyWhatIsMissing(t *testing.T) {
	dir, whole := t.TempDir(), t.TempDir()
	g := small()
	wide := g
	wide.Thresholds, wide.Sizes = []float64{0.01, 0.1, 1}, []int{1, 5, 13}
	_, n := made(t, newLab(t, whole), planOf(t, wide))
	assert.Equal(t, 6, n)
	_, n = made(t, newLab(t, dir), planOf(t, g))
	assert.Equal(t, 4, n)
	_, n = made(t, newLab(t, dir), planOf(t, g))
	assert.Zero(t, n)
	rows, n := made(t, newLab(t, dir), planOf(t, wide))
	assert.Equal(t, 2, n, "a threshold and a size")
	assert.Equal(t, files(t, whole), files(t, dir))
	assert.Len(t, files(t, dir), 7, "six results and scores")
	inMemory, _ := made(t, newLab(t, ""), planOf(t, wide))
	assert.Equal(t, inMemory, rows)
}

// What a killed process left beside results is removed.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	plan := planOf(t, small())
	made(t, newLab(t, dir), plan)
	want := files(t, dir)
	for _, name := range []string{plan[0].ID, plan[2].scoresName()} {
		require.NoError(t, os.WriteFile(Folder(dir).checkpoint(name), []byte("x"), 0o644))
	}
	made(t, newLab(t, dir), plan)
	assert.Equal(t, want, files(t, dir))
}

// A run on which another process is at work is not made twice.
func TestLocked(t *testing.T) {
	dir := t.TempDir()
	plan := planOf(t, small())
	for _, p := range []Planned{plan[0], plan[2]} {
		name := p.ID
		if !p.decides() {
			name = p.scoresName()
		}
		err := Folder(dir).alone(name, func(discover.Progress) error {
			_, _, err := newLab(t, dir).Make(t.Context(), p)
			return err
		})
		assert.ErrorIs(t, err, discover.ErrLocked)
	}
}

// Another program, other weights and other prompts are noticed.
func TestChanges(t *testing.T) {
	dir := t.TempDir()
	plan := planOf(t, small())
	made(t, newLab(t, dir), plan)
	same, err := Folder(dir).Changed(t.Context(), plan)
	require.NoError(t, err)
	assert.Empty(t, same)
	for want, change := range map[string]func(*Planned){
		"another version, v1":            func(p *Planned) { p.Origin.Version = "v2" },
		"another processor, ":            func(p *Planned) { p.Origin.Processor = "sparc" },
		"other weights, SHA-256 ":        func(p *Planned) { p.Run.WeightsDigest = "00" },
		"other prompts, SHA-256 ":        func(p *Planned) { p.Run.PromptsDigest = "00" },
		"other test prompts, SHA-256 8b": func(p *Planned) { p.Test.Digest = "00" },
	} {
		changed := slices.Clone(plan)
		for i := range changed {
			change(&changed[i])
			changed[i].ID = changed[i].Name()
		}
		found, err := Folder(dir).Changed(t.Context(), changed)
		require.NoError(t, err)
		require.Len(t, found, 1, want)
		assert.Contains(t, found[0], "4 results of these settings are of "+want)
		_, _, err = newLab(t, dir).Make(t.Context(), changed[0])
		var e *ChangedError
		require.ErrorAs(t, err, &e, want)
	}
}

// A result or a manifest that was damaged, or edited by hand, is refused in one
// line.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	plan := planOf(t, small())
	made(t, newLab(t, dir), plan)
	path := Folder(dir).Path(plan[0])
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for want, bad := range map[string]string{
		"expected JSON, found an end":      string(text[:len(text)/2]),
		"field \"acdc_sweep\": expected 1": strings.Replace(string(text), `"acdc_sweep": 1`, `"acdc_sweep": 9`, 1),
		"the hash of the run, found":       strings.Replace(string(text), `"seed": 0`, `"seed": 1`, 1),
	} {
		require.NoError(t, os.WriteFile(path, []byte(bad), 0o644))
		_, _, err := newLab(t, dir).Make(t.Context(), plan[0])
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, path+": ")
	}
	require.NoError(t, os.WriteFile(path, text, 0o644))
	require.NoError(t, os.Rename(path, Folder(dir).Path(plan[1])))
	_, _, err = newLab(t, dir).Make(t.Context(), plan[1])
	assert.ErrorContains(t, err, "as in the file's name")

	var b bytes.Buffer
	require.NoError(t, WriteManifest(&b, plan))
	manifest := filepath.Join(dir, "m")
	require.NoError(t, os.WriteFile(manifest, b.Bytes(), 0o644))
	read, err := ReadManifest(t.Context(), manifest)
	require.NoError(t, err)
	for i := range plan {
		assert.Equal(t, plan[i].ID, read[i].ID)
		assert.Equal(t, plan[i].Name(), read[i].Name())
	}
	for want, bad := range map[string]string{
		"line 1: field \"id\": expected ":     strings.Replace(b.String(), `"seed":0`, `"seed":1`, 1),
		"line 5: expected a run of its own":   b.String() + b.String(),
		"expected a run a line, found none":   "\n\n",
		"line 1: field \"method\": --steps: ": strings.Replace(b.String(), `"algorithm":"acdc",`, `"algorithm":"acdc","steps":3,`, 1),
	} {
		require.NoError(t, os.WriteFile(manifest, []byte(bad), 0o644))
		_, err := ReadManifest(t.Context(), manifest)
		assert.ErrorContains(t, err, want)
	}
}

// Scores of another graph are refused.
func TestDamagedScores(t *testing.T) {
	dir := t.TempDir()
	p := planOf(t, small())[2]
	for want, text := range map[string]string{
		`field "scores": expected 19, one an edge, found 1`: `{"acdc_scores":1,"scores":[1],"cost":{"tests":0,"nodes":0,"flop":0,"forward_passes":0}}`,
		`field "acdc_scores": expected 1, found 3`:          `{"acdc_scores":3}`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, p.scoresName()+scoresEnding), []byte(text), 0o644))
		_, _, err := newLab(t, dir).Make(t.Context(), p)
		assert.ErrorContains(t, err, want)
	}
}

// CSV and JSON have the same columns with the same values, in one order.
func TestFormats(t *testing.T) {
	rows, _ := made(t, newLab(t, ""), planOf(t, small()))
	text, err := Encode(rows, CSV)
	require.NoError(t, err)
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	require.NoError(t, err)
	require.Len(t, lines, 1+len(rows))
	lined, err := Encode(rows, JSONL)
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
	array, err := Encode(rows, JSON)
	require.NoError(t, err)
	var back []Row
	require.NoError(t, json.Unmarshal(array, &back))
	assert.Equal(t, rows, back)
	none, err := Encode(nil, JSON)
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
