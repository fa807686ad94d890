package acdc_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// collect runs a request and returns its result, its tests and the points at
// which it could be resumed.
func collect(t *testing.T, r discover.Request) (*discover.Result, []discover.Test, []discover.Progress) {
	t.Helper()
	var tests []discover.Test
	var points []discover.Progress
	so := r.Resume.Tests
	r.Observe = func(ev discover.Event) { tests = append(tests, ev.Test) }
	r.Save = func(p discover.Progress) error {
		so = append(so[:len(so):len(so)], p.Tests...)
		points = append(points, discover.Progress{Tests: so, Cost: p.Cost, Guess: p.Guess})
		return nil
	}
	res, err := acdc.Algorithm{}.Discover(context.Background(), r)
	require.NoError(t, err)
	return comparable(res), tests, points
}

func TestResumedAnywhereTheResultIsTheSame(t *testing.T) {
	for seed := range uint64(golden.Cases(200)) {
		r, what := randomRequest(t, seed, 1+int(seed%2))
		want, tests, points := collect(t, r)
		for i, p := range points {
			if len(points) > 12 && i%7 != 0 && i != len(points)-1 {
				continue
			}
			r.Resume = p
			got, again, _ := collect(t, r)
			require.Equal(t, want, got, "%s: resumed after %d tests", what, len(p.Tests))
			require.Equal(t, tests, again, "%s: the observer sees every test", what)
		}
	}
}

func TestResumeOfAnotherRunIsRefused(t *testing.T) {
	r, _ := randomRequest(t, 1, 1)
	_, _, points := collect(t, r)
	p := points[len(points)-1]
	p.Tests = append([]discover.Test(nil), p.Tests...)
	p.Tests[0], p.Tests[1] = p.Tests[1], p.Tests[0]
	r.Resume = p
	_, err := acdc.Algorithm{}.Discover(context.Background(), r)
	assert.ErrorContains(t, err, "which this run does not test there")
	r.Resume = points[len(points)-1]
	r.Resume.Tests = append(r.Resume.Tests[:len(r.Resume.Tests):len(r.Resume.Tests)], r.Resume.Tests[0])
	_, err = acdc.Algorithm{}.Discover(context.Background(), r)
	assert.ErrorContains(t, err, "which this run does not test there")
}

func TestAFailedSaveEndsTheRun(t *testing.T) {
	r, _ := randomRequest(t, 1, 1)
	r.Save = func(discover.Progress) error { return fmt.Errorf("disk full") }
	_, err := acdc.Algorithm{}.Discover(context.Background(), r)
	assert.ErrorContains(t, err, "disk full")
}

// An experiment in slices gives the bits of the whole one.
func TestSlicesDoNotChangeABit(t *testing.T) {
	sliced := 0
	for seed := range uint64(golden.Cases(150)) {
		r, what := randomRequest(t, seed, 2)
		want, tests, _ := collect(t, r)
		for size := 1; size < r.Experiment.Examples(); size += 1 + int(seed%2) {
			s := r
			s.Experiment = rebind(t, seed, size)
			require.Equal(t, r.Experiment.CleanMetric(), s.Experiment.CleanMetric(), what)
			require.Equal(t, r.Experiment.CorruptedMetric(), s.Experiment.CorruptedMetric(), what)
			got, again, points := collect(t, s)
			require.Equal(t, tests, again, "%s: %d examples at a time", what, size)
			cost := got.Cost
			got.Cost = want.Cost
			require.Equal(t, want, got, "%s: %d examples at a time", what, size)
			sliced++
			for _, at := range []int{len(points) / 3, len(points) - 1} {
				s.Resume = points[at]
				full, again, _ := collect(t, s)
				require.Equal(t, tests, again)
				require.Equal(t, cost, full.Cost, "%s: %d examples at a time, resumed", what, size)
				full.Cost = want.Cost
				require.Equal(t, want, full)
			}
			plain, err := s.Experiment.Plain(circuit.Mask(want.Mask))
			require.NoError(t, err)
			whole, err := r.Experiment.Plain(circuit.Mask(want.Mask))
			require.NoError(t, err)
			require.Equal(t, whole, plain)
		}
	}
	assert.Greater(t, sliced, golden.Cases(150))
}

// rebind binds the random request of a seed in slices.
func rebind(t *testing.T, seed uint64, size int) *patch.Experiment {
	t.Helper()
	cfg, _ := randomConfig(t, seed, 2)
	cfg.Slice = size
	e, err := patch.Bind(cfg)
	require.NoError(t, err)
	return e
}
