package patch

import (
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// MetricFloats is how many rows the metric reads, and how many numbers a bound
// batch keeps of each: the columns of W_U that it reads with their biases, or
// the clean logits, their probabilities and those in passing.
func (c Config) MetricFloats() (rows int, each int64, err error) {
	if c.Model == nil {
		panic("patch: a configuration without a model")
	}
	m, err := metric.New(c.Metric, targets(c.Data, c.Model.Config))
	if err != nil {
		return 0, 0, err
	}
	width := int64(logitsWidth(c.Model.Config, m))
	if m.Tokens(0) != nil {
		return len(m.Rows()), width * int64(1+c.Model.Config.DModel), nil
	}
	return len(m.Rows()), 3 * width, nil
}

// ReadoutFloats is how many logits a thread of a Readout holds at a time.
func ReadoutFloats(c transformer.Config) int { return readoutRows * min(c.VocabOut, readoutColumns) }
