//go:build unix

package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// long is a run of many minutes.
var long = []string{"discover", "--model", "random:6x16x256x1024x3000", "--data", "random:40x24", "--threshold", "0"}

// listed returns the names in a folder.
func listed(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	return names(entries, os.DirEntry.Name)
}

// An interrupted run stops within a second with code 130, and leaves old files
// as they were and no new ones, not even temporary ones.
func TestInterrupt(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			notIgnored(t, sig)
			dir := t.TempDir()
			old := filepath.Join(dir, "old.json")
			require.NoError(t, os.WriteFile(old, []byte("old"), 0o644))
			var stdout, stderr bytes.Buffer
			cmd := exec.Command("acdc", append(long, "-o", "old.json", "-o", "new.svg", "--trace", "t.jsonl")...)
			cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
			require.NoError(t, cmd.Start())
			// The trace's temporary file shows that edges are being tested.
			require.Eventually(t, func() bool { return len(listed(t, dir)) == 2 }, time.Minute, 10*time.Millisecond)
			time.Sleep(200 * time.Millisecond)
			start := time.Now()
			require.NoError(t, cmd.Process.Signal(sig))
			err := cmd.Wait()
			took := time.Since(start)
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit)
			assert.Equal(t, 130, exit.ExitCode())
			assert.Less(t, took, atOnce)
			assert.Equal(t, "acdc: interrupted\n", stderr.String())
			assert.Empty(t, stdout.String())
			assert.Equal(t, []string{"old.json"}, listed(t, dir))
			text, err := os.ReadFile(old)
			require.NoError(t, err)
			assert.Equal(t, "old", string(text))
		})
	}
}

// A reader that goes away ends the program without a word.
func TestReaderGoesAway(t *testing.T) {
	cmd := exec.Command("acdc", "discover", "--task", "induction", "--all-edges", "--format", "json", "--quiet")
	r, w, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, r.Close())
	var stderr strings.Builder
	cmd.Stdout, cmd.Stderr = w, &stderr
	require.Error(t, cmd.Run())
	require.NoError(t, w.Close())
	assert.Empty(t, stderr.String())
}

// A trace that cannot be written to its end stops the run with its error.
func TestTraceOnFullDevice(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	cmd := exec.Command("acdc", append(long, "--trace", "/dev/full", "--quiet")...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 1, exit.ExitCode())
	assert.Equal(t, "acdc: /dev/full: no space left on device\n", string(out))
}
