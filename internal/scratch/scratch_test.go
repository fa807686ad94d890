package scratch

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A file keeps what is written to it and has no name.
func TestFileHasNoName(t *testing.T) {
	dir := t.TempDir()
	f, err := File(dir, 1<<10)
	if err != nil {
		t.Skipf("no unnamed files here: %v", err)
	}
	defer f.Close()
	_, err = f.WriteAt([]byte("numbers"), 5)
	require.NoError(t, err)
	got := make([]byte, 7)
	_, err = f.ReadAt(got, 5)
	require.NoError(t, err)
	assert.Equal(t, "numbers", string(got))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// Folders that do not suit are refused, and say why.
func TestFoldersThatDoNotSuit(t *testing.T) {
	_, err := File(filepath.Join(t.TempDir(), "missing"), 1)
	require.Error(t, err)
	_, err = File(t.TempDir(), 1<<60)
	require.Error(t, err)
	if runtime.GOOS == "linux" || runtime.GOOS == "darwin" {
		assert.ErrorContains(t, err, "bytes free")
	}
	if runtime.GOOS == "linux" {
		if _, statErr := os.Stat("/dev/shm"); statErr == nil {
			_, err = File("/dev/shm", 1)
			require.ErrorIs(t, err, ErrMemory)
			assert.ErrorContains(t, err, "/dev/shm")
		}
	}
}
