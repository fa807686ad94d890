package metric_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/misuse"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Nothing that is used wrongly ends in a panic that does not say so.
func TestEveryMisuse(t *testing.T) {
	fresh := func(name metric.Name, clean bool) func() any {
		return func() any {
			one := targets()
			one.Mask = nil
			one.Labels = [][]int{{1, 2, 3}, {1, 2, 3}}
			m, err := metric.New(name, one)
			require.NoError(t, err)
			if clean {
				width := targets().Vocab
				if ids := m.Tokens(0); ids != nil {
					width = len(ids)
				}
				m.SetClean(tensor.New(len(m.Rows()), width))
			}
			return m
		}
	}
	p := misuse.Package{
		Types: []any{&metric.Metric{}},
		Funcs: []any{metric.New, metric.Names, metric.ParseName, metric.LeastAtClean, metric.Softmax},
		Arguments: []any{tensor.New(1, 1), tensor.New(2, 5).Matrix(), tensor.Matrix{Rows: 3, Cols: 5, Stride: 5}, make([]float32, 5), make([]float64, 2), []int{-1, 9},
			make([]metric.Terms, 2)},
	}
	for _, name := range metric.Names() {
		p.Fresh = append(p.Fresh, fresh(name, false), fresh(name, true))
		p.Arguments = append(p.Arguments, name)
	}
	p.Arguments = append(p.Arguments, targets())
	for _, change := range []func(*metric.Targets){
		func(t *metric.Targets) { t.Clean = append(t.Clean, []int{1}) }, func(t *metric.Targets) { t.Mask = t.Mask[:1] },
		func(t *metric.Targets) { t.Mask, t.Pad = nil, []int{1} }, func(t *metric.Targets) { t.Mask, t.Pad = nil, []int{-1, 7} },
		func(t *metric.Targets) { t.Labels = [][]int{{1}} }, func(t *metric.Targets) { t.Mask, t.Correct = nil, [][]int{{1}} },
		func(t *metric.Targets) { t.Mask, t.Clean = nil, [][]int{{}, {1, 2}} }, func(t *metric.Targets) { t.Vocab = 0 },
	} {
		other := targets()
		change(&other)
		p.Arguments = append(p.Arguments, other)
	}
	misuse.Walk(t, p)
}
