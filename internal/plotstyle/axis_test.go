package plotstyle

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"gonum.org/v1/plot"
)

// Values stand in their order, zero below all; every range has a tick.
func TestAxes(t *testing.T) {
	for _, values := range [][]float64{{0, 1, 10}, {3}, {0}, {2.5e-8, 0}, {1e-9, 5}, {11, 12, 13}} {
		a := NewLog(values)
		for i, x := range values {
			for _, y := range values[i+1:] {
				if x < y {
					assert.LessOrEqual(t, a.At(x), a.At(y))
				}
			}
		}
		assert.Less(t, a.At(0), a.At(a.least))
		var on plot.Axis
		a.Apply(&on)
		assert.NotEmpty(t, on.Tick.Marker.Ticks(on.Min, on.Max))
		assert.LessOrEqual(t, on.Min, a.At(slices.Min(values)))
		assert.GreaterOrEqual(t, on.Max, a.At(slices.Max(values)))
		assert.False(t, a.At(a.most) != a.At(a.most), "a number")
	}
	assert.True(t, NewLog([]float64{1e-9, 5}).zero, "too small to be shown")
}
