package acdc_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// collect runs a request and returns its result, its tests and the records
// that it could be resumed from.
func collect(t *testing.T, a acdc.Algorithm, r discover.Request) (*discover.Result, []discover.Test, [][]byte) {
	t.Helper()
	var tests []discover.Test
	records := slices.Clone(r.Progress.Done)
	r.Observe = func(ev discover.Event) { tests = append(tests, ev.Test) }
	r.Progress.Save = func(record []byte) error {
		records = append(records, slices.Clone(record))
		return nil
	}
	res, err := a.Discover(context.Background(), r)
	require.NoError(t, err)
	return comparable(res), tests, records
}

func TestResumedAnywhereTheResultIsTheSame(t *testing.T) {
	for seed := range uint64(golden.Cases(200)) {
		a, r, what := randomRequest(t, seed, 1+int(seed%2))
		want, tests, records := collect(t, a, r)
		for i := range records {
			if len(records) > 12 && i%7 != 0 && i != len(records)-1 {
				continue
			}
			r.Progress.Done = records[:i+1]
			got, again, _ := collect(t, a, r)
			require.Equal(t, want, got, "%s: resumed after record %d", what, i)
			require.Equal(t, tests, again, "%s: the observer sees every test", what)
		}
	}
}

// A finished run that is resumed evaluates nothing, and says so.
func TestResumedRunsVerifyWhatTheyEvaluate(t *testing.T) {
	a, r, _ := randomRequest(t, 1, 1)
	a.VerifyEvery = 1
	whole, tests, records := collect(t, a, r)
	assert.Equal(t, len(tests), whole.Verified)
	r.Progress.Done = records
	again, _, _ := collect(t, a, r)
	assert.Zero(t, again.Verified)
	assert.Equal(t, whole.Cost, again.Cost)
}

func TestResumeOfAnotherRunIsRefused(t *testing.T) {
	a, r, _ := randomRequest(t, 1, 1)
	_, _, records := collect(t, a, r)
	first := append([][]byte{records[1]}, records...)
	r.Progress.Done = first
	_, err := a.Discover(context.Background(), r)
	assert.ErrorContains(t, err, "this run does not test it there")
	r.Progress.Done = append(slices.Clone(records), records[0])
	_, err = a.Discover(context.Background(), r)
	assert.ErrorContains(t, err, "this run does not test it there")
}

// Every number of a record is checked.
func TestDamagedRecordsAreRefused(t *testing.T) {
	a, r, _ := randomRequest(t, 1, 1)
	for record, want := range map[string]string{
		`{"tests":[[999999,0.1,0.1,true]]}`:    "progress: record 1: tests[0]: expected an edge from 0 to ",
		`{"tests":[[-1,0.1,0.1,true]]}`:        "found -1",
		`{"hints":{"999999":0.5}}`:             "hints: expected edges from 0 to ",
		`{"hints":{"-1":0.5}}`:                 "hints: expected edges from 0 to ",
		`{"tests":[[1,0.1]]}`:                  "expected [edge, metric, effect, kept]",
		`{"tests":[[1e300,0.1,0.1,true]]}`:     "expected [edge, metric, effect, kept]",
		`{"tests":[],"cost":{"tests":-1}}`:     "cost.tests: expected a number from 0 to",
		`{"tests":[],"cost":{"nodes":-1}}`:     "cost.nodes: expected a number from 0 to",
		`{"tests":[],"cost":{"flop":-7}}`:      "cost.flop: expected a number from 0 to",
		`{"tests":[],"guess":1000000000}`:      "guess: expected a number from 0 to 65536, found 1000000000",
		`{"tests":[],"horizon":-1}`:            "horizon: expected a number from 0 to",
		`{"tests":[],"share":-1}`:              "share: expected a number from 0 to",
		`{"tests":[],"cost":{"tests":"many"}}`: "progress: record 1: ",
		`[]`:                                   "progress: record 1: ",
	} {
		r.Progress.Done = [][]byte{[]byte(record)}
		_, err := a.Discover(context.Background(), r)
		require.ErrorContains(t, err, want, record)
		assert.NotContains(t, err.Error(), "Go ", record)
	}
}

func TestAFailedSaveEndsTheRun(t *testing.T) {
	a, r, _ := randomRequest(t, 1, 1)
	r.Progress.Save = func([]byte) error { return fmt.Errorf("disk full") }
	_, err := a.Discover(context.Background(), r)
	assert.ErrorContains(t, err, "disk full")
}

// An experiment in batches gives the bits of the whole one.
func TestBatchesDoNotChangeABit(t *testing.T) {
	batched := 0
	for seed := range uint64(golden.Cases(150)) {
		a, r, what := randomRequest(t, seed, 2)
		want, tests, _ := collect(t, a, r)
		for size := 1; size < r.Experiment.Runs().Examples(); size += 1 + int(seed%2) {
			s := r
			s.Experiment = rebind(t, seed, size)
			if !s.Experiment.InBatches() {
				continue
			}
			require.Equal(t, r.Experiment.CleanMetric(), s.Experiment.CleanMetric(), what)
			require.Equal(t, r.Experiment.CorruptedMetric(), s.Experiment.CorruptedMetric(), what)
			got, again, records := collect(t, a, s)
			require.Equal(t, tests, again, "%s: %d examples at a time", what, size)
			cost := got.Cost
			got.Cost = want.Cost
			require.Equal(t, want, got, "%s: %d examples at a time", what, size)
			batched++
			for _, at := range []int{len(records) / 3, len(records) - 1, len(records)} {
				s.Progress.Done = records[:at]
				full, again, _ := collect(t, a, s)
				require.Equal(t, tests, again)
				require.Equal(t, cost, full.Cost, "%s: %d examples at a time, resumed", what, size)
				full.Cost = want.Cost
				require.Equal(t, want, full)
			}
			plain, err := s.Experiment.Plain(t.Context(), want.Mask.Gates())
			require.NoError(t, err)
			whole, err := r.Experiment.Plain(t.Context(), want.Mask.Gates())
			require.NoError(t, err)
			require.Equal(t, whole, plain)
		}
	}
	assert.Greater(t, batched, golden.Cases(150))
}

// rebind binds the random request of a seed in slices.
func rebind(t *testing.T, seed uint64, size int) *patch.Experiment {
	t.Helper()
	cfg, _ := randomConfig(t, seed, 2)
	cfg.Batch = size
	e, err := patch.Bind(t.Context(), cfg)
	require.NoError(t, err)
	return e
}
