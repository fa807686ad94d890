//go:build unix

package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
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
	{"a circuit file of at most 512 MiB", func(file string) []string { return []string{"predict", "--circuit", file, "--prompt", "1 2"} }},
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
			assert.Less(t, time.Since(start), atOnce, "%v", cmd.Args)
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
	assert.Less(t, time.Since(start), atOnce)
}

// A device without an end is read up to the limit of what it is taken for.
func TestEndlessFileEnds(t *testing.T) {
	for _, r := range readers {
		assert.Equal(t, "acdc: /dev/zero: expected "+r.kind+", found more\n", ends(t, r.args("/dev/zero")))
	}
}

// A folder is none of what a command reads.
func TestFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	for _, r := range readers {
		what, _, _ := strings.Cut(r.kind, " of at most")
		assert.Equal(t, "acdc: "+dir+": expected "+what+", found a directory\n", ends(t, r.args(dir)))
	}
}

// ends runs a command that fails by itself, and returns what it says.
func ends(t *testing.T, args []string, env ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "acdc", args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 1, exit.ExitCode(), "%v: %s", args, out)
	return string(out)
}

// special are what stands in the place of a file.
var special = []struct {
	name string
	make func(path string) error
	kind string
}{
	{"pipe", func(path string) error { return syscall.Mkfifo(path, 0o600) }, "a named pipe"},
	{"endless", func(path string) error { return os.Symlink("/dev/zero", path) }, "a device"},
	{"folder", func(path string) error { return os.Mkdir(path, 0o700) }, "a directory"},
}

// No file of a model or of the cache is waited for: it stands on disk, or the
// command says what stands in its place.
func TestFilesOfModelsAreOnDisk(t *testing.T) {
	const config = `{"n_layers":1,"d_model":4,"n_ctx":8,"d_head":2,"n_heads":2,"d_mlp":6,"d_vocab":5,"act_fn":"relu","normalization_type":"LN"}`
	const prompts = `{"prompts":[{"clean":"ab","corrupt":"ba","answers":["a"],"wrong_answers":["b"]}]}`
	beside := map[string]string{"config.json": config, "vocab.json": `{"a":0,"b":1,"ab":2}`, "merges.txt": "a b\n"}
	for _, s := range special {
		for _, name := range []string{"config.json", "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
			"tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"} {
			t.Run(s.name+" "+name, func(t *testing.T) {
				dir := t.TempDir()
				data := filepath.Join(t.TempDir(), "data.json")
				require.NoError(t, os.WriteFile(data, []byte(prompts), 0o600))
				for other, text := range beside {
					if other != name {
						require.NoError(t, os.WriteFile(filepath.Join(dir, other), []byte(text), 0o600))
					}
				}
				path := filepath.Join(dir, name)
				require.NoError(t, s.make(path))
				args, start := []string{"info", "--model", dir}, "acdc: "
				if strings.Contains(name, "token") || name == "vocab.json" || name == "merges.txt" {
					args, start = []string{"data", "show", "--data", data, "--model", dir}, "acdc: "+data+": "
				}
				assert.Regexp(t, "^"+regexp.QuoteMeta(start+path)+": .*expected.*, found "+s.kind+"\n$", ends(t, args))
			})
		}
		t.Run(s.name+" refs/main", func(t *testing.T) {
			cache := t.TempDir()
			ref := filepath.Join(cache, "models--gpt2", "refs", "main")
			require.NoError(t, os.MkdirAll(filepath.Dir(ref), 0o700))
			require.NoError(t, s.make(ref))
			out := ends(t, []string{"info", "--model", "gpt2"}, "HF_HUB_CACHE="+cache)
			assert.Contains(t, out, ref+": ")
			assert.Contains(t, out, ", found "+s.kind)
		})
	}
}

// A token may come through a pipe, and is let go of when nothing comes.
func TestInterruptAtToken(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "token")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	cmd := exec.Command("acdc", "pull", "gpt2")
	cmd.Env = append(os.Environ(), "HF_TOKEN=", "HUGGING_FACE_HUB_TOKEN=", "HF_TOKEN_PATH="+pipe, "HF_ENDPOINT=http://127.0.0.1:9", "HF_HUB_CACHE="+t.TempDir())
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return isReading(t, cmd, pipe) }, time.Minute, 5*time.Millisecond)
	start := time.Now()
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	assert.Equal(t, 130, exit.ExitCode())
	assert.Less(t, time.Since(start), 500*time.Millisecond) // by itself: less than what is abandoned takes
}
