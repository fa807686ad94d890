package metric_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// targets are two examples of three tokens over a vocabulary of four.
func targets() metric.Targets {
	return metric.Targets{
		Clean:   [][]int{{0, 1, 2}, {3, 2, 1}},
		Mask:    [][]bool{{true, true, false}, {false, true, false}},
		Correct: [][]int{{1}, {2}}, Wrong: [][]int{{0}, {3}}, Vocab: 4,
	}
}

func TestFormulas(t *testing.T) {
	clean := [][]float32{{1, 2, 0, -1}, {0.5, 0, 3, 1}, {-2, 1, 1, 0}}
	patched := [][]float32{{0, 1, 0.5, 2}, {1, 1, 1, 1}, {-1, 2, 0, 0.25}}
	lp := func(x []float32, i int) float64 { return logSoftmax(wide(x))[i] }
	kl := func(i int) float64 {
		s := 0.0
		for v := range 4 {
			s += math.Exp(lp(clean[i], v)) * (lp(clean[i], v) - lp(patched[i], v))
		}
		return s
	}
	l2 := func(i int) float64 {
		s := 0.0
		for v := range 4 {
			s += math.Pow(float64(clean[i][v]-patched[i][v]), 2)
		}
		return s / 4
	}
	labels := []int{1, 2, 1} // the next clean tokens at rows (0,0), (0,1), (1,1)
	for name, want := range map[metric.Name]func(i int) float64{
		metric.KL: kl, metric.L2: l2,
		metric.L2First:  func(i int) float64 { return math.Pow(float64(clean[i][0]-patched[i][0]), 2) },
		metric.NLL:      func(i int) float64 { return -lp(patched[i], labels[i]) },
		metric.MatchNLL: func(i int) float64 { return lp(clean[i], labels[i]) - lp(patched[i], labels[i]) },
	} {
		m, err := metric.New(name, targets())
		require.NoError(t, err)
		require.Equal(t, []metric.Row{{0, 0}, {0, 1}, {1, 1}}, m.Rows())
		m.SetClean(cleanLogits(m, clean))
		values := make([]float64, 3)
		for i := range values {
			values[i] = m.Row(i, readOf(m, i, patched[i]))
			assert.InDelta(t, want(i), values[i], 1e-6, "%s row %d", name, i)
		}
		assert.InDelta(t, (want(0)+want(1)+want(2))/3, m.Mean(values), 1e-6)
		per := m.PerExample(values, 3)
		assert.InDelta(t, (want(0)+want(1))/2, per[0], 1e-6)
		assert.InDelta(t, want(2), per[1], 1e-6)
		assert.True(t, math.IsNaN(per[2]))
	}
}

// A mask says for every metric which positions count.
func TestAnswersAreComparedAtTheMaskedPosition(t *testing.T) {
	for _, name := range []metric.Name{metric.LogitDiff, metric.ProbDiff, metric.Docstring, metric.FracCorrect} {
		for what, c := range map[string]struct {
			mask [][]bool
			want []metric.Row
		}{
			"none":           {nil, []metric.Row{{0, 2}, {1, 2}}},
			"one an example": {[][]bool{{true, false, false}, {false, true, false}}, []metric.Row{{0, 0}, {1, 1}}},
			"none of one":    {[][]bool{{false, false, false}, {false, true, false}}, []metric.Row{{1, 1}}},
			"the last":       {[][]bool{{false, false, true}, {false, false, true}}, []metric.Row{{0, 2}, {1, 2}}},
		} {
			tg := targets()
			tg.Mask = c.mask
			m, err := metric.New(name, tg)
			require.NoError(t, err)
			assert.Equal(t, c.want, m.Rows(), "%s, mask: %s", name, what)
		}
		_, err := metric.New(name, targets())
		assert.EqualError(t, err, "metric "+string(name)+`: "mask": expected one counted position an example, at which its answers are compared, found 2 in example 0`)
	}
}

