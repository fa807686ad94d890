//go:build unix

package jsonfile

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A pipe that nobody writes to, or that a writer holds open, is let go when the
// context ends, and nothing is left behind.
func TestPipeEnds(t *testing.T) {
	for _, writer := range []bool{false, true} {
		name := filepath.Join(t.TempDir(), "pipe")
		require.NoError(t, syscall.Mkfifo(name, 0o600))
		if writer {
			w, err := os.OpenFile(name, os.O_RDWR, 0)
			require.NoError(t, err)
			defer w.Close()
			_, err = w.WriteString("[")
			require.NoError(t, err)
		}
		before := runtime.NumGoroutine()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := ReadFile(ctx, name, "a list", 1<<20)
		assert.Equal(t, context.DeadlineExceeded, err)
		assert.Less(t, time.Since(start), 500*time.Millisecond)
		assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, 5*time.Second, 5*time.Millisecond)
	}
}

func TestPipeIsRead(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(name, 0o600))
	go func() {
		time.Sleep(30 * time.Millisecond)
		_ = os.WriteFile(name, []byte("[1]"), 0) // what arrives is compared
	}()
	got, err := ReadFile(t.Context(), name, "a list", 1<<20)
	require.NoError(t, err)
	assert.Equal(t, "[1]", string(got))
	_, err = ReadRegular(t.Context(), name, "a list", 1<<20)
	assert.EqualError(t, err, name+": a regular file expected, found a named pipe")
}

func TestEndlessDevice(t *testing.T) {
	_, err := ReadFile(t.Context(), "/dev/zero", "a list", 8<<20)
	assert.EqualError(t, err, "/dev/zero: expected a list of at most 8 MiB, found more")
}
