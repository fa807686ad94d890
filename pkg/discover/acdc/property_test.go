package acdc_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// randomConfig draws a model, data, a metric and an ablation, and returns the
// source of what else is to be drawn.
func randomConfig(t *testing.T, seed uint64, threads int) (patch.Config, *rand.Rand) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 20))
	c := golden.RandomConfig(rng)
	cfg := patch.Config{
		Model: golden.RandomModel(t, c, rng.Uint64()), Data: golden.RandomData(rng, c), Threads: threads, Seed: rng.Uint64(),
		Definition: circuit.Definitions()[rng.IntN(2)],
		SplitEmbed: c.Positions == transformer.Standard && rng.IntN(2) == 0,
		Metric:     metric.Names()[rng.IntN(len(metric.Names()))],
		Ablation:   ablate.Ablations()[rng.IntN(3)],
	}
	if cfg.Ablation == ablate.Mean && cfg.Seed%2 == 0 {
		cfg.Ablation, cfg.Constants = ablate.Optimal, golden.RandomConstants(cfg.Seed, c)
	}
	if cfg.Data.Pad != nil && cfg.Ablation == ablate.Resample {
		cfg.SplitEmbed = false // the positions of prompts of unequal length are not permuted
	}
	cfg.Data.Mask = golden.MaskFor(cfg.Metric, cfg.Data.Mask)
	return cfg, rng
}

// randomRequest draws also an order and a threshold.
func randomRequest(t *testing.T, seed uint64, threads int) (acdc.Algorithm, discover.Request, string) {
	t.Helper()
	cfg, rng := randomConfig(t, seed, threads)
	e, err := patch.Bind(t.Context(), cfg)
	require.NoError(t, err)
	a := acdc.Algorithm{Order: acdc.Orders()[rng.IntN(len(acdc.Orders()))]}
	r := discover.Request{Experiment: e, Seed: rng.Uint64()}
	a.Absolute = rng.IntN(4) == 0
	a.Threshold = 1e-3 + math.Abs(e.CorruptedMetric()-e.CleanMetric())*math.Pow(10, -3*rng.Float64())
	return a, r, fmt.Sprintf("seed %d: %s %s %s %s %+v", seed, cfg.Definition, cfg.Metric, cfg.Ablation, a.Order, cfg.Model.Config)
}

// sequential is the loop as the paper has it, one plain full pass a test. The
// order within a receiver is taken from the run that it is compared with. It
// stops, and reports false, at a decision too near to call.
func sequential(t *testing.T, a acdc.Algorithm, r discover.Request, tests []discover.Test, what string) (circuit.Mask, bool) {
	t.Helper()
	g := r.Experiment.Graph()
	mask, k := g.Full(), 0
	for i := len(g.Receivers()) - 1; i >= 0; i-- {
		lo, hi := g.Incoming(g.Receivers()[i])
		if !g.HasOutgoing(mask, g.Receivers()[i]) {
			clear(mask[lo:hi])
			continue
		}
		before, err := r.Experiment.PlainMetric(t.Context(), mask)
		require.NoError(t, err)
		require.LessOrEqual(t, k+hi-lo, len(tests), what)
		seen := map[int]bool{}
		for _, got := range tests[k : k+hi-lo] {
			require.True(t, got.Edge >= lo && got.Edge < hi && !seen[got.Edge], "%s: test %d", what, k)
			seen[got.Edge] = true
			mask[got.Edge] = false
			now, err := r.Experiment.PlainMetric(t.Context(), mask)
			require.NoError(t, err)
			effect := now - before
			if a.Absolute {
				effect = math.Abs(effect)
			}
			noise := 5e-5 * max(1, math.Abs(now)) // LayerNorm over three numbers magnifies rounding
			if math.Abs(effect-a.Threshold) < noise {
				return nil, false
			}
			if r.Experiment.Metric().Name() != metric.FracCorrect {
				require.InDelta(t, now, got.Metric, noise, "%s: test %d %v", what, k, g.Edge(got.Edge))
			}
			kept := !(effect < a.Threshold)
			if r.Experiment.Metric().Name() == metric.FracCorrect && kept != got.Kept {
				return nil, false // a step function: rounding may flip it
			}
			require.Equal(t, kept, got.Kept, "%s: test %d %v: effect %v", what, k, g.Edge(got.Edge), effect)
			if kept {
				mask[got.Edge] = true
			} else {
				before = now
			}
			k++
		}
	}
	require.Equal(t, len(tests), k, what)
	return mask, true
}

func TestDecisionsAreThoseOfTheSequentialLoop(t *testing.T) {
	compared := 0
	for seed := range uint64(golden.Cases(500)) {
		a, r, what := randomRequest(t, seed, 1+int(seed%2))
		var tests []discover.Test
		r.Observe = func(ev discover.Event) { tests = append(tests, ev.Test) }
		res, err := a.Discover(context.Background(), r)
		require.NoError(t, err, what)
		mask, called := sequential(t, a, r, tests, what)
		if !called {
			continue
		}
		compared++
		require.Equal(t, mask, res.Mask, what)
		require.Equal(t, len(tests), res.Cost.Tests)
		for _, test := range tests {
			require.Equal(t, test.Effect, res.Scores[test.Edge], "%s %+v %v", what, test, res.MetricInitial)
		}
	}
	assert.Greater(t, compared, golden.Cases(500)*8/10)
	t.Logf("%d of %d runs compared to the end", compared, golden.Cases(500))
}

