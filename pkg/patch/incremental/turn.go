package incremental

import (
	"context"
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Turn is the time in which the edges into one receiver are tested. All cuts
// at a receiver reach the same nodes, so what to compute is planned once.
type Turn struct {
	s        *State
	receiver circuit.Node
	lo, hi   int
	plan     *plan
	test     *step        // the receiver's step; nil where a direct edge is tested
	heard    circuit.Mask // of the receiver's edges, those that are present
	input    slot         // the receiver's input without the cuts accepted so far
	next     slot         // its input after all cuts tried last
	edges    []int        // the cuts tried last
	metrics  []float64    // and the metric after each
	trials   [][]float64  // and the metric's rows
	accepted int
	closed   bool
}

// Begin starts the turn of a receiver from which a present edge leads on. Only
// one turn may be open at a time; End closes it. It panics if one is open, and
// trying cuts panics where the state was not Ready.
func (s *State) Begin(r circuit.Node) *Turn {
	s.checkNoTurn("Begin", r)
	t := &Turn{s: s, receiver: r, plan: s.planTurn(r)}
	s.open = t
	t.lo, t.hi = s.e.graph.Incoming(r)
	t.heard = s.mask[t.lo:t.hi].Clone()
	for _, w := range s.workers {
		w.arena = tensor.Grown(w.arena, t.plan.arena)
	}
	for i := range t.plan.steps {
		if st := &t.plan.steps[i]; st.test {
			t.test = st
			t.input.take(st.input, &s.pool)
		}
	}
	return t
}

// Rows returns the metric's rows after cut k of those tried last. The caller
// must not change it; the next Try does.
func (t *Turn) Rows(k int) []float64 {
	if t.made(); k < 0 || k >= len(t.edges) {
		panic(fmt.Sprintf("incremental: Rows(%d) of %d cuts tried", k, len(t.edges)))
	}
	return t.trials[k]
}

// made panics if Begin did not make the turn.
func (t *Turn) made() {
	if t == nil || t.s == nil {
		panic("incremental: a turn that Begin did not make")
	}
}

// checkOpen panics after End.
func (t *Turn) checkOpen(what string) {
	if t.made(); t.closed {
		panic(fmt.Sprintf("incremental: %s: the turn of %v has ended", what, t.receiver))
	}
}

// Most is how many cuts Try takes at a time without needing more than limit
// bytes for them.
func (t *Turn) Most(limit int) int {
	if t.made(); t.test == nil {
		return 1
	}
	return max(1, limit/(4*(1+len(t.s.e.rows.index))*t.s.e.model.Config.DModel))
}

// Try evaluates the mask without the first, the first two, … of edges, which
// must be present and end in the turn's receiver, and returns the metric of
// each. Accept keeps some of them cut; another Try, or End, restores them. The
// metrics do not depend on how edges are divided over calls. It stops at the
// next step when ctx ends, whose error it then returns; nothing is tried then.
func (t *Turn) Try(ctx context.Context, edges []int) ([]float64, error) {
	t.checkOpen("Try")
	t.edges = t.edges[:0]
	t.check("Try", edges)
	s := t.s
	sums, n := t.sums(edges), len(s.e.rows.index)
	s.stackVals = tensor.Grown(s.stackVals, len(edges)*n)
	if !s.near {
		s.stack = tensor.Grown(s.stack, len(edges)*n*s.e.model.Config.DModel)
	}
	s.eachChunk(func(w *worker, c *chunk) {
		for k := range edges {
			if t.test != nil {
				t.cut(w, c, sums, k)
			}
			t.run(ctx, w, c, k*n)
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t.edges = append(t.edges, edges...)
	t.measure(len(edges))
	s.account(t.plan, len(edges))
	for k := range sums {
		s.cost.FLOP += s.changeFLOP(sums[k], t.test.need)
	}
	return t.metrics, nil
}

// run computes the plan for the worker's input. The metric's rows of the chunk, or
// the residual streams of which they are to be made, go to the stack, where the
// cut's begin at row at.
func (t *Turn) run(ctx context.Context, w *worker, c *chunk, at int) {
	s, d := t.s, t.s.e.model.Config.DModel
	lo, hi := at+c.metric[0], at+c.metric[1]
	if s.near {
		x := w.steps(ctx, s, t.plan, c, nil)
		w.measure(s, c, x, s.stackVals[lo:hi])
		return
	}
	w.steps(ctx, s, t.plan, c, s.stack[lo*d:hi*d])
}

// check panics unless edges are present ones into the turn's receiver, each
// given once.
func (t *Turn) check(what string, edges []int) {
	for i, e := range edges {
		if e < t.lo || e >= t.hi || !t.heard[e-t.lo] {
			panic(fmt.Sprintf("incremental: %s: edge %d is not a present one into %v", what, e, t.receiver))
		}
		for _, other := range edges[:i] {
			if other == e {
				panic(fmt.Sprintf("incremental: %s: edge %d is given twice", what, e))
			}
		}
	}
}

// sum says how a cut changes the receiver's input: one sender taken out, or
// the remaining ones summed from scratch.
type sum struct {
	scratch       bool
	senders       []int
	joined        bool // the one taken out is heard through a norm, with the heads before and after the cut
	before, after joint
}

// few is the number of present edges up to which an input is summed from
// scratch when another is cut. Taking a sender out of a sum leaves the sum's
// rounding behind, which shows when what remains is small. Under resampling
// nothing small remains: the corrupted run takes the place of what is cut.
func (t *Turn) few() int {
	if t.s.e.bound.Runs.Ablation() == ablate.Resample {
		return 0
	}
	return 8
}

// sums lists how each of the cuts changes the input, and makes room for what
// comes of it.
func (t *Turn) sums(edges []int) []sum {
	if t.test == nil {
		return nil
	}
	if !t.next.claim(t.s, t.test.need, t.s.e.model.Config.DModel) {
		panic(fmt.Sprintf("incremental: the turn of %v: begun in a state that was not Ready", t.receiver))
	}
	heard := t.heard.Clone()
	left := heard.Count()
	out := make([]sum, len(edges))
	for k, e := range edges {
		subject, i := t.s.e, e-t.lo
		if out[k].joined = subject.joined(i); out[k].joined {
			out[k].before = subject.layerOf(subject.senders[i].Layer, heard)
		}
		heard[i] = false
		left--
		if out[k].joined {
			out[k].after = subject.layerOf(subject.senders[i].Layer, heard)
		}
		if left > t.few() {
			out[k].senders = []int{i}
			continue
		}
		out[k].scratch = true
		for i, present := range heard {
			if present {
				out[k].senders = append(out[k].senders, i)
			}
		}
	}
	return out
}

// cut makes cut k the worker's input, from the one before it or, at first, from
// the turn's input.
func (t *Turn) cut(w *worker, c *chunk, sums []sum, k int) {
	at, change := t.test.need, sums[k]
	x := c.pick(t.next.stored, at).m
	w.tried = x
	if change.scratch {
		w.fromScratch(t.s, t.plan, c, x, t.test.co, change.senders, at)
		return
	}
	base := x
	if k == 0 {
		base = c.pick(t.input.stored, at).contiguous(x.Rows, x.Data)
	}
	if change.joined {
		copyTo(x, base)
		w.addJoint(c, x, change.before, at, -1, w.present(t.s, c, at))
		w.addJoint(c, x, change.after, at, 1, w.present(t.s, c, at))
		return
	}
	i := change.senders[0]
	if sender := w.e.senders[i]; sender.IsHead && t.s.values[i].own == nil { // as always in discovery
		z := c.pick(stored{w.e.bound.Cut(sender), everyRow}, at).contiguous(x.Rows, w.diff)
		w.e.model.HeadOutOnto(sender.Layer, sender.Head, x, base, z)
		return
	}
	w.addChange(x, base, w.e.senders[i], w.corrupted(c, i, at), c.pick(t.s.values[i].stored, at))
}

// changeFLOP is the work of one cut's change of the receiver's input.
func (s *State) changeFLOP(x sum, at need) int64 {
	if x.joined && !x.scratch {
		return s.sumFLOP(x.before.senders, at) + s.sumFLOP(x.after.senders, at)
	}
	return s.sumFLOP(x.senders, at)
}

// measure turns the stacked rows of n trials into metrics.
func (t *Turn) measure(n int) {
	s := t.s
	index, values := s.e.rows.index, s.stackVals
	if t.plan.reachesOutput && !s.near { // else the metric stays what it is, or is measured
		rows := s.stackRows[:0]
		for range n {
			rows = append(rows, index...)
		}
		s.stackRows = rows
		s.readout.Measure(view(s.stack, len(rows), s.e.model.Config.DModel), rows, values)
	}
	t.metrics = t.metrics[:0]
	for k := range n {
		if k == len(t.trials) {
			t.trials = append(t.trials, make([]float64, len(s.rowVals)))
		}
		copy(t.trials[k], s.rowVals)
		if t.plan.reachesOutput {
			for i, row := range index {
				t.trials[k][row] = values[k*len(index)+i]
			}
		}
		t.metrics = append(t.metrics, s.e.bound.Mean(t.trials[k]))
	}
}

// Accept removes the first n of the edges tried last for good; the others are
// restored. It panics if fewer were tried since the last Accept.
func (t *Turn) Accept(n int) {
	t.checkOpen("Accept")
	if n < 0 || n > len(t.edges) {
		panic(fmt.Sprintf("incremental: Accept(%d) of %d cuts tried", n, len(t.edges)))
	}
	if n == 0 {
		t.edges = t.edges[:0]
		return
	}
	if n == len(t.edges) {
		t.input, t.next = t.next, t.input
	} else {
		t.takeOut(t.edges[:n])
	}
	copy(t.s.rowVals, t.trials[n-1])
	t.remove(t.edges[:n])
}

// Replay removes edges for good without trying them. Metric does not see them
// before End.
func (t *Turn) Replay(edges []int) {
	t.checkOpen("Replay")
	if len(edges) == 0 {
		return
	}
	t.check("Replay", edges)
	t.takeOut(edges)
	t.remove(edges)
}

// takeOut takes cuts out of the receiver's input, one after the other.
func (t *Turn) takeOut(edges []int) {
	if t.test == nil {
		return
	}
	sums := t.sums(edges)
	t.s.eachChunk(func(w *worker, c *chunk) {
		for k := range sums {
			t.cut(w, c, sums, k)
		}
	})
	t.input, t.next = t.next, t.input
	for k := range sums {
		t.s.cost.FLOP += t.s.changeFLOP(sums[k], t.test.need)
	}
}

// remove marks edges as gone.
func (t *Turn) remove(edges []int) {
	for _, e := range edges {
		t.heard[e-t.lo] = false
		t.s.mask[e] = false
	}
	t.accepted += len(edges)
	t.edges = t.edges[:0]
}

// End closes the turn. If edges were removed, what they reached is computed
// anew from scratch, until ctx ends, whose error is returned, or ErrRoom; the
// state is then of no use. It panics if the turn has ended.
func (t *Turn) End(ctx context.Context) error {
	t.checkOpen("End")
	t.closed, t.s.open = true, nil
	t.input.drop(&t.s.pool)
	t.next.drop(&t.s.pool)
	if t.accepted == 0 {
		return nil
	}
	reached := map[circuit.Node]bool{}
	for i := range t.plan.steps {
		for _, r := range t.plan.steps[i].receivers() {
			reached[r] = true
		}
	}
	return t.s.refresh(ctx, reached)
}

// receivers are the nodes whose values a step computes.
func (st *step) receivers() []circuit.Node {
	switch st.kind {
	case sideStep:
		return []circuit.Node{
			{Kind: circuit.QInput + circuit.Kind(st.side), Layer: st.layer, Head: st.head},
			{Kind: circuit.Q + circuit.Kind(st.side), Layer: st.layer, Head: st.head},
		}
	case mlpStep:
		return []circuit.Node{{Kind: circuit.MLPIn, Layer: st.layer}}
	case outStep:
		return []circuit.Node{{Kind: circuit.Output}}
	}
	return nil
}
