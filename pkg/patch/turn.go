package patch

import (
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Turn is the time in which the edges into one receiver are tested. All cuts
// at a receiver reach the same nodes, so what to compute is planned once.
type Turn struct {
	s        *State
	receiver circuit.Node
	plan     *plan
	edge     int // the cut being tried, -1 for none
	accepted int
}

// Begin starts the turn of a receiver from which a present edge leads on. Only
// one turn may be open at a time; End closes it.
func (s *State) Begin(r circuit.Node) *Turn {
	return &Turn{s: s, receiver: r, plan: s.propagate(r), edge: -1}
}

// Metric is the metric of the run as it stands, without the cut being tried.
func (t *Turn) Metric() float64 { return t.s.Metric() }

// Cut tries the mask without edge number edge, which must be present and end
// in the turn's receiver, and returns the metric. Accept keeps it cut; another
// Cut, or End, restores it.
func (t *Turn) Cut(edge int) float64 {
	lo, hi := t.s.e.graph.Incoming(t.receiver)
	if edge < lo || edge >= hi || !t.s.mask[edge] {
		panic(fmt.Sprintf("patch: Cut(%v): not a present edge into %v", t.s.e.graph.Edge(edge), t.receiver))
	}
	t.edge = edge
	for i := range t.plan.steps {
		st := &t.plan.steps[i]
		if st.cut {
			st.take(edge-lo, t.s.mask[lo:hi])
		}
	}
	t.s.compute(t.plan)
	t.s.cost.Tests++
	return t.s.e.metric.Mean(t.s.trial)
}

// Accept removes the edge tried last for good.
func (t *Turn) Accept() {
	t.s.mask[t.edge] = false
	t.s.adopt(t.plan)
	t.edge = -1
	t.accepted++
}

// End closes the turn. If edges were removed, what they reached is computed
// anew, so that rounding does not add up over turns.
func (t *Turn) End() {
	for i := range t.plan.steps {
		t.plan.steps[i].finish(&t.s.pool)
	}
	if t.accepted == 0 {
		return
	}
	reached := map[circuit.Node]bool{}
	for i := range t.plan.steps {
		for _, r := range t.plan.steps[i].receivers() {
			reached[r] = true
		}
	}
	t.s.run(t.s.refresh(reached))
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

// few is the number of present edges up to which an input is summed from
// scratch when another is cut. Taking a sender out of a sum leaves the sum's
// rounding behind, which shows when what remains is small, as under zero
// ablation.
const few = 8

// take makes the step compute its input without one sender, of those that the
// mask says it hears.
func (st *step) take(sender int, heard circuit.Mask) {
	st.senders = st.senders[:0]
	st.scratch = heard.Count()-1 <= few
	if !st.scratch {
		st.senders = append(st.senders, sender)
		return
	}
	for i, present := range heard {
		if present && i != sender {
			st.senders = append(st.senders, i)
		}
	}
}

// run computes a plan, makes its values the present ones and gives back its
// memory.
func (s *State) run(p *plan) {
	if len(p.steps) == 0 {
		return
	}
	s.compute(p)
	s.adopt(p)
	for i := range p.steps {
		p.steps[i].finish(&s.pool)
	}
}

// compute fills the tried values of a plan, chunk by chunk.
func (s *State) compute(p *plan) {
	copy(s.trial, s.rowVals)
	tensor.Parallel(len(s.workers), len(s.workers), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for k := i * len(s.chunks) / len(s.workers); k < (i+1)*len(s.chunks)/len(s.workers); k++ {
				for j := range p.steps {
					s.workers[i].step(s, p, &p.steps[j], s.chunks[k])
				}
			}
		}
	})
	s.cost.Nodes += int64(len(p.steps))
	s.cost.FLOP += p.flop
}

// adopt makes the tried values the present ones.
func (s *State) adopt(p *plan) {
	for i := range p.steps {
		st := &p.steps[i]
		if st.input != nil && !st.replace {
			st.input.accept(&s.pool)
		}
		if st.value != nil {
			st.value.accept(&s.pool)
		}
	}
	s.rowVals, s.trial = s.trial, s.rowVals
}

// finish gives back the memory of a step's tried values.
func (st *step) finish(p *pool) {
	if st.input != nil {
		st.input.finish(p)
	}
	if st.value != nil {
		st.value.finish(p)
	}
}

// step computes one step for the rows of a chunk.
func (w *worker) step(s *State, p *plan, st *step, c chunk) {
	lo, hi := c.rows[0], c.rows[1]
	switch st.kind {
	case sideStep:
		w.side(s, p, st, lo, hi)
	case headStep:
		w.head(s, st, lo, hi)
	case mlpStep:
		x := w.sum(s, p, st, lo, hi, nil)
		normed := view(w.normed, x.Rows, x.Cols)
		hidden := view(w.hidden, x.Rows, w.e.model.Config.DMLP)
		w.e.model.Norm2(st.layer, normed, x)
		w.e.model.MLPPre(st.layer, hidden, normed)
		w.e.model.Activate(hidden.Data)
		w.e.model.MLPOut(st.layer, st.value.after.Slice(lo, hi), hidden)
	case outStep:
		from, to := c.metrics[0], c.metrics[1]
		x := w.sum(s, p, st, from, to, w.e.flatRows[from:to])
		w.measure(from, x, s.trial[from:to])
	}
}

// side computes a head's queries, keys or values.
func (w *worker) side(s *State, p *plan, st *step, lo, hi int) {
	m := w.e.model
	if st.replace {
		co := w.e.co.side(st.layer, st.side, st.head, m.Config.DHead)
		for i := lo; i < hi; i++ {
			copy(st.value.after.Row(i), co.Row(i))
		}
		return
	}
	x := w.sum(s, p, st, lo, hi, nil)
	normed := view(w.normed, x.Rows, x.Cols)
	m.Norm1(st.layer, normed, x)
	m.AddPositions(st.side, normed, w.e.t)
	m.Head(st.layer, st.side, st.head, st.value.after.Slice(lo, hi), normed)
}

// head computes a head's z, example by example, from sides that are tried or
// present.
func (w *worker) head(s *State, st *step, lo, hi int) {
	var qkv [3]tensor.Matrix
	for side := range qkv {
		v := &s.sides[s.sideIndex(st.layer, side, st.head)]
		qkv[side] = v.base
		if v.next != nil {
			qkv[side] = v.after
		}
	}
	t := w.e.t
	for i := lo; i < hi; i += t {
		w.e.model.Attend(st.value.after.Slice(i, i+t), qkv[0].Slice(i, i+t), qkv[1].Slice(i, i+t), qkv[2].Slice(i, i+t), w.scores)
	}
}

// sum computes the tried input of a step at rows [lo,hi) of its slot; rows
// says which rows of the senders those are, nil meaning the same ones.
func (w *worker) sum(s *State, p *plan, st *step, lo, hi int, rows []int) tensor.Matrix {
	x, start := st.input.after.Slice(lo, hi), st.input.base
	if st.scratch {
		start = st.co
	}
	for i := range x.Rows {
		copy(x.Row(i), start.Row(lo+i))
	}
	for _, i := range st.senders {
		v, co := &s.values[i], w.e.co.value(w.e.senders[i])
		on := v.base
		if p.inPlan[i] {
			on = v.after
		}
		to, from := on, co
		switch {
		case st.scratch:
		case st.cut:
			to, from = co, v.base
		default:
			from = v.base
		}
		if rows == nil {
			to, from = to.Slice(lo, hi), from.Slice(lo, hi)
		}
		w.addChange(x, w.e.senders[i], to, from, rows)
	}
	return x
}
