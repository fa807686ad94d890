package study

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
)

// Plan is what a run would take.
type Plan struct {
	Edges  int
	Budget incremental.Budget
	Begin  time.Duration // to make the clean and the corrupted run
	Trial  Trial
	Low    time.Duration // the range in which the whole run is expected to end,
	High   time.Duration // and the time between, as the trial went on
	Likely time.Duration
	Most   time.Duration // that no run of these edges exceeds on this machine, as fast as it is now
}

// Trial is how far a run came in a short time.
type Trial struct {
	Took    time.Duration
	Decided int           // edges
	Tests   int           //
	Recent  time.Duration // of the last half of Decided
	Done    bool          // it came to its end
}

// trialTime is how long a trial lasts, unless the run is over before.
const trialTime = 1500 * time.Millisecond

// errTried ends a trial.
var errTried = errors.New("the trial ends")

// MakePlan binds a configuration, runs the first receivers as the method would,
// and says what the rest would take if it goes on like that. No file is written.
func MakePlan(ctx context.Context, c patch.Config, method discover.Algorithm) (Plan, error) {
	budget, err := incremental.Take(c)
	if err != nil {
		return Plan{}, err
	}
	start := time.Now()
	e, err := patch.Bind(ctx, c)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Edges: e.Graph().NumEdges(), Budget: budget, Begin: time.Since(start)}
	begun, trial := time.Now(), p.Trial
	var seen []moment
	tried, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	_, err = method.Discover(tried, discover.Request{Experiment: e, Observe: func(ev discover.Event) {
		seen = append(seen, moment{time.Since(begun), ev.Decided, ev.Cost})
		if trial.Tests = ev.Tests; time.Since(begun) > trialTime && len(seen) > 1 {
			stop(errTried)
		}
	}})
	if err != nil && (ctx.Err() != nil || !errors.Is(context.Cause(tried), errTried)) {
		return p, err
	}
	trial.Took, trial.Done = time.Since(begun), err == nil
	p.Trial = trial
	p.extrapolate(seen, e)
	return p, nil
}

// moment is a point of a trial.
type moment struct {
	at      time.Duration
	decided int
	cost    circuit.Cost
}

// forwardsATest bounds the work of a test in forward passes: one that reaches
// the whole model, tried in vain once and then again, and what its receiver's
// end computes anew; in batches also the two runs and the state of each pass.
const (
	forwardsATest        = 3
	forwardsATestInBatch = 8
)

// Receivers nearer to the input reach more of the model, and the circuit grows, so
// that the edges that are left cost more than those decided. planPower bounds the
// power of the edges decided as which the time of a run grows; and runs of random
// models took three times the last half's pace for what was left, seldom ten.
const (
	planPower  = 3.
	planPace   = 3
	planSlowly = 10
)

// extrapolate says from a trial what the whole run takes: likely as the trial's
// time grew with the edges decided, as a power of them, but no less than at three
// times the last half's pace; at least at half of the
// quicker one of the whole trial's and the last half's pace, or no more than the
// trial where that decided less than a tenth; at most twice what one power more
// gives, or ten times that pace.
func (p *Plan) extrapolate(seen []moment, e *patch.Experiment) {
	p.Likely, p.Low, p.High, p.Most = p.Begin+p.Trial.Took, p.Begin+p.Trial.Took, p.Begin+p.Trial.Took, p.Begin+p.Trial.Took
	if len(seen) == 0 {
		return
	}
	last, half := seen[len(seen)-1], seen[len(seen)/2]
	p.Trial.Decided, p.Trial.Recent = last.decided, last.at-half.at
	left := float64(p.Edges - last.decided)
	if p.Trial.Done || left <= 0 {
		p.Most *= 2 // the same again, on a noisy machine
		return
	}
	mean := float64(last.at) / float64(max(1, last.decided))
	recent, power := mean, 1.0
	if n := last.decided - half.decided; n > 0 {
		recent = float64(p.Trial.Recent) / float64(n)
		if half.decided > 0 && half.at > 0 {
			power = growth(half.decided, last.decided, float64(half.at), float64(last.at))
		}
	}
	power = min(max(power, 1), planPower)
	whole := func(power float64) time.Duration { // of the loop, as the trial's time grows
		return time.Duration(float64(last.at) * (math.Pow(float64(p.Edges)/float64(max(1, last.decided)), power) - 1))
	}
	p.Likely += max(whole(power), time.Duration(planPace*left*recent))
	if 10*last.decided >= p.Edges { // else what is left may all be dropped untested
		p.Low += time.Duration(left * min(mean, recent) / 2)
	}
	p.High += max(2*whole(power+1), time.Duration(planSlowly*left*recent))
	forward := float64(p.Begin) / 2
	if flop := last.cost.FLOP; flop > 0 {
		forward = max(forward, float64(last.at)/float64(flop)*float64(e.ForwardFLOP()))
	}
	each := float64(forwardsATest)
	if e.InBatches() {
		each = forwardsATestInBatch
	}
	p.Most += time.Duration(left * max(forward*each, 2*max(mean, recent)))
	p.High = min(p.High, p.Most)
	p.Likely = min(p.Likely, p.High)
}
