package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// outputFlags are the flags that name a file to write.
var outputFlags = []string{"output", "trace", "track", "checkpoint"}

// inputFolder is a folder with all that a run may read: a model of shards with a
// tokenizer, data and a circuit that was found on them.
func inputFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	model := filepath.Join(dir, "m")
	require.NoError(t, os.Mkdir(model, 0o755))
	config, err := os.ReadFile(golden.Path("hf-gpt2-tiny", "config.json"))
	require.NoError(t, err)
	whole, err := os.ReadFile(golden.Path("hf-gpt2-tiny", "model.safetensors"))
	require.NoError(t, err)
	shard, err := weights.Decode(t.Context(), "model.safetensors", whole)
	require.NoError(t, err)
	where := map[string]string{}
	for _, name := range shard.Names() {
		where[name] = "part.safetensors"
	}
	index, err := json.Marshal(map[string]any{"weight_map": where})
	require.NoError(t, err)
	for name, text := range map[string]string{
		"m/config.json":                  string(config),
		"m/part.safetensors":             string(whole),
		"m/model.safetensors.index.json": string(index),
		"m/tokenizer_config.json":        "{}",
		"in.json":                        `{"prompts": [{"clean": [1, 2, 3], "corrupt": [1, 4, 3], "answers": [5], "wrong_answers": [6]}]}`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	code, text := runMain("discover", "--model", model, "--data", filepath.Join(dir, "in.json"), "--threshold", "1e9", "--quiet",
		"-o", filepath.Join(dir, "c.json"))
	require.Zero(t, code, text)
	return dir
}

// runMain runs the program and returns its exit code and what it said.
func runMain(args ...string) (int, string) {
	var stdout, stderr bytes.Buffer
	code := Main(context.Background(), args, nil, &stdout, &stderr)
	return code, stderr.String()
}

// aliases are further names of a file: of each way to name it one, ending in
// .json as -o expects.
func aliases(t *testing.T, path string) []string {
	t.Helper()
	dir := t.TempDir()
	soft, hard, chain := filepath.Join(dir, "soft.json"), filepath.Join(dir, "hard.json"), filepath.Join(dir, "chain.json")
	require.NoError(t, os.Symlink(path, soft))
	require.NoError(t, os.Symlink("soft.json", chain))
	require.NoError(t, os.Link(path, hard))
	folder := filepath.Join(dir, "folder")
	require.NoError(t, os.Symlink(filepath.Dir(path), folder))
	out := []string{soft, hard, chain}
	if filepath.Ext(path) == ".json" {
		out = append(out, path, filepath.Dir(path)+"/./"+filepath.Base(path), filepath.Join(folder, filepath.Base(path)))
	}
	return out
}

// No command replaces what it reads, whichever flag names the output and by
// whatever name; only the circuit of run is edited in place.
func TestOutputsAreNoInputs(t *testing.T) {
	dir := inputFolder(t)
	files := map[string][]byte{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			files[path], err = os.ReadFile(path)
		}
		return err
	}))
	require.Greater(t, len(files), 5)
	circuit, data, model := filepath.Join(dir, "c.json"), filepath.Join(dir, "in.json"), filepath.Join(dir, "m")
	for command, args := range map[string][]string{
		"discover":   {"discover", "--model", model, "--data", data, "--threshold", "1e9"},
		"run":        {"run", "--circuit", circuit},
		"render":     {"render", circuit},
		"view":       {"view", "--model", model, "--data", data, "--threshold", "1e9"},
		"compare":    {"compare", circuit, circuit},
		"train":      {"train", circuit, "-o", filepath.Join(dir, "new")},
		"compile":    {"compile", circuit, "--train", "-o", filepath.Join(dir, "new")},
		"evaluate":   {"evaluate", circuit, "--samples", "1"},
		"curve":      {"curve", circuit},
		"stability":  {"stability", "--model", model, "--data", data, "--threshold", "1e9", "--samples", "1"},
		"roc":        {"roc", "--model", model, "--data", data, "--truth", circuit, "--algorithm", "random"},
		"sweep":      {"sweep", "--model", model, "--data", data, "--thresholds", "1e9"},
		"sweep plan": {"sweep", "plan", "--model", model, "--data", data, "--thresholds", "1e9"},
	} {
		root := newRoot(&app{stdout: &output{}})
		cmd, _, err := root.Find(strings.Fields(command))
		require.NoError(t, err)
		for _, flag := range outputFlags {
			if cmd.Flags().Lookup(flag) == nil {
				continue
			}
			for path, before := range files {
				if isCircuit := path == circuit; !slices.Contains([]string{"roc", "evaluate", "curve"}, command) && isCircuit != slices.Contains([]string{"render", "compare", "train", "compile"}, command) {
					continue // run edits it in place, discover does not read it; render, compare, train and compile read nothing else, roc, evaluate and curve everything
				}
				for _, name := range aliases(t, path) {
					args := append(args[:len(args):len(args)], "--"+flag, name)
					if flag == "track" && slices.Contains([]string{"discover", "sweep"}, command) {
						args = append(slices.DeleteFunc(args, func(s string) bool { return strings.HasPrefix(s, "--threshold") || s == "1e9" }), "--algorithm", "sp")
					}
					code, text := runMain(args...)
					assert.Equal(t, 2, code, "%s --%s %s: %s", command, flag, name, text)
					assert.Contains(t, text, name+": expected a file that the run does not read, found ")
					after, err := os.ReadFile(path)
					require.NoError(t, err)
					require.Equal(t, before, after, "%s --%s %s", command, flag, name)
				}
			}
		}
	}
	for _, name := range aliases(t, circuit) {
		code, text := runMain("convert", circuit, name)
		assert.Equal(t, 2, code, text)
		assert.Contains(t, text, name+": expected a file that the run does not read, found ")
	}
	code, text := runMain("run", "--circuit", circuit, "-o", circuit)
	assert.Zero(t, code, text)
}

