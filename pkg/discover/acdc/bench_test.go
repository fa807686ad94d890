package acdc_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// BenchmarkInduction is the golden induction run at τ = 0.1, without loading
// and binding.
func BenchmarkInduction(b *testing.B) {
	m := golden.Model(b, "induction-attn2l")
	for _, threads := range []int{1, 2} {
		for _, speculate := range []int{1, 0} {
			b.Run(fmt.Sprintf("threads=%d/speculate=%d", threads, speculate), func(b *testing.B) {
				e, err := patch.Bind(b.Context(), golden.Bound(b, m, "induction-attn2l", golden.Run{Metric: "kl_div", Ablation: "resample"}, threads))
				require.NoError(b, err)
				b.ReportAllocs()
				var cost float64
				tests := 0
				for b.Loop() {
					res, err := acdc.Algorithm{Threshold: 0.1, Speculate: speculate}.Discover(context.Background(), discover.Request{Experiment: e})
					require.NoError(b, err)
					cost, tests = res.Cost.ForwardPasses, res.Cost.Tests
				}
				b.ReportMetric(cost, "forwards/op")
				b.ReportMetric(float64(tests*b.N)/b.Elapsed().Seconds(), "tests/s")
			})
		}
	}
}
