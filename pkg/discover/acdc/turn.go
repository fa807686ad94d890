package acdc

import (
	"context"
	"fmt"
	"math"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// turn is one receiver's turn.
type turn struct {
	w        *walk
	receiver circuit.Node
	trials   patch.Trials
	edges    []int    // still to be tested, in order
	removed  []int    // by decisions of an earlier run
	before   *float64 // the metric before the next test; nil until it is known
}

// read takes what an earlier run decided of this turn.
func (t *turn) read() error {
	w := t.w
	n := min(len(w.pending), len(t.edges))
	for i, test := range w.pending[:n] {
		if test.Edge != t.edges[i] {
			return w.foreign(test)
		}
		w.record(t.receiver, test)
		if !test.Kept {
			t.removed = append(t.removed, test.Edge)
			t.before = &test.Metric
		}
	}
	w.pending, t.edges = w.pending[n:], t.edges[n:]
	return nil
}

// begin opens the turn, and catches up with an earlier run that ended in it.
func (t *turn) begin() error {
	w := t.w
	if w.eval != nil {
		t.trials = w.eval.Begin(t.receiver)
		return nil
	}
	var err error
	if w.eval, err = w.r.Experiment.NewEvaluator(w.start); err != nil {
		return err
	}
	t.trials = w.eval.Begin(t.receiver)
	if len(w.r.Resume.Tests) == 0 {
		return nil
	}
	t.trials.Replay(t.removed)
	now := w.eval.Cost()
	w.spent = w.r.Resume.Cost
	w.spent.Nodes -= now.Nodes
	w.spent.FLOP -= now.FLOP
	w.guess.rate = w.r.Resume.Guess
	return nil
}

// speculationBytes bounds the memory for cuts that are tried together.
const speculationBytes = 64 << 20

// run tests the edges.
func (t *turn) run(ctx context.Context) error {
	w := t.w
	for most := t.trials.Most(speculationBytes); len(t.edges) > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		tried := t.edges[:min(len(t.edges), most, w.guess.next())]
		tests, err := t.test(tried)
		if err != nil {
			return err
		}
		accepted := 0
		for _, test := range tests {
			w.record(t.receiver, test)
			if !test.Kept {
				accepted++
				t.before = &test.Metric
			}
		}
		t.trials.Accept(accepted)
		w.guess.saw(accepted, accepted < len(tests))
		t.edges = t.edges[len(tests):]
		if w.r.Save != nil {
			if err := w.r.Save(discover.Progress{Tests: tests, Cost: w.cost(), Guess: w.guess.rate}); err != nil {
				return err
			}
		}
	}
	return nil
}

// test evaluates cuts together and decides them, up to the first that is kept.
func (t *turn) test(tried []int) ([]discover.Test, error) {
	metrics, err := t.trials.Try(tried)
	if err != nil {
		return nil, err
	}
	if t.before == nil {
		start, err := t.trials.Metric()
		if err != nil {
			return nil, err
		}
		t.before = &start
	}
	before := *t.before
	var tests []discover.Test
	for k, now := range metrics {
		if math.IsNaN(now) || math.IsInf(now, 0) {
			return nil, fmt.Errorf("metric %s: expected a finite number with edge %v cut, found %v: the model's activations overflow",
				t.w.r.Experiment.Metric().Name(), t.w.graph.Edge(tried[k]), now)
		}
		if err := t.verify(tried[:k+1], now); err != nil {
			return nil, err
		}
		test := discover.Test{Edge: tried[k], Metric: now, Effect: now - before}
		test.Kept = !t.w.below(test.Effect)
		tests = append(tests, test)
		if test.Kept {
			break
		}
		before = now
	}
	return tests, nil
}

// verifyTolerance is how far the incremental evaluation may be from the plain
// pass, relative where the metric is above 1.
const verifyTolerance = 1e-5

// verify holds the evaluation of the last of some cuts, if it is its turn, to
// a plain pass.
func (t *turn) verify(cuts []int, got float64) error {
	w := t.w
	n := w.done.Tests + len(cuts) - 1
	if w.r.VerifyEvery < 1 || n%w.r.VerifyEvery != 0 {
		return nil
	}
	mask := w.eval.Mask().Clone()
	for _, edge := range cuts {
		mask[edge] = false
	}
	want, err := w.r.Experiment.PlainMetric(mask)
	if err != nil {
		return err
	}
	if math.Abs(got-want) > verifyTolerance*max(1, math.Abs(want)) {
		return fmt.Errorf("verification failed at test %d, edge %v: the plain full pass gives %s = %v, the incremental evaluation %v",
			n+1, w.graph.Edge(cuts[len(cuts)-1]), w.r.Experiment.Metric().Name(), want, got)
	}
	return nil
}

// speculate is how many cuts are tried together at most unless the request says
// otherwise.
const speculate = 8

// guess says how many cuts to try together, from how often cuts were accepted
// of late. It looks only at decisions, so the work is the same in every run.
type guess struct {
	rate  int // the share of cuts accepted, of whole
	limit int
}

const (
	whole  = 1 << 16
	recent = 8 // tests that count, more or less
)

func newGuess(limit int) guess {
	if limit < 1 {
		limit = speculate
	}
	return guess{whole / 2, limit}
}

// next is the number of cuts to try: half of those that are expected before
// one is refused, rate/(1−rate), so that little work is done in vain.
func (g *guess) next() int {
	return max(1, min(g.limit, (g.rate+whole/20)/(2*(whole-g.rate)+1)))
}

// saw tells the guess how some tests ended, accepted ones before a kept one.
func (g *guess) saw(accepted int, kept bool) {
	for range accepted {
		g.rate += (whole - g.rate) / recent
	}
	if kept {
		g.rate -= g.rate / recent
	}
}
