//go:build unix

package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readers are the commands that read a file that the user names, and what they
// take it for.
var readers = []struct {
	kind string
	args func(file string) []string
}{
	{"a circuit file of at most 512 MiB", func(file string) []string { return []string{"render", file} }},
	{"a circuit file of at most 512 MiB", func(file string) []string { return []string{"run", "--circuit", file} }},
	{"a data set of at most 256 MiB", func(file string) []string {
		return []string{"discover", "--model", "random:1x1x8x8x20", "--data", file, "--quiet"}
	}},
	{"a data set of at most 256 MiB", func(file string) []string { return []string{"data", "show", "--data", file} }},
}

// A command that reads what never comes or never ends is interrupted within a
// second.
func TestInterruptWhileReading(t *testing.T) {
	for _, r := range readers {
		pipe := filepath.Join(t.TempDir(), "pipe")
		require.NoError(t, syscall.Mkfifo(pipe, 0o600))
		for _, file := range []string{pipe, "/dev/zero"} {
			var stderr bytes.Buffer
			cmd := exec.Command("acdc", r.args(file)...)
			cmd.Stderr = &stderr
			require.NoError(t, cmd.Start())
			time.Sleep(100 * time.Millisecond) // /dev/zero takes longer, a pipe for ever
			start := time.Now()
			require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
			err := cmd.Wait()
			assert.Less(t, time.Since(start), time.Second, "%v", cmd.Args)
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit)
			if file == pipe || exit.ExitCode() != 1 { // a fast machine is through with /dev/zero
				assert.Equal(t, 130, exit.ExitCode(), "%v: %s", cmd.Args, stderr.String())
				assert.Equal(t, "acdc: interrupted\n", stderr.String())
			}
		}
	}
}

// Standard input that nothing comes on is let go as well.
func TestInterruptAtStandardInput(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	cmd := exec.Command("acdc", "render", "-")
	cmd.Stdin = r
	require.NoError(t, cmd.Start())
	time.Sleep(100 * time.Millisecond)
	start := time.Now()
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	assert.Equal(t, 130, exit.ExitCode())
	assert.Less(t, time.Since(start), time.Second)
}

// A device without an end is read up to the limit of what it is taken for.
func TestEndlessFileEnds(t *testing.T) {
	for _, r := range readers {
		out, err := exec.Command("acdc", r.args("/dev/zero")...).CombinedOutput()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		assert.Equal(t, 1, exit.ExitCode())
		assert.Equal(t, "acdc: /dev/zero: expected "+r.kind+", found more\n", string(out))
	}
}
