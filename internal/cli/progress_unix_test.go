//go:build unix

package cli

import (
	"bufio"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// SIGUSR1 asks a run how far it is, also a quiet one, and does not end it.
func TestAskedHowFar(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command("acdc", append(long, "--quiet", "--trace", "t.jsonl")...)
	cmd.Dir = dir
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	// The trace's temporary file shows that edges are being tested.
	require.Eventually(t, func() bool { return len(listed(t, dir)) == 1 }, time.Minute, 10*time.Millisecond)
	lines := bufio.NewReader(stderr)
	for range 2 {
		require.NoError(t, cmd.Process.Signal(syscall.SIGUSR1))
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		assert.Regexp(t, `^acdc: [0-9,]+ of [0-9,]+ edges decided, [0-9,]+ kept, \S+ forward passes, .* so far`, line)
	}
}
