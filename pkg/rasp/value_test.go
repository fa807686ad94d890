package rasp

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Numbers that differ from a fraction by rounding settle on it; others stay.
func TestSettled(t *testing.T) {
	third := 1.0 / 3
	for _, c := range []struct{ x, want float64 }{
		{0.1 + 0.2, 0.3}, {third + third + third - 1, 0}, {1 - 0.9 - 0.1, 0}, {1 / (1 / third), third}, {-7.0 / 6, -7.0 / 6},
		{-1e-17, 0}, {123456, 123456}, {math.Pi, math.Pi}, {1e300, 1e300}, {-1e300, -1e300}, {1e-7, 1e-7}, {0.5 + 1e-9, 0.5 + 1e-9},
	} {
		assert.Equal(t, c.want, Settled(c.x))
		assert.False(t, math.Signbit(Settled(c.x)) && c.want == 0, "no -0")
	}
	assert.True(t, math.IsNaN(Settled(math.NaN())))
	assert.True(t, math.IsInf(Settled(math.Inf(1)), 1))
}
