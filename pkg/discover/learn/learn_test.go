package learn_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/learn"
	"github.com/seed-2c350065/acdc/pkg/discover/probing"
	"github.com/seed-2c350065/acdc/pkg/discover/pruning"
	"github.com/seed-2c350065/acdc/pkg/discover/ugs"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// methods are those that learn masks, with few steps.
func methods() []discover.Scorer {
	nodes, edges, pruned, sampled := probing.Default(), probing.Default(), pruning.Default(), ugs.Default()
	edges.Edges = true
	nodes.Steps, edges.Steps, pruned.Steps, sampled.Steps, sampled.Samples = 120, 120, 120, 120, 2
	return []discover.Scorer{nodes, edges, pruned, sampled}
}

func bound(t *testing.T, name string, batch int) *patch.Experiment {
	t.Helper()
	c := golden.Bound(t, golden.Model(t, name), name, golden.Run{Metric: "l2", Ablation: "zero"}, 2)
	c.Batch = batch
	e, err := patch.Bind(t.Context(), c)
	require.NoError(t, err)
	return e
}

// Stopped anywhere and continued, the scores are the same to the bit.
func TestContinuedRunsEndTheSame(t *testing.T) {
	e := bound(t, "tracr-proportion", 0)
	for _, m := range methods() {
		var records [][]byte
		seen := 0
		var learned []discover.Learned
		r := discover.Request{Experiment: e, Seed: 4, Progress: discover.Progress{Save: func(b []byte) error { records = append(records, slices.Clone(b)); return nil }},
			Observe: func(ev discover.Event) {
				seen++
				learned = append(learned, *ev.Learned)
				require.Equal(t, seen, ev.Learned.Step)
				assert.False(t, math.IsNaN(ev.Learned.Loss))
				assert.True(t, ev.Learned.Sparsity >= 0 && ev.Learned.Sparsity <= 1, ev.Learned.Sparsity)
			}}
		want, err := m.Score(t.Context(), r)
		require.NoError(t, err)
		require.Len(t, records, 3, "after 50, 100 and 120 steps")
		assert.Equal(t, 120, seen)
		for i := range records {
			var told []discover.Learned
			again, err := m.Score(t.Context(), discover.Request{Experiment: e, Seed: 4, Progress: discover.Progress{Done: records[:i+1]},
				Observe: func(ev discover.Event) { told = append(told, *ev.Learned) }})
			require.NoError(t, err)
			assert.Equal(t, want, again, "%s after record %d", m.Name(), i)
			assert.Equal(t, learned, told, "%s after record %d: the observer is told of every step", m.Name(), i)
		}
		other, err := m.Score(t.Context(), discover.Request{Experiment: e, Seed: 5})
		require.NoError(t, err)
		assert.NotEqual(t, want.Scores, other.Scores, "%s: another seed draws others", m.Name())
	}
}

// Examples in batches give the same masks but for rounding.
func TestBatchesLearnTheSame(t *testing.T) {
	for _, m := range methods() {
		whole, err := m.Score(t.Context(), discover.Request{Experiment: bound(t, "or_gate", 0), Seed: 4})
		require.NoError(t, err)
		parts, err := m.Score(t.Context(), discover.Request{Experiment: bound(t, "or_gate", 1), Seed: 4})
		require.NoError(t, err)
		for i := range whole.Scores {
			assert.InDelta(t, whole.Scores[i], parts.Scores[i], 1e-3, m.Name())
		}
	}
}

