// Package golden gives tests the numbers of the reference implementation that
// stand in testdata/golden. It is for tests only.
package golden

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// Test is one tested edge; names are hook names.
type Test struct {
	Receiver string  `json:"receiver"`
	Sender   string  `json:"sender"`
	Metric   float64 `json:"metric"`
	Effect   float64 `json:"effect"`
	Kept     bool    `json:"kept"`
}

// Run is one run of the reference.
type Run struct {
	Threshold      float64
	Ablation       string // resample or zero
	Order          string // normal, reverse, names-reverse or indices-reverse
	Metric         string
	Total          int
	Initial, Final float64
	Tests          []Test
	Kept           int
	Unpermuted     bool // corrupted positions are where they are, as in older versions of the reference
}

// OtherSeed is behind the name of a compiled model for the runs on prompts of
// another seed, with those of its published figures.
const OtherSeed = ".seed42"

// String names the run in test output.
func (r Run) String() string {
	return fmt.Sprintf("%s,%s,%s,τ=%g", r.Metric, r.Ablation, r.Order, r.Threshold)
}

// root is the project's top folder.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Path is a file or folder below testdata/golden.
func Path(parts ...string) string {
	return filepath.Join(append([]string{root(), "testdata", "golden"}, parts...)...)
}

// modelFiles are the configuration and the weights of each golden model.
func modelFiles(name string) (config, model string) {
	switch name {
	case "induction-attn2l", "gpt3l-random", "hf-gpt2-tiny", "hf-gpt_neo-tiny", "hf-gpt_neox-tiny",
		"hf-llama-tiny", "hf-llama3-tiny", "hf-qwen2-tiny", "hf-gemma2-tiny":
		return Path(name, "config.json"), Path(name, "model.safetensors")
	}
	return Path("tracr", name+".config.json"), Path("tracr", name+".safetensors")
}

// inFolder reports whether a model has a folder of its own.
func inFolder(name string) bool {
	_, err := os.Stat(Path(name))
	return err == nil
}

// Model loads a golden model, processed as its layout's default is.
func Model(t testing.TB, name string) *transformer.Model {
	t.Helper()
	return ModelWith(t, name, checkpoint.LoadOptions{}).Model
}

// ModelWith is Model with options.
func ModelWith(t testing.TB, name string, o checkpoint.LoadOptions) *checkpoint.Model {
	t.Helper()
	_, model := modelFiles(name)
	m, err := checkpoint.LoadWith(t.Context(), Config(t, name), Open(t, model), o)
	require.NoError(t, err)
	return m
}

// Hash is a model's hash.
func Hash(t testing.TB, m interface {
	Hash(ctx context.Context, threads int) (string, error)
}) string {
	t.Helper()
	hash, err := m.Hash(t.Context(), 2)
	require.NoError(t, err)
	return hash
}

// Config reads the configuration of a golden model.
func Config(t testing.TB, name string) checkpoint.Config {
	t.Helper()
	config, _ := modelFiles(name)
	f, err := os.Open(config)
	require.NoError(t, err)
	defer f.Close()
	c, err := checkpoint.ReadConfig(t.Context(), config, f)
	require.NoError(t, err)
	return c
}

// Open opens a safetensors file until the test ends.
func Open(t testing.TB, path string) *weights.File {
	t.Helper()
	w, err := weights.Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { w.Close() })
	return w
}

// Tokens reads an I64 tensor [B,T].
func Tokens(t testing.TB, f *weights.File, name string) [][]int {
	t.Helper()
	flat, shape, err := f.Ints(t.Context(), name)
	require.NoError(t, err)
	require.Len(t, shape, 2)
	out := make([][]int, shape[0])
	for i := range out {
		out[i] = flat[i*shape[1] : (i+1)*shape[1]]
	}
	return out
}

// ReadJSON decodes a file below testdata/golden.
func ReadJSON(t testing.TB, into any, parts ...string) {
	t.Helper()
	data, err := os.ReadFile(Path(parts...))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, into))
}

