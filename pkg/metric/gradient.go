package metric

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrNoGradient is of a metric whose value moves in steps: its gradient is 0
// wherever it has one, and says nothing of what matters.
var ErrNoGradient = errors.New("its value moves in steps and has no gradient to follow")

// Gradient sets grad[k] to the derivative of Row(i, logits) with respect to
// logits[k]; the metric's own, which is the mean over rows, is that divided by
// len(Rows()). Logits are all V of them or those of Tokens(i), as for Row, and
// are not changed; grad is as long and must not overlap them. A token that
// Tokens lists twice has a derivative in both places, to be added up. It is
// computed in float64 and rounded once. A metric without a gradient is
// ErrNoGradient.
func (m *Metric) Gradient(i int, logits, grad []float32) error {
	m.check("Gradient", i, len(logits))
	if len(grad) != len(logits) {
		panic(fmt.Sprintf("metric: Gradient of %s: expected room for %d derivatives, found %d", m.name, len(logits), len(grad)))
	}
	if err := m.formula.gradient(i, logits, grad); err != nil {
		return fmt.Errorf("metric %s: %w", m.name, err)
	}
	return nil
}

// logSumExp is log Σ e^x, in float64.
func logSumExp(x []float32) float64 {
	top, sum := float64(slices.Max(x)), 0.0
	for _, v := range x {
		sum += math.Exp(float64(v) - top)
	}
	return top + math.Log(sum)
}

// setAll sets every element of a row.
func setAll(row []float32, value float64) {
	for k := range row {
		row[k] = float32(value)
	}
}

// LeastAtClean reports whether a metric measures how far a run is from the clean
// one, so that it is least there and its gradient 0.
func LeastAtClean(name Name) bool { return name == KL || name == L2 || name == L2First }
