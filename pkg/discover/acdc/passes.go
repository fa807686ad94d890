package acdc

import (
	"context"
	"errors"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
)

// Where examples are taken in batches, only one of which is at hand, a decision
// needs them all. So the walk is made in passes over the batches:
//
//  1. the first batch is bound, and walks on from what is decided: it foretells
//     the decisions, by its own examples and by how much more, or less, the same
//     cut did to all of them when it was last tried in vain;
//  2. each further batch is bound and makes the same tests, so that the metric
//     of every test is known over all examples; where one that was foretold looks
//     wrong by now, those behind it are left out by the batches that follow;
//  3. the tests are decided in order, up to and including the first whose
//     decision was foretold wrong; what comes after it is done again.
//
// A pass is twice as long after each one that was foretold right, and after one
// that was not about twice as long as what of it was of use, but never shorter
// than what it takes to come to where its tests begin, between a quarter of a
// forward pass and a whole one: where that is much, tests in vain cost little, and
// foretell the next pass. The tests, and their metrics to the bit, are those of the
// whole run.

// step is a test of a pass.
type step struct {
	receiver circuit.Node
	edge     int
	kept     bool         // as foretold
	own      float64      // the first batch's own metric
	rise     float64      // and by how much the cut raised it
	decided  int          // edges decided, this one included
	flop     int64        // of the first batch's tests up to this one
	rows     []float64    // of the metric, of all examples
	mask     circuit.Mask // with the edge cut, where it is to be verified
	turn     *opening     // of the first test of a turn
}

// opening is the begin of a turn in a pass.
type opening struct {
	last *float64  // the metric after the last edge removed before, nil if none was
	rows []float64 // of the metric at the start
}

// errPassEnds ends a walk at the end of its pass.
var errPassEnds = errors.New("the pass ends")

// passes are the passes of a run.
type passes struct {
	*run
	horizon  int64           // FLOP of a pass's tests in the first batch
	forward  int64           // of one forward pass of the first batch
	approach float64         // what it took the last pass to come to where its tests began, in forward passes
	hints    map[int]float64 // by edge, by how much more its cut raised the metric of all examples than the first batch's, when it was tried in vain
	lead     float64         // the first batch's own metric after the last test that removed an edge
	cost     circuit.Cost
}

// inPasses runs the loop batch by batch.
func (x *run) inPasses(ctx context.Context) error {
	p := &passes{run: x, horizon: x.earlier.horizon, lead: x.earlier.lead, hints: x.earlier.hints, cost: x.earlier.cost}
	for _, t := range x.earlier.tests {
		p.record(x.r.Experiment.Graph().Edge(t.Edge).Receiver, t, p.cost)
	}
	if x.earlier.final != nil { // nothing is left to be decided
		x.finish(p.left(), *x.earlier.final, p.cost)
		return ctx.Err()
	}
	return p.loop(ctx)
}

