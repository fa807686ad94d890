package study

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// A plan is held to whole runs, of which a part is taken for the trial: on a
// clock that goes by the work, which no other program disturbs, no run exceeds
// the bound, and nine of ten trials foretell a range in which the run ends.
func TestPlansHoldForRuns(t *testing.T) {
	const second = 1e9 // FLOP
	clock := func(flop int64) time.Duration { return time.Duration(float64(flop) / second * float64(time.Second)) }
	trials, within := 0, 0
	for i, s := range []struct {
		model, data string
		metric      metric.Name
		threshold   []float64
	}{
		{"random:2x4x32x64x50", "random:20x8", metric.KL, []float64{0.001, 0.1}},
		{"random:3x8x32x128x100", "random:20x10", metric.KL, []float64{0.003, 0.05}},
		{"random:3x8x32x128x100", "random:20x10", metric.LogitDiff, []float64{0.01, 0.1}},
		{"random:4x4x32x0x60", "random:10x16", metric.KL, []float64{0.005, 0.05}},
		{"random:6x4x16x64x40", "random:12x6", metric.LogitDiff, []float64{0.003, 0.03}},
	} {
		if !golden.Long { // one threshold of two
			s.threshold = s.threshold[i%2 : i%2+1]
		}
		for _, threshold := range s.threshold {
			for _, batch := range []int{0, 4} {
				in, err := Spec{Model: s.model, Data: s.data, Metric: s.metric}.Open(t.Context(), 2)
				require.NoError(t, err)
				c := in.Config(circuit.ACDC, false)
				c.Batch = batch
				e, err := patch.Bind(t.Context(), c)
				require.NoError(t, err)
				var seen []moment
				res, err := acdc.Algorithm{Threshold: threshold, Order: acdc.Normal}.Discover(t.Context(), discover.Request{Experiment: e,
					Observe: func(ev discover.Event) { seen = append(seen, moment{clock(ev.Cost.FLOP), ev.Decided, ev.Cost}) }})
				require.NoError(t, err)
				begin := 2 * clock(e.ForwardFLOP())
				whole := begin + clock(res.Cost.FLOP)
				for _, part := range []float64{0.02, 0.05, 0.1, 0.2, 0.4, 0.7} {
					n := 2
					for n < len(seen) && seen[n].at < time.Duration(part*float64(clock(res.Cost.FLOP))) {
						n++
					}
					p := Plan{Edges: e.Graph().NumEdges(), Begin: begin, Trial: Trial{Took: seen[n-1].at}}
					p.extrapolate(seen[:n], e)
					what := fmt.Sprintf("%s %s %g batch %d, %d of %d edges at %v of %v: about %v, %v to %v, at most %v", s.model, s.metric, threshold,
						batch, seen[n-1].decided, p.Edges, seen[n-1].at, whole, p.Likely, p.Low, p.High, p.Most)
					assert.LessOrEqual(t, whole, p.Most, what)
					assert.LessOrEqual(t, p.Low, p.Likely, what)
					assert.LessOrEqual(t, p.Likely, p.Most, what)
					trials++
					if p.Low <= whole && whole <= p.High {
						within++
					} else {
						t.Log(what)
					}
				}
				in.Close()
			}
		}
	}
	t.Logf("%d of %d trials", within, trials)
	assert.GreaterOrEqual(t, float64(within), 0.9*float64(trials), "of %d trials", trials)
}
