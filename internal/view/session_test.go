package view

import (
	"bytes"
	"context"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// opened is a session of a study's full graph.
func opened(t testing.TB, spec study.Spec) *Session {
	t.Helper()
	in, err := spec.Open(t.Context(), 2)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, in.Close()) })
	e, err := patch.Bind(t.Context(), in.Config(circuit.ACDC, in.SplitsEmbed()))
	require.NoError(t, err)
	f := &circuit.File{Run: in.Run(e)}
	f.SetCircuit(e.Graph(), e.Graph().Full(), nil, false)
	s, err := Open(t.Context(), in, e, f, Origin{Run: []string{"acdc", "run", "--circuit", "c.json"}})
	require.NoError(t, err)
	return s
}

// without is the numbers of all edges but some, by name.
func without(t *testing.T, s *Session, names ...string) []int {
	t.Helper()
	out := s.Start()
	for _, name := range names {
		i, err := s.graph.ParseEdge(name)
		require.NoError(t, err)
		out = slices.DeleteFunc(out, func(k int) bool { return k == i })
	}
	return out
}

// A set of edges is measured as everybody measures it: its metric is that of the
// plain pass, the mean of what it is by example.
func TestMeasureIsThePlainPass(t *testing.T) {
	for _, spec := range []study.Spec{{Task: "induction"}, {Task: "tracr-reverse"}, {Task: "ioi", Model: "mini", Examples: 7, Metric: "logit_diff"}} {
		s := opened(t, spec)
		edges := without(t, s, s.graph.Edge(3).String(), s.graph.Edge(s.graph.NumEdges()-1).String())
		a, err := s.Measure(t.Context(), Question{Edges: edges})
		require.NoError(t, err)
		mask, err := s.mask(edges)
		require.NoError(t, err)
		want, err := s.e.PlainMetric(t.Context(), mask)
		require.NoError(t, err)
		as, err := incremental.Metric(t.Context(), s.e, mask)
		require.NoError(t, err)
		assert.Equal(t, as, a.Value, "as acdc run, to the bit")
		assert.InDelta(t, want, a.Value, 1e-6*(1+abs(want)))
		assert.NotEqual(t, a.Full, a.Value)
		assert.Equal(t, s.graph.NumEdges()-2, a.Edges)
		assert.Len(t, a.Cut, 2)
		assert.Empty(t, a.Add)
		sum := 0.0
		for _, r := range s.e.Metric().Rows() {
			sum += *a.Examples[r.Example]
		}
		assert.InDelta(t, a.Value, sum/float64(len(s.e.Metric().Rows())), 1e-9*(1+abs(a.Value)))
	}
}

func abs(x float64) float64 { return max(x, -x) }

// No edge is the corrupted run, all are the full model, whose patterns and
// predictions those of the page are.
func TestMeasureOfTheWholeModelAndOfNothing(t *testing.T) {
	s := opened(t, study.Spec{Task: "ioi", Model: "mini", Examples: 4})
	a, err := s.Measure(t.Context(), Question{Edges: []int{}})
	require.NoError(t, err)
	assert.Equal(t, a.Corrupted, a.Value)
	assert.Len(t, a.Cut, s.graph.NumEdges())

	a, err = s.Measure(t.Context(), Question{Edges: s.Start(), Prompts: []int{2, 0}, Heads: []string{"a1.h0", "blocks.1.attn.hook_result[:, :, 2]", "a0.h1"}})
	require.NoError(t, err)
	assert.InDelta(t, 0, a.Value, 1e-6)
	assert.Empty(t, a.Idle)
	require.Len(t, a.Prompts, 2)
	logits, err := s.in.Model.Forward(t.Context(), s.in.Data.Clean[2:3], transformer.Options{Threads: 2, Pad: s.in.Data.Part(2, 3).Pad})
	require.NoError(t, err)
	p := a.Prompts[0]
	assert.Equal(t, 2, p.Prompt)
	row := logits.Row(p.Position + study.Padding(s.in.Data, 2))
	require.Len(t, p.Predictions, topTokens)
	for i, x := range p.Predictions {
		assert.Equal(t, i+1, x.Rank)
		assert.InDelta(t, row[x.ID], x.Logit, 1e-4)
		assert.NotEmpty(t, x.Text)
	}
	assert.InDelta(t, slices.Max(row), p.Predictions[0].Logit, 1e-4)
	var heads []string
	for _, h := range p.Patterns {
		heads = append(heads, h.Head)
		require.Len(t, h.Weights, len(s.in.Data.Clean[2])-study.Padding(s.in.Data, 2))
		for q, row := range h.Weights {
			sum := float32(0)
			for k, w := range row {
				sum += w
				assert.False(t, k > q && w != 0, "a token looks at one behind it")
			}
			assert.InDelta(t, 1, sum, 1e-5)
		}
	}
	assert.Equal(t, []string{"a1.h0", "a1.h2", "a0.h1"}, heads)
	assert.NotEqual(t, p.Patterns[0].Weights, p.Patterns[1].Weights)
}