// Runs returns the runs of a folder's acdc_runs.json, or of tracr/NAME.runs.json.
func Runs(t testing.TB, name string) []Run {
	t.Helper()
	if inFolder(name) {
		return folderRuns(t, name)
	}
	return tracrRuns(t, name)
}

// Some are the runs that a test needs not repeat in full: all of them in long
// tests, else the first n, with -short the first.
func Some(runs []Run, n int) []Run {
	switch {
	case Long:
		return runs
	case testing.Short():
		n = 1
	}
	return runs[:min(n, len(runs))]
}

func folderRuns(t testing.TB, name string) []Run {
	var raw []struct {
		Threshold float64
		Ablation  string
		Order     string
		Metric    string
		Total     int     `json:"total_edges"`
		Initial   float64 `json:"initial_metric"`
		Final     float64 `json:"final_metric"`
		Tests     []Test
		Kept      int `json:"n_kept"`
	}
	ReadJSON(t, &raw, name, "acdc_runs.json")
	out := make([]Run, len(raw))
	for i, r := range raw {
		out[i] = Run{r.Threshold, r.Ablation, r.Order, r.Metric, r.Total, r.Initial, r.Final, r.Tests, r.Kept, false}
	}
	return out
}

func tracrRuns(t testing.TB, name string) []Run {
	var raw []struct {
		Threshold float64
		Zero      bool    `json:"zero_ablation"`
		Names     string  `json:"names_mode"`
		Indices   string  `json:"indices_mode"`
		Total     int     `json:"total_edges"`
		Initial   float64 `json:"initial_metric"`
		Final     float64 `json:"final_metric"`
		Tests     [][]any
		Kept      int    `json:"n_kept"`
		Shuffle   string `json:"pos_embed_shuffle"`
	}
	ReadJSON(t, &raw, "tracr", name+".runs.json")
	orders := map[[2]string]string{
		{"normal", "normal"}: "normal", {"reverse", "normal"}: "names-reverse",
		{"normal", "reverse"}: "indices-reverse", {"reverse", "reverse"}: "reverse",
	}
	out := make([]Run, len(raw))
	for i, r := range raw {
		run := Run{Threshold: r.Threshold, Ablation: "resample", Order: orders[[2]string{r.Names, r.Indices}], Metric: "l2",
			Total: r.Total, Initial: r.Initial, Final: r.Final, Kept: r.Kept, Unpermuted: strings.HasPrefix(r.Shuffle, "none")}
		require.NotEmpty(t, run.Order)
		if r.Zero {
			run.Ablation = "zero"
		}
		for _, x := range r.Tests {
			run.Tests = append(run.Tests, Test{Receiver: hookName(x[0], x[1]), Sender: hookName(x[2], x[3]),
				Metric: x[5].(float64), Effect: x[6].(float64), Kept: x[7].(bool)})
		}
		out[i] = run
	}
	return out
}

// hookName joins a name and an index as the reference keeps them: [null] is
// the whole tensor, [null,null,h] head h.
func hookName(name, index any) string {
	list := index.([]any)
	if len(list) == 3 {
		return fmt.Sprintf("%s[:, :, %d]", name, int(list[2].(float64)))
	}
	return name.(string)
}

// TrueEdges are the edges that a compiled model is known to need, by the
// reference's list, without its placeholders.
func TrueEdges(t testing.TB, name string, g *circuit.Graph) circuit.Mask {
	t.Helper()
	var raw struct{ Edges [][]any }
	ReadJSON(t, &raw, "tracr", name+".true_edges.json")
	m := g.Empty()
	for _, e := range raw.Edges {
		if e[4] == "PLACEHOLDER" {
			continue
		}
		m[EdgeNumber(t, g, e)] = true
	}
	return m
}

// EdgeNumber is the number of an edge that the reference writes as receiver,
// index, sender, index.
func EdgeNumber(t testing.TB, g *circuit.Graph, e []any) int {
	t.Helper()
	i, err := g.ParseEdge(hookName(e[2], e[3]) + "->" + hookName(e[0], e[1]))
	require.NoError(t, err)
	return i
}
