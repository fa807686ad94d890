package patch

import "fmt"

// Resampled is the same experiment, with the same two runs, on examples drawn with
// replacement: times says how often each was drawn. What depends on the data as a
// whole, such as the means of mean ablation, stays.
//
// The metric's Mean counts the rows of an example as often. Rows that a method
// adds up by itself, gradients among them, are those of the experiment as it was.
func (e *Experiment) Resampled(times []int) (*Experiment, error) {
	if e.InBatches() {
		return nil, fmt.Errorf("resampling: expected all examples at a time, found %d batches", len(e.rows))
	}
	if n := e.runs.Examples(); len(times) != n {
		return nil, fmt.Errorf("resampling: expected how often each of %d examples was drawn, found %d numbers", n, len(times))
	}
	weights, drawn := make([]float64, len(e.metric.Rows())), false
	for i, r := range e.metric.Rows() {
		k := times[r.Example]
		if k < 0 {
			return nil, fmt.Errorf("resampling: example %d: expected to be drawn at least 0 times, found %d", r.Example, k)
		}
		weights[i] = float64(k)
		drawn = drawn || k > 0
	}
	if !drawn {
		return nil, fmt.Errorf("resampling: expected an example that the metric reads, found none drawn")
	}
	whole := *e.held[0]
	whole.metric = whole.metric.Weighted(weights)
	out := *e
	out.metric, out.held = e.metric.Weighted(weights), []*Bound{&whole}
	return &out, nil
}
