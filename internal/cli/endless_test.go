//go:build unix

package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
			require.Eventually(t, func() bool { return isReading(t, cmd, file) }, time.Minute, 5*time.Millisecond)
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

// isReading reports whether a command has opened a file, or has ended already.
func isReading(t *testing.T, cmd *exec.Cmd, file string) bool {
	t.Helper()
	if file != "/dev/zero" { // a pipe opens once it has a reader, which then waits for what does not come
		w, err := os.OpenFile(file, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			t.Cleanup(func() { _ = w.Close() }) // nothing is written
		}
		return err == nil
	}
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		time.Sleep(500 * time.Millisecond) // nothing tells here
		return true
	}
	folder := fmt.Sprintf("/proc/%d/fd", cmd.Process.Pid)
	files, _ := os.ReadDir(folder) // none of what has ended
	return len(files) == 0 || slices.ContainsFunc(files, func(f os.DirEntry) bool {
		to, _ := os.Readlink(filepath.Join(folder, f.Name())) // as above
		return to == file && f.Name() > "2"
	})
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
	_, err = w.Write(bytes.Repeat([]byte(" "), 1<<20)) // more than a pipe holds: it is being read
	require.NoError(t, err)
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
