//go:build unix

package cli

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var kills = flag.Int("kills", 5, "how often TestKilledRunsContinue kills a run")

// killed are runs that take about a second: whole and in slices.
var killed = [][]string{
	{"discover", "--model", "random:3x8x64x256x300", "--data", "random:24x12", "--threshold", "0.02", "--all-edges"},
	{"discover", "--model", "random:2x4x64x256x300", "--data", "random:24x12", "--threshold", "0.02", "--order", "random", "--memory", "102M"},
}

// A run that is killed at any moment, again and again, and started again, ends
// with the bytes of one that was left alone.
func TestKilledRunsContinue(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano()))) // any moment will do
	done := 0
	for round := 0; done < *kills; round++ {
		args := killed[round%len(killed)]
		dir := t.TempDir()
		start := time.Now()
		want := finish(t, dir, append(args, "--trace", "want.jsonl"))
		took := time.Since(start)
		args = append(args[:len(args):len(args)], "--checkpoint", "run.ckpt", "--trace", "got.jsonl")
		for n := 0; n < 8 && done < *kills; n++ {
			cmd := exec.Command("acdc", args...)
			cmd.Dir = dir
			require.NoError(t, cmd.Start())
			time.Sleep(time.Duration(rng.Int64N(int64(took))))
			require.NoError(t, cmd.Process.Kill())
			if cmd.Wait() != nil {
				done++
			}
		}
		got := finish(t, dir, args)
		require.Equal(t, string(want), string(got))
		same(t, filepath.Join(dir, "want.jsonl"), filepath.Join(dir, "got.jsonl"))
		again := finish(t, dir, args) // a finished run is only read
		require.Equal(t, string(want), string(again))
	}
	assert.GreaterOrEqual(t, done, *kills)
}

// finish runs the program to its end and returns the JSON it prints.
func finish(t *testing.T, dir string, args []string) []byte {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("acdc", append(args[:len(args):len(args)], "--format", "json", "--quiet")...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	require.NoError(t, cmd.Run(), stderr.String())
	return stdout.Bytes()
}

func same(t *testing.T, a, b string) {
	t.Helper()
	x, err := os.ReadFile(a)
	require.NoError(t, err)
	y, err := os.ReadFile(b)
	require.NoError(t, err)
	require.NotEmpty(t, x)
	require.Equal(t, string(x), string(y))
}
