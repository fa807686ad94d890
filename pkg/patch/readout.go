package patch

import (
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

const (
	readoutRows    = 128  // rows whose logits are computed at a time
	readoutColumns = 1024 // logits of a row that are computed at a time, where the metric takes them in parts
)

// Readout turns final residual streams into the metric's values. Rows may stand
// for several trials of the same batch; each result depends only on its own
// row. It is not safe for concurrent use; it uses the runs' threads itself.
type Readout struct {
	b      *Bound
	normed []float32 // [rows,D]
	terms  []metric.Terms
	far    []int       // rows whose terms do not suffice
	whole  []gathered  // by thread
	logits [][]float32 // by thread
}

// NewReadout makes a readout of a batch.
func NewReadout(b *Bound) *Readout {
	r := &Readout{b: b.made()}
	for range b.Runs.Threads() {
		r.logits = append(r.logits, make([]float32, readoutRows*min(r.width(), readoutColumns)))
	}
	return r
}

// width is how many logits the metric reads at a row.
func (r *Readout) width() int { return logitsWidth(r.b.made().Runs.Model().Config, r.b.metric) }

// nearFloats bounds the numbers of which logits are made that are read anew for
// every few rows: what stays in the second-level cache beside them.
const nearFloats = 1 << 17

// Near reports whether rows are best measured where they are computed, by
// MeasureOn: where the logits are few and the matrix that makes them is small.
func (r *Readout) Near() bool {
	width := r.width()
	return width <= readoutColumns && (r.b.columns != nil || width*r.b.Runs.Model().Config.DModel <= nearFloats)
}

// MeasureOn is Measure on one goroutine, number thread of the runs', for a
// readout that is Near. normed is scratch of the size of x. Several goroutines
// may call it, each under its own number.
func (r *Readout) MeasureOn(thread int, x, normed tensor.Matrix, rows []int, values []float64) {
	if r.b.made(); x.Rows == 0 {
		return
	}
	r.check("MeasureOn", x, rows, values)
	if thread < 0 || thread >= len(r.logits) {
		panic(fmt.Sprintf("patch: MeasureOn: no thread %d of %d", thread, len(r.logits)))
	}
	r.b.Runs.Model().NormFinal(normed, x)
	r.rows(normed, rows, values, r.logits[thread])
}

// Measure sets values[i] to the metric's value of residual x's row i, which is
// row rows[i] of the batch's metric.
func (r *Readout) Measure(x tensor.Matrix, rows []int, values []float64) {
	if r.b.made(); x.Rows == 0 {
		return
	}
	r.check("Measure", x, rows, values)
	threads := r.b.Runs.Threads()
	r.normed = tensor.Grown(r.normed, x.Rows*x.Cols)
	normed := view(r.normed, x.Rows, x.Cols)
	tensor.Parallel(x.Rows, threads, func(lo, hi int) { r.b.Runs.Model().NormFinal(normed.Slice(lo, hi), x.Slice(lo, hi)) })
	if r.b.metric.InParts() {
		r.inParts(normed, rows, values)
		return
	}
	batches := (x.Rows + readoutRows - 1) / readoutRows
	r.each(batches, func(t, i int) {
		lo, hi := i*readoutRows, min((i+1)*readoutRows, x.Rows)
		r.rows(normed.Slice(lo, hi), rows[lo:hi], values[lo:hi], r.logits[t])
	})
}

// check panics unless there is a row of the metric, and room for its value, for
// each row of x.
func (r *Readout) check(what string, x tensor.Matrix, rows []int, values []float64) {
	if len(rows) != x.Rows || len(values) != x.Rows {
		panic(fmt.Sprintf("patch: %s of %d rows: found %d numbers of the metric's rows, and room for %d values", what, x.Rows, len(rows), len(values)))
	}
	for _, row := range rows {
		if row < 0 || row >= len(r.b.flat) {
			panic(fmt.Sprintf("patch: %s: no row %d of the metric's %d", what, row, len(r.b.flat)))
		}
	}
}

// each runs f for 0 to n-1, on several threads, whose number it is given.
func (r *Readout) each(n int, f func(thread, i int)) {
	threads := min(r.b.Runs.Threads(), n)
	tensor.Parallel(threads, threads, func(lo, hi int) {
		for t := lo; t < hi; t++ {
			for i := t * n / threads; i < (t+1)*n/threads; i++ {
				f(t, i)
			}
		}
	})
}

// rows computes all logits of each row, as many rows at a time as fit.
func (r *Readout) rows(normed tensor.Matrix, rows []int, values []float64, scratch []float32) {
	width := r.width()
	if len(scratch) < width {
		scratch = make([]float32, width)
	}
	per := len(scratch) / width
	for lo := 0; lo < normed.Rows; lo += per {
		hi := min(lo+per, normed.Rows)
		logits := view(scratch, hi-lo, width)
		r.b.finalLogits(logits, normed.Slice(lo, hi), rows[lo:hi])
		r.b.metric.RowsOf(rows[lo:hi], logits, values[lo:hi])
	}
}

// inParts computes some columns of the logits at a time, which stay in the
// cache while the metric reads them, and adds up its terms in order.
func (r *Readout) inParts(normed tensor.Matrix, rows []int, values []float64) {
	model, m := r.b.Runs.Model(), r.b.metric
	v := model.Config.VocabOut
	parts := (v + readoutColumns - 1) / readoutColumns
	batches := (normed.Rows + readoutRows - 1) / readoutRows
	r.terms = tensor.Grown(r.terms, normed.Rows*parts)
	r.each(parts*batches, func(t, i int) {
		from := i / batches * readoutColumns
		to := min(from+readoutColumns, v)
		lo := i % batches * readoutRows
		hi := min(lo+readoutRows, normed.Rows)
		logits := view(r.logits[t], hi-lo, to-from)
		model.UnembedColumns(logits, normed.Slice(lo, hi), from, to)
		for j := lo; j < hi; j++ {
			r.terms[j*parts+i/batches] = m.Terms(rows[j], from, logits.Row(j-lo))
		}
	})
	r.far = r.far[:0]
	for j := range normed.Rows {
		var ok bool
		if values[j], ok = m.FromTerms(rows[j], r.terms[j*parts:(j+1)*parts]); !ok {
			r.far = append(r.far, j)
		}
	}
	r.again(normed, rows, values)
}

// again computes whole the rows whose terms do not suffice.
func (r *Readout) again(normed tensor.Matrix, rows []int, values []float64) {
	width := r.width()
	per := max(1, min(readoutRows, farFloats/width))
	batches := (len(r.far) + per - 1) / per
	if batches == 0 {
		return
	}
	for len(r.whole) < r.b.Runs.Threads() {
		r.whole = append(r.whole, gathered{})
	}
	r.each(batches, func(t, i int) {
		far, g := r.far[i*per:min((i+1)*per, len(r.far))], &r.whole[t]
		g.x, g.y, g.rows = tensor.Grown(g.x, per*normed.Cols), tensor.Grown(g.y, per*width), g.rows[:0]
		x, y := view(g.x, len(far), normed.Cols), view(g.y, len(far), width)
		for k, j := range far {
			copy(x.Row(k), normed.Row(j))
			g.rows = append(g.rows, rows[j])
		}
		r.b.finalLogits(y, x, g.rows)
		for k, j := range far {
			values[j] = r.b.metric.Row(rows[j], y.Row(k))
		}
	})
}

// gathered is a thread's memory for rows that are computed whole.
type gathered struct {
	x, y []float32
	rows []int
}

// farFloats bounds the logits of the rows that are computed whole at a time.
const farFloats = 1 << 20

// view makes a matrix [rows,cols] of scratch memory.
func view(data []float32, rows, cols int) tensor.Matrix {
	return tensor.Matrix{Data: data[:rows*cols], Rows: rows, Cols: cols, Stride: cols}
}

// finalLogits computes the logits [n,width] that the metric reads from
// normalized residuals [n,D], row i being row rows[i] of the metric.
func (b *Bound) finalLogits(dst, normed tensor.Matrix, rows []int) {
	if b.columns == nil {
		b.Runs.Model().Unembed(dst, normed)
		return
	}
	n := dst.Cols
	columns := b.columns.Matrix()
	for i := range normed.Rows {
		at := rows[i] * n
		tensor.MulNT(dst.Slice(i, i+1), normed.Slice(i, i+1), columns.Slice(at, at+n), 1)
		tensor.Add(dst.Row(i), b.columnsB[at:at+n])
	}
	b.Runs.Model().CapLogits(dst)
}
