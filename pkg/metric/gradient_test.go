package metric_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// gradientCase is a metric bound to random data, with logits of both runs.
type gradientCase struct {
	targets        metric.Targets
	metric         *metric.Metric
	clean, patched [][]float32 // [rows,V]
}

// comparesAnswers are the metrics that count one position an example.
func comparesAnswers(name metric.Name) bool {
	return slices.Contains([]metric.Name{metric.LogitDiff, metric.ProbDiff, metric.Docstring, metric.FracCorrect}, name)
}

// randomCase draws data of a few examples, padded and masked as chance has it,
// with several counted positions an example or none where the metric allows it,
// and logits that differ by scale.
func randomCase(t *testing.T, name metric.Name, rng *rand.Rand, scale float64) gradientCase {
	t.Helper()
	b, length, vocab := 1+rng.IntN(4), 1+rng.IntN(5), 2+rng.IntN(30)
	tg := metric.Targets{Vocab: vocab}
	ids := func(n int) []int {
		out := make([]int, n)
		for i := range out {
			out[i] = rng.IntN(vocab)
		}
		return out
	}
	padded, masked := rng.IntN(2) == 0, rng.IntN(2) == 0
	for range b {
		tg.Clean, tg.Labels = append(tg.Clean, ids(length)), append(tg.Labels, ids(length))
		tg.Correct, tg.Wrong = append(tg.Correct, ids(1+rng.IntN(3))), append(tg.Wrong, ids(1+rng.IntN(4)))
		first := 0
		if padded {
			first = rng.IntN(length)
			tg.Pad = append(tg.Pad, first)
		}
		if masked {
			mask := make([]bool, length)
			if mask[first+rng.IntN(length-first)] = true; !comparesAnswers(name) {
				for p := first; p < length; p++ {
					mask[p] = rng.IntN(2) == 0
				}
				mask[length-1] = mask[length-1] || len(tg.Mask) == 0
			}
			tg.Mask = append(tg.Mask, mask)
		}
	}
	m, err := metric.New(name, tg)
	require.NoError(t, err)
	c := gradientCase{targets: tg, metric: m}
	for range m.Rows() {
		x, y := make([]float32, vocab), make([]float32, vocab)
		for v := range x {
			x[v] = float32(rng.NormFloat64() * 3)
			y[v] = x[v] + float32(rng.NormFloat64()*scale)
		}
		c.clean, c.patched = append(c.clean, x), append(c.patched, y)
	}
	m.SetClean(cleanLogits(m, c.clean))
	return c
}

// value is the metric's definition at row i, of all its logits.
func (c gradientCase) value(i int, y []float64) float64 {
	return definition(c.metric.Name(), c.targets, c.metric.Rows()[i], wide(c.clean[i]), y)
}

// gradient is the metric's own, of all logits of row i.
func (c gradientCase) gradient(t *testing.T, i int) []float64 {
	t.Helper()
	logits := readOf(c.metric, i, c.patched[i])
	before, grad := slices.Clone(logits), make([]float32, len(logits))
	for k := range grad {
		grad[k] = float32(math.NaN()) // every element is to be set
	}
	require.NoError(t, c.metric.Gradient(i, logits, grad))
	require.Equal(t, before, logits, "the logits stay")
	ids := c.metric.Tokens(i)
	if ids == nil {
		return wide(grad)
	}
	out := make([]float64, c.targets.Vocab)
	for k, id := range ids {
		out[id] += float64(grad[k])
	}
	return out
}

// differentiable are the metrics with a gradient.
func differentiable() []metric.Name {
	return slices.DeleteFunc(metric.Names(), func(n metric.Name) bool { return n == metric.FracCorrect })
}

// The gradient is the central difference of the definition; the value is the
// definition's.
func TestGradientAgainstFiniteDifferences(t *testing.T) {
	const h = 1e-5
	for _, name := range differentiable() {
		worst := 0.0
		for seed := range uint64(60) {
			for _, scale := range []float64{0, 1e-3, 0.3, 3, 30} {
				c := randomCase(t, name, rand.New(rand.NewPCG(seed, 77)), scale)
				for i := range c.metric.Rows() {
					y := wide(c.patched[i])
					want := c.value(i, y)
					require.InDelta(t, want, c.metric.Row(i, readOf(c.metric, i, c.patched[i])), 1e-5*(1+math.Abs(want)), "%s: value", name)
					for v, got := range c.gradient(t, i) {
						up, down := slices.Clone(y), slices.Clone(y)
						up[v], down[v] = y[v]+h, y[v]-h
						difference := (c.value(i, up) - c.value(i, down)) / (2 * h)
						if name == metric.Docstring && nearTie(c, i, h) {
							continue
						}
						worst = max(worst, math.Abs(got-difference)/(1+math.Abs(difference)))
					}
				}
			}
		}
		t.Logf("%s: largest error %.3g", name, worst)
		assert.Less(t, worst, 2e-7, name)
	}
}