func TestAnswersOfOneToken(t *testing.T) {
	for _, name := range []metric.Name{metric.LogitDiff, metric.FracCorrect} {
		tg := targets()
		tg.Mask = nil
		m, err := metric.New(name, tg)
		require.NoError(t, err)
		assert.Equal(t, []int{2, 3}, m.Tokens(1))
		m.SetClean(tensor.New(2, 2))
		if name == metric.LogitDiff {
			assert.InDelta(t, -1.5, m.Row(0, []float32{2, 0.5}), 1e-7)
			continue
		}
		assert.Equal(t, -1.0, m.Row(0, []float32{2, 0.5}))
		assert.Equal(t, 0.0, m.Row(0, []float32{0.5, 0.5}), "a tie is not correct")
	}
}

func TestSeveralAnswers(t *testing.T) {
	several := targets()
	several.Mask = nil
	several.Correct, several.Wrong = [][]int{{1, 2}, {2}}, [][]int{{0}, {3, 1}}
	logits := [][]float32{{1, 2, 0.5, -1}, {0.5, 0, 3, 1}}
	p := func(i, id int) float64 { return math.Exp(logSoftmax(wide(logits[i]))[id]) }
	for name, want := range map[metric.Name][2]float64{
		metric.LogitDiff:   {-(1.25 - 1), -(3 - 0.5)},
		metric.Docstring:   {-(1.25 - 1), -(3 - 1)},
		metric.FracCorrect: {-1, -1},
		metric.ProbDiff:    {-(p(0, 1) + p(0, 2) - p(0, 0)), -(p(1, 2) - p(1, 3) - p(1, 1))},
	} {
		m, err := metric.New(name, several)
		require.NoError(t, err)
		assert.Equal(t, []metric.Row{{0, 2}, {1, 2}}, m.Rows())
		m.SetClean(cleanLogits(m, logits))
		for i := range logits {
			if ids := m.Tokens(i); ids != nil {
				require.Len(t, ids, 3, "as many for every row")
			}
			assert.InDelta(t, want[i], m.Row(i, readOf(m, i, logits[i])), 1e-6, "%s row %d", name, i)
		}
	}
}

func TestPaddingIsNotRead(t *testing.T) {
	padded := targets()
	padded.Mask, padded.Pad = nil, []int{1, 2}
	for name, want := range map[metric.Name][]metric.Row{
		metric.L2: {{0, 2}, {1, 2}}, // all but the first token, but a lonely one
		metric.KL: {{0, 2}, {1, 2}},
	} {
		m, err := metric.New(name, padded)
		require.NoError(t, err)
		assert.Equal(t, want, m.Rows(), name)
	}
}

func TestIdenticalRunsAreExactlyZero(t *testing.T) {
	m, err := metric.New(metric.KL, targets())
	require.NoError(t, err)
	base := tensor.New(3, 4)
	for i := range base.Data {
		base.Data[i] = float32(i%5) * 1.7
	}
	same := base.Clone()
	m.SetClean(base)
	for i := range 3 {
		assert.Zero(t, m.Row(i, same.Row(i)))
	}
}

func TestDefaultPositions(t *testing.T) {
	tg := targets()
	tg.Mask = nil
	for name, want := range map[metric.Name][]metric.Row{
		metric.KL: {{0, 2}, {1, 2}}, metric.NLL: {{0, 2}, {1, 2}}, metric.L2: {{0, 1}, {0, 2}, {1, 1}, {1, 2}},
	} {
		m, err := metric.New(name, tg)
		require.NoError(t, err)
		assert.Equal(t, want, m.Rows(), name)
	}
	tg.Clean = [][]int{{0}, {1}}
	m, err := metric.New(metric.L2, tg)
	require.NoError(t, err)
	assert.Equal(t, []metric.Row{{0, 0}, {1, 0}}, m.Rows())
}

func TestErrorsNameWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		name   metric.Name
		change func(*metric.Targets)
		want   string
	}{
		{"klx", func(*metric.Targets) {}, `unknown metric "klx": expected one of kl_div, logit_diff`},
		{metric.KL, func(t *metric.Targets) { t.Mask = [][]bool{{false, false, false}, {false, false, false}} }, `"mask" counts no position`},
		{metric.LogitDiff, func(t *metric.Targets) {
			t.Mask = make([][]bool, 2)
			t.Mask[0], t.Mask[1] = make([]bool, 3), make([]bool, 3)
		}, `"mask" counts no position`},
		{metric.LogitDiff, func(t *metric.Targets) { t.Mask[1][2] = true; t.Mask[0][1] = false }, `metric logit_diff: "mask": expected one counted position an example, at which its answers are compared, found 2 in example 1`},
		{metric.LogitDiff, func(t *metric.Targets) { t.Correct = nil }, `the data have no "correct"`},
		{metric.ProbDiff, func(t *metric.Targets) { t.Wrong[1] = nil }, `"wrong": expected at least one token id an example, found none in example 1`},
		{metric.LogitDiff, func(t *metric.Targets) { t.Wrong = nil }, `the data have no "wrong"`},
		{metric.FracCorrect, func(t *metric.Targets) { t.Wrong = [][]int{{1}} }, `expected token ids for each of 2 examples, found them for 1`},
		{metric.LogitDiff, func(t *metric.Targets) { t.Wrong = [][]int{{1}, {4}} }, `expected token ids from 0 to 3, found 4 in example 1`},
		{metric.NLL, func(t *metric.Targets) { t.Mask, t.Correct = nil, nil }, `the last position has no next token`},
		{metric.NLL, func(t *metric.Targets) { t.Labels = [][]int{{9, 9, 9}, {9, 9, 9}} }, `expected labels from 0 to 3, found 9`},
	} {
		tg := targets()
		c.change(&tg)
		_, err := metric.New(c.name, tg)
		require.Error(t, err)
		assert.Contains(t, err.Error(), c.want)
	}
}

// A method used wrongly says which, in the caller's goroutine.
func TestMisuse(t *testing.T) {
	bind := func(name metric.Name) *metric.Metric {
		tg := targets()
		tg.Mask = nil
		m, err := metric.New(name, tg)
		require.NoError(t, err)
		return m
	}
	bound := func(name metric.Name) *metric.Metric {
		m := bind(name)
		m.SetClean(tensor.New(len(m.Rows()), len(readOf(m, 0, make([]float32, 4)))))
		return m
	}
	row := func() []float32 { return make([]float32, 4) }
	for want, f := range map[string]func(){
		"metric: Row of kl_div before SetClean":                                        func() { bind(metric.KL).Row(0, row()) },
		"metric: Gradient of l2 before SetClean":                                       func() { _ = bind(metric.L2).Gradient(0, row(), row()) },
		"metric: Terms of kl_div before SetClean":                                      func() { bind(metric.KL).Terms(0, 0, row()) },
		"metric: Terms of nll, which is not computed in parts":                         func() { bound(metric.NLL).Terms(0, 0, row()) },
		"metric: FromTerms of kl_div: expected a row from 0 to 1, found 2":             func() { bound(metric.KL).FromTerms(2, nil) },
		"metric: SetClean of kl_div: expected logits [2 4], found [2 3]":               func() { bind(metric.KL).SetClean(tensor.New(2, 3)) },
		"metric: SetClean of logit_diff: expected logits [2 2], found [1 2]":           func() { bind(metric.LogitDiff).SetClean(tensor.New(1, 2)) },
		"metric: Row of nll: expected a row from 0 to 1, found -1":                     func() { bound(metric.NLL).Row(-1, row()) },
		"metric: Row of docstring: expected 2 logits, found 4":                         func() { bound(metric.Docstring).Row(0, row()) },
		"metric: Gradient of kl_div: expected room for 4 derivatives, found 3":         func() { _ = bound(metric.KL).Gradient(0, row(), row()[:3]) },
		"metric: SetClean of nll, which was set":                                       func() { bound(metric.NLL).SetClean(tensor.New(2, 4)) },
		"metric: Terms of kl_div: expected logits of tokens from 0 to 3, found 2 to 5": func() { bound(metric.KL).Terms(0, 2, row()) },
	} {
		assert.PanicsWithValue(t, want, f)
	}
}
