package study

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

var epoch = time.Unix(1e9, 0)

// Work that grows as a power of the edges is foretold from the first tenth on, at
// whatever speed, and also by a run that was continued.
func TestEstimator(t *testing.T) {
	const edges, seconds = 2000, 3600.0
	for _, power := range []float64{1, 1.5, 2, 3} {
		for _, from := range []int{1, 500} {
			at := func(decided int) float64 { return math.Pow(float64(decided)/edges, power) } // of all work
			moment := func(decided int) time.Time {
				return epoch.Add(time.Duration((at(decided) - at(from)) * seconds * float64(time.Second)))
			}
			e := Estimator{Total: edges}
			for decided := from; decided <= edges; decided++ {
				e.Observe(decided, 1e12*at(decided), moment(decided))
				left, ok := e.Left(moment(decided))
				if decided < max(from+50, edges/10) {
					continue
				}
				require.True(t, ok)
				want := (1 - at(decided)) * seconds
				assert.InEpsilon(t, 1+want, 1+left.Seconds(), 0.02, "power %g from %d: %d decided", power, from, decided)
			}
			assert.LessOrEqual(t, len(e.samples), 800)
		}
	}
}

func TestEstimatorKnowsNothing(t *testing.T) {
	e := Estimator{Total: 100}
	_, ok := e.Left(epoch)
	assert.False(t, ok, "nothing observed")
	for decided := 1; decided < fewest; decided++ {
		e.Observe(decided, float64(decided), epoch.Add(time.Duration(decided)*time.Second))
		_, ok = e.Left(epoch)
		assert.False(t, ok, "%d edges", decided)
	}
	frozen := Estimator{Total: 100}
	for decided := 1; decided < 50; decided++ {
		frozen.Observe(decided, float64(decided), epoch)
		_, ok = frozen.Left(epoch)
		assert.False(t, ok, "a clock that stands still")
	}
}

// Waiting for an edge is time that is no longer left, and never less than none.
func TestEstimatorCountsDown(t *testing.T) {
	e := Estimator{Total: 100}
	for decided := 1; decided <= 50; decided++ {
		e.Observe(decided, float64(decided), epoch.Add(time.Duration(decided)*time.Second))
	}
	for wait, want := range map[time.Duration]time.Duration{0: 50 * time.Second, 20 * time.Second: 30 * time.Second, time.Hour: 0} {
		left, ok := e.Left(epoch.Add(50*time.Second + wait))
		require.True(t, ok)
		assert.InDelta(t, want.Seconds(), left.Seconds(), 1e-6)
	}
}

// In a real run, the clock of which goes by the work, what is foretold from a
// fifth of the edges on is right within a factor of three of all the time.
func TestEstimatorOfARun(t *testing.T) {
	in, err := Spec{Task: "induction"}.Open(t.Context(), 1)
	require.NoError(t, err)
	defer in.Close()
	e, err := patch.Bind(context.Background(), in.Config(circuit.ACDC, false))
	require.NoError(t, err)
	var events []discover.Event
	_, err = acdc.Algorithm{Threshold: in.Task.Threshold, Order: acdc.Normal}.Discover(context.Background(), discover.Request{Experiment: e,
		Observe: func(ev discover.Event) { events = append(events, ev) }})
	require.NoError(t, err)
	whole := Work(events[len(events)-1])
	moment := func(w float64) time.Time { return epoch.Add(time.Duration(w / whole * float64(time.Hour))) }
	est := Estimator{Total: e.Graph().NumEdges()}
	for _, ev := range events {
		est.Observe(ev.Decided, Work(ev), moment(Work(ev)))
		if 5*ev.Decided < est.Total {
			continue
		}
		left, ok := est.Left(moment(Work(ev)))
		require.True(t, ok)
		spent := Work(ev) / whole
		told := spent + left.Hours() // of the whole run
		t.Logf("%d decided: %.2f spent, %.2f foretold in all", ev.Decided, spent, told)
		assert.Less(t, told, 3.0, "%d of %d decided", ev.Decided, est.Total)
		assert.Greater(t, told, 1.0/3, "%d of %d decided", ev.Decided, est.Total)
	}
}
