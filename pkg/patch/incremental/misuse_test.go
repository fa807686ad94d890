package incremental_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
)

// Every misuse of a state, a turn or an experiment is a panic that says what
// was wrong, in the goroutine of the caller; and what was computed before it
// stays right.
func TestMisuseIsANamedPanic(t *testing.T) {
	bound := golden.Bound(t, golden.Model(t, "gpt3l-random"), "gpt3l-random", golden.Run{Metric: "kl_div", Ablation: "resample"}, 2)
	e, err := patch.Bind(t.Context(), bound)
	require.NoError(t, err)
	g := e.Graph()
	out, mlp := circuit.Node{Kind: circuit.Output}, circuit.Node{Kind: circuit.MLPIn, Layer: 2}
	lo, hi := g.Incoming(out)
	other, _ := g.Incoming(mlp)
	fresh := func() (*incremental.State, *incremental.Turn) {
		s, err := incremental.New(t.Context(), e.Whole(), g.Full())
		require.NoError(t, err)
		return s, s.Begin(out)
	}
	for want, misuse := range map[string]func(*incremental.State, *incremental.Turn){
		"incremental: Accept(1) of 0 cuts tried": func(_ *incremental.State, turn *incremental.Turn) {
			try(t, turn, lo)
			turn.Accept(1)
			turn.Accept(1)
		},
		"incremental: Accept(2) of 1 cuts tried":  func(_ *incremental.State, turn *incremental.Turn) { try(t, turn, lo); turn.Accept(2) },
		"incremental: Accept(-1) of 1 cuts tried": func(_ *incremental.State, turn *incremental.Turn) { try(t, turn, lo); turn.Accept(-1) },
		"incremental: Rows(1) of 1 cuts tried":    func(_ *incremental.State, turn *incremental.Turn) { try(t, turn, lo); turn.Rows(1) },
		"incremental: Begin(m2.input): the turn of logits is open": func(s *incremental.State, _ *incremental.Turn) {
			s.Begin(mlp)
		},
		"incremental: Drop(m2.input): the turn of logits is open": func(s *incremental.State, _ *incremental.Turn) {
			s.Drop(mlp)
		},
		"incremental: Drop(m2.input): edges leave it": func(s *incremental.State, turn *incremental.Turn) {
			require.NoError(t, turn.End(t.Context()))
			s.Drop(mlp)
		},
		"incremental: Try: the turn of logits has ended": func(_ *incremental.State, turn *incremental.Turn) {
			require.NoError(t, turn.End(t.Context()))
			_, _ = turn.Try(t.Context(), []int{lo})
		},
		"incremental: Accept: the turn of logits has ended": func(_ *incremental.State, turn *incremental.Turn) {
			require.NoError(t, turn.End(t.Context()))
			turn.Accept(0)
		},
		"incremental: Replay: the turn of logits has ended": func(_ *incremental.State, turn *incremental.Turn) {
			require.NoError(t, turn.End(t.Context()))
			turn.Replay(nil)
		},
		"incremental: End: the turn of logits has ended": func(_ *incremental.State, turn *incremental.Turn) {
			require.NoError(t, turn.End(t.Context()))
			_ = turn.End(t.Context())
		},
		"circuit: no receiver m7.input in the graph": func(s *incremental.State, turn *incremental.Turn) {
			require.NoError(t, turn.End(t.Context()))
			s.Begin(circuit.Node{Kind: circuit.MLPIn, Layer: 7})
		},
	} {
		assert.PanicsWithValue(t, want, func() { misuse(fresh()) }, want)
	}
	for _, edges := range [][]int{{other}, {hi}, {-1}, {1 << 40}, {lo, lo}} {
		s, turn := fresh()
		assert.Panics(t, func() { _, _ = turn.Try(t.Context(), edges) }, edges)
		assert.Panics(t, func() { turn.Replay(edges) }, edges)
		assert.Equal(t, e.CleanMetric(), s.Metric())
		require.NoError(t, turn.End(t.Context()))
	}
	bound.Batch = 5
	batched, err := patch.Bind(t.Context(), bound)
	require.NoError(t, err)
	assert.PanicsWithValue(t, "patch: Whole: the experiment is taken in 5 batches of examples", func() { batched.Whole() })
}

// A try that is cancelled is not tried, and the state is as it was before.
func TestACancelledTry(t *testing.T) {
	e, err := patch.Bind(t.Context(), golden.Bound(t, golden.Model(t, "gpt3l-random"), "gpt3l-random", golden.Run{Metric: "kl_div", Ablation: "resample"}, 2))
	require.NoError(t, err)
	s, err := incremental.New(t.Context(), e.Whole(), e.Graph().Full())
	require.NoError(t, err)
	turn := s.Begin(circuit.Node{Kind: circuit.MLPIn, Layer: 1})
	lo, _ := e.Graph().Incoming(circuit.Node{Kind: circuit.MLPIn, Layer: 1})
	want := try(t, turn, lo, lo+1)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = turn.Try(ended, []int{lo})
	assert.ErrorIs(t, err, ended.Err())
	assert.PanicsWithValue(t, "incremental: Accept(1) of 0 cuts tried", func() { turn.Accept(1) })
	assert.Equal(t, want, try(t, turn, lo, lo+1))
	_, err = patch.Bind(ended, golden.Bound(t, golden.Model(t, "gpt3l-random"), "gpt3l-random", golden.Run{Metric: "kl_div", Ablation: "resample"}, 2))
	assert.ErrorIs(t, err, ended.Err())
	_, err = e.Plain(ended, e.Graph().Full().Gates())
	assert.ErrorIs(t, err, ended.Err())
	_, err = incremental.New(ended, e.Whole(), e.Graph().Empty())
	assert.ErrorIs(t, err, ended.Err())
}
