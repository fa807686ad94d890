package acdc

import "math"

// What a pass that went astray is good for.

// trim leaves out the steps behind the first that is wrong, as far as the rows
// that have been seen can tell, which are the metric's first.
func (s *pass) trim(seen int) {
	var before []float64
	for i, step := range s.steps[:max(0, len(s.steps)-1)] {
		if step.turn != nil {
			if before = step.turn.rows; step.turn.last != nil { // an edge was removed since
				before = nil
			}
		}
		if before != nil && s.wrong(step, before[:seen], step.rows[:seen]) {
			if s.all == nil {
				s.all, s.seen = s.steps, seen
			}
			s.steps, s.ended = s.steps[:i+1], false
			return
		}
		if !step.kept {
			before = step.rows
		}
	}
}

// wrong reports whether a step's decision is other than it was foretold by more
// than two standard errors of the effect on some of all examples.
func (s *pass) wrong(step step, before, after []float64) bool {
	m := s.experiment.Metric().Rows()
	n, sum, squares, own := 0.0, 0.0, 0.0, 0.0
	for i, x := range after {
		own += x - before[i]
		if i+1 == len(after) || m[i+1].Example != m[i].Example {
			sum += own
			squares += own * own
			n, own = n+1, 0
		}
	}
	rows := float64(len(after)) / n
	effect := sum / n
	left := 1 - float64(len(after))/float64(len(s.final))
	spread := 2 * math.Sqrt(max(0, squares/n-effect*effect)/n*left)
	return s.below((effect-spread)/rows) == step.kept && s.below((effect+spread)/rows) == step.kept
}

// befores are the metric before each step, by what it is of rows, and of the
// metric after the last edge that was removed before, if the rows are those of
// the start of a turn that knows it.
func befores(steps []step, metric func(rows []float64, last *float64) float64) []float64 {
	before, out := 0.0, make([]float64, len(steps))
	for i, step := range steps {
		if step.turn != nil {
			before = metric(step.turn.rows, step.turn.last)
		}
		if out[i] = before; !step.kept {
			before = metric(step.rows, nil)
		}
	}
	return out
}

// mean is the mean of rows.
func mean(rows []float64) float64 {
	sum := 0.0
	for _, x := range rows {
		sum += x
	}
	return sum / float64(len(rows))
}

// hint takes note of what the tests of a pass did, from a step on, that were made
// in vain, to the examples that they saw.
func (s *pass) hint(from int) {
	steps, seen := s.steps, len(s.final)
	if s.all != nil {
		steps, seen = s.all, s.seen
	}
	before := befores(steps, func(rows []float64, last *float64) float64 {
		if last != nil {
			return *last
		}
		return mean(rows[:seen])
	})
	s.hints = map[int]float64{}
	for i := from; i < len(steps); i++ {
		if more := mean(steps[i].rows[:seen]) - before[i] - steps[i].rise; !math.IsNaN(more) && !math.IsInf(more, 0) {
			s.hints[steps[i].edge] = more
		}
	}
}
