//go:build unix

package atomicfile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// writerVar has the test binary write to the path it holds until it is killed.
const writerVar = "ATOMICFILE_TEST_WRITER"

func TestMain(m *testing.M) {
	path := os.Getenv(writerVar)
	if path == "" {
		os.Exit(m.Run())
	}
	_ = WriteFile(context.Background(), path, func(w io.Writer) error {
		_, _ = os.Stdout.WriteString("writing")
		select {}
	})
}

// startWriter starts a process that is writing to path.
func startWriter(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerVar+"="+path)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	_, err = io.ReadFull(out, make([]byte, len("writing")))
	require.NoError(t, err)
	return cmd
}

func listed(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// A killed process's file goes with the next that writes, or will write, the
// same; that of a living one stays.
func TestLeftoversOfKilledProcesses(t *testing.T) {
	next := map[string]func(string) error{
		"Check":     Check,
		"WriteFile": func(path string) error { return WriteFile(context.Background(), path, text("new")) },
	}
	for name, write := range next {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "out.json")
			alive, dead := startWriter(t, path), startWriter(t, path)
			require.Len(t, listed(t, folder), 2)
			require.NoError(t, write(path))
			require.NoError(t, os.RemoveAll(path))
			require.Len(t, listed(t, folder), 2, "both are being written")
			require.NoError(t, dead.Process.Kill())
			_ = dead.Wait()
			require.Len(t, listed(t, folder), 2)
			require.NoError(t, write(filepath.Join(folder, "other.json")))
			require.NoError(t, os.RemoveAll(filepath.Join(folder, "other.json")))
			require.Len(t, listed(t, folder), 2, "another file's")
			require.NoError(t, write(path))
			require.NoError(t, os.RemoveAll(path))
			require.Len(t, listed(t, folder), 1, "the living one's")
			require.NoError(t, alive.Process.Kill())
			_ = alive.Wait()
			require.NoError(t, write(path))
			require.NoError(t, os.RemoveAll(path))
			require.Empty(t, listed(t, folder))
		})
	}
}

// Names that are only like a temporary file's are somebody's.
func TestLeftoversAreToldByTheirWholeName(t *testing.T) {
	folder := t.TempDir()
	names := []string{".out.0000000.tmp", ".out.0000000g.tmp", ".out.00000000.tmpx", ".out.x.00000000.tmp", "out.00000000.tmp"}
	for _, n := range names {
		require.NoError(t, os.WriteFile(filepath.Join(folder, n), nil, 0o644))
	}
	require.NoError(t, os.Mkdir(filepath.Join(folder, ".out.00000000.tmp"), 0o755))
	require.NoError(t, WriteFile(context.Background(), filepath.Join(folder, "out"), text("x")))
	assert.ElementsMatch(t, append(names, "out", ".out.00000000.tmp"), listed(t, folder))
}

// While one process writes, others of the same file neither remove its
// temporary file nor fail.
func TestManyWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	done := make(chan error)
	const writers, times = 8, 30
	for range writers {
		go func() {
			var err error
			for range times {
				err = errors.Join(err, WriteFile(context.Background(), path, text("whole")))
			}
			done <- err
		}()
	}
	for range writers {
		require.NoError(t, <-done)
	}
	only(t, path, "whole")
}

// The end of the context ends the wait for a pipe's reader, and for one that
// does not read.
func TestPipeAndTheEndOfTheContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Skip("no named pipes here:", err)
	}
	write := func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		err := WriteFile(ctx, path, func(w io.Writer) error {
			_, err := w.Write(bytes.Repeat([]byte("x"), 1<<20))
			return err
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(start), time.Second)
	}
	write()
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	defer reader.Close()
	write()
}
