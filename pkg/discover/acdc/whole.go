package acdc

import (
	"context"
	"errors"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
)

// deciding is the judge of a run whose examples are all at hand.
type deciding struct {
	*run
	receiver circuit.Node
	before   float64 // the metric before the next test
	guess    guess
	spent    circuit.Cost // by an earlier run, less what was spent to catch up with it
	caughtUp bool
	tests    []discover.Test // since the last settle
}

// whole runs the loop on all examples together.
func (x *run) whole(ctx context.Context) error {
	j := &deciding{run: x, guess: newGuess(x.Speculate)}
	w := x.newWalk(x.experiment.Whole(), x.earlier.tests, j)
	err := w.run(ctx)
	if errors.Is(err, incremental.ErrRoom) {
		p := &passes{run: x, cost: x.earlier.cost}
		if j.caughtUp {
			p.cost = j.cost(w)
		}
		if err := p.fewer(err); err != nil {
			return err
		}
		return p.loop(ctx)
	}
	if err != nil {
		return err
	}
	x.finish(w.state.Mask(), w.state.Metric(), j.cost(w))
	return nil
}

// cost is what the run has spent, in this process and before it.
func (j *deciding) cost(w *walk) circuit.Cost {
	now := w.state.Cost()
	now.Nodes += j.spent.Nodes
	now.FLOP += j.spent.FLOP
	return j.counted(now)
}

func (j *deciding) known(r circuit.Node, t discover.Test) { j.record(r, t, j.earlier.cost) }

func (j *deciding) dropped(edges int) { j.done.Decided += edges }

func (j *deciding) begin(w *walk, r circuit.Node, last *float64) {
	if !j.caughtUp {
		j.caughtUp = true
		if len(j.earlier.tests) > 0 {
			now := w.state.Cost()
			j.spent = j.earlier.cost
			j.spent.Nodes -= now.Nodes
			j.spent.FLOP -= now.FLOP
			j.guess.rate = j.earlier.guess
		}
	}
	j.receiver = r
	if last != nil {
		j.before = *last
	} else {
		j.before = w.state.Metric()
	}
}

func (j *deciding) together([]int) int { return j.guess.next() }

func (j *deciding) decide(ctx context.Context, w *walk, cuts []int, rows []float64) (bool, error) {
	edge, now := cuts[len(cuts)-1], w.bound.Mean(rows)
	t, err := j.run.decide(edge, j.before, now)
	if err != nil {
		return false, err
	}
	if n := j.done.Tests + len(j.tests); j.wantsVerified(n) {
		if err := j.verify(ctx, n, edge, without(w.mask(), cuts), now); err != nil {
			return false, err
		}
	}
	if !t.Kept {
		j.before = now
	}
	j.tests = append(j.tests, t)
	return t.Kept, nil
}

// without is a mask without some edges.
func without(m circuit.Mask, edges []int) circuit.Mask {
	m = m.Clone()
	for _, e := range edges {
		m[e] = false
	}
	return m
}

func (j *deciding) settle(w *walk) error {
	last := j.tests[len(j.tests)-1]
	accepted := len(j.tests)
	if last.Kept {
		accepted--
	}
	j.guess.saw(accepted, last.Kept)
	for _, t := range j.tests {
		j.record(j.receiver, t, j.cost(w))
	}
	tests := j.tests
	j.tests = j.tests[:0]
	return j.save(progress{tests: tests, cost: j.cost(w), guess: j.guess.rate})
}