// Every flag that names a file to write is among those that the test above
// walks through, of commands that it walks through.
func TestOutputFlagsAreKnown(t *testing.T) {
	noInputs := map[string]bool{"reference": true}
	eachFlag(newRoot(&app{stdout: &output{}}), func(cmd *cobra.Command, f *pflag.Flag) {
		kind, _ := pflag.UnquoteUsage(f)
		if kind != "FILE" || slices.Contains([]string{"data", "test-data", "circuit", "manifest"}, f.Name) {
			return
		}
		assert.Contains(t, outputFlags, f.Name, cmd.Name())
		assert.Contains(t, []string{"discover", "run", "render", "compare", "train", "compile", "roc", "evaluate", "curve", "stability", "sweep", "plan", "collect", "view"}, cmd.Name(), f.Name)
	}, noInputs)
}

// eachFlag calls a function with every flag of every command, but for the
// commands to leave out.
func eachFlag(cmd *cobra.Command, do func(*cobra.Command, *pflag.Flag), but map[string]bool) {
	if but[cmd.Name()] {
		return
	}
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { do(cmd, f) })
	for _, c := range cmd.Commands() {
		eachFlag(c, do, but)
	}
}

// Outputs are files of their own, by whatever name, and also those that are not
// there yet.
func TestOutputsDiffer(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Symlink("new.json", filepath.Join(dir, "link.json")))
	require.NoError(t, os.Symlink(dir, filepath.Join(dir, "here")))
	for _, other := range []string{"new.json", "link.json", "here/new.json"} {
		for _, flag := range []string{"--trace", "--checkpoint"} {
			code, text := runMain("discover", "--task", "or_gate", "-o", filepath.Join(dir, "new.json"), flag, filepath.Join(dir, other))
			assert.Equal(t, 2, code)
			assert.Contains(t, text, flag+" "+filepath.Join(dir, other)+": expected a file of its own, found it after -o too")
		}
	}
	list, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, list, 2)
}

// Standard streams are files where the shell says so.
func TestStreamsAreNoInputs(t *testing.T) {
	dir := inputFolder(t)
	circuit, data := filepath.Join(dir, "c.json"), filepath.Join(dir, "in.json")
	before, err := os.ReadFile(data)
	require.NoError(t, err)
	f, err := os.OpenFile(data, os.O_RDWR|os.O_APPEND, 0)
	require.NoError(t, err)
	defer f.Close()
	var stderr bytes.Buffer
	assert.Equal(t, 2, Main(context.Background(), []string{"discover", "--model", filepath.Join(dir, "m"), "--data", data}, nil, f, &stderr))
	assert.Contains(t, stderr.String(), "standard output "+data+": expected a file that the run does not read, found --data "+data)
	after, err := os.ReadFile(data)
	require.NoError(t, err)
	assert.Equal(t, before, after)

	in, err := os.Open(circuit)
	require.NoError(t, err)
	defer in.Close()
	stderr.Reset()
	assert.Equal(t, 2, Main(context.Background(), []string{"render", "-", "-o", circuit}, in, &bytes.Buffer{}, &stderr))
	assert.Contains(t, stderr.String(), "-o "+circuit+": expected a file that the run does not read, found standard input "+circuit)
}
