package incremental

import (
	"github.com/seed-2c350065/acdc/internal/floats"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// worker is the scratch memory of one goroutine.
type worker struct {
	e      *subject
	number int           // among the state's
	x      []float32     // [n,D] the input of a step
	tried  tensor.Matrix // [n,D] the input of the receiver under test, which is the turn's
	normed []float32     // [n,D]
	hidden []float32     // [n,F], of gated MLPs [n,2F]
	diff   []float32     // [n,K]
	joint  []float32     // [n,D] where a norm stands behind attention
	wide   []float32     // [D]
	q      []float32     // [T,K]
	kv     [2][]float32
	scores []float32 // [T,T]
	arena  []float32 // tried values of a plan
}

// sized is a part of a worker's memory.
type sized struct {
	into *[]float32
	n    int
}

// table lists a worker's memory for n rows at a time of examples of t
// positions, the tried values of a plan aside.
func (w *worker) table(c transformer.Config, n, t int) []sized {
	list := []sized{{&w.x, n * c.DModel}, {&w.normed, n * c.DModel}, {&w.hidden, n * c.MLPWidth()},
		{&w.diff, n * c.DHead}, {&w.wide, c.DModel}, {&w.q, t * c.DHead}, {&w.kv[0], t * c.DHead}, {&w.kv[1], t * c.DHead}, {&w.scores, t * t}}
	if c.PostNorm {
		list = append(list, sized{&w.joint, n * c.DModel})
	}
	return list
}

// newWorker makes the scratch memory for n rows at a time.
func newWorker(e *subject, n, number int) *worker {
	w := &worker{e: e, number: number}
	for _, part := range w.table(e.model.Config, n, e.t) {
		*part.into = floats.Make(part.n)
	}
	return w
}

// view makes a matrix [rows,cols] of scratch memory.
func view(data []float32, rows, cols int) tensor.Matrix {
	return tensor.Matrix{Data: data[:rows*cols], Rows: rows, Cols: cols, Stride: cols}
}

// addChange sets residuals x [n,D] to base and to − from, values of a sender: of
// a head, whose values are z, through its part of W_O. base may be x.
func (w *worker) addChange(x, base tensor.Matrix, s ablate.Sender, to, from picked) {
	if !s.IsHead {
		for i := range x.Rows {
			tensor.SubTo(w.wide, to.row(i), from.row(i))
			tensor.AddTo(x.Row(i), base.Row(i), w.wide)
		}
		return
	}
	diff := view(w.diff, x.Rows, w.e.model.Config.DHead)
	tensor.SubRows(diff, to.m, to.pick, from.m, from.pick)
	w.e.model.HeadOutOnto(s.Layer, s.Head, x, base, diff)
}

// attend computes one head's z for the needed rows of a chunk, example by
// example. Keys and values are the chunk's active rows; those of positions
// before them are the clean run's.
func (w *worker) attend(c *chunk, n need, layer, head int, z tensor.Matrix, q, k, v picked) {
	e := w.e
	l, dk := &e.rows, e.model.Config.DHead
	at := 0
	for b := c.examples[0]; b < c.examples[1]; b++ {
		rows, positions := l.span, c.positions[:l.span]
		if n == atMetric {
			rows = l.of[b+1] - l.of[b]
			positions = c.posAt[at : at+rows]
		}
		if rows == 0 {
			continue
		}
		first := (b - c.examples[0]) * l.span
		keys := w.keys(0, b, first, layer, head, k)
		values := w.keys(1, b, first, layer, head, v)
		queries := picked{q.m, q.pick}
		if q.pick != nil {
			queries.pick = q.pick[at : at+rows]
		} else {
			queries.m = q.m.Slice(at, at+rows)
		}
		e.model.Attend(layer, z.Slice(at, at+rows), queries.contiguous(rows, w.q[:rows*dk]), keys, values,
			positions, e.pad.Of(b), w.scores)
		at += rows
	}
}

// keys gathers one example's keys (which 0) or values (which 1) [T,K] of a
// head; first is the example's first active row in the chunk.
func (w *worker) keys(which, example, first, layer, head int, x picked) tensor.Matrix {
	l, k := &w.e.rows, w.e.model.Config.DHead
	if x.pick != nil {
		if at := x.pick[first]; l.first == 0 {
			return x.m.Slice(at, at+l.t) // rows of an example stand together
		}
	} else if l.first == 0 {
		return x.m.Slice(first, first+l.t)
	}
	out := view(w.kv[which], l.t, k)
	clean := w.e.side(w.e.clean, layer, 1+which, head)
	for p := range l.first {
		copy(out.Row(p), clean.Row(example*l.t+p))
	}
	for i := range l.span {
		copy(out.Row(l.first+i), x.row(first+i))
	}
	return out
}
