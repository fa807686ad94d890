package acdc_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
)

// A run whose state runs out of room goes on with fewer examples at a time,
// down to one, and makes the same decisions, to the bit; resumed anywhere, it
// does the same work.
func TestShortOfRoomTheTestsAreTheSame(t *testing.T) {
	shrank, failed := 0, 0
	for seed := range uint64(golden.Cases(60)) {
		a, r, what := randomRequest(t, seed, 2)
		want, tests, _ := collect(t, a, r)
		examples := r.Experiment.Runs().Examples()
		scratch := t.TempDir()
		for bytes := int64(1 << 8); bytes < 1<<22; bytes *= 3 {
			in := func(done [][]byte) discover.Request {
				cfg, _ := randomConfig(t, seed, 2)
				cfg.Room = patch.Room{Bytes: bytes, Runs: bytes / 16, State: bytes / 2, Share: 64}
				cfg.Batch = cfg.Room.Batch(examples)
				if seed%2 == 0 { // the runs are kept in a file
					cfg.Scratch = scratch
				}
				e, err := patch.Bind(t.Context(), cfg)
				require.NoError(t, err)
				s := r
				s.Experiment, s.Progress.Done = e, done
				return s
			}
			if _, err := a.Discover(context.Background(), in(nil)); err != nil {
				require.ErrorIs(t, err, incremental.ErrRoom, what)
				failed++
				continue
			}
			got, again, records := collect(t, a, in(nil))
			require.Equal(t, tests, again, "%s: room for %d bytes", what, bytes)
			cost := got.Cost
			got.Cost = want.Cost
			require.Equal(t, want, got, "%s: room for %d bytes", what, bytes)
			if s := in(nil).Experiment; examples > 1 && cost.FLOP > 2*s.ForwardFLOP()+want.Cost.FLOP {
				shrank++
			}
			for _, at := range []int{len(records) / 3, len(records) / 2, len(records) - 1, len(records)} {
				resumed, again, _ := collect(t, a, in(records[:at]))
				require.Equal(t, tests, again, "%s: room for %d bytes, resumed after record %d of %d", what, bytes, at, len(records))
				require.Equal(t, cost, resumed.Cost, "%s: room for %d bytes, resumed after record %d of %d", what, bytes, at, len(records))
			}
		}
	}
	assert.Greater(t, shrank, golden.Cases(60)/2)
	assert.Positive(t, failed, "some rooms are too small for one example")
}
