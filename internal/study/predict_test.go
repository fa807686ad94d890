package study

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Logits that are equal are in the order of the tokens; those that overflow are
// an error.
func TestOutcomeOrder(t *testing.T) {
	o, err := newOutcome("x", tensor.From([]float32{9, 9, 9, 9, 1, 3, 3, 2}, 1, 2, 4))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 3, 0}, o.order)
	e := math.E
	sum := 2*e*e*e + e*e + e
	got := o.predictions([]bool{true, true, false, true}, nil)
	for i, want := range []Prediction{{1, 1, "1", e * e * e / sum, 3}, {3, 3, "3", e * e / sum, 2}, {4, 0, "0", e / sum, 1}} {
		assert.InDelta(t, want.Probability, got[i].Probability, 1e-15)
		got[i].Probability = want.Probability
		assert.Equal(t, want, got[i])
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		_, err := newOutcome("circuit", tensor.From([]float32{0, float32(bad)}, 1, 1, 2))
		assert.ErrorContains(t, err, "run circuit: expected finite logits, found ")
		assert.ErrorContains(t, err, " for token 1")
	}
}
