package study

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// BenchmarkMethods is every method on the builtin model mini and IOI, without
// loading and binding; those that learn make five steps.
func BenchmarkMethods(b *testing.B) {
	in, err := Spec{Task: "ioi", Model: "mini", Metric: metric.LogitDiff}.Open(b.Context(), 2)
	require.NoError(b, err)
	defer in.Close()
	e, err := patch.Bind(b.Context(), in.Config(circuit.ACDC, false))
	require.NoError(b, err)
	for _, name := range Algorithms() {
		m := Method{Algorithm: name}
		if of(algorithm{name: name}, learning...) {
			m.Steps = 5
		}
		a, err := m.Resolve(in.Task, e.Graph())
		require.NoError(b, err)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			cost := 0.0
			for b.Loop() {
				res, err := a.Discover(b.Context(), discover.Request{Experiment: e})
				require.NoError(b, err)
				cost = res.Cost.ForwardPasses
			}
			b.ReportMetric(cost, "forwards/op")
		})
	}
}
