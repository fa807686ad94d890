package patch

import (
	"context"
	"fmt"
	"iter"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Bound is a batch of examples with the metric, which knows the clean run's
// logits.
type Bound struct {
	*ablate.Batch
	Rows          [2]int    // its rows of the experiment's metric
	CleanRows     []float64 // the metric of the clean run, row by row
	CorruptedRows []float64 // the metric of the corrupted run

	metric   *metric.Metric
	total    int            // rows of the experiment's metric
	room     int64          // bytes for a state's own values, -1 for no limit
	flat     []int          // by row of the metric, the row of all B·T that it reads
	columns  *tensor.Tensor // columns of W_U [rows·n,D], where the metric reads only n logits a row
	columnsB []float32      // their b_U
}

// bindTo binds some examples to a metric of their own data, of which rows are
// those of all, total in number.
func bindTo(ctx context.Context, batch *ablate.Batch, name metric.Name, rows [2]int, total int) (*Bound, error) {
	m, err := metric.New(name, targets(batch.Runs.Data().Part(batch.Lo, batch.Hi), batch.Runs.Model().Config))
	if err != nil {
		return nil, err
	}
	return newBound(ctx, batch, m, rows, total)
}

// newBound gives the metric the clean run's logits and measures both runs.
func newBound(ctx context.Context, batch *ablate.Batch, m *metric.Metric, rows [2]int, total int) (*Bound, error) {
	b := &Bound{Batch: batch, Rows: rows, metric: m, total: total}
	for _, r := range m.Rows() {
		b.flat = append(b.flat, r.Example*batch.Runs.Positions()+r.Position)
	}
	b.gatherColumns()
	clean, threads, model := b.OutputRows(batch.Clean.Out.Matrix()), batch.Runs.Threads(), batch.Runs.Model()
	logits := tensor.New(len(b.flat), logitsWidth(model.Config, m))
	all := count(len(b.flat))
	tensor.Parallel(clean.Rows, threads, func(lo, hi int) {
		if ctx.Err() != nil {
			return
		}
		normed := tensor.New(hi-lo, clean.Cols).Matrix()
		model.NormFinal(normed, clean.Slice(lo, hi))
		b.finalLogits(logits.Matrix().Slice(lo, hi), normed, all[lo:hi])
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.SetClean(logits)
	b.CleanRows, b.CorruptedRows = b.measure(clean), b.measure(b.OutputRows(batch.Corrupted.Out.Matrix()))
	return b, ctx.Err()
}

// Parts are the batch in parts of at most some examples, one after the other, in
// the same memory; those that the metric does not read are left out.
func (b *Bound) Parts(ctx context.Context, most int) iter.Seq2[*Bound, error] {
	if b.made(); most < 1 {
		panic(fmt.Sprintf("patch: Parts of at most %d examples", most))
	}
	return func(yield func(*Bound, error) bool) {
		n := b.Examples()
		if most >= n {
			yield(b, nil)
			return
		}
		row := 0
		for lo := 0; lo < n; lo += most {
			hi := min(lo+most, n)
			first := row
			for row < len(b.flat) && b.flat[row] < hi*b.Runs.Positions() {
				row++
			}
			if row == first {
				continue
			}
			part, err := b.part(ctx, lo, hi, [2]int{b.Rows[0] + first, b.Rows[0] + row})
			if !yield(part, err) || err != nil {
				return
			}
		}
	}
}

// part binds the batch's examples [lo,hi) to the metric.
func (b *Bound) part(ctx context.Context, lo, hi int, rows [2]int) (*Bound, error) {
	return bindTo(ctx, b.Batch.Part(lo, hi), b.metric.Name(), rows, b.total)
}

// made is the batch itself; it panics if no Experiment made it.
func (b *Bound) made() *Bound {
	if b == nil || b.Batch == nil || b.metric == nil {
		panic("patch: a batch that no Experiment made")
	}
	return b
}

// Room is how many bytes a state's own values may take, -1 for no limit.
func (b *Bound) Room() int64 { return b.room }

// count lists 0, 1, … n−1.
func count(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// gatherColumns gathers the columns of W_U where the metric reads only a few.
func (b *Bound) gatherColumns() {
	n, model := len(b.metric.Tokens(0)), b.Runs.Model()
	if n == 0 {
		return
	}
	rows, width, v := len(b.flat), model.Config.DModel, model.Config.VocabOut
	b.columns, b.columnsB = tensor.New(rows*n, width), make([]float32, rows*n)
	for i := range rows {
		for j, id := range b.metric.Tokens(i) {
			row := b.columns.Row(i*n + j)
			for k := range row {
				row[k] = model.Params.Unembed.Data[k*v+id]
			}
			b.columnsB[i*n+j] = model.Params.UnembedB[id]
		}
	}
}

// MetricRows lists, by row of the batch's metric, the row of the batch's B·T
// that it reads, ascending. The caller must not change it.
func (b *Bound) MetricRows() []int { return b.flat }

// OutputRows gathers the rows of a final residual stream [B·T,D] that the
// metric reads.
func (b *Bound) OutputRows(out tensor.Matrix) tensor.Matrix {
	rows := tensor.New(len(b.flat), out.Cols)
	for i, row := range b.flat {
		copy(rows.Row(i), out.Row(row))
	}
	return rows.Matrix()
}

// measure computes the metric's value of each of its rows, from gathered
// residuals.
func (b *Bound) measure(x tensor.Matrix) []float64 {
	values := make([]float64, x.Rows)
	NewReadout(b).Measure(x, count(x.Rows), values)
	return values
}

// Mean is the metric over the batch's own examples.
func (b *Bound) Mean(values []float64) float64 { return b.made().metric.Mean(values) }

// ForwardFLOP is the work of one plain forward pass over the batch, with the
// logits that the metric reads.
func (b *Bound) ForwardFLOP() int64 {
	return b.made().Runs.Model().Config.FLOP(b.Examples(), b.Runs.Positions(), 0) + int64(len(b.flat))*b.LogitsFLOP()
}

// LogitsFLOP is the work of one row's logits.
func (b *Bound) LogitsFLOP() int64 { return logitsFLOP(b.made().Runs.Model().Config, b.metric) }

func logitsFLOP(c transformer.Config, m *metric.Metric) int64 {
	return 2 * int64(c.DModel) * int64(logitsWidth(c, m))
}

// logitsWidth is the number of logits that a metric reads at a position.
func logitsWidth(c transformer.Config, m *metric.Metric) int {
	if ids := m.Tokens(0); ids != nil {
		return len(ids)
	}
	return c.VocabOut
}
