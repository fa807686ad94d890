//go:build unix

package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exitOf is the exit code of a program that ran.
func exitOf(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	require.NoError(t, err)
	return 0
}

// notIgnored skips a test of a signal that the tests were started to ignore, as
// what they start then does too.
func notIgnored(t *testing.T, sig os.Signal) {
	t.Helper()
	if signal.Ignored(sig) {
		t.Skip("the tests were started to ignore it")
	}
}

// atOnce is how soon the program must end after a signal: within a second, and
// here within some, since other tests take the machine at the same time.
const atOnce = 5 * time.Second

// Whatever signal comes, and whatever the program waits for, it stops at once and
// leaves nothing behind.
func TestSignalsWhileWaiting(t *testing.T) {
	const json = "pipe.json" // a pipe that nobody reads
	tiny := []string{"discover", "--model", "random:4x8x32x64x50", "--data", "random:4x6", "--threshold", "1", "--quiet"}
	for name, args := range map[string][]string{
		"a test of an edge":     append(long, "--trace", "t.jsonl"),
		"a resampling":          append(tiny[:len(tiny)-3:len(tiny)-3], "--quiet", "--algorithm", "exact", "--top", "9", "--bootstrap", "1000000"),
		"a line of input":       {"render", "-"},
		"a reader of output":    append(tiny, "--threshold", "0", "--all-edges", "--format", "json"),
		"a reader of a file":    append(tiny, "-o", json),
		"a reader of the trace": append(tiny, "--trace", json, "-o", "x.json"),
	} {
		t.Run(name, func(t *testing.T) {
			var waiting []*exec.Cmd
			signals := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}
			for _, sig := range signals {
				notIgnored(t, sig)
				cmd := exec.Command("acdc", args...)
				cmd.Dir = t.TempDir()
				require.NoError(t, syscall.Mkfifo(filepath.Join(cmd.Dir, json), 0o644))
				in, err := cmd.StdinPipe()
				require.NoError(t, err)
				defer in.Close()
				out, err := cmd.StdoutPipe() // nobody reads
				require.NoError(t, err)
				defer out.Close()
				require.NoError(t, cmd.Start())
				waiting = append(waiting, cmd)
			}
			time.Sleep(time.Second)
			for i, sig := range signals {
				start := time.Now()
				require.NoError(t, waiting[i].Process.Signal(sig))
				state, err := waiting[i].Process.Wait()
				require.NoError(t, err)
				assert.Equal(t, codeInterrupted, state.ExitCode(), "%v", sig)
				assert.Less(t, time.Since(start), atOnce, "%v", sig)
				assert.Equal(t, []string{json}, listed(t, waiting[i].Dir), "%v", sig)
			}
		})
	}
}

// A second signal ends the program at once, whatever it does.
func TestSecondSignal(t *testing.T) {
	notIgnored(t, syscall.SIGINT)
	cmd := exec.Command("acdc", append(long, "--quiet")...)
	require.NoError(t, cmd.Start())
	time.Sleep(500 * time.Millisecond)
	require.NoError(t, cmd.Process.Signal(syscall.SIGSTOP)) // so that both are there together
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	start := time.Now()
	require.NoError(t, cmd.Process.Signal(syscall.SIGCONT))
	assert.Error(t, cmd.Wait())
	assert.Less(t, time.Since(start), atOnce)
}

// What the program was started to ignore, by nohup or in the background, does
// not end it.
func TestSignalsThatAreIgnored(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT} {
		cmd := exec.Command("sh", "-c", "trap '' HUP INT; exec acdc render -")
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		time.Sleep(500 * time.Millisecond)
		require.NoError(t, cmd.Process.Signal(sig))
		time.Sleep(200 * time.Millisecond)
		require.NoError(t, in.Close())
		assert.Equal(t, codeFailed, exitOf(t, cmd.Wait()), "%v: standard input was empty", sig)
	}
}

// A run that was killed leaves its temporary files, and the next one of the
// same outputs clears them, but not those that another process is writing.
func TestLeftoversOfKilledRuns(t *testing.T) {
	dir := t.TempDir()
	start := func() *exec.Cmd {
		cmd := exec.Command("acdc", append(long, "--trace", "t.jsonl", "--quiet")...)
		cmd.Dir = dir
		before := len(listed(t, dir))
		require.NoError(t, cmd.Start())
		require.Eventually(t, func() bool { return len(listed(t, dir)) == before+1 }, time.Minute, 10*time.Millisecond)
		return cmd
	}
	first := start()
	require.NoError(t, first.Process.Kill())
	require.Error(t, first.Wait())
	left := listed(t, dir)
	require.Len(t, left, 1)

	finish(t, dir, []string{"discover", "--task", "induction", "--trace", "t.jsonl"})
	assert.Equal(t, []string{"t.jsonl"}, listed(t, dir), "after %v", left)

	alive := start()
	during := listed(t, dir)
	finish(t, dir, []string{"discover", "--task", "induction", "--trace", "t.jsonl"})
	assert.Equal(t, during, listed(t, dir), "of a process that is alive")
	require.NoError(t, alive.Process.Kill())
	require.Error(t, alive.Wait())
}

