package study

import (
	"math"
	"time"

	"github.com/seed-2c350065/acdc/pkg/discover"
)

// Work is what a run has cost so far, in floating-point operations. Tests would
// not do for it: the last ones cost the most, since more is kept by then.
func Work(ev discover.Event) float64 { return float64(ev.Cost.FLOP) }

// Estimator foretells how long a run will take. Work grows as a power of the
// edges decided, by which one is read off the run so far: from half of the
// decided edges to all of them. What is left of it is done as fast as that half
// was.
type Estimator struct {
	Total   int      // edges to decide
	samples []sample // the first, and then whenever the edges decided have grown by 1 %
	last    sample
}

// sample is how far a run was at some time.
type sample struct {
	decided int
	work    float64
	at      time.Time
}

// Observe takes note of how far the run is.
func (e *Estimator) Observe(decided int, work float64, at time.Time) {
	e.last = sample{decided, work, at}
	if n := len(e.samples); n == 0 || float64(decided) >= 1.01*float64(e.samples[n-1].decided) {
		e.samples = append(e.samples, e.last)
	}
}

const (
	fewest     = 10 // edges decided before anything is foretold
	leastPower = 1  // an edge costs no less than those before it
	mostPower  = 4
)

// Left is the time until all edges are decided, false if nothing can be said.
// The time since the last edge was decided counts as spent.
func (e *Estimator) Left(now time.Time) (time.Duration, bool) {
	half, ok := e.half()
	if !ok {
		return 0, false
	}
	done, took := e.last.work-half.work, e.last.at.Sub(half.at)
	if done <= 0 || took <= 0 {
		return 0, false
	}
	rest := e.rest(half)
	seconds := rest/done*took.Seconds() - now.Sub(e.last.at).Seconds()
	return time.Duration(max(seconds, 0) * float64(time.Second)), true
}

// half is the sample at half of the decided edges; of a run that was continued
// beyond that, the first.
func (e *Estimator) half() (sample, bool) {
	if e.last.decided < fewest {
		return sample{}, false
	}
	at := e.samples[0]
	for _, s := range e.samples {
		if 2*s.decided > e.last.decided {
			break
		}
		at = s
	}
	return at, at.decided > 0 && at.decided < e.last.decided
}

// rest is the work that is left.
func (e *Estimator) rest(half sample) float64 {
	power := float64(leastPower)
	if half.work > 0 {
		power = growth(half.decided, e.last.decided, half.work, e.last.work)
	}
	power = min(max(power, leastPower), mostPower)
	return e.last.work * (math.Pow(float64(e.Total)/float64(e.last.decided), power) - 1)
}

// growth is the power of the edges decided as which something grew from one
// value to another.
func growth(decided, later int, from, to float64) float64 {
	return math.Log(to/from) / math.Log(float64(later)/float64(decided))
}
