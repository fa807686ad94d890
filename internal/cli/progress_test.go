package cli

import (
	"bytes"
	"context"
	"math"
	"os"
	"regexp"
	"strings"
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
			e := estimator{total: edges}
			for decided := from; decided <= edges; decided++ {
				e.observe(decided, 1e12*at(decided), moment(decided))
				left, ok := e.left(moment(decided))
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
	e := estimator{total: 100}
	_, ok := e.left(epoch)
	assert.False(t, ok, "nothing observed")
	for decided := 1; decided < fewest; decided++ {
		e.observe(decided, float64(decided), epoch.Add(time.Duration(decided)*time.Second))
		_, ok = e.left(epoch)
		assert.False(t, ok, "%d edges", decided)
	}
	frozen := estimator{total: 100}
	for decided := 1; decided < 50; decided++ {
		frozen.observe(decided, float64(decided), epoch)
		_, ok = frozen.left(epoch)
		assert.False(t, ok, "a clock that stands still")
	}
}

// Waiting for an edge is time that is no longer left, and never less than none.
func TestEstimatorCountsDown(t *testing.T) {
	e := estimator{total: 100}
	for decided := 1; decided <= 50; decided++ {
		e.observe(decided, float64(decided), epoch.Add(time.Duration(decided)*time.Second))
	}
	for wait, want := range map[time.Duration]time.Duration{0: 50 * time.Second, 20 * time.Second: 30 * time.Second, time.Hour: 0} {
		left, ok := e.left(epoch.Add(50*time.Second + wait))
		require.True(t, ok)
		assert.InDelta(t, want.Seconds(), left.Seconds(), 1e-6)
	}
}

// In a real run, the clock of which goes by the work, what is foretold from a
// fifth of the edges on is right within a factor of three of all the time.
func TestEstimatorOfARun(t *testing.T) {
	o := discoverArgs(t, "--task", "induction")
	in, err := o.spec.Open(t.Context(), 0)
	require.NoError(t, err)
	defer in.Close()
	c, err := o.config(in)
	require.NoError(t, err)
	e, err := patch.Bind(context.Background(), c)
	require.NoError(t, err)
	var events []discover.Event
	_, err = acdc.Algorithm{Threshold: in.Task.Threshold, Order: acdc.Normal}.Discover(context.Background(), discover.Request{Experiment: e,
		Observe: func(ev discover.Event) { events = append(events, ev) }})
	require.NoError(t, err)
	whole := work(events[len(events)-1])
	moment := func(w float64) time.Time { return epoch.Add(time.Duration(w / whole * float64(time.Hour))) }
	est := estimator{total: e.Graph().NumEdges()}
	for _, ev := range events {
		est.observe(ev.Decided, work(ev), moment(work(ev)))
		if 5*ev.Decided < est.total {
			continue
		}
		left, ok := est.left(moment(work(ev)))
		require.True(t, ok)
		spent := work(ev) / whole
		told := spent + left.Hours() // of the whole run
		t.Logf("%d decided: %.2f spent, %.2f foretold in all", ev.Decided, spent, told)
		assert.Less(t, told, 3.0, "%d of %d decided", ev.Decided, est.total)
		assert.Greater(t, told, 1.0/3, "%d of %d decided", ev.Decided, est.total)
	}
}

// A line says all, in the course of a run.
func TestProgressLine(t *testing.T) {
	now := epoch
	p := newProgress(&bytes.Buffer{}, 1000, func() time.Time { return now })
	assert.Equal(t, "acdc: 0 of 1,000 edges decided, 0 kept, 0 forward passes, 0.01 ms so far", p.line())
	for decided := 1; decided <= 500; decided++ {
		now = now.Add(time.Second)
		p.update(discover.Event{Test: discover.Test{Kept: decided%100 == 0}, Tests: decided, Decided: decided, Total: 1000,
			Cost: circuit.Cost{FLOP: int64(decided) * 1e9, ForwardPasses: float64(decided) / 4}})
	}
	assert.Equal(t, "acdc: 500 of 1,000 edges decided, 5 kept, 125 forward passes, 8 min so far, about 8 min left", p.line())
}

// signalled tells when it was written to.
type signalled struct {
	bytes.Buffer
	wrote chan struct{}
}

func (s *signalled) Write(b []byte) (int, error) {
	defer func() { s.wrote <- struct{}{} }()
	return s.Buffer.Write(b)
}

// Each tick and each signal prints one line, until the run ends.
func TestProgressListens(t *testing.T) {
	w := &signalled{wrote: make(chan struct{})}
	p := newProgress(w, 10, func() time.Time { return epoch })
	ticks, signals := make(chan time.Time), make(chan os.Signal)
	p.stopped.Go(func() { p.listen(ticks, signals) })
	ticks <- epoch
	<-w.wrote
	signals <- os.Interrupt
	<-w.wrote
	p.clear()
	assert.Equal(t, 2, strings.Count(w.String(), "acdc: 0 of 10 edges decided"))
	assert.Regexp(t, regexp.MustCompile(`\A(acdc: .*\n){2}\z`), w.String())
}
