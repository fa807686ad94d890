package compare_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-2c350065/acdc/pkg/compare"
)

// The examples of SciPy's documentation, and what is clear without any.
func TestKnownCorrelations(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct{ x, y []float64 }{{nil, nil}, {[]float64{1}, []float64{2}}, {[]float64{1, 1, 1}, []float64{1, 2, 3}}, {[]float64{1, nan}, []float64{1, 2}}} {
		assert.True(t, math.IsNaN(compare.Spearman(c.x, c.y)), c)
		assert.True(t, math.IsNaN(compare.Kendall(c.x, c.y)), c)
	}
	assert.InDelta(t, 0.8207826816681233, compare.Spearman([]float64{1, 2, 3, 4, 5}, []float64{5, 6, 7, 8, 7}), 1e-15)
	assert.InDelta(t, -0.47140452079103173, compare.Kendall([]float64{12, 2, 1, 12, 2}, []float64{1, 4, 7, 1, 0}), 1e-15)
	for _, correlation := range []func(x, y []float64) float64{compare.Spearman, compare.Kendall} {
		assert.InDelta(t, 1, correlation([]float64{1, 2, 2, 9}, []float64{-5, 0, 0, .1}), 1e-15)
		assert.InDelta(t, -1, correlation([]float64{1, 2, 3}, []float64{7, 0, -1}), 1e-15)
	}
}

// Kendall's tau-b pair by pair, and Spearman's coefficient by counting, on random
// lists with many ties.
func TestCorrelationsAreTheirDefinitions(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		n := 2 + rng.IntN(60)
		x, y := make([]float64, n), make([]float64, n)
		values := 2 + rng.IntN(20)
		for i := range x {
			x[i], y[i] = float64(rng.IntN(values)), float64(rng.IntN(values))
		}
		var order, tiedX, tiedY, pairs float64
		rankX, rankY := make([]float64, n), make([]float64, n)
		for i := range x {
			for j := range x {
				rankX[i] += half(x[j], x[i])
				rankY[i] += half(y[j], y[i])
				if j >= i {
					continue
				}
				pairs++
				order += sign(x[i]-x[j]) * sign(y[i]-y[j])
				if x[i] == x[j] {
					tiedX++
				}
				if y[i] == y[j] {
					tiedY++
				}
			}
		}
		same(t, order/math.Sqrt((pairs-tiedX)*(pairs-tiedY)), compare.Kendall(x, y))
		same(t, pearson(rankX, rankY), compare.Spearman(x, y))
	}
}

// half counts a value below another as one, an equal one as a half.
func half(below, x float64) float64 {
	switch {
	case below < x:
		return 1
	case below == x:
		return .5
	}
	return 0
}

func sign(x float64) float64 {
	if x == 0 {
		return 0
	}
	return math.Copysign(1, x)
}

func pearson(x, y []float64) float64 {
	n := float64(len(x))
	var sx, sy, xy, xx, yy float64
	for i := range x {
		sx, sy, xy, xx, yy = sx+x[i], sy+y[i], xy+x[i]*y[i], xx+x[i]*x[i], yy+y[i]*y[i]
	}
	return (n*xy - sx*sy) / math.Sqrt((n*xx-sx*sx)*(n*yy-sy*sy))
}

func same(t *testing.T, want, got float64) {
	t.Helper()
	if math.IsNaN(want) {
		assert.True(t, math.IsNaN(got))
		return
	}
	assert.InDelta(t, want, got, 1e-9)
}