// loop makes passes until all is decided.
func (p *passes) loop(ctx context.Context) error {
	for {
		pass, err := p.make(ctx)
		if errors.Is(err, incremental.ErrRoom) {
			if err := p.fewer(err); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		right, err := p.decideAll(ctx, pass)
		if err != nil {
			return err
		}
		if right && pass.ended {
			p.finish(pass.mask, p.experiment.Metric().Mean(pass.final), p.cost)
			return nil
		}
	}
}

// fewer goes on with fewer examples at a time, where there was too little room.
func (p *passes) fewer(short error) error {
	fewer := p.experiment.Fewer()
	if fewer == nil {
		return short
	}
	p.experiment, p.horizon, p.hints = fewer, 0, nil
	p.cost.FLOP += fewer.HeldFLOP()
	return p.save(progress{cost: p.counted(p.cost), share: fewer.Share()})
}

// left is the mask that the decisions leave.
func (p *passes) left() circuit.Mask {
	g := p.experiment.Graph()
	m := p.start.Clone()
	for _, t := range p.decided {
		m[t.Edge] = m[t.Edge] && t.Kept
	}
	g.Prune(m, false) // what lost its receiver was cut untested
	return m
}

// share is what is reckoned with, where it is not what the request has, else 0.
func (p *passes) share() int {
	if p.experiment == p.r.Experiment {
		return 0
	}
	return p.experiment.Share()
}

// pass is one pass over the batches.
type pass struct {
	*passes
	steps   []step
	ended   bool         // the walk came to its end
	mask    circuit.Mask // then: what is left
	final   []float64    // and the metric's rows
	at      int          // tests that the batch has made
	own     func(all []float64) []float64
	first   bool // the batch is the first one
	guess   guess
	begun   int64   // the batch's FLOP when its tests began, -1 before
	now     float64 // the first batch's metric before the next test
	drops   int     // edges decided untested
	settled int     // steps that were settled
	all     []step  // if steps were left out: all of them
	seen    int     // and how many of the metric's rows those have which were left out
	open    *opening
	node    circuit.Node // the receiver whose turn it is
}

// make makes a pass.
func (p *passes) make(ctx context.Context) (*pass, error) {
	s := &pass{passes: p, first: true, guess: newGuess(p.Speculate)}
	total := len(p.experiment.Metric().Rows())
	s.final = make([]float64, total)
	s.approach = 0
	for b, err := range p.experiment.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		if err := s.batch(ctx, b); err != nil {
			return nil, err
		}
		if !s.first {
			s.trim(b.Rows[1])
		}
		s.first = false
	}
	return s, nil
}

// batch walks one batch.
func (s *pass) batch(ctx context.Context, b *patch.Bound) error {
	s.own = func(all []float64) []float64 { return all[b.Rows[0]:b.Rows[1]] }
	s.at, s.begun, s.drops = 0, -1, 0
	if s.first {
		s.forward = b.ForwardFLOP()
		if s.horizon == 0 {
			s.horizon = s.least(float64(s.experiment.MakingFLOP(b)) / float64(s.forward))
		}
	}
	w := s.newWalk(b, s.decided, s)
	err := w.run(ctx)
	s.account(b, w.state)
	if s.first && len(s.steps) > 0 && errors.Is(err, incremental.ErrRoom) { // the tests that it made count
		err = errPassEnds
	}
	if err != nil && !errors.Is(err, errPassEnds) {
		return err
	}
	if err == nil {
		s.ended, s.mask = true, w.state.Mask()
		copy(s.own(s.final), w.state.Rows())
	}
	return nil
}

// account adds the work of a batch: its two runs unless they are held, and what
// its state took, if it came to one.
func (s *pass) account(b *patch.Bound, state *incremental.State) {
	start := s.experiment.MakingFLOP(b)
	s.cost.FLOP += start
	if state != nil {
		start += max(0, s.begun)
		cost := state.Cost()
		s.cost.Nodes += cost.Nodes
		s.cost.FLOP += cost.FLOP
	}
	s.approach += float64(start) / float64(s.experiment.ForwardFLOP())
}

// least is how long a pass is at least, where to come to its tests takes some
// forward passes.
func (p *passes) least(start float64) int64 {
	return int64(min(max(start, shortest), 1) * float64(p.forward))
}

func (s *pass) known(circuit.Node, discover.Test) {}

func (s *pass) dropped(edges int) { s.drops += edges }

func (s *pass) begin(w *walk, r circuit.Node, last *float64) {
	if s.begun < 0 {
		s.begun = w.state.Cost().FLOP
	}
	s.node = r
	if !s.first {
		if s.at < len(s.steps) && s.steps[s.at].turn != nil {
			copy(s.own(s.steps[s.at].turn.rows), w.state.Rows())
		}
		return
	}
	s.open = &opening{last: last, rows: make([]float64, len(s.final))}
	copy(s.own(s.open.rows), w.state.Rows())
	if s.now = w.state.Metric(); last != nil {
		s.now = s.lead
	}
}

