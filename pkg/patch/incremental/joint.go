package incremental

import (
	"slices"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Where a norm stands behind attention, what a receiver reads of a layer's heads is
// one function of the sum of those that it hears,
//
//	post(Σ co + Σ over heard heads of (on − co)) − post(Σ co),
//
// so that a change of one of them takes all: it is taken out whole and put in anew.

// joint are the heads of a layer that a receiver hears through such a norm, some of
// which change.
type joint struct {
	layer   int
	senders []int // by number, ascending
}

// joined reports whether a sender is heard through a norm, together with others.
func (e *subject) joined(sender int) bool {
	return e.model.Config.PostNorm && e.senders[sender].IsHead
}

// joints lists, for the senders that change, the layers whose heads are among them
// with all of the layer's heads that are heard.
func (e *subject) joints(changed []int, heard []bool) (out []joint) {
	for _, i := range changed {
		if l := e.senders[i].Layer; e.joined(i) && (len(out) == 0 || out[len(out)-1].layer != l) {
			out = append(out, e.layerOf(l, heard))
		}
	}
	return out
}

// layerOf are the heads of a layer that are heard.
func (e *subject) layerOf(layer int, heard []bool) joint {
	j := joint{layer: layer}
	for i, present := range heard {
		if present && e.senders[i].IsHead && e.senders[i].Layer == layer {
			j.senders = append(j.senders, i)
		}
	}
	return j
}

// sameJoints reports whether two receivers hear the same heads through norms.
func sameJoints(a, b []joint) bool {
	return slices.EqualFunc(a, b, func(x, y joint) bool { return x.layer == y.layer && slices.Equal(x.senders, y.senders) })
}

// jointFLOP is the work of taking joints out and putting them in anew.
func (s *State) jointFLOP(list []joint, at need) (flop int64) {
	for _, j := range list {
		flop += 2 * s.sumFLOP(j.senders, at)
	}
	return flop
}

// addJoint adds what a joint's heads give a receiver to x [n,D], or, with sign −1,
// takes it out. on is a head's value in the run, co in the corrupted one.
func (w *worker) addJoint(c *chunk, x tensor.Matrix, j joint, at need, sign float32, on func(sender int) picked) {
	if len(j.senders) == 0 {
		return
	}
	d, m := w.e.model.Config.DModel, w.e.model
	change := view(w.joint, x.Rows, d)
	change.Zero()
	for _, i := range j.senders {
		w.addChange(change, change, w.e.senders[i], on(i), w.corrupted(c, i, at))
	}
	all, given := w.e.bound.AttnSum(j.layer)
	sum, out := c.pick(stored{all, everyRow}, at), c.pick(stored{given, everyRow}, at)
	for i := range change.Rows {
		tensor.Add(change.Row(i), sum.row(i))
	}
	m.AttnPost(j.layer, change)
	for i := range change.Rows {
		tensor.Sub(change.Row(i), out.row(i))
		if sign < 0 {
			tensor.Sub(x.Row(i), change.Row(i))
		} else {
			tensor.Add(x.Row(i), change.Row(i))
		}
	}
}

// present is a head's value in the state.
func (w *worker) present(s *State, c *chunk, at need) func(sender int) picked {
	return func(i int) picked { return c.pick(s.values[i].stored, at) }
}

// planned is a head's value in the state after a plan.
func (w *worker) planned(s *State, p *plan, c *chunk, at need) func(sender int) picked {
	return func(i int) picked {
		if p.bySender[i] >= 0 {
			return w.result(p, p.bySender[i], c, at)
		}
		return c.pick(s.values[i].stored, at)
	}
}

// copyTo copies x to dst, unless they are the same.
func copyTo(dst, x tensor.Matrix) {
	for i := range dst.Rows {
		copy(dst.Row(i), x.Row(i))
	}
}
