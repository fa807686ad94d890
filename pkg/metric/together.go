package metric

import (
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// together is a formula that takes several rows faster at a time.
type together interface {
	rowsOf(rows []int, logits tensor.Matrix, values []float64)
}

// RowsOf sets values[i] to Row of row rows[i] and row i of logits, which it may
// overwrite, to the bit.
func (m *Metric) RowsOf(rows []int, logits tensor.Matrix, values []float64) {
	if len(rows) != logits.Rows || len(values) != logits.Rows {
		panic(fmt.Sprintf("metric: RowsOf of %s: %d rows and %d values of %d rows of logits", m.name, len(rows), len(values), logits.Rows))
	}
	m.checkClean("RowsOf")
	f, ok := m.formula.(together)
	for i, row := range rows {
		if m.check("RowsOf", row, logits.Cols); !ok {
			values[i] = m.formula.row(row, logits.Row(i))
		}
	}
	if ok {
		f.rowsOf(rows, logits, values)
	}
}

// termRows is how many rows' terms are held at a time.
const termRows = 32

func (m *kl) rowsOf(rows []int, logits tensor.Matrix, values []float64) {
	var mean, beyond [termRows]float64
	var largest [termRows]float32
	p, x := m.probs.Matrix(), m.clean.Matrix()
	for lo := 0; lo < len(rows); lo += termRows {
		n := min(termRows, len(rows)-lo)
		tensor.KLTermsRows(mean[:n], beyond[:n], largest[:n], p, x, rows[lo:lo+n], logits.Slice(lo, lo+n))
		for i, row := range rows[lo : lo+n] {
			kl, ok := Terms{mean[i], beyond[i], float64(largest[i])}.divergence(m.sums[row])
			if !ok {
				kl = klFar(m.clean.Row(row), logits.Row(lo+i))
			}
			values[lo+i] = kl
		}
	}
}