// nearTie reports whether two wrong answers are so near to being the largest
// that a difference is not of one side.
func nearTie(c gradientCase, i int, h float64) bool {
	var values []float64
	for _, id := range c.targets.Wrong[c.metric.Rows()[i].Example] {
		values = append(values, float64(c.patched[i][id]))
	}
	slices.Sort(values)
	distinct := slices.Compact(values)
	n := len(distinct)
	return n > 1 && distinct[n-1]-distinct[n-2] < 2*h
}

// At the clean point the divergence and the distances are at their least: the
// gradient is 0 to the last bit.
func TestGradientAtTheCleanPoint(t *testing.T) {
	for _, name := range []metric.Name{metric.KL, metric.L2, metric.L2First} {
		for seed := range uint64(50) {
			c := randomCase(t, name, rand.New(rand.NewPCG(seed, 5)), 0)
			for i := range c.metric.Rows() {
				for _, g := range c.gradient(t, i) {
					require.Zero(t, g, name)
				}
			}
		}
	}
}

// A shift of all logits changes no probability, so that the gradient of what
// is computed from probabilities adds up to nothing.
func TestGradientsOfProbabilitiesAddUpToNothing(t *testing.T) {
	for _, name := range []metric.Name{metric.KL, metric.NLL, metric.MatchNLL, metric.ProbDiff} {
		for seed := range uint64(50) {
			c := randomCase(t, name, rand.New(rand.NewPCG(seed, 6)), 3)
			for i := range c.metric.Rows() {
				sum := 0.0
				for _, g := range c.gradient(t, i) {
					sum += g
				}
				require.InDelta(t, 0, sum, 3e-7, name)
			}
		}
	}
}

// Runs as far apart as float32 logits can be have finite gradients: q(v) − p(v)
// is then −1 and 1 at what each is sure of.
func TestGradientOfRunsFarApart(t *testing.T) {
	for _, size := range []float32{100, 1e4, 1e30} {
		clean, patched := []float32{size, 0, -size, 1}, []float32{0, 2, size, -size}
		for name, want := range map[metric.Name][]float32{
			metric.KL:       {-1, 0, 1, 0},
			metric.NLL:      {0, -1, 1, 0},
			metric.MatchNLL: {0, -1, 1, 0},
			metric.ProbDiff: {0, 0, 0, 0},
		} {
			m, err := metric.New(name, metric.Targets{Clean: [][]int{{0}}, Labels: [][]int{{1}}, Correct: [][]int{{2}}, Wrong: [][]int{{3}}, Vocab: 4})
			require.NoError(t, err)
			m.SetClean(tensor.From(slices.Clone(clean), 1, 4))
			grad := make([]float32, 4)
			require.NoError(t, m.Gradient(0, patched, grad))
			assert.InDeltaSlice(t, want, grad, 1e-12, "%s %g", name, size)
		}
	}
}

// What is nearly sure keeps its digits: 1 − q of the label is not what is left
// of a rounded q.
func TestGradientOfWhatIsNearlySure(t *testing.T) {
	m, err := metric.New(metric.NLL, metric.Targets{Clean: [][]int{{0}}, Labels: [][]int{{0}}, Vocab: 2})
	require.NoError(t, err)
	m.SetClean(tensor.New(1, 2))
	grad := make([]float32, 2)
	require.NoError(t, m.Gradient(0, []float32{20, 0}, grad))
	assert.InEpsilon(t, -math.Exp(-20), float64(grad[0]), 1e-6)
	assert.InEpsilon(t, math.Exp(-20), float64(grad[1]), 1e-6)
}

func TestGradientOfEqualAnswers(t *testing.T) {
	m, err := metric.New(metric.Docstring, metric.Targets{Clean: [][]int{{0}}, Correct: [][]int{{0}}, Wrong: [][]int{{1, 2, 3}}, Vocab: 4})
	require.NoError(t, err)
	m.SetClean(tensor.New(1, 4))
	grad := make([]float32, 4)
	require.NoError(t, m.Gradient(0, []float32{1, 2, 5, 5}, grad))
	assert.Equal(t, []float32{-1, 0, 1, 0}, grad, "the first of the largest")
}

func TestStepsHaveNoGradient(t *testing.T) {
	c := randomCase(t, metric.FracCorrect, rand.New(rand.NewPCG(1, 1)), 1)
	n := len(c.metric.Tokens(0))
	err := c.metric.Gradient(0, make([]float32, n), make([]float32, n))
	assert.ErrorIs(t, err, metric.ErrNoGradient)
	assert.EqualError(t, err, "metric frac_correct: its value moves in steps and has no gradient to follow")
}
