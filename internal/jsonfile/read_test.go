package jsonfile

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a.json")
	want := bytes.Repeat([]byte("0123456789abcdef"), 3<<16) // 3 MiB
	require.NoError(t, os.WriteFile(name, want, 0o600))
	got, err := ReadFile(t.Context(), name, "a list", 3<<20)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, got))
	_, err = ReadFile(t.Context(), name, "a list", 2<<20)
	assert.EqualError(t, err, name+": expected a list of at most 2 MiB, found 3145728 bytes")
	_, err = ReadFile(t.Context(), dir, "a list", 2<<20)
	assert.EqualError(t, err, dir+": expected a list, found a directory")
	_, err = ReadFile(t.Context(), name+"x", "a list", 2<<20)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.Equal(t, 1, strings.Count(err.Error(), name), err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = ReadFile(ended, name, "a list", 3<<20)
	assert.Equal(t, context.Canceled, err)
}

func TestReadAll(t *testing.T) {
	got, err := ReadAll(t.Context(), "standard input", "a list", strings.NewReader("[1]"), 3)
	require.NoError(t, err)
	assert.Equal(t, "[1]", string(got))
	_, err = ReadAll(t.Context(), "standard input", "a list", strings.NewReader("[12]"), 3)
	assert.EqualError(t, err, "standard input: expected a list of at most 3 bytes, found more")
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = ReadAll(ctx, "standard input", "a list", r, 3)
	assert.Equal(t, context.DeadlineExceeded, err)
}