// Damaged records are refused, and a context ends a run.
func TestWhatCannotGoOn(t *testing.T) {
	e := bound(t, "or_gate", 0)
	for _, m := range methods() {
		for _, record := range []string{`{"step":5}`, `{"step":-1,"state":""}`, `{"step":999999}`, `[]`, `{"step":1,"state":"AAAA","flop":1}`} {
			_, err := m.Score(t.Context(), discover.Request{Experiment: e, Progress: discover.Progress{Done: [][]byte{[]byte(record)}}})
			assert.ErrorContains(t, err, "progress: record 1: ", record)
		}
		ctx, cancel := context.WithCancel(t.Context())
		_, err := m.Score(ctx, discover.Request{Experiment: e, Observe: func(ev discover.Event) {
			if ev.Learned.Step == 7 {
				cancel()
			}
			assert.LessOrEqual(t, ev.Learned.Step, 8)
		}})
		assert.ErrorIs(t, err, context.Canceled)
		full := errors.New("full")
		_, err = m.Score(t.Context(), discover.Request{Experiment: e, Progress: discover.Progress{Save: func([]byte) error { return full }}})
		assert.ErrorIs(t, err, full)
	}
}

// quadratic is a method whose metric does not matter: it descends to 3.
type quadratic struct{ g *circuit.Graph }

func (quadratic) Start() []float64 { return []float64{0} }

func (q quadratic) Draw(_ int, p []float64, _ *rand.Rand) learn.Draw {
	return learn.Draw{Gates: q.g.Full().Gates(), Penalty: (p[0] - 3) * (p[0] - 3), Back: func(_, grads []float64) { grads[0] += 2 * (p[0] - 3) }}
}

func TestDescends(t *testing.T) {
	e := bound(t, "or_gate", 0)
	params, cost, err := learn.Descend(t.Context(), quadratic{e.Graph()}, discover.Request{Experiment: e},
		learn.Options{Steps: 400, Rate: learn.Warmed(0.1, 20, 400), Betas: [2]float64{0.9, 0.999}})
	require.NoError(t, err)
	assert.InDelta(t, 3, params[0], 1e-2)
	assert.Greater(t, cost.ForwardPasses, 800.)
}

// The derivatives are differences, and the expectation is that of many draws.
func TestHardConcrete(t *testing.T) {
	for _, s := range []float64{-3, -1, 0, 0.7, 2, 4} {
		const h = 1e-6
		up, _ := learn.Open(s + h)
		down, _ := learn.Open(s - h)
		_, slope := learn.Open(s)
		assert.InDelta(t, (up-down)/(2*h), slope, 1e-6)
		sum, opened, n := 0., 0., 200_000
		for i := range n {
			z, slope := learn.Sample(rand.New(rand.NewPCG(1, uint64(i))), s, 1e-6)
			a, _ := learn.Sample(rand.New(rand.NewPCG(1, uint64(i))), s+h, 1e-6)
			b, _ := learn.Sample(rand.New(rand.NewPCG(1, uint64(i))), s-h, 1e-6)
			if a > 0 && a < 1 && b > 0 && b < 1 {
				require.InDelta(t, (a-b)/(2*h), slope, 1e-4)
			}
			if sum += z; z > 0 {
				opened++
			}
		}
		p, _ := learn.Open(s)
		assert.InDelta(t, p, opened/float64(n), 5e-3, s)
		assert.InDelta(t, learn.Mean(s), sum/float64(n), 5e-3, s)
	}
}

// On the OR gate one of the two heads suffices: subnetwork probing and edge
// pruning find a circuit without loss and with fewer edges.
func TestMasksFindTheGate(t *testing.T) {
	e := bound(t, "or_gate", 0)
	nodes := probing.Scorer{Steps: 1500, Rate: 0.01, Lambda: 0.03}
	edges := nodes
	edges.Edges = true
	for _, m := range []discover.Scorer{nodes, edges} {
		res, err := discover.Selected{Scorer: m, Selection: circuit.Selection{Rule: circuit.Threshold, Least: 0.5}}.Discover(t.Context(), discover.Request{Experiment: e, Seed: 1})
		require.NoError(t, err)
		assert.Less(t, res.MetricFinal, 0.05, m.Name())
		assert.Less(t, res.Mask.Count(), e.Graph().NumEdges(), m.Name())
		assert.Positive(t, res.Mask.Count(), m.Name())
	}
}
