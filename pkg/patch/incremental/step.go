package incremental

import (
	"context"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// steps computes the steps of a plan for a chunk, until ctx ends; what they
// left is then of no use. It returns the final residual stream of the chunk's
// metric rows, none if the plan does not reach it. It lies in out, or, where
// that is nil, in the output's slot or the worker's memory.
func (w *worker) steps(ctx context.Context, s *State, p *plan, c *chunk, out []float32) (final tensor.Matrix) {
	for i := range p.steps {
		if ctx.Err() != nil {
			return tensor.Matrix{}
		}
		if st := &p.steps[i]; st.kind == outStep {
			final = w.output(s, p, st, c, out)
		} else {
			w.step(s, p, st, c)
		}
	}
	return final
}

// output computes the final residual stream of a chunk's metric rows.
func (w *worker) output(s *State, p *plan, st *step, c *chunk, out []float32) tensor.Matrix {
	x := w.input(s, p, st, c, out)
	if st.test && out != nil {
		copy(out, x.Data[:x.Rows*x.Cols])
	}
	return x
}

// measure sets values to the metric's of a chunk's rows, of their final residual
// stream x.
func (w *worker) measure(s *State, c *chunk, x tensor.Matrix, values []float64) {
	s.readout.MeasureOn(w.number, x, view(w.normed, x.Rows, x.Cols), s.e.rows.index[c.metric[0]:c.metric[1]], values)
}

// step computes one step before the output for a chunk.
func (w *worker) step(s *State, p *plan, st *step, c *chunk) {
	switch st.kind {
	case sideStep:
		if !st.replace && !st.shared {
			w.side(s, p, st, c)
		}
	case headStep:
		w.head(s, p, st, c)
	case mlpStep:
		w.mlp(p, st, c, w.input(s, p, st, c, nil))
	}
}

// side computes a head's queries, keys or values from their input, which is
// normalized already if it is that of the step before.
func (w *worker) side(s *State, p *plan, st *step, c *chunk) {
	m := w.e.model
	normed := view(w.normed, c.count(st.need), m.Config.DModel)
	if !st.same {
		m.Norm1(st.layer, normed, w.input(s, p, st, c, nil))
		m.AddPositions(st.side, normed, c.at(st.need))
	}
	out := w.place(p, st, c)
	m.Head(st.layer, st.side, st.head, out, normed)
	m.Turn(st.layer, st.side, out, c.at(st.need))
}

// head computes a head's z from its sides, new or present.
func (w *worker) head(s *State, p *plan, st *step, c *chunk) {
	var qkv [3]picked
	for side := range qkv {
		at := st.need
		if side > 0 {
			at = anywhere
		}
		i := s.sideIndex(st.layer, side, st.head)
		if p.bySide[i] >= 0 {
			qkv[side] = w.result(p, p.bySide[i], c, at)
		} else {
			qkv[side] = c.pick(s.sides[i].stored, at)
		}
	}
	w.attend(c, st.need, st.layer, st.head, w.place(p, st, c), qkv[0], qkv[1], qkv[2])
}

// mlp computes an MLP's output from its input.
func (w *worker) mlp(p *plan, st *step, c *chunk, x tensor.Matrix) {
	m := w.e.model
	normed := view(w.normed, x.Rows, x.Cols)
	hidden := view(w.hidden, x.Rows, m.Config.MLPWidth())
	m.Norm2(st.layer, normed, x)
	m.MLPPre(st.layer, hidden, normed)
	m.MLPOut(st.layer, w.place(p, st, c), m.MLPPost(hidden))
}

// input computes the input of a step, the output's in out if there is one.
func (w *worker) input(s *State, p *plan, st *step, c *chunk, out []float32) tensor.Matrix {
	n, d := c.count(st.need), w.e.model.Config.DModel
	if st.test {
		return w.tried
	}
	if p.scratch {
		x := c.pick(st.input.stored, st.need).m
		if st.like == nil {
			w.fromScratch(s, p, c, x, st.co, st.senders, st.need)
		}
		return x
	}
	x := view(w.x, n, d)
	if st.kind == outStep && out != nil {
		x = view(out, n, d)
	}
	base := c.pick(st.input.stored, st.need).contiguous(n, x.Data)
	if len(st.joints) > 0 {
		copyTo(x, base)
		base = x
	}
	for _, j := range st.joints {
		w.addJoint(c, x, j, st.need, -1, w.present(s, c, st.need))
		w.addJoint(c, x, j, st.need, 1, w.planned(s, p, c, st.need))
	}
	for _, i := range st.senders {
		if w.e.joined(i) {
			continue
		}
		w.addChange(x, base, w.e.senders[i], w.result(p, p.bySender[i], c, st.need), c.pick(s.values[i].stored, st.need))
		base = x
	}
	return x
}

// fromScratch sets x to co + Σ (on − co) over senders, those that plan p
// computes being new.
func (w *worker) fromScratch(s *State, p *plan, c *chunk, x tensor.Matrix, co stored, senders []int, at need) {
	start := c.pick(co, at)
	if len(senders) == 0 {
		start.copyTo(x)
		return
	}
	base, on := start.contiguous(x.Rows, x.Data), w.planned(s, p, c, at)
	for k := 0; k < len(senders); k++ {
		i := senders[k]
		if !w.e.joined(i) {
			w.addChange(x, base, w.e.senders[i], on(i), w.corrupted(c, i, at))
			base = x
			continue
		}
		first := k
		for k+1 < len(senders) && w.e.joined(senders[k+1]) && w.e.senders[senders[k+1]].Layer == w.e.senders[i].Layer {
			k++
		}
		copyTo(x, base)
		w.addJoint(c, x, joint{w.e.senders[i].Layer, senders[first : k+1]}, at, 1, on)
		base = x
	}
}

// corrupted is a sender's value in the corrupted run.
func (w *worker) corrupted(c *chunk, sender int, at need) picked {
	return c.pick(stored{w.e.senders[sender].Value(w.e.co), everyRow}, at)
}
