package metric_test

import (
	"math"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// readOf are the logits that a metric reads of row i, of all of it.
func readOf(m *metric.Metric, i int, row []float32) []float32 {
	ids := m.Tokens(i)
	if ids == nil {
		return slices.Clone(row)
	}
	out := make([]float32, len(ids))
	for j, id := range ids {
		out[j] = row[id]
	}
	return out
}

// cleanLogits are the logits [rows,V] of a clean run as SetClean takes them.
func cleanLogits(m *metric.Metric, rows [][]float32) *tensor.Tensor {
	out := tensor.New(len(m.Rows()), len(readOf(m, 0, rows[0])))
	for i := range m.Rows() {
		copy(out.Row(i), readOf(m, i, rows[i]))
	}
	return out
}

// wide turns logits into float64.
func wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// logSoftmax is the log of the softmax of logits.
func logSoftmax(y []float64) []float64 {
	top, sum := slices.Max(y), 0.0
	for _, v := range y {
		sum += math.Exp(v - top)
	}
	out := make([]float64, len(y))
	for v := range y {
		out[v] = y[v] - top - math.Log(sum)
	}
	return out
}

func total(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

func average(values []float64) float64 { return total(values) / float64(len(values)) }

// at are the values of some tokens.
func at(values []float64, ids []int) (out []float64) {
	for _, id := range ids {
		out = append(out, values[id])
	}
	return out
}

// probabilities are those of some tokens.
func probabilities(y []float64, ids []int) (out []float64) {
	for _, logp := range at(logSoftmax(y), ids) {
		out = append(out, math.Exp(logp))
	}
	return out
}

// definition is every metric as the README defines it, in float64, of the
// logits y of the patched and x of the clean run at a row. Labels are given.
func definition(name metric.Name, t metric.Targets, r metric.Row, x, y []float64) float64 {
	correct, wrong, label := t.Correct[r.Example], t.Wrong[r.Example], t.Labels[r.Example][r.Position]
	switch name {
	case metric.KL:
		sum, q := 0.0, logSoftmax(y)
		for v, p := range logSoftmax(x) {
			sum += math.Exp(p) * (p - q[v])
		}
		return sum
	case metric.LogitDiff:
		return average(at(y, wrong)) - average(at(y, correct))
	case metric.Docstring:
		return slices.Max(at(y, wrong)) - average(at(y, correct))
	case metric.FracCorrect:
		if slices.Max(at(y, correct)) > slices.Max(at(y, wrong)) {
			return -1
		}
		return 0
	case metric.ProbDiff:
		return total(probabilities(y, wrong)) - total(probabilities(y, correct))
	case metric.NLL:
		return -logSoftmax(y)[label]
	case metric.MatchNLL:
		return logSoftmax(x)[label] - logSoftmax(y)[label]
	case metric.L2:
		var squares []float64
		for v := range y {
			squares = append(squares, (y[v]-x[v])*(y[v]-x[v]))
		}
		return average(squares)
	case metric.L2First:
		return (y[0] - x[0]) * (y[0] - x[0])
	}
	panic("no definition of " + name)
}
