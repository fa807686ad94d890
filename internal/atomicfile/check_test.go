package atomicfile

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckLeavesNoTrace(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "out")
	require.NoError(t, Check(path))
	list, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, list)
	require.NoError(t, WriteFile(context.Background(), path, text("old")))
	require.NoError(t, Check(path))
	only(t, path, "old")
	require.NoError(t, Check("/dev/stdout"))
}

func TestCheckSaysWhatWriteFileWould(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	require.NoError(t, WriteFile(context.Background(), file, text("old")))
	for _, path := range []string{"", folder, filepath.Join(folder, "absent", "out"), filepath.Join(file, "below")} {
		require.EqualError(t, Check(path), WriteFile(context.Background(), path, text("x")).Error())
	}
	require.ErrorIs(t, Check(filepath.Join(folder, "absent", "out")), fs.ErrNotExist)
}
