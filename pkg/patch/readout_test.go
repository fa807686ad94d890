package patch_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Rows that are measured where they are computed, some at a time, have the bits
// of those that are measured together, for every metric, and for streams near to
// the clean run's and far from it.
func TestMeasureOnIsMeasure(t *testing.T) {
	near := 0
	for _, name := range metric.Names() {
		for seed := range uint64(6) {
			rng := rand.New(rand.NewPCG(seed, 4))
			c := golden.RandomConfig(rng)
			data := golden.RandomData(rng, c)
			data.Mask = golden.MaskFor(name, data.Mask)
			e, err := patch.Bind(t.Context(), patch.Config{Model: golden.RandomModel(t, c, seed), Data: data, Metric: name, Ablation: "zero", Threads: 2})
			require.NoError(t, err)
			b := e.Whole()
			r := patch.NewReadout(b)
			if !r.Near() {
				continue
			}
			near++
			for _, scale := range []float32{0, 1e-3, 1, 1000} {
				x, rows := b.OutputRows(b.Clean.Out.Matrix()), []int(nil)
				for i := range x.Rows {
					rows = append(rows, i)
					for j := range x.Cols {
						x.Row(i)[j] += scale * float32(rng.NormFloat64())
					}
				}
				want, got := make([]float64, x.Rows), make([]float64, x.Rows)
				r.Measure(x, rows, want)
				for i := 0; i < x.Rows; i += 2 {
					to := min(i+2, x.Rows)
					r.MeasureOn(i/2%2, x.Slice(i, to), tensor.New(to-i, x.Cols).Matrix(), rows[i:to], got[i:to])
				}
				assert.Equal(t, want, got, "%s, scale %g", name, scale)
			}
		}
	}
	assert.Greater(t, near, 20)
}
