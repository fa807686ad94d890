package acdc_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/discover/attribution"
	"github.com/seed-2c350065/acdc/pkg/discover/baseline"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// A screened run is the loop on the graph that the screen leaves: every test is
// a plain pass's, of an edge that was left, and what was not left is absent. It
// is the same in batches and resumed anywhere.
func TestAScreenedRunTestsWhatTheScreenLeaves(t *testing.T) {
	batched := 0
	for seed := range uint64(golden.Cases(60)) {
		a, r, what := randomRequest(t, seed, 2)
		g := r.Experiment.Graph()
		n := 1 + int(seed*7)%g.NumEdges()
		a.Screen = &acdc.Screen{By: baseline.Random{}, Edges: n}
		found, err := a.Screen.By.Score(t.Context(), r)
		require.NoError(t, err)
		left, err := circuit.Selection{Rule: circuit.Top, Edges: n, Absolute: true}.Choose(g, found.Scores)
		require.NoError(t, err)

		got, tests, records := collect(t, a, r)
		require.Equal(t, g.NumEdges()-left.Count(), got.Screened, what)
		mask := left.Clone()
		for _, test := range tests {
			require.True(t, mask[test.Edge], "%s: edge %d is tested", what, test.Edge)
			if mask[test.Edge] = test.Kept; test.Kept {
				continue
			}
			want, err := r.Experiment.PlainMetric(t.Context(), mask)
			require.NoError(t, err)
			require.InDelta(t, want, test.Metric, 5e-5*max(1, math.Abs(want)), what)
		}
		for e := range got.Mask {
			require.False(t, got.Mask[e] && !left[e], what)
		}
		for _, at := range []int{len(records) / 2, len(records)} {
			s := r
			s.Progress.Done = records[:at]
			again, same, _ := collect(t, a, s)
			require.Equal(t, got, again, what)
			require.Equal(t, tests, same, what)
		}
		if s := r; r.Experiment.Runs().Examples() > 1 {
			s.Experiment = rebind(t, seed, 1)
			again, same, _ := collect(t, a, s)
			again.Cost = got.Cost
			require.Equal(t, got, again, what)
			require.Equal(t, tests, same, what)
			batched++
		}
	}
	assert.Positive(t, batched)
}

// A screen that leaves everything changes nothing but the cost.
func TestAScreenOfAllChangesNothing(t *testing.T) {
	a, r, _ := randomRequest(t, 3, 1)
	want, tests, _ := collect(t, a, r)
	a.Screen = &acdc.Screen{By: baseline.Random{}, Edges: math.MaxInt}
	got, same, _ := collect(t, a, r)
	got.Cost = want.Cost
	assert.Equal(t, want, got)
	assert.Equal(t, tests, same)
}

// On the golden induction model, half of the edges by EAP-IG are enough for the
// circuit that the whole run finds.
func TestScreeningTheInductionModel(t *testing.T) {
	m := golden.Model(t, "induction-attn2l")
	e, err := patch.Bind(t.Context(), golden.Bound(t, m, "induction-attn2l", golden.Run{Metric: "kl_div", Ablation: "resample"}, 2))
	require.NoError(t, err)
	whole, err := acdc.Algorithm{Threshold: 0.1}.Discover(t.Context(), discover.Request{Experiment: e})
	require.NoError(t, err)
	a := acdc.Algorithm{Threshold: 0.1, Screen: &acdc.Screen{By: attribution.Scorer{At: attribution.Inputs, Steps: 5}, Edges: 96}}
	got, err := a.Discover(t.Context(), discover.Request{Experiment: e})
	require.NoError(t, err)
	assert.Less(t, got.Cost.Tests, whole.Cost.Tests)
	both := 0
	for i := range got.Mask {
		if got.Mask[i] && whole.Mask[i] {
			both++
		}
	}
	assert.GreaterOrEqual(t, 10*both, 9*whole.Mask.Count(), "%d of %d edges", both, whole.Mask.Count())
}

func TestAScreenIsChecked(t *testing.T) {
	a, r, _ := randomRequest(t, 3, 1)
	for _, s := range []acdc.Screen{{By: baseline.Random{}}, {By: baseline.Random{}, Edges: -1}, {Edges: 3}} {
		a.Screen = &s
		_, err := a.Discover(t.Context(), r)
		assert.ErrorContains(t, err, "screen: expected a method and a number of edges of at least 1", fmt.Sprint(s))
	}
	a.Screen = &acdc.Screen{By: baseline.Random{}, Edges: 1}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := a.Discover(ended, r)
	assert.ErrorIs(t, err, context.Canceled)
}