// What is asked wrongly says so.
func TestQuestionsThatCannotBeMeant(t *testing.T) {
	s := opened(t, study.Spec{Task: "or_gate"})
	n := s.graph.NumEdges()
	for want, q := range map[string]Question{
		"found -1":                    {Edges: []int{-1}},
		"expected numbers from 0":     {Edges: []int{n}},
		"found 0 twice":               {Edges: []int{0, 0}},
		"prompts: expected a number":  {Prompts: []int{1}},
		"at most 8 prompts":           {Prompts: make([]int, 9)},
		"and 4 heads":                 {Heads: make([]string, 5)},
		"heads: ":                     {Heads: []string{"a7.h7"}},
		"expected a head, found \"m0": {Heads: []string{"m0"}},
	} {
		_, err := s.Measure(t.Context(), q)
		var question *QuestionError
		require.ErrorAs(t, err, &question, want)
		assert.ErrorContains(t, err, want)
	}
	_, err := s.File(t.Context(), []int{n})
	assert.ErrorContains(t, err, "expected numbers from 0 to")
}

// A saved set says that it was edited, and reads back to the same numbers.
func TestFileReadsBackToTheSameNumbers(t *testing.T) {
	s := opened(t, study.Spec{Task: "induction", Ablation: "zero"})
	edges := without(t, s, "a0.h0->a1.h1<k>", "a1.h0->logits")
	f, err := s.File(t.Context(), edges)
	require.NoError(t, err)
	assert.Equal(t, []string{"edge a0.h0->a1.h1<k> was cut by hand", "edge a1.h0->logits was cut by hand"}, f.Measured.Warnings)
	assert.Empty(t, s.file.Measured.Warnings, "the circuit to begin with stays")
	assert.Equal(t, s.graph.NumEdges(), s.file.EdgesKept)
	var b bytes.Buffer
	require.NoError(t, f.Encode(&b))
	read, err := circuit.Decode(t.Context(), "saved.json", &b)
	require.NoError(t, err)
	assert.NotEmpty(t, read.WeightsDigest)
	assert.NotEmpty(t, read.PromptsDigest)
	in, err := study.Spec{}.OpenLike(t.Context(), "saved.json", read, 1)
	require.NoError(t, err)
	defer in.Close()
	assert.Empty(t, in.Changed)
	g, mask, _, err := read.Circuit()
	require.NoError(t, err)
	e, err := patch.Bind(t.Context(), in.Config(g.Config().Definition, g.Config().SplitEmbed))
	require.NoError(t, err)
	again, err := incremental.Metric(t.Context(), e, mask)
	require.NoError(t, err)
	assert.Equal(t, read.Measured.Final, again)
	assert.Equal(t, read.Measured.Initial, e.CleanMetric())
	assert.Equal(t, read.Measured.Corrupted, e.CorruptedMetric())
}

// One is measured at a time; who leaves while waiting is gone, and too many are
// refused.
func TestTheEngineHasOneTurn(t *testing.T) {
	s := opened(t, study.Spec{Task: "or_gate"})
	release, err := s.take(t.Context())
	require.NoError(t, err)
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error)
	for range mostWaiting {
		go func() {
			_, err := s.Measure(ctx, Question{Edges: s.Start()})
			left <- err
		}()
	}
	require.Eventually(t, func() bool { return s.waiting.Load() == mostWaiting }, 10*time.Second, time.Millisecond)
	_, err = s.Measure(t.Context(), Question{Edges: s.Start()})
	assert.ErrorIs(t, err, ErrBusy)
	leave()
	for range mostWaiting {
		assert.ErrorIs(t, <-left, context.Canceled)
	}
	release()
	_, err = s.Measure(t.Context(), Question{Edges: s.Start()})
	assert.NoError(t, err)
}

// The line is read by a shell as the words that it is made of.
func TestCommandIsReadByShells(t *testing.T) {
	for _, word := range []string{"a0.h0->a1.h1<k>", "c.json", "", "it's", `a\b`, "$(touch x)", "`x`", "two words", "line\nbreak", "esc\x1b[2J", "right\u202eleft",
		"half\xff", "ü·漢", "-o", "a!b", "*", "#", "~", "'\n\\'"} {
		text := Origin{Run: []string{"printf", "%s"}}.command([]string{word}, nil)
		assert.False(t, strings.ContainsFunc(text, hidden), "%q", text)
		out, err := exec.Command("bash", "-c", strings.Replace(text, "--cut ", "", 1)).Output()
		require.NoError(t, err, text)
		assert.Equal(t, word, string(out), text)
	}
	o := Origin{Find: []string{"acdc", "discover", "--task", "induction"}, Run: []string{"acdc", "run", "--circuit", "-"}}
	assert.Equal(t, "acdc discover --task induction | acdc run --circuit - --cut 'a0.h0->m1' --cut 'a1.h6<k>' --add 'm1->logits'",
		o.command([]string{"a0.h0->m1", "a1.h6<k>"}, []string{"m1->logits"}))
}

// What one click costs, by the builtin models: the metric over all examples of
// the whole graph, which is the most, and predictions of one.
func BenchmarkMeasure(b *testing.B) {
	for _, c := range []study.Spec{{Task: "induction"}, {Task: "ioi", Model: "mini"}, {Task: "greaterthan", Model: "mini"}, {Task: "docstring", Model: "mini"}, {Task: "tracr-reverse"}, {Task: "interp-detect-pattern"}} {
		b.Run(c.Task, func(b *testing.B) {
			s := opened(b, c)
			q := Question{Edges: s.Start(), Prompts: []int{0}}
			for b.Loop() {
				_, err := s.Measure(context.Background(), q)
				require.NoError(b, err)
			}
		})
	}
}