// Results for a closed standard output are lost, which is an error, as far as
// it can be told from the null device that Go puts in its place; those for the
// null device are wanted lost, however it was opened.
func TestClosedStandardOutput(t *testing.T) {
	dir := t.TempDir()
	finish(t, dir, []string{"discover", "--task", "induction", "-o", "c.json", "--format", "json"})
	for _, command := range []string{
		"version", "--help", "discover --help", "tasks", "info --model induction", "completion bash",
		"discover --task induction --quiet", "render c.json", "run --task induction --circuit c.json",
	} {
		for script, want := range map[string]int{
			"acdc %s >&-": codeFailed, "exec >&-; acdc %s": codeFailed,
			"acdc %s >/dev/null": codeDone, "exec 1<>/dev/null; acdc %s": codeDone, "exec acdc %s 1<>/dev/null": codeDone,
		} {
			if want == codeFailed && runtime.GOOS != "linux" {
				continue // it cannot be told
			}
			cmd := exec.Command("sh", "-c", fmt.Sprintf(script, command)+"; exit $?")
			cmd.Dir = dir
			var stderr strings.Builder
			cmd.Stderr = &stderr
			assert.Equal(t, want, exitOf(t, cmd.Run()), "%s: %s", fmt.Sprintf(script, command), stderr.String())
			if want != codeDone {
				assert.Contains(t, stderr.String(), "acdc: standard output: closed (> /dev/null discards it)\n", command)
			}
		}
	}
	if runtime.GOOS == "linux" {
		both := exec.Command("sh", "-c", "acdc version >&- 2>&-; exit $?")
		assert.Equal(t, codeFailed, exitOf(t, both.Run()), "nothing can be said about it")
	}
	cmd := exec.Command("sh", "-c", "acdc render c.json -o c.dot >&-; exit $?")
	cmd.Dir = dir
	require.NoError(t, cmd.Run(), "nothing is printed")
	_, err := os.Stat(filepath.Join(dir, "c.dot"))
	require.NoError(t, err)
}

// A parent may open the null device for reading and writing, as Python's
// subprocess.DEVNULL: nobody wants the output, which is no error.
func TestOutputThatNobodyWants(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	require.NoError(t, err)
	defer null.Close()
	for _, args := range [][]string{{"acdc", "version"}, {"sh", "-c", "acdc version"}, {"sh", "-c", "acdc version; exit $?"}, {"sh", "-c", "exec acdc version"}, {"nice", "acdc", "version"}} {
		cmd := exec.Command(args[0], args[1:]...)
		var stderr strings.Builder
		cmd.Stdout, cmd.Stderr = null, &stderr
		assert.NoError(t, cmd.Run(), "%q: %s", args, stderr.String())
		cmd = exec.Command(args[0], args[1:]...)
		cmd.Stdout, cmd.Stderr = null, null
		assert.NoError(t, cmd.Run(), "%q, with standard error", args)
	}
}

// begins waits until a process has begun to make something large, by when it
// listens to signals.
func begins(t *testing.T, pid int) {
	t.Helper()
	if runtime.GOOS != "linux" {
		time.Sleep(time.Second)
		return
	}
	require.Eventually(t, func() bool {
		statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		var size, resident int
		_, _ = fmt.Sscan(string(statm), &size, &resident) // what was not read is 0
		return err == nil && resident*os.Getpagesize() > 128<<20
	}, 30*time.Second, 10*time.Millisecond)
}

// A signal ends the opening of a model, whenever it comes.
func TestSignalsWhileAModelIsOpened(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		for _, after := range []time.Duration{0, time.Second} {
			notIgnored(t, sig)
			cmd := exec.Command("acdc", "info", "--model", "random:24x16x2048x8192x50257", "--fold-ln", "--reset-weights", "1")
			var stderr strings.Builder
			cmd.Stderr = &stderr
			require.NoError(t, cmd.Start())
			begins(t, cmd.Process.Pid)
			time.Sleep(after)
			start := time.Now()
			require.NoError(t, cmd.Process.Signal(sig))
			assert.Equal(t, codeInterrupted, exitOf(t, cmd.Wait()), "%v after %v: %s", sig, after, stderr.String())
			assert.Less(t, time.Since(start), atOnce, "%v after %v", sig, after)
			assert.Equal(t, "acdc: interrupted\n", stderr.String())
		}
	}
}
