package incremental

import (
	"slices"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// stepKind says what a step computes.
type stepKind uint8

const (
	sideStep stepKind = iota // a head's input, and its queries, keys or values
	headStep                 // a head's z
	mlpStep                  // an MLP's input and output
	outStep                  // the final residual stream
)

// cols are the widths of what a step reads from the residual stream, 0 if it
// does not, and of what comes out, 0 where it is what was read: the one table
// of what a state and its workers keep.
func (k stepKind) cols(c transformer.Config) (input, value int) {
	switch k {
	case sideStep:
		return c.DModel, c.DHead
	case headStep:
		return 0, c.DHead
	case mlpStep:
		return c.DModel, c.DModel
	}
	return c.DModel, 0
}

// count is how many steps of a kind a model has.
func (k stepKind) count(c transformer.Config) int {
	switch {
	case k == sideStep:
		return 3 * c.Layers * c.Heads
	case k == headStep:
		return c.Layers * c.Heads
	case k == mlpStep && c.AttnOnly:
		return 0
	case k == mlpStep:
		return c.Layers
	}
	return 1
}

// step computes one node's value from those before it.
type step struct {
	kind              stepKind
	layer, side, head int
	need              need
	input             *slot   // what a side, an MLP or the output reads; nil for a head
	like              *slot   // another receiver's input that is this one already, from scratch; or nil
	same              bool    // a side whose input is that of the step before
	value             *slot   // what comes out; nil for the output
	co                stored  // the corrupted input; with replace, the corrupted value
	senders           []int   // whose change is added to the input
	joints            []joint // of a turn's plan, those among senders that are heard through a norm, and the heads beside them
	shared            bool    // keys or values that are those of step from, in its place
	from              int
	test              bool // the receiver under test: its input is the turn's
	replace           bool // a side whose direct edge is cut
	at                int  // where the tried value stands in a worker's arena
	flop              int64
}

// plan is a list of steps in the order of computation. A plan from scratch
// computes inputs as co + Σ (on − co) over present senders, and keeps what it
// computes; the plan of a turn computes the inputs' present values
// + Σ (tried − present) over the senders that it changes, and keeps nothing.
type plan struct {
	steps         []step
	scratch       bool
	bySender      []int // the step that computes a sender, or -1
	bySide        []int // the step that computes a side, or -1
	arena         int   // floats that the tried values of a chunk take
	flop          int64
	reachesOutput bool
}

// planner collects the steps of a plan.
type planner struct {
	s    *State
	plan *plan
	want func(r circuit.Node) bool // receivers to compute from scratch
	from circuit.Node              // the receiver under test, of a turn's plan
	need needs
}

// needs says where each value is needed.
type needs struct {
	senders []need
	sides   []need
	inputs  []need
}

// planRefresh plans to compute from scratch every live value that is not the
// clean run's, or, with only, those among the receivers that it names.
func (s *State) planRefresh(only map[circuit.Node]bool) *plan {
	clean := s.cleanNodes()
	p := s.newPlanner()
	p.plan.scratch = true
	p.want = func(r circuit.Node) bool { return !clean[r] && (only == nil || only[r]) }
	return p.collect()
}

// planTurn plans what a cut at receiver r can reach.
func (s *State) planTurn(r circuit.Node) *plan {
	p := s.newPlanner()
	p.from = r
	return p.collect()
}

func (s *State) newPlanner() *planner {
	p := &plan{bySender: make([]int, len(s.values)), bySide: make([]int, len(s.sides))}
	for i := range p.bySender {
		p.bySender[i] = -1
	}
	for i := range p.bySide {
		p.bySide[i] = -1
	}
	return &planner{s: s, plan: p, need: s.needs()}
}

// needs finds, from the output back, where present edges carry each value.
// The output is read at the metric's rows; queries are needed where their head
// is, but keys and values everywhere.
func (s *State) needs() needs {
	g, c := s.e.graph, s.e.model.Config
	n := needs{make([]need, len(s.values)), make([]need, len(s.sides)), make([]need, len(s.sides))}
	hear := func(r circuit.Node, at need) {
		lo, hi := g.Incoming(r)
		for e := lo; e < hi; e++ {
			if s.mask[e] {
				n.senders[e-lo] = max(n.senders[e-lo], at)
			}
		}
	}
	hear(circuit.Node{Kind: circuit.Output}, atMetric)
	for l := c.Layers - 1; l >= 0; l-- {
		if !c.AttnOnly {
			if at := n.senders[g.SenderIndex(circuit.Node{Kind: circuit.MLP, Layer: l})]; at != nowhere {
				hear(circuit.Node{Kind: circuit.MLPIn, Layer: l}, at)
			}
		}
		for h := range c.Heads {
			at := n.senders[g.SenderIndex(circuit.Node{Kind: circuit.Head, Layer: l, Head: h})]
			for side := range 3 {
				i := s.sideIndex(l, side, h)
				if n.sides[i] = at; at != nowhere && side > 0 {
					n.sides[i] = anywhere
				}
				if n.sides[i] == nowhere || !s.directEdge(circuit.Node{Kind: circuit.Q + circuit.Kind(side), Layer: l, Head: h}) {
					continue
				}
				n.inputs[i] = n.sides[i]
				hear(circuit.Node{Kind: circuit.QInput + circuit.Kind(side), Layer: l, Head: h}, n.inputs[i])
			}
		}
	}
	return n
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

// cleanNodes are the receivers whose value is the clean run's: no edge is cut
// there or anywhere before.
func (s *State) cleanNodes() map[circuit.Node]bool {
	g := s.e.graph
	clean := map[circuit.Node]bool{}
	changed := make([]bool, len(s.values)) // senders whose value is not the clean run's
	for _, r := range g.Receivers() {
		lo, hi := g.Incoming(r)
		side, ok := r.Letter()
		isSide := ok && r.Kind >= circuit.Q
		clean[r] = true
		for e := lo; e < hi; e++ {
			if !s.mask[e] || !isSide && changed[e-lo] {
				clean[r] = false
			}
		}
		if isSide {
			clean[r] = clean[r] && clean[circuit.Node{Kind: circuit.QInput + circuit.Kind(side), Layer: r.Layer, Head: r.Head}]
		}
		switch {
		case r.Kind == circuit.MLPIn:
			changed[g.SenderIndex(circuit.Node{Kind: circuit.MLP, Layer: r.Layer})] = !clean[r]
		case isSide || ok && g.Config().Definition != circuit.ACDC:
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
		p.sides(l)
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

// heard lists the senders whose change reaches receiver r by a present edge,
// and reports whether r is to be computed.
func (p *planner) heard(r circuit.Node, at need) ([]int, bool) {
	if at == nowhere || p.plan.scratch && !p.want(r) {
		return nil, false
	}
	lo, hi := p.s.e.graph.Incoming(r)
	var out []int
	for e := lo; e < hi; e++ {
		if p.s.mask[e] && (p.plan.scratch || p.plan.bySender[e-lo] >= 0) {
			out = append(out, e-lo)
		}
	}
	return out, p.plan.scratch || len(out) > 0 || r == p.from
}

// add appends a step and gives its value a place.
func (p *planner) add(st step) int {
	if !st.shared {
		st.at = p.plan.arena
	}
	if st.kind != outStep && !st.replace && !st.shared {
		rows := p.s.widest[0]
		if st.need == anywhere {
			rows = p.s.widest[1]
		}
		_, cols := st.kind.cols(p.s.e.model.Config)
		p.plan.arena += rows * cols
	}
	p.plan.steps = append(p.plan.steps, st)
	return len(p.plan.steps) - 1
}

// head plans a head's z if one of its sides changes.
func (p *planner) head(l, h int) {
	s, c := p.s, p.s.e.model.Config
	i := s.e.graph.SenderIndex(circuit.Node{Kind: circuit.Head, Layer: l, Head: h})
	changes := false
	for side := range 3 {
		changes = changes || p.plan.bySide[s.sideIndex(l, side, h)] >= 0
	}
	at := p.need.senders[i]
	if !changes || at == nowhere {
		return
	}
	p.plan.bySender[i] = p.add(step{kind: headStep, layer: l, head: h, need: at, value: &s.values[i],
		flop: 4 * int64(s.e.rows.count(at)) * int64(s.e.t) * int64(c.DHead)})
}

// side is the step of a head's queries, keys or values, if they change.
func (p *planner) side(l, side, h int) (st step, changes bool) {
	s := p.s
	i := s.sideIndex(l, side, h)
	value := circuit.Node{Kind: circuit.Q + circuit.Kind(side), Layer: l, Head: h}
	input := circuit.Node{Kind: circuit.QInput + circuit.Kind(side), Layer: l, Head: h}
	st = step{kind: sideStep, layer: l, side: side, head: h, value: &s.sides[i]}
	if p.replaced(value, i) {
		st.need, st.replace = p.need.sides[i], true
		st.co = stored{s.e.side(s.e.co, l, side, h), everyRow}
		return st, true
	}
	senders, needed := p.heard(input, p.need.inputs[i])
	if !needed {
		return st, false
	}
	st.joints = p.joints(input, senders)
	st.need, st.input, st.senders = p.need.inputs[i], &s.inputs[i], senders
	st.co = stored{s.e.co.Layers[l].AttnIn.Matrix(), everyRow}
	st.test = !p.plan.scratch && p.from == input
	return st, true
}

// replaced reports whether a side takes the corrupted run's value.
func (p *planner) replaced(r circuit.Node, i int) bool {
	if p.s.e.graph.Config().Definition != circuit.ACDC || p.need.sides[i] == nowhere {
		return false
	}
	if p.plan.scratch {
		return !p.s.directEdge(r) && p.want(r)
	}
	return p.from == r
}

// mlp plans an MLP.
func (p *planner) mlp(l int) {
	s, c := p.s, p.s.e.model.Config
	i := s.e.graph.SenderIndex(circuit.Node{Kind: circuit.MLP, Layer: l})
	r := circuit.Node{Kind: circuit.MLPIn, Layer: l}
	senders, needed := p.heard(r, p.need.senders[i])
	if !needed {
		return
	}
	at, joints := p.need.senders[i], p.joints(r, senders)
	rows := int64(s.e.rows.count(at))
	p.plan.bySender[i] = p.add(step{kind: mlpStep, layer: l, need: at, input: &s.mlpIn[l], value: &s.values[i], senders: senders, joints: joints,
		co: stored{s.e.co.Layers[l].MLPIn.Matrix(), everyRow}, test: !p.plan.scratch && p.from == r,
		flop: rows*2*int64(c.DModel)*int64(c.DMLP+c.MLPWidth()) + s.inputFLOP(senders, joints, at)})
}

// output plans the final residual stream.
func (p *planner) output() {
	s, r := p.s, circuit.Node{Kind: circuit.Output}
	senders, needed := p.heard(r, atMetric)
	if !needed {
		return
	}
	p.plan.reachesOutput = true
	n, joints := int64(s.e.rows.count(atMetric)), p.joints(r, senders)
	p.add(step{kind: outStep, need: atMetric, input: &s.out, senders: senders, joints: joints, co: stored{s.e.co.Out.Matrix(), everyRow},
		test: !p.plan.scratch && p.from == r, flop: n*s.e.bound.LogitsFLOP() + s.inputFLOP(senders, joints, atMetric)})
}

// sumFLOP is the work of adding the senders' changes to a receiver's rows.
func (s *State) sumFLOP(senders []int, at need) int64 {
	c, heads := s.e.model.Config, int64(0)
	for _, i := range senders {
		if s.e.senders[i].IsHead {
			heads++
		}
	}
	return heads * int64(s.e.rows.count(at)) * 2 * int64(c.DHead) * int64(c.DModel)
}

// joints lists, in the plan of a turn, the heads that receiver r hears through norms
// and among which some change.
func (p *planner) joints(r circuit.Node, changed []int) []joint {
	if p.plan.scratch || !p.s.e.model.Config.PostNorm {
		return nil
	}
	lo, hi := p.s.e.graph.Incoming(r)
	return p.s.e.joints(changed, p.s.mask[lo:hi])
}

// inputFLOP is the work of a receiver's input.
func (s *State) inputFLOP(senders []int, joints []joint, at need) int64 {
	flop := s.jointFLOP(joints, at)
	if len(joints) > 0 {
		senders = slices.DeleteFunc(slices.Clone(senders), s.e.joined)
	}
	return flop + s.sumFLOP(senders, at)
}

// place is where a step's value of one chunk stands: in the slot from scratch,
// in the worker's arena in a turn.
func (w *worker) place(p *plan, st *step, c *chunk) tensor.Matrix {
	if p.scratch {
		return c.pick(st.value.stored, st.need).m
	}
	_, cols := st.kind.cols(w.e.model.Config)
	return view(w.arena[st.at:], c.count(st.need), cols)
}

// result is what a step computed, at the rows that are needed.
func (w *worker) result(p *plan, i int, c *chunk, at need) picked {
	st := &p.steps[i]
	if p.scratch {
		return c.pick(st.value.stored, at)
	}
	if st.replace {
		return c.pick(st.co, at)
	}
	return c.pickLocal(w.place(p, st, c), extentOf(st.need), at)
}
