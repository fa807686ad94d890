//go:build unix

package cli

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/sweep"
	"github.com/seed-2c350065/acdc/pkg/discover"
)

// swept is a sweep that takes about a second, of runs with checkpoints and of
// scores.
var swept = []string{"sweep", "--model", "random:2x4x64x256x300", "--data", "random:12x12", "--test-data", "random:4x12", "--thresholds", "0.02,0.05",
	"--algorithm", "acdc,eap-ig,ugs", "--steps", "10", "--dir", "runs"}

// program runs acdc in a folder, and returns what it prints, what it says and
// its exit code.
func program(dir string, env []string, args ...string) (stdout, stderr string, code int) {
	var out, said bytes.Buffer
	cmd := exec.Command("acdc", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &said
	cmd.Env = append(os.Environ(), env...)
	_ = cmd.Run() // the exit code says it
	return out.String(), said.String(), cmd.ProcessState.ExitCode()
}

// folder is what a folder holds, by name.
func folder(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	list, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range list {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		out[e.Name()] = string(text)
	}
	return out
}

// A sweep that is killed at any moment, again and again, and repeated, leaves
// the files of one that was left alone, and prints the same.
func TestKilledSweeps(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, uint64(time.Now().UnixNano()))) // any moment will do
	whole := t.TempDir()
	start := time.Now()
	want, said, code := program(whole, nil, swept...)
	took := time.Since(start)
	require.Zero(t, code, said)
	for done := 0; done < *kills; {
		dir := t.TempDir()
		for range 8 {
			cmd := exec.Command("acdc", swept...)
			cmd.Dir = dir
			require.NoError(t, cmd.Start())
			time.Sleep(time.Duration(rng.Int64N(int64(took))))
			require.NoError(t, cmd.Process.Kill())
			if cmd.Wait() == nil {
				break // nothing is left to be made
			}
			done++
		}
		got, said, code := program(dir, nil, swept...)
		require.Zero(t, code, said)
		require.Equal(t, want, got)
		require.Equal(t, folder(t, filepath.Join(whole, "runs")), folder(t, filepath.Join(dir, "runs")))
	}
}

// The shares of a manifest, made in any order by processes of their own, are
// collected as the sweep prints them.
func TestSharesAreCollected(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	args := []string{"--task", "or_gate,and_gate", "--algorithm", "acdc,exact", "--thresholds", "0.01,0.1,1"}
	want, _, code := program(dir, nil, append([]string{"sweep"}, args...)...)
	require.Zero(t, code)
	manifest, _, code := program(dir, nil, append([]string{"sweep", "plan"}, args...)...)
	require.Zero(t, code)
	require.Equal(t, 12, strings.Count(manifest, "\n"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "runs.jsonl"), []byte(manifest), 0o644))
	for _, env := range []string{"SLURM_ARRAY_TASK_ID=2", "JOB_COMPLETION_INDEX=0"} {
		_, said, code := program(dir, []string{env, "SLURM_CPUS_PER_TASK=1"}, "sweep", "run", "--per-task", "5")
		require.Zero(t, code, said)
	}
	missing, _, code := program(dir, nil, "sweep", "collect", "--per-task", "5", "--missing")
	require.Zero(t, code)
	assert.Equal(t, "1\n", missing)
	some, said, code := program(dir, nil, "sweep", "collect")
	assert.Equal(t, 1, code)
	assert.Equal(t, "acdc: runs.jsonl: 5 of 12 runs are missing in runs: --array=5-9\n", said)
	assert.Equal(t, 1+7, strings.Count(some, "\n"), "what is there is printed")
	_, said, code = program(dir, []string{"SLURM_ARRAY_TASK_ID=0"}, "sweep", "run", "--index", "1", "--per-task", "5")
	require.Zero(t, code, said)
	assert.Contains(t, said, "acdc: 5 runs, 5 made now\n", "the flag goes before the environment")
	_, said, code = program(dir, nil, "sweep", "run", "--index", "1", "--per-task", "5")
	require.Zero(t, code)
	assert.Equal(t, "acdc: 5 runs, 0 made now\n", said, "done before is done")
	got, _, code := program(dir, nil, "sweep", "collect")
	require.Zero(t, code)
	assert.Equal(t, want, got)
	none, _, code := program(dir, nil, "sweep", "collect", "--missing")
	require.Zero(t, code)
	assert.Empty(t, none)
}

