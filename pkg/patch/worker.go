package patch

import "github.com/seed-2c350065/acdc/pkg/tensor"

// worker is the scratch memory of one goroutine that computes up to n rows at
// a time.
type worker struct {
	e      *Experiment
	normed []float32 // [n,D]
	hidden []float32 // [n,F]
	diff   []float32 // [n,K]
	logits []float32 // [min(n,readoutRows),width]
	scores []float32 // [T,T]
	wide   []float32 // [D]
}

func newWorker(e *Experiment, n int) *worker {
	c := e.model.Config
	return &worker{
		e:      e,
		normed: make([]float32, n*c.DModel),
		hidden: make([]float32, n*c.DMLP),
		diff:   make([]float32, n*c.DHead),
		logits: make([]float32, min(n, readoutRows)*e.logitsWidth()),
		scores: make([]float32, e.t*e.t),
		wide:   make([]float32, c.DModel),
	}
}

// view makes a matrix [rows,cols] of scratch memory.
func view(data []float32, rows, cols int) tensor.Matrix {
	return tensor.Matrix{Data: data[:rows*cols], Rows: rows, Cols: cols, Stride: cols}
}

// finalLogits computes the logits that the metric reads from residuals x [n,D]
// of its rows lo, lo+1, …
func (w *worker) finalLogits(lo int, x, dst tensor.Matrix) {
	e := w.e
	normed := view(w.normed, x.Rows, x.Cols)
	e.model.NormFinal(normed, x)
	if e.readout == nil {
		e.model.Unembed(dst, normed)
		return
	}
	n := dst.Cols
	columns := e.readout.Matrix()
	for i := range x.Rows {
		at := (lo + i) * n
		tensor.MulNT(dst.Slice(i, i+1), normed.Slice(i, i+1), columns.Slice(at, at+n), 1)
		tensor.Add(dst.Row(i), e.readoutB[at:at+n])
	}
}

// measure computes the metric's values of residuals x [n,D] of its rows lo,
// lo+1, …
func (w *worker) measure(lo int, x tensor.Matrix, values []float64) {
	for from := 0; from < x.Rows; from += readoutRows {
		to := min(from+readoutRows, x.Rows)
		logits := view(w.logits, to-from, w.e.logitsWidth())
		w.finalLogits(lo+from, x.Slice(from, to), logits)
		for i := from; i < to; i++ {
			values[i] = w.e.metric.Row(lo+i, logits.Row(i-from))
		}
	}
}

// addChange adds to − from, values of a sender, to residuals x [n,D]: for a
// head, whose values are z, through its part of W_O. Row i of x takes row i of
// the values, or, where rows is given, row rows[i].
func (w *worker) addChange(x tensor.Matrix, s sender, to, from tensor.Matrix, rows []int) {
	width := w.wide
	if s.isHead {
		width = w.diff
	}
	for i := range x.Rows {
		row := i
		if rows != nil {
			row = rows[i]
		}
		if s.isHead {
			tensor.SubTo(width[i*s.k:(i+1)*s.k], to.Row(row), from.Row(row))
			continue
		}
		tensor.SubTo(width, to.Row(row), from.Row(row))
		tensor.Add(x.Row(i), width)
	}
	if s.isHead {
		w.e.model.AddHeadOut(s.layer, s.head, x, view(width, x.Rows, s.k))
	}
}
