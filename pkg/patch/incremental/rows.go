package incremental

import (
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// layout says which rows of the B·T positions a State computes. Rows before
// the first position at which the runs can differ are left out, since they
// hold the same values in both; of the rest, some values are needed only where
// the metric reads.
type layout struct {
	b, t      int
	first     int   // the first position that is computed
	span      int   // positions computed an example: t − first
	full      []int // by active row, its row of all B·T
	positions []int // by active row, its place among the t
	ids       []int // by active row, its position, as embeddings count it
	metric    []int // by metric row that is computed, its active row
	index     []int // by metric row that is computed, its number among the metric's rows
	of        []int // by example, its first computed metric row; one more at the end
}

// newLayout lays out b examples of t positions, computed from position first,
// of which the metric reads the rows flat (of all B·T, ascending).
func newLayout(b, t, first int, flat []int, pad transformer.Padding) layout {
	l := layout{b: b, t: t, first: first, span: t - first, of: make([]int, b+1)}
	ids := pad.Positions(b, t)
	for e := range b {
		for p := first; p < t; p++ {
			l.full = append(l.full, e*t+p)
			l.positions = append(l.positions, p)
			l.ids = append(l.ids, ids[e*t+p])
		}
	}
	for i, row := range flat {
		e, p := row/t, row%t
		if p < first {
			continue
		}
		l.metric = append(l.metric, e*l.span+p-first)
		l.index = append(l.index, i)
		l.of[e+1]++
	}
	for e := range b {
		l.of[e+1] += l.of[e]
	}
	return l
}

// need says for which rows a value is needed.
type need uint8

const (
	nowhere  need = iota // no path leads on
	atMetric             // at the rows that the metric reads
	anywhere             // at every active row
)

// count is the number of rows that are needed.
func (l *layout) count(n need) int {
	if n == anywhere {
		return len(l.full)
	}
	return len(l.metric)
}

// chunk is a run of examples that is computed at a time, with the rows it
// covers.
type chunk struct {
	examples  [2]int
	active    [2]int // active rows
	metric    [2]int // computed metric rows
	full      []int  // by active row of the chunk, its row of all B·T
	fullAt    []int  // by metric row of the chunk, its row of all B·T
	rel       []int  // by metric row of the chunk, its active row within the chunk
	positions []int  // by active row of the chunk, its place among the t
	posAt     []int  // by metric row of the chunk
	ids       []int  // by active row of the chunk, its position, as embeddings count it
	idsAt     []int  // by metric row of the chunk
}

// chunkRows is how many active rows are computed at a time: enough for the
// matrix product, few enough for their activations to stay in the second-level
// cache.
const chunkRows = 256

// chunks cuts the examples into chunks, the same for any number of threads.
func (l *layout) chunks() []chunk {
	per := max(1, chunkRows/l.span)
	n := (l.b + per - 1) / per
	if n > 1 && n%2 == 1 {
		n++ // so that two threads share them evenly
	}
	out := make([]chunk, n)
	for i := range out {
		c := &out[i]
		lo, hi := i*l.b/n, (i+1)*l.b/n
		c.examples = [2]int{lo, hi}
		c.active = [2]int{lo * l.span, hi * l.span}
		c.metric = [2]int{l.of[lo], l.of[hi]}
		c.full, c.positions = l.full[c.active[0]:c.active[1]], l.positions[c.active[0]:c.active[1]]
		c.ids = l.ids[c.active[0]:c.active[1]]
		c.rel, c.fullAt = []int{}, []int{} // not nil, which would pick every row
		for _, row := range l.metric[c.metric[0]:c.metric[1]] {
			c.rel = append(c.rel, row-c.active[0])
			c.fullAt = append(c.fullAt, l.full[row])
			c.posAt = append(c.posAt, l.positions[row])
			c.idsAt = append(c.idsAt, l.ids[row])
		}
	}
	return out
}

// count is the number of the chunk's rows that are needed.
func (c *chunk) count(n need) int {
	if n == anywhere {
		return len(c.full)
	}
	return len(c.rel)
}

// at returns the positions, as embeddings count them, of the rows that are
// needed.
func (c *chunk) at(n need) []int {
	if n == anywhere {
		return c.ids
	}
	return c.idsAt
}

// extent says which rows a stored value has.
type extent uint8

const (
	everyRow   extent = iota // all B·T
	activeRows               // the active rows
	metricRows               // the metric rows that are computed
)

// extentOf is the extent of a value that is needed at the given rows.
func extentOf(n need) extent {
	if n == anywhere {
		return activeRows
	}
	return metricRows
}

// stored is a value of all examples.
type stored struct {
	m    tensor.Matrix
	rows extent
}

// picked is a value at the rows of one chunk that somebody needs: row i is row
// pick[i] of m, or row i where pick is nil.
type picked struct {
	m    tensor.Matrix
	pick []int
}

func (p picked) row(i int) []float32 {
	if p.pick != nil {
		i = p.pick[i]
	}
	return p.m.Row(i)
}

// pick takes from a stored value the rows of a chunk that are needed.
func (c *chunk) pick(v stored, n need) picked {
	switch {
	case v.rows == everyRow && n == anywhere:
		return picked{v.m, c.full}
	case v.rows == everyRow:
		return picked{v.m, c.fullAt}
	case v.rows == metricRows:
		return picked{v.m.Slice(c.metric[0], c.metric[1]), nil}
	case n == anywhere:
		return picked{v.m.Slice(c.active[0], c.active[1]), nil}
	}
	return picked{v.m.Slice(c.active[0], c.active[1]), c.rel}
}

// pickLocal does the same for a value of the chunk alone.
func (c *chunk) pickLocal(m tensor.Matrix, rows extent, n need) picked {
	if rows == activeRows && n == atMetric {
		return picked{m, c.rel}
	}
	return picked{m, nil}
}

// together returns the rows as a matrix, if they stand together.
func (p picked) together() (m tensor.Matrix, ok bool) {
	n := len(p.pick)
	switch {
	case p.pick == nil:
		return p.m, true
	case n == 0:
		return p.m.Slice(0, 0), true
	case p.pick[n-1]-p.pick[0] == n-1: // ascending, so without a gap
		return p.m.Slice(p.pick[0], p.pick[0]+n), true
	}
	return tensor.Matrix{}, false
}

// contiguous returns the n rows as a matrix, copying them to scratch unless
// they stand together already.
func (p picked) contiguous(n int, scratch []float32) tensor.Matrix {
	if m, ok := p.together(); ok {
		return m
	}
	out := view(scratch, n, p.m.Cols)
	p.copyTo(out)
	return out
}

// copyTo copies the rows.
func (p picked) copyTo(out tensor.Matrix) {
	for i := range out.Rows {
		copy(out.Row(i), p.row(i))
	}
}
