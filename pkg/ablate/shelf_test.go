package ablate_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/ablate"
)

// shelved is a shelf in a folder of its own with the runs of all batches on it,
// and those batches.
func shelved(t *testing.T, seed uint64) (*ablate.Runs, *ablate.Shelf, []*ablate.Batch) {
	t.Helper()
	c := config(t, seed)
	c.Ablation, c.Batch = []ablate.Ablation{ablate.Zero, ablate.Mean}[seed%2], 1
	r, err := ablate.Bind(t.Context(), c)
	require.NoError(t, err)
	s := ablate.NewShelf(r, t.TempDir(), r.Examples())
	t.Cleanup(s.Close)
	if !s.Open() {
		t.Skip("no file without a name here")
	}
	var batches []*ablate.Batch
	for b, err := range r.Batches(t.Context()) {
		require.NoError(t, err)
		require.False(t, s.Has(b))
		s.Put(t.Context(), b)
		require.True(t, s.Has(b))
		batches = append(batches, b)
	}
	return r, s, batches
}

// What a shelf gives back is what was put on it, to the bit.
func TestShelfGivesBackWhatWasPut(t *testing.T) {
	for seed := range uint64(20) {
		r, s, batches := shelved(t, seed)
		for _, want := range batches {
			got := s.Get(t.Context(), r, want.Lo, want.Hi)
			require.NotNil(t, got)
			require.Equal(t, want, got, "seed %d", seed)
		}
		assert.Nil(t, s.Get(t.Context(), r, 0, r.Examples()+1), "batches that were not put")
	}
}

// A shelf that has no file, or whose file was taken away, is empty; one whose
// caller has no time gives nothing, and keeps what it has.
func TestShelfWithoutAFileIsEmpty(t *testing.T) {
	r, s, batches := shelved(t, 1)
	ended, end := context.WithCancel(t.Context())
	end()
	b := batches[0]
	assert.Nil(t, s.Get(ended, r, b.Lo, b.Hi))
	assert.NotNil(t, s.Get(t.Context(), r, b.Lo, b.Hi))
	s.Close()
	s.Close()
	none := ablate.NewShelf(r, filepath.Join(t.TempDir(), "missing"), 1)
	late := ablate.NewShelf(r, t.TempDir(), r.Examples())
	late.Put(ended, b)
	assert.True(t, late.Open())
	assert.False(t, late.Has(b), "half a batch is none")
	late.Put(t.Context(), b)
	assert.Equal(t, b, late.Get(t.Context(), r, b.Lo, b.Hi), "behind what was left of it")
	for _, s := range []*ablate.Shelf{s, none} {
		assert.False(t, s.Open())
		s.Put(t.Context(), b)
		assert.False(t, s.Has(b))
		assert.Nil(t, s.Get(t.Context(), r, b.Lo, b.Hi))
	}
}
