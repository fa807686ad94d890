package patch

import (
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// stepKind says what a step computes.
type stepKind uint8

const (
	sideStep stepKind = iota // a head's input, and its queries, keys or values
	headStep                 // a head's z
	mlpStep                  // an MLP's input and output
	outStep                  // the final residual stream and the metric
)

// step computes one node's tried value from those before it.
type step struct {
	kind              stepKind
	layer, side, head int
	input             *slot         // what a side, MLP or the output reads
	value             *slot         // what comes out; nil for the output
	co                tensor.Matrix // the input in the corrupted run
	scratch           bool          // start from co and add on − co of the senders; else start from the present input
	senders           []int         // and add tried − present of the senders, all of which the step before computed
	cut               bool          // the receiver under test: the sender of the turn is taken out
	replace           bool          // the receiver under test is a side whose direct edge is cut: take co instead
	flop              int64
}

// plan is a list of steps in the order of computation.
type plan struct {
	steps   []step
	inPlan  []bool // by sender: its value is computed by the plan
	flop    int64
	scratch bool
}

// planner collects the steps of a plan.
type planner struct {
	s    *State
	plan *plan
	want func(r circuit.Node) bool // receivers to recompute from scratch; nil where changes are propagated
	from circuit.Node              // the receiver under test, where changes are propagated
	live map[circuit.Node]bool
}

// refresh plans to compute from scratch every live value that is not the clean
// run's, or, with only, those among the receivers that it names.
func (s *State) refresh(only map[circuit.Node]bool) *plan {
	clean := s.cleanNodes()
	p := s.newPlanner()
	p.plan.scratch = true
	p.want = func(r circuit.Node) bool {
		return !clean[r] && (only == nil || only[r])
	}
	return p.collect()
}

// propagate plans what a cut at receiver r can reach.
func (s *State) propagate(r circuit.Node) *plan {
	p := s.newPlanner()
	p.from = r
	return p.collect()
}

func (s *State) newPlanner() *planner {
	return &planner{s: s, plan: &plan{inPlan: make([]bool, len(s.values))}, live: s.liveNodes()}
}

// liveNodes are the receivers from which present edges lead to the output.
func (s *State) liveNodes() map[circuit.Node]bool {
	g := s.e.graph
	live := map[circuit.Node]bool{}
	heard := make([]bool, len(s.values)) // senders that a live receiver hears
	receivers := g.Receivers()
	for i := len(receivers) - 1; i >= 0; i-- {
		r := receivers[i]
		if live[r] = s.reads(r, heard, live); !live[r] || isSide(r) {
			continue
		}
		lo, hi := g.Incoming(r)
		for e := lo; e < hi; e++ {
			heard[e-lo] = heard[e-lo] || s.mask[e]
		}
	}
	return live
}

// isSide reports whether r is a head's queries, keys or values.
func isSide(r circuit.Node) bool { return r.Kind >= circuit.Q && r.Kind <= circuit.V }

// reads reports whether a receiver's value is read on the way to the output,
// given which later nodes are.
func (s *State) reads(r circuit.Node, heard []bool, live map[circuit.Node]bool) bool {
	g := s.e.graph
	side, ok := r.Letter()
	switch {
	case r.Kind == circuit.Output:
		return true
	case r.Kind == circuit.MLPIn:
		return heard[g.SenderIndex(circuit.Node{Kind: circuit.MLP, Layer: r.Layer})]
	case ok && (isSide(r) || g.Config().Definition != circuit.ACDC):
		return heard[g.SenderIndex(circuit.Node{Kind: circuit.Head, Layer: r.Layer, Head: r.Head})]
	}
	direct := circuit.Node{Kind: circuit.Q + circuit.Kind(side), Layer: r.Layer, Head: r.Head}
	return s.directEdge(direct) && live[direct]
}

// directEdge reports whether the direct edge into a side is present; without
// direct edges in the graph it always is.
func (s *State) directEdge(r circuit.Node) bool {
	if s.e.graph.Config().Definition != circuit.ACDC {
		return true
	}
	lo, _ := s.e.graph.Incoming(r)
	return s.mask[lo]
}

// cleanNodes are the receivers whose input is the clean run's: no edge is cut
// there or anywhere before.
func (s *State) cleanNodes() map[circuit.Node]bool {
	g, c := s.e.graph, s.e.model.Config
	clean := map[circuit.Node]bool{}
	changed := make([]bool, len(s.values)) // senders whose value is not the clean run's
	for _, r := range g.Receivers() {
		lo, hi := g.Incoming(r)
		clean[r] = true
		for e := lo; e < hi; e++ {
			if !s.mask[e] || !isSide(r) && changed[e-lo] {
				clean[r] = false
			}
		}
		side, ok := r.Letter()
		switch {
		case r.Kind == circuit.MLPIn:
			changed[g.SenderIndex(circuit.Node{Kind: circuit.MLP, Layer: r.Layer})] = !clean[r]
		case ok && isSide(r):
			input := circuit.Node{Kind: circuit.QInput + circuit.Kind(side), Layer: r.Layer, Head: r.Head}
			clean[r] = clean[r] && clean[input]
			fallthrough
		case ok && c.Heads > 0 && g.Config().Definition != circuit.ACDC:
			i := g.SenderIndex(circuit.Node{Kind: circuit.Head, Layer: r.Layer, Head: r.Head})
			changed[i] = changed[i] || !clean[r]
		}
	}
	return clean
}

// collect walks the model in the order of computation.
func (p *planner) collect() *plan {
	c := p.s.e.model.Config
	for l := range c.Layers {
		for h := range c.Heads {
			p.head(l, h)
		}
		if !c.AttnOnly {
			p.mlp(l)
		}
	}
	p.output()
	for i := range p.plan.steps {
		p.plan.flop += p.plan.steps[i].flop
	}
	return p.plan
}

// heard lists the senders whose change reaches receiver r by a present edge.
func (p *planner) heard(r circuit.Node) []int {
	lo, hi := p.s.e.graph.Incoming(r)
	var out []int
	for e := lo; e < hi; e++ {
		if p.s.mask[e] && (p.plan.scratch || p.plan.inPlan[e-lo]) {
			out = append(out, e-lo)
		}
	}
	return out
}

// needed reports whether receiver r is to be computed, and from which senders.
func (p *planner) needed(r circuit.Node) ([]int, bool) {
	if !p.live[r] {
		return nil, false
	}
	if p.plan.scratch {
		return p.heard(r), p.want(r)
	}
	senders := p.heard(r)
	return senders, len(senders) > 0 || r == p.from
}

// head plans a head's sides and, if one changes, its z.
func (p *planner) head(l, h int) {
	s, c := p.s, p.s.e.model.Config
	acdc := s.e.graph.Config().Definition == circuit.ACDC
	rows, d, k := int64(s.e.rows), int64(c.DModel), int64(c.DHead)
	any := false
	for side := range 3 {
		i := s.sideIndex(l, side, h)
		st := step{kind: sideStep, layer: l, side: side, head: h, input: &s.inputs[i], value: &s.sides[i],
			co: s.e.co.attnIn[l].Matrix(), scratch: p.plan.scratch}
		value := circuit.Node{Kind: circuit.Q + circuit.Kind(side), Layer: l, Head: h}
		input := circuit.Node{Kind: circuit.QInput + circuit.Kind(side), Layer: l, Head: h}
		st.replace = acdc && (p.from == value && !p.plan.scratch ||
			p.plan.scratch && !s.directEdge(value) && p.live[value] && p.want(value))
		if !st.replace {
			senders, needed := p.needed(input)
			if !needed {
				continue
			}
			st.senders, st.cut = senders, p.from == input && !p.plan.scratch
			st.flop = rows*2*d*k + p.sumFLOP(st, rows)
			st.input.prepare(&s.pool, s.e.rows, c.DModel)
		}
		st.value.prepare(&s.pool, s.e.rows, c.DHead)
		p.plan.steps = append(p.plan.steps, st)
		any = true
	}
	if !any {
		return
	}
	i := s.e.graph.SenderIndex(circuit.Node{Kind: circuit.Head, Layer: l, Head: h})
	s.values[i].prepare(&s.pool, s.e.rows, c.DHead)
	p.plan.inPlan[i] = true
	p.plan.steps = append(p.plan.steps, step{kind: headStep, layer: l, head: h, value: &s.values[i],
		flop: 4 * rows * int64(s.e.t) * k})
}

// mlp plans an MLP.
func (p *planner) mlp(l int) {
	s, c := p.s, p.s.e.model.Config
	senders, needed := p.needed(circuit.Node{Kind: circuit.MLPIn, Layer: l})
	if !needed {
		return
	}
	i := s.e.graph.SenderIndex(circuit.Node{Kind: circuit.MLP, Layer: l})
	st := step{kind: mlpStep, layer: l, input: &s.mlpIn[l], value: &s.values[i], senders: senders,
		co: s.e.co.mlpIn[l].Matrix(), scratch: p.plan.scratch,
		cut: p.from == circuit.Node{Kind: circuit.MLPIn, Layer: l} && !p.plan.scratch}
	rows := int64(s.e.rows)
	st.flop = rows*4*int64(c.DModel)*int64(c.DMLP) + p.sumFLOP(st, rows)
	st.input.prepare(&s.pool, s.e.rows, c.DModel)
	st.value.prepare(&s.pool, s.e.rows, c.DModel)
	p.plan.inPlan[i] = true
	p.plan.steps = append(p.plan.steps, st)
}

// output plans the final residual stream and the metric.
func (p *planner) output() {
	s := p.s
	senders, needed := p.needed(circuit.Node{Kind: circuit.Output})
	if !needed {
		return
	}
	n := int64(len(s.rowVals))
	st := step{kind: outStep, input: &s.out, senders: senders, co: s.e.coOut, scratch: p.plan.scratch,
		cut: p.from == circuit.Node{Kind: circuit.Output} && !p.plan.scratch}
	st.flop = n*s.e.logitsFLOP() + p.sumFLOP(st, n)
	st.input.prepare(&s.pool, len(s.rowVals), s.e.model.Config.DModel)
	p.plan.steps = append(p.plan.steps, st)
}

// sumFLOP is the work of adding the senders' changes to rows of a receiver.
func (p *planner) sumFLOP(st step, rows int64) int64 {
	c := p.s.e.model.Config
	heads := int64(0)
	for _, i := range st.senders {
		if p.s.e.senders[i].isHead {
			heads++
		}
	}
	return heads * rows * 2 * int64(c.DHead) * int64(c.DModel)
}