// What never gets better by trying again is 2, what may is 75.
func TestExitCodesOfShares(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plan := func(name string, args ...string) {
		_, said, code := program(dir, nil, append([]string{"sweep", "plan", "-o", name, "--thresholds", "0.1"}, args...)...)
		require.Zero(t, code, said)
	}
	plan("runs.jsonl", "--task", "or_gate")
	text, err := os.ReadFile(filepath.Join(dir, "runs.jsonl"))
	require.NoError(t, err)
	id := strings.Split(string(text), `"`)[3]
	result := filepath.Join(dir, "runs", id+".json")

	_, said, code := program(dir, nil, "sweep", "run")
	assert.Equal(t, 2, code)
	assert.Contains(t, said, "expected --index N, or SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX in the environment")
	_, said, code = program(dir, nil, "sweep", "run", "--index", "1")
	assert.Equal(t, 2, code)
	assert.Contains(t, said, "--index 1: expected 0 to 0, since runs.jsonl has 1 runs, 1 a task")
	_, said, code = program(dir, []string{"JOB_COMPLETION_INDEX=x"}, "sweep", "run")
	assert.Equal(t, 2, code)
	assert.Contains(t, said, "JOB_COMPLETION_INDEX: expected a whole number")

	// A disk is full.
	require.NoError(t, os.MkdirAll(filepath.Dir(result), 0o755))
	if _, err := os.Stat("/dev/full"); err == nil {
		require.NoError(t, os.Symlink("/dev/full", result))
		_, said, code = program(dir, nil, "sweep", "run", "--index", "0", "--quiet")
		assert.Equal(t, 75, code, said)
		assert.Equal(t, fmt.Sprintf("acdc: or_gate, acdc, l2, zero, seed 0, threshold 0.1: runs/%s.json: no space left on device\n", id), said)
		require.NoError(t, os.Remove(result))
	}

	// Another process is at it.
	checkpoint := strings.TrimSuffix(result, ".json") + ".ckpt"
	held, err := discover.OpenCheckpoint(checkpoint, []discover.Field{{Name: "run", Value: id}})
	require.NoError(t, err)
	_, said, code = program(dir, nil, "sweep", "run", "--index", "0", "--quiet")
	assert.Equal(t, 75, code, said)
	assert.Contains(t, said, "another process is writing to it")
	require.NoError(t, held.Close())
	_, said, code = program(dir, nil, "sweep", "run", "--index", "0", "--quiet")
	require.Zero(t, code, said)
	assert.NoFileExists(t, checkpoint)

	// The weights, and the prompts, are others by now.
	require.Zero(t, exit(dir, "compile", "length", "-o", "m"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "d.json"), []byte(`{"prompts": [{"clean": [0, 1, 1], "corrupt": [0, 1, 2], "answers": [1], "wrong_answers": [2]}]}`), 0o644))
	plan("file.jsonl", "--model", "m", "--data", "d.json", "--metric", "l2", "--ablation", "zero")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "d.json"), []byte(`{"prompts": [{"clean": [0, 2, 1], "corrupt": [0, 1, 2], "answers": [1], "wrong_answers": [2]}]}`), 0o644))
	_, said, code = program(dir, nil, "sweep", "run", "--manifest", "file.jsonl", "--index", "0", "--quiet")
	assert.Equal(t, 2, code)
	assert.Contains(t, said, "prompts of d.json: expected ")
}

func exit(dir string, args ...string) int {
	_, _, code := program(dir, nil, args...)
	return code
}

