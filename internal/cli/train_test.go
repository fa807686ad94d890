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

// smallRecipe is a recipe that is trained in about two seconds.
const smallRecipe = `{
 "name": "small", "description": "a test",
 "model": {"n_layers": 2, "d_model": 16, "n_ctx": 14, "d_head": 8, "n_heads": 2, "attn_only": true, "d_mlp": null, "d_vocab": 20,
  "act_fn": null, "normalization_type": "LN"},
 "data": {"kind": "repeats", "repeats": {"vocab": 20, "length": 13, "min_period": 2, "max_period": 5}},
 "optimizer": {"learning_rate": 0.005, "warmup": 5, "final": 0.1, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "weight_decay": 0.1, "head_lasso": 0,
  "clip": 1, "init_std": 0.5},
 "batch": 32, "steps": 1000, "seed": 3, "dtype": "F16"
}`

// A training of compile that is interrupted leaves no folder, and ends with the
// bytes of its recipe when it is started again.
func TestStoppedImitationContinues(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start := func(args ...string) *exec.Cmd {
		cmd := exec.Command("acdc", append(args, "--quiet")...)
		cmd.Dir, cmd.Stderr, cmd.Stdout = dir, &bytes.Buffer{}, &bytes.Buffer{}
		require.NoError(t, cmd.Start())
		return cmd
	}
	args := []string{"compile", "histogram", "--train", "--vocab", "a,b", "--max-len", "3", "--n-heads", "2", "--d-model", "8", "--steps", "120", "--accept", "-o", "parts", "--checkpoint", "run.ckpt"}
	cmd := start(args...)
	for range 10_000 {
		if _, err := os.Stat(filepath.Join(dir, "run.ckpt")); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	if cmd.Wait() != nil { // a fast machine is through
		assert.Equal(t, 130, cmd.ProcessState.ExitCode())
		assert.Equal(t, "acdc: interrupted\n", cmd.Stderr.(*bytes.Buffer).String())
		assert.NoDirExists(t, filepath.Join(dir, "parts"))
	}
	require.NoError(t, start(args...).Wait())
	require.NoError(t, start("train", "parts/recipe.json", "-o", "whole", "--threads", "1").Wait())
	for _, name := range []string{"model.safetensors", "config.json", "recipe.json"} {
		same(t, filepath.Join(dir, "whole", name), filepath.Join(dir, "parts", name))
	}
}

// A training that is interrupted, or killed, and started again ends with the
// bytes of one that was left alone.
func TestStoppedTrainingsContinue(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "r.json"), []byte(smallRecipe), 0o644))
	start := func(args ...string) *exec.Cmd {
		cmd := exec.Command("acdc", append([]string{"train", "r.json", "--quiet"}, args...)...)
		cmd.Dir, cmd.Stderr, cmd.Stdout = dir, &bytes.Buffer{}, &bytes.Buffer{}
		require.NoError(t, cmd.Start())
		return cmd
	}
	begun := time.Now()
	whole := start("-o", "whole", "--threads", "1")
	require.NoError(t, whole.Wait())
	took := time.Since(begun)
	stops := 0
	for i, sig := range []os.Signal{syscall.SIGINT, os.Kill, syscall.SIGTERM, os.Kill} {
		cmd := start("-o", "parts", "--threads", []string{"1", "2"}[i%2], "--checkpoint", "run.ckpt")
		if i == 0 { // as soon as a state is saved
			for range 10_000 {
				if _, err := os.Stat(filepath.Join(dir, "run.ckpt")); err == nil {
					break
				}
				time.Sleep(time.Millisecond)
			}
		} else {
			time.Sleep(took / 8)
		}
		before := time.Now()
		require.NoError(t, cmd.Process.Signal(sig))
		if cmd.Wait() == nil {
			break // a fast machine is through
		}
		stops++
		if sig != os.Kill {
			assert.Equal(t, 130, cmd.ProcessState.ExitCode())
			assert.Less(t, time.Since(before), atOnce)
			assert.Equal(t, "acdc: interrupted\n", cmd.Stderr.(*bytes.Buffer).String())
			assert.NoDirExists(t, filepath.Join(dir, "parts"))
			assert.FileExists(t, filepath.Join(dir, "run.ckpt"))
		}
	}
	assert.Positive(t, stops)
	last := start("-o", "parts", "--checkpoint", "run.ckpt")
	require.NoError(t, last.Wait())
	for _, name := range []string{"model.safetensors", "config.json", "recipe.json"} {
		same(t, filepath.Join(dir, "whole", name), filepath.Join(dir, "parts", name))
	}
	assert.Equal(t, whole.Stdout.(*bytes.Buffer).String(), last.Stdout.(*bytes.Buffer).String(), "the measures")
	assert.True(t, strings.HasPrefix(last.Stdout.(*bytes.Buffer).String(), "MEASURE "))
}
