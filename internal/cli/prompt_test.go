package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// promptModel is small and has GPT-2's vocabulary.
const promptModel = "random:2x2x16x32x50257"

// predictions runs acdc predict in JSON.
func predictions(t *testing.T, args ...string) []promptReport {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := Main(context.Background(), append([]string{"predict", "--format", "json"}, args...), strings.NewReader(""), &stdout, &stderr)
	require.Zero(t, code, stderr.String())
	require.Empty(t, stderr.String())
	var out []promptReport
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &out))
	return out
}

// promptBench is the model with what tests compare predictions with.
type promptBench struct {
	*testing.T
	model *zoo.Model
	graph *circuit.Graph
}

func newPromptBench(t *testing.T, def circuit.Definition) *promptBench {
	t.Helper()
	m, err := zoo.Open(t.Context(), promptModel)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, m.Close()) })
	g, err := patch.Config{Model: m.Model, Definition: def}.Graph()
	require.NoError(t, err)
	return &promptBench{t, m, g}
}

// tokens are a text's, behind the start token.
func (b *promptBench) tokens(text string) []int {
	b.Helper()
	tok, err := b.model.Tokenizer(context.Background())
	require.NoError(b, err)
	bos, ok := tok.BOS()
	require.True(b, ok)
	return append([]int{bos}, tok.Encode(text)...)
}

// file writes a circuit.
func (b *promptBench) file(ablation ablate.Ablation, mask circuit.Mask) string {
	b.Helper()
	f := circuit.File{Run: circuit.Run{Model: promptModel, Metric: string(metric.KL), Ablation: string(ablation)}}
	f.SetCircuit(b.graph, mask, nil, false)
	var text bytes.Buffer
	require.NoError(b, f.Encode(&text))
	path := filepath.Join(b.TempDir(), "c.json")
	require.NoError(b, os.WriteFile(path, text.Bytes(), 0o600))
	return path
}

// some is a mask of every third edge left out.
func (b *promptBench) some() circuit.Mask {
	m := b.graph.Full()
	for i := 0; i < len(m); i += 3 {
		m[i] = false
	}
	return m
}

// forward is the model's own logits after a prompt.
func (b *promptBench) forward(ids []int) []float32 {
	b.Helper()
	logits, err := b.model.Forward(b.Context(), [][]int{ids}, transformer.Options{})
	require.NoError(b, err)
	return logits.Row(len(ids) - 1)
}

// patched is logits under a mask.
func (b *promptBench) patched(d task.Data, ablation ablate.Ablation, mask circuit.Mask) []float32 {
	b.Helper()
	e, err := patch.Bind(b.Context(), patch.Config{Model: b.model.Model, Definition: b.graph.Config().Definition, Data: d, Metric: metric.L2First, Ablation: ablation})
	require.NoError(b, err)
	logits, err := patch.Pass(b.Context(), e.Whole().Batch, mask.Gates(), transformer.Options{})
	require.NoError(b, err)
	return logits.Row(len(d.Clean[0]) - 1)
}

// agrees checks a run's predictions against logits: probabilities to 1e-6 of
// their size, ranks by counting.
func (b *promptBench) agrees(want []float32, got study.RunReport) {
	b.Helper()
	sum, previous := 0.0, 0
	for _, x := range want {
		sum += math.Exp(float64(x))
	}
	require.NotEmpty(b, got.Predictions)
	assert.Equal(b, 1, got.Predictions[0].Rank)
	for _, p := range got.Predictions {
		x := want[p.ID]
		q := math.Exp(float64(x)) / sum
		assert.InDelta(b, q, p.Probability, 2e-5*q, "%s: token %d", got.Run, p.ID)
		assert.InDelta(b, x, p.Logit, 1e-5*(1+math.Abs(float64(x))))
		above := 0
		for _, y := range want {
			if y > x {
				above++
			}
		}
		assert.InDelta(b, above+1, p.Rank, 1+float64(p.Rank)/1000, "%s: token %d", got.Run, p.ID) // of close logits either may be first
		assert.Greater(b, p.Rank, previous)
		previous = p.Rank
	}
}