// SIGTERM ends a share with 143 and leaves how far it came; the next goes on
// there. An interrupt is 130 as of every command.
func TestTerminatedShares(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, said, code := program(dir, nil, "sweep", "plan", "-o", "runs.jsonl", "--model", "random:4x8x64x256x300", "--data", "random:24x12", "--thresholds", "0.01")
	require.Zero(t, code, said)
	saved := func() int {
		found, _ := filepath.Glob(filepath.Join(dir, "runs", "*.ckpt"))
		if len(found) == 0 {
			return 0
		}
		text, _ := os.ReadFile(found[0])
		return bytes.Count(text, []byte("\n"))
	}
	for sig, want := range map[syscall.Signal]int{syscall.SIGTERM: codeTerminated, syscall.SIGINT: codeInterrupted} {
		notIgnored(t, sig)
		before := saved()
		cmd := exec.Command("acdc", "sweep", "run", "--index", "0", "--quiet", "--threads", "1")
		var stderr strings.Builder
		cmd.Dir, cmd.Stderr = dir, &stderr
		require.NoError(t, cmd.Start())
		require.Eventually(t, func() bool { return saved() > before+20 }, time.Minute, 5*time.Millisecond, "decisions are saved")
		require.NoError(t, cmd.Process.Signal(sig))
		assert.Equal(t, want, exitOf(t, cmd.Wait()), stderr.String())
		assert.Equal(t, "acdc: interrupted\n", stderr.String())
	}
	left := folder(t, filepath.Join(dir, "runs"))
	require.Len(t, left, 1)
	for name := range left {
		assert.Equal(t, ".ckpt", filepath.Ext(name))
	}
}

// Shares of Slurm's script and of the manifest are the same.
func TestEmitted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script, said, code := program(dir, nil, "sweep", "plan", "--task", "or_gate", "--thresholds", "log:0.001:1:12", "-o", "runs.jsonl", "--emit", "slurm", "--per-task", "5")
	require.Zero(t, code, said)
	assert.Contains(t, script, "#SBATCH --array=0-2\n")
	assert.Contains(t, script, "exec acdc sweep run --manifest runs.jsonl --dir runs --per-task 5\n")
	plan, err := sweep.ReadManifest(t.Context(), filepath.Join(dir, "runs.jsonl"))
	require.NoError(t, err)
	assert.Len(t, plan, 12)
	for args, want := range map[string]string{
		"sweep plna": `unknown command "plna"; did you mean plan?`,
		"sweep --data random:2x3 --task or_gate,and_gate": "--data with 2 tasks: expected one, or none",
		"sweep --task or_gate --test-data random:2x3":     "--test-data: expected --data, whose test it is",
		"sweep":                          "expected --task LIST, or --model and --data together",
		"sweep --task or_gate --steps 3": "--steps: of eap-ig, eap-ig-activations and masks that are learned, not of acdc",
		"sweep --task or_gate,or_gate":   "--task: expected different tasks, found or_gate twice",
		"sweep --task or_gate --algorithm exact --sizes 20":         "--sizes: expected at most the 19 edges of the graph of task or_gate, found 20",
		"sweep --task or_gate --thresholds log:1:2":                 "--thresholds: expected log:FROM:TO:N such as log:1e-3:1:20, found ",
		"sweep plan --task or_gate -o runs.txt":                     `-o "runs.txt": expected a file that ends in .jsonl or .json`,
		"sweep collect --manifest runs.jsonl -o x.gif":              `-o "x.gif": expected a file that ends in .csv, .jsonl, .json, .svg, .png, .pdf, .html`,
		"sweep plan --task or_gate --emit kubernetes --dir /shared": "--emit kubernetes: expected manifest and folder in the volume",
	} {
		_, said, code := program(dir, nil, strings.Fields(args)...)
		assert.Equal(t, 2, code, args)
		assert.Contains(t, said, want, args)
		assert.Equal(t, 1, strings.Count(said, "\n"), said)
	}
}