// together is a guess in the first batch; the others know how the tests end.
func (s *pass) together(edges []int) int {
	if s.first {
		return s.guess.next()
	}
	n := 1
	for n < len(edges) && s.at+n < len(s.steps) && !s.steps[s.at+n-1].kept {
		n++
	}
	return n
}

func (s *pass) decide(_ context.Context, w *walk, cuts []int, rows []float64) (bool, error) {
	if s.first {
		if err := s.foretell(w, cuts, rows); err != nil {
			return false, err
		}
	}
	step := &s.steps[s.at]
	copy(s.own(step.rows), rows)
	s.at++
	return step.kept, nil
}

// foretell decides a test by the first batch alone.
func (s *pass) foretell(w *walk, cuts []int, rows []float64) error {
	edge, now := cuts[len(cuts)-1], w.bound.Mean(rows)
	t, err := s.run.decide(edge, s.now, now+s.hints[edge])
	if err != nil {
		return err
	}
	n := len(s.decided) + len(s.steps)
	next := step{receiver: s.node, edge: edge, kept: t.Kept, own: now, rise: now - s.now, decided: s.drops + n + 1, rows: make([]float64, len(s.final)), turn: s.open}
	s.open = nil
	if s.wantsVerified(n) {
		next.mask = without(w.mask(), cuts)
	}
	if !t.Kept {
		s.now = now
	}
	s.steps = append(s.steps, next)
	return nil
}

// mostValues bounds the values that the tests of a pass have in all.
const mostValues = 1 << 22

func (s *pass) settle(w *walk) error {
	if !s.first {
		if s.at == len(s.steps) && !s.ended {
			return errPassEnds
		}
		return nil
	}
	last := s.steps[len(s.steps)-1]
	accepted := len(s.steps) - s.settled
	if last.kept {
		accepted--
	}
	s.guess.saw(accepted, last.kept)
	spent := w.state.Cost().FLOP - s.begun
	for i := range s.steps[s.settled:] {
		s.steps[s.settled+i].flop = spent
	}
	s.settled = len(s.steps)
	if spent >= s.horizon || len(s.steps)*len(s.final) >= mostValues {
		return errPassEnds
	}
	return nil
}

// The tests of a pass are worth from a part of a forward pass to many.
const (
	shortest = 0.25
	longest  = 128
)

// decideAll decides the tests of a pass, and reports whether all were foretold
// right.
func (p *passes) decideAll(ctx context.Context, s *pass) (right bool, err error) {
	m := p.experiment.Metric()
	before := befores(s.steps, func(rows []float64, last *float64) float64 {
		if last != nil {
			return *last
		}
		return m.Mean(rows)
	})
	right = true
	var tests []discover.Test
	for i, step := range s.steps {
		t, err := p.run.decide(step.edge, before[i], m.Mean(step.rows))
		if err != nil {
			return false, err
		}
		if step.mask != nil {
			if err := p.verify(ctx, p.done.Tests, step.edge, step.mask, t.Metric); err != nil {
				return false, err
			}
		}
		if !t.Kept {
			p.lead = step.own
		}
		tests = append(tests, t)
		p.done.Decided = step.decided - 1
		p.record(step.receiver, t, p.counted(p.cost))
		if t.Kept != step.kept {
			right = false
			break
		}
	}
	if !right || s.all != nil {
		s.hint(len(tests))
	}
	if p.horizon *= 2; !right {
		p.horizon = 2 * s.steps[len(tests)-1].flop
	}
	p.horizon = min(max(p.horizon, p.least(p.approach)), longest*p.forward)
	done := progress{tests: tests, cost: p.counted(p.cost), horizon: p.horizon, lead: p.lead, hints: p.hints, share: p.share()}
	if right && s.ended {
		final := m.Mean(s.final)
		done.final = &final
	}
	return right, p.save(done)
}
