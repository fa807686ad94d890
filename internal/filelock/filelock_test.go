package filelock

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOnlyOneHasTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	first, ok, err := Try(path)
	require.NoError(t, err)
	require.True(t, ok)
	assert.True(t, first.Excludes())
	_, ok, err = Try(path)
	require.NoError(t, err)
	assert.False(t, ok)
	require.NoError(t, first.Close())
	second, ok, err := Try(path)
	require.NoError(t, err)
	require.True(t, ok)
	require.NoError(t, second.Close())
	assert.FileExists(t, path)
}

func TestAFileThatCannotBeMade(t *testing.T) {
	_, ok, err := Try(filepath.Join(t.TempDir(), "no", "such", "folder"))
	assert.False(t, ok)
	assert.Error(t, err)
}
