package incremental

import (
	"slices"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Many sides of a layer's heads read the same input: those that hear the same
// senders. It is added up and normalized once for those of one plan, which stand
// next to each other there, and from scratch it is not even added up where
// another receiver has it already. None of it changes a bit, since an input is a
// function of the senders that are heard.

// sides plans the queries, keys and values of a layer's heads that change.
func (p *planner) sides(l int) {
	var found []step
	for h := range p.s.e.model.Config.Heads {
		for side := range 3 {
			if st, changes := p.side(l, side, h); changes {
				found = append(found, st)
			}
		}
	}
	for len(found) > 0 {
		first := found[0]
		if p.plan.scratch && !first.replace {
			first.like = p.like(&first)
		}
		values := map[[2]int]int{} // by side and group of heads, the step that computes them from this input
		p.addSide(first, values)
		found = slices.DeleteFunc(found[1:], func(st step) bool {
			if !p.sameInput(&first, &st) {
				return false
			}
			st.same, st.like = true, first.like
			p.addSide(st, values)
			return true
		})
	}
}

// addSide adds the step of a side. Of keys or values that heads share, and make of
// one input, the first makes them; values has its step.
func (p *planner) addSide(st step, values map[[2]int]int) {
	s, c := p.s, p.s.e.model.Config
	group := [2]int{st.side, c.SideHead(st.side, st.head)}
	if first, ok := values[group]; ok && !st.replace {
		st.shared, st.at = true, p.plan.steps[first].at
		st.from = first
	} else if !st.replace {
		values[group] = len(p.plan.steps)
		st.flop = int64(s.e.rows.count(st.need)) * 2 * int64(c.DModel) * int64(c.DHead)
		if !st.same && st.like == nil {
			st.flop += s.inputFLOP(st.senders, st.joints, st.need)
		}
	}
	p.plan.bySide[s.sideIndex(st.layer, st.side, st.head)] = p.add(st)
}

// sameInput reports whether two sides of a layer read, normalized, the same.
func (p *planner) sameInput(a, b *step) bool {
	switch {
	case a.replace || b.replace || a.test || b.test || a.need != b.need || !slices.Equal(a.senders, b.senders) || !sameJoints(a.joints, b.joints):
		return false
	case p.s.e.model.Config.Positions == transformer.Shortformer && (a.side == 2) != (b.side == 2):
		return false // positions are added to some of them
	}
	return p.plan.scratch || a.input.holds(b.input)
}

// like finds a receiver of the layer, not to be computed itself, that hears what
// a side does, and returns its input; nil if there is none.
func (p *planner) like(st *step) *slot {
	s, g := p.s, p.s.e.graph
	lo, hi := g.Incoming(circuit.Node{Kind: circuit.QInput + circuit.Kind(st.side), Layer: st.layer, Head: st.head})
	for side := range 3 {
		for h := range s.e.model.Config.Heads {
			i := s.sideIndex(st.layer, side, h)
			r := circuit.Node{Kind: circuit.QInput + circuit.Kind(side), Layer: st.layer, Head: h}
			at, slot := p.need.inputs[i], &s.inputs[i]
			if at != st.need || p.want(r) || slot.own == nil || slot.rows != extentOf(at) {
				continue
			}
			if from, to := g.Incoming(r); slices.Equal(s.mask[from:to], s.mask[lo:hi]) {
				return slot
			}
		}
	}
	return nil
}

// holds reports whether two slots hold one value in the same place.
func (v *slot) holds(other *slot) bool {
	a, b := v.stored, other.stored
	return v.own == other.own && a.rows == b.rows && len(a.m.Data) > 0 && len(b.m.Data) > 0 && &a.m.Data[0] == &b.m.Data[0]
}