// The model alone: exactly the softmax of its logits, in order.
func TestPredictModel(t *testing.T) {
	b := newPromptBench(t, circuit.ACDC)
	const text = "When Mary and John went to the store, John gave a drink to"
	got := predictions(t, "--model", promptModel, "--prompt", text, "--top", "25")
	require.Len(t, got, 1)
	ids, tok := b.tokens(text), must(b.model.Tokenizer(t.Context()))
	assert.Equal(t, text, got[0].Prompt)
	assert.Equal(t, study.Spelled{IDs: ids, Texts: task.Spell(tok, ids)}, got[0].Tokens)
	assert.Nil(t, got[0].Corrupt)
	require.Len(t, got[0].Runs, 1)
	run := got[0].Runs[0]
	assert.Equal(t, rowModel, run.Run)
	assert.Nil(t, run.Edges)
	require.Len(t, run.Predictions, 25)
	b.agrees(b.forward(ids), run)
	for i, p := range run.Predictions {
		assert.Equal(t, i+1, p.Rank)
		assert.Equal(t, task.Spell(tok, []int{p.ID})[0], p.Text)
	}
	all := predictions(t, "--model", promptModel, "--prompt", text, "--top", "1000000")[0].Runs[0].Predictions
	sum := 0.0
	for _, p := range all {
		sum += p.Probability
	}
	assert.Len(t, all, 50257)
	assert.InDelta(t, 1, sum, 1e-12)
	assert.Equal(t, run.Predictions, all[:25])
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// Circuit and corrupted run are those of the library, of both definitions.
func TestPredictCircuit(t *testing.T) {
	const clean, corrupt = "We like cheese", "We hate bees"
	for _, def := range circuit.Definitions() {
		b := newPromptBench(t, def)
		d := task.Data{Clean: [][]int{b.tokens(clean)}, Corrupt: [][]int{b.tokens(corrupt)}}
		got := predictions(t, "--circuit", b.file(ablate.Resample, b.some()), "--prompt", clean, "--corrupt", corrupt, "--top", "4")[0]
		assert.Equal(t, []string{rowModel, rowCircuit, rowCorrupted}, names(got.Runs, func(r study.RunReport) string { return r.Run }))
		assert.Equal(t, b.graph.NumEdges(), *got.Runs[0].Edges)
		assert.Equal(t, b.some().Count(), *got.Runs[1].Edges)
		assert.Zero(t, *got.Runs[2].Edges)
		b.agrees(b.forward(d.Clean[0]), got.Runs[0])
		b.agrees(b.patched(d, ablate.Resample, b.some()), got.Runs[1])
		b.agrees(b.forward(d.Corrupt[0]), got.Runs[2])
		require.Len(t, got.Corrupt, 1)
		assert.Equal(t, d.Corrupt[0], got.Corrupt[0].IDs)

		union := map[int]bool{}
		for _, r := range got.Runs {
			for _, p := range r.Predictions[:4] {
				assert.LessOrEqual(t, p.Rank, 4, "the first four of each run are there")
				union[p.ID] = true
			}
		}
		for _, r := range got.Runs {
			assert.Len(t, r.Predictions, len(union), "the same tokens in each run")
		}
	}
}

// With all edges a circuit is the full model, with none the corrupted run.
func TestPredictFullAndEmpty(t *testing.T) {
	b := newPromptBench(t, circuit.ACDC)
	for _, ablation := range []ablate.Ablation{ablate.Resample, ablate.Zero, ablate.Mean} { // optimal: see the script
		args := []string{"--prompt", "We like cheese"}
		if ablation != ablate.Zero {
			args = append(args, "--corrupt", "We hate bees")
		}
		full := predictions(t, append(args, "--circuit", b.file(ablation, b.graph.Full()))...)[0].Runs
		closePredictions(t, full[0], full[1])
		assert.NotEqual(t, full[0].Predictions, full[2].Predictions)
		empty := predictions(t, append(args, "--circuit", b.file(ablation, b.graph.Empty()))...)[0].Runs
		assert.Equal(t, empty[2].Predictions, empty[1].Predictions)
		closePredictions(t, full[2], empty[2])
	}
}

// closePredictions compares probabilities of the tokens that both have.
func closePredictions(t *testing.T, want, got study.RunReport) {
	t.Helper()
	compared := 0
	for _, p := range want.Predictions {
		i := slices.IndexFunc(got.Predictions, func(q study.Prediction) bool { return q.ID == p.ID })
		if i < 0 {
			continue
		}
		compared++
		assert.InDelta(t, p.Probability, got.Predictions[i].Probability, 2e-5*p.Probability, "token %d", p.ID)
	}
	assert.GreaterOrEqual(t, compared, 10)
}

// An edited circuit is a run of its own: undoing what is missing gives the full
// model.
func TestPredictEdited(t *testing.T) {
	b := newPromptBench(t, circuit.ACDC)
	mask, args := b.some(), []string{"--prompt", "We like cheese", "--corrupt", "We hate bees"}
	args = append(args, "--circuit", b.file(ablate.Resample, mask))
	all, cut := slices.Clone(args), -1
	for i, present := range mask {
		if !present {
			all = append(all, "--add", b.graph.Edge(i).String())
		} else {
			cut = i
		}
	}
	got := predictions(t, all...)[0].Runs
	assert.Equal(t, []string{rowModel, rowCircuit, rowEdited, rowCorrupted}, names(got, func(r study.RunReport) string { return r.Run }))
	assert.Equal(t, b.graph.NumEdges(), *got[2].Edges)
	closePredictions(t, got[0], got[2])
	got = predictions(t, append(args, "--cut", b.graph.Edge(cut).String())...)[0].Runs
	mask[cut] = false
	assert.Equal(t, mask.Count(), *got[2].Edges)
	d := task.Data{Clean: [][]int{b.tokens("We like cheese")}, Corrupt: [][]int{b.tokens("We hate bees")}}
	b.agrees(b.patched(d, ablate.Resample, mask), got[2])
}

// Zero needs no corrupt prompt, mean takes all of them for every prompt.
func TestPredictAblations(t *testing.T) {
	b := newPromptBench(t, circuit.ACDC)
	clean := b.tokens("We like cheese")
	zero := predictions(t, "--circuit", b.file(ablate.Zero, b.some()), "--prompt", "We like cheese")[0]
	assert.Nil(t, zero.Corrupt)
	b.agrees(b.patched(task.Data{Clean: [][]int{clean}}, ablate.Zero, b.some()), zero.Runs[1])
	b.agrees(b.patched(task.Data{Clean: [][]int{clean}}, ablate.Zero, b.graph.Empty()), zero.Runs[2])

	corrupt := [][]int{b.tokens("You do that"), b.tokens("We hate bees"), b.tokens("They did so")}
	mean := predictions(t, "--circuit", b.file(ablate.Resample, b.some()), "--ablation", "mean", "--prompt", "It was me", "--prompt", "We like cheese",
		"--corrupt", "You do that", "--corrupt", "We hate bees", "--corrupt", "They did so")
	require.Len(t, mean, 2)
	for i, ids := range [][]int{b.tokens("It was me"), clean} {
		assert.Len(t, mean[i].Corrupt, 3)
		d := task.Data{Clean: [][]int{ids, ids, ids}, Corrupt: corrupt}
		b.agrees(b.forward(ids), mean[i].Runs[0])
		b.agrees(b.patched(d, ablate.Mean, b.some()), mean[i].Runs[1])
		b.agrees(b.patched(d, ablate.Mean, b.graph.Empty()), mean[i].Runs[2])
	}
}

// Prompts do not know of each other, whatever their lengths.
func TestPredictSeveral(t *testing.T) {
	b := newPromptBench(t, circuit.ACDC)
	path := b.file(ablate.Resample, b.some())
	prompts := [][2]string{{"We", "You"}, {"We like cheese and", "They met Bob and"}, {"So that", "So so"}}
	args, alone := []string{"--circuit", path}, []promptReport{}
	for _, p := range prompts {
		pair := []string{"--prompt", p[0], "--corrupt", p[1]}
		args = append(args, pair...)
		alone = append(alone, predictions(t, append(pair, "--circuit", path)...)...)
	}
	assert.Equal(t, alone, predictions(t, args...))
}

// The text of reports, to the letter.
func TestPromptReportText(t *testing.T) {
	edges := 3
	r := promptReport{heading: "prompt\n", Runs: []study.RunReport{{Run: rowModel, Edges: &edges, Predictions: []study.Prediction{
		{Rank: 1, ID: 5335, Text: " Mary", Probability: 0.6912345, Logit: 17.25}, {Rank: 2, ID: 11, Text: ",", Probability: 0.05, Logit: 14}, {Rank: 1234, ID: 198, Text: `\n`, Probability: 2.345e-7, Logit: -0.125}, {Rank: 50257, ID: 220, Text: "·", Probability: 0, Logit: -200}}}}}
	assert.Equal(t, `prompt

  RANK  TOKEN    PROBABILITY   LOGIT
     1  " Mary"       0.6912   17.25
     2  ","           0.0500      14
 1,234  "\n"         2.3e-07  -0.125
50,257  "·"           0.0000    -200
`, r.text(0))
	r.Runs = append(r.Runs, study.RunReport{Run: rowCorrupted, Edges: &edges, Predictions: []study.Prediction{
		{Rank: 1, ID: 220, Text: "·", Probability: 0.9, Logit: 3}, {Rank: 2, ID: 198, Text: `\n`, Probability: 0.00005, Logit: 2}, {Rank: 3, ID: 5335, Text: " Mary", Probability: 0.00004999, Logit: 1}, {Rank: 40000, ID: 11, Text: ",", Probability: 1e-300, Logit: 0}}})
	assert.Equal(t, `prompt

TOKEN    FULL MODEL    RANK  CORRUPTED    RANK
" Mary"      0.6912       1    5.0e-05       3
","          0.0500       2   1.0e-300  40,000
"\n"        2.3e-07   1,234     0.0001       2
"·"          0.0000  50,257     0.9000       1
`, r.text(0))
}

// What is printed as text is what JSON has.
func TestPredictTextIsJSON(t *testing.T) {
	b := newPromptBench(t, circuit.ACDC)
	args := []string{"predict", "--circuit", b.file(ablate.Resample, b.some()), "--prompt", "We like", "--corrupt", "We hate", "--top", "3"}
	var stdout, stderr bytes.Buffer
	require.Zero(t, Main(context.Background(), args, nil, &stdout, &stderr), stderr.String())
	r := predictions(t, args[1:]...)[0]
	r.heading = `prompt 1 of 1: 3 tokens, 1 differ
  clean    <|endoftext|>|We| like
  corrupt  <|endoftext|>|We| hate
                            ^^^^^
`
	assert.Equal(t, r.text(0), stdout.String())
	for _, p := range r.Runs[0].Predictions {
		assert.Contains(t, stdout.String(), fmt.Sprintf("\n\"%s\" ", p.Text))
	}
}

// Where nothing else says, the start token is that of the task.
func TestStartToken(t *testing.T) {
	b := newPromptBench(t, circuit.ACDC)
	tok, yes, no := must(b.model.Tokenizer(t.Context())), true, false
	for _, c := range []struct {
		flag *bool
		file *circuit.File
		want bool
	}{
		{nil, nil, true},
		{&no, nil, false},
		{nil, &circuit.File{Run: circuit.Run{Task: "ioi"}}, false},
		{nil, &circuit.File{Run: circuit.Run{Task: "ioi", BOS: &yes}}, true},
		{nil, &circuit.File{Run: circuit.Run{Task: "ioi", Data: "d.json"}}, true},
		{nil, &circuit.File{Run: circuit.Run{Task: "induction"}}, true},
		{nil, &circuit.File{Run: circuit.Run{Task: "gone", BOS: &no}}, false},
		{&yes, &circuit.File{Run: circuit.Run{Task: "ioi", BOS: &no}}, true},
	} {
		p := predictor{o: &runOptions{}, tok: tok}
		p.o.spec.BOS = c.flag
		if c.file != nil {
			p.circuit = &editedCircuit{file: c.file}
		}
		assert.Equal(t, c.want, p.startToken(), "%+v", c)
	}
}
