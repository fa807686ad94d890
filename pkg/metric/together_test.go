package metric_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Rows taken together have the bits of rows taken one by one, of every metric,
// also where runs are far apart.
func TestRowsOfIsRow(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	const examples, positions, vocab = 9, 6, 40
	tg := metric.Targets{Vocab: vocab}
	for range examples {
		tokens := make([]int, positions)
		for i := range tokens {
			tokens[i] = rng.IntN(vocab)
		}
		tg.Clean, tg.Labels = append(tg.Clean, tokens), append(tg.Labels, tokens)
		tg.Correct, tg.Wrong = append(tg.Correct, []int{1, 2}), append(tg.Wrong, []int{3, 4})
	}
	for _, name := range metric.Names() {
		if tg.Mask = nil; name == metric.KL {
			for range examples {
				tg.Mask = append(tg.Mask, []bool{true, true, false, true, true, true}) // 45 rows: more than are held at a time
			}
		}
		m, err := metric.New(name, tg)
		require.NoError(t, err)
		width := vocab
		if ids := m.Tokens(0); ids != nil {
			width = len(ids)
		}
		clean := tensor.New(len(m.Rows()), width)
		for i := range clean.Data {
			clean.Data[i] = float32(3 * rng.NormFloat64())
		}
		m.SetClean(clean.Clone())
		logits, rows := tensor.New(len(m.Rows()), width), rng.Perm(len(m.Rows()))
		for i, row := range rows {
			scale := float32([]float64{0, 0.01, 1, 60}[i%4])
			for j, v := range clean.Row(row) {
				logits.Row(i)[j] = v + scale*float32(rng.NormFloat64())
			}
		}
		want, got := make([]float64, len(rows)), make([]float64, len(rows))
		for i, row := range rows {
			want[i] = m.Row(row, append([]float32(nil), logits.Row(i)...))
		}
		m.RowsOf(rows, logits.Matrix(), got)
		assert.Equal(t, want, got, "%s", name)
		assert.Panics(t, func() { m.RowsOf(rows[:1], logits.Matrix(), got) })
	}
}