// comparable replaces NaN, which is not equal to itself.
func comparable(r *discover.Result) *discover.Result {
	for i, s := range r.Scores {
		if math.IsNaN(s) {
			r.Scores[i] = -12345
		}
	}
	return r
}

func TestSameRunForAnyThreadsAndSpeculation(t *testing.T) {
	for seed := range uint64(golden.Cases(200)) {
		var first *discover.Result
		for threads := 1; threads <= 3; threads++ {
			a, r, what := randomRequest(t, seed, threads)
			res, err := a.Discover(context.Background(), r)
			require.NoError(t, err)
			if first == nil {
				first = comparable(res)
			}
			require.Equal(t, first, comparable(res), what)
		}
		for _, n := range []int{1, 2, 100} {
			a, r, what := randomRequest(t, seed, 2)
			a.Speculate = n
			res, err := a.Discover(context.Background(), r)
			require.NoError(t, err)
			if n == 1 {
				require.LessOrEqual(t, res.Cost.FLOP, first.Cost.FLOP, "one by one nothing is done in vain")
			}
			res.Cost = first.Cost // what it took does depend on it
			require.Equal(t, first, comparable(res), "%s: %d at a time", what, n)
		}
	}
}

func TestRandomOrderIsSeeded(t *testing.T) {
	m := golden.Model(t, "gpt3l-random")
	e, err := patch.Bind(t.Context(), golden.Bound(t, m, "gpt3l-random", golden.Run{Metric: "kl_div", Ablation: "resample"}, 2))
	require.NoError(t, err)
	edges := func(order acdc.Order, seed uint64) []int {
		var out []int
		_, err := acdc.Algorithm{Threshold: 0.1, Order: order}.Discover(context.Background(), discover.Request{Experiment: e, Seed: seed,
			Observe: func(ev discover.Event) { out = append(out, ev.Edge) }})
		require.NoError(t, err)
		return out
	}
	one := edges(acdc.Random, 1)
	assert.Equal(t, one, edges(acdc.Random, 1))
	assert.NotEqual(t, one, edges(acdc.Random, 2))
	normal, reverse := edges(acdc.Normal, 0), edges(acdc.Reverse, 0)
	lo, hi := e.Graph().Incoming(circuit.Node{Kind: circuit.Output})
	slices.Reverse(reverse[:hi-lo])
	assert.Equal(t, normal[:hi-lo], reverse[:hi-lo])
	assert.NotEqual(t, one[:hi-lo], normal[:hi-lo])
	slices.Sort(one[:hi-lo])
	assert.Equal(t, lo, one[0])
	assert.Equal(t, hi-1, one[hi-lo-1])
}

// In or_gate, with zero ablation, the absolute value makes no difference; in a
// model whose metric falls when an edge is cut it does.
func TestAbsoluteKeepsWhatLowersTheMetric(t *testing.T) {
	m := golden.Model(t, "gpt3l-random")
	e, err := patch.Bind(t.Context(), golden.Bound(t, m, "gpt3l-random", golden.Run{Metric: "logit_diff", Ablation: "resample"}, 2))
	require.NoError(t, err)
	for _, absolute := range []bool{false, true} {
		_, err := acdc.Algorithm{Threshold: 0.05, Absolute: absolute}.Discover(context.Background(), discover.Request{Experiment: e,
			Observe: func(ev discover.Event) {
				want := ev.Effect >= 0.05 || absolute && ev.Effect <= -0.05
				require.Equal(t, want, ev.Kept)
			}})
		require.NoError(t, err)
	}
}

func TestCancelledByContext(t *testing.T) {
	m := golden.Model(t, "gpt3l-random")
	e, err := patch.Bind(t.Context(), golden.Bound(t, m, "gpt3l-random", golden.Run{Metric: "kl_div", Ablation: "resample"}, 2))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	tests := 0
	_, err = acdc.Algorithm{Threshold: 0.02}.Discover(ctx, discover.Request{Experiment: e, Observe: func(discover.Event) {
		if tests++; tests == 5 {
			cancel()
		}
	}})
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 5, tests)
}

func TestWarnsWhereTheMetricSeesNothing(t *testing.T) {
	m := golden.Model(t, "or_gate")
	for ablation, warnings := range map[string]int{"zero": 0, "resample": 1} { // the corrupt prompt is the clean one
		e, err := patch.Bind(t.Context(), golden.Bound(t, m, "or_gate", golden.Run{Metric: "l2", Ablation: ablation}, 1))
		require.NoError(t, err)
		res, err := acdc.Algorithm{Threshold: 0.5}.Discover(context.Background(), discover.Request{Experiment: e})
		require.NoError(t, err)
		assert.Len(t, res.Warnings, warnings, ablation)
	}
}

func TestBadRequests(t *testing.T) {
	m := golden.Model(t, "or_gate")
	e, err := patch.Bind(t.Context(), golden.Bound(t, m, "or_gate", golden.Run{Metric: "l2", Ablation: "zero"}, 1))
	require.NoError(t, err)
	for want, a := range map[string]acdc.Algorithm{
		"threshold: expected a number of at least 0, found -1":           {Threshold: -1},
		"threshold: expected a number of at least 0, found NaN":          {Threshold: math.NaN()},
		`unknown order "up": expected one of normal, reverse, names-rev`: {Order: "up"},
	} {
		_, err := a.Discover(context.Background(), discover.Request{Experiment: e})
		require.ErrorContains(t, err, want)
	}
	assert.False(t, errors.Is(err, context.Canceled))
}
