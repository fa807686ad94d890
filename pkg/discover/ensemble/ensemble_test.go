package ensemble_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/ensemble"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// given is a method whose scores are given.
type given struct {
	name   string
	scores circuit.Scores
}

func (m given) Name() string { return m.name }

func (m given) Score(context.Context, discover.Request) (*discover.Scored, error) {
	return &discover.Scored{Scores: m.scores, Cost: circuit.Cost{ForwardPasses: 2}, Warnings: []string{m.name}}, nil
}

func TestMeanOfNormalisedScores(t *testing.T) {
	e, err := patch.Bind(t.Context(), golden.Bound(t, golden.Model(t, "or_gate"), "or_gate", golden.Run{Metric: "l2", Ablation: "zero"}, 1))
	require.NoError(t, err)
	n := e.Graph().NumEdges()
	a, b := make(circuit.Scores, n), make(circuit.Scores, n)
	for i := range n {
		a[i], b[i] = float64(i), 5
	}
	a[0], b[2] = -40, 9
	for _, c := range []struct {
		s           ensemble.Scorer
		first, most float64
	}{
		{ensemble.Scorer{}, (0 + 8.5/18) / 2, (2./18 + 1) / 2}, // 17 equal scores share the places 0 to 17
		{ensemble.Scorer{Norm: ensemble.Range}, 0, (42./58 + 1) / 2},
		{ensemble.Scorer{Norm: ensemble.Range, Absolute: true}, 0.5, (1./39 + 1) / 2},
	} {
		c.s.Of = []discover.Scorer{given{"a", a}, given{"b", b}}
		found, err := c.s.Score(t.Context(), discover.Request{Experiment: e})
		require.NoError(t, err)
		assert.InDelta(t, c.first, found.Scores[0], 1e-12, c.s.Norm)
		assert.InDelta(t, c.most, found.Scores[2], 1e-12, c.s.Norm)
		assert.InDelta(t, 4, found.Cost.ForwardPasses, 0)
		assert.Equal(t, []string{"a", "b"}, found.Warnings)
		assert.Equal(t, "ensemble:a+b", c.s.Name())
	}
	_, err = ensemble.Scorer{}.Score(t.Context(), discover.Request{Experiment: e})
	assert.ErrorContains(t, err, "expected methods, found none")
	_, err = ensemble.Scorer{Norm: "x"}.Score(t.Context(), discover.Request{Experiment: e})
	assert.ErrorContains(t, err, "expected one of rank, range")
}
