package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// deciding are flags that decide a number, each with arguments that decide
// another than the default; what stands before goes with it.
var deciding = map[string][]string{
	"task":                   {"--task", "or_gate"},
	"program":                {"--program", "histogram"},
	"model":                  {"--model", "random:1x2x16x64x128@3"},
	"data":                   {"--data", "random:6x9", "--model", "induction"},
	"metric":                 {"--metric", "nll"},
	"ablation":               {"--ablation", "zero"},
	"seed":                   {"--seed", "5"},
	"examples":               {"--examples", "7"},
	"half":                   {"--half", "test"},
	"variant":                {"--task", "ioi", "--model", textModel, "--examples", "3", "--variant", "baba"},
	"bos":                    {"--task", "ioi", "--model", textModel, "--examples", "3", "--bos"},
	"no-bos":                 {"--task", "docstring", "--model", textModel, "--examples", "3", "--no-bos"},
	"no-processing":          {"--model", hfModel, "--data", hfData, "--no-processing", "--ablation", "zero"},
	"fold-ln":                {"--model", hfModel, "--data", hfData, "--fold-ln=false", "--ablation", "zero"},
	"center-writing-weights": {"--model", hfModel, "--data", hfData, "--center-writing-weights=false", "--ablation", "zero"},
	"center-unembed":         {"--model", hfModel, "--data", hfData, "--center-unembed=false", "--ablation", "zero"},
	"fold-value-biases":      {"--model", hfModel, "--data", hfData, "--fold-value-biases=false", "--ablation", "zero"},
	"reset-weights":          {"--reset-weights", "3"},
	// of discover
	"threshold":     {"--threshold", "0.0001"},
	"abs":           {"--abs", "--threshold", "0.05"},
	"algorithm":     {"--algorithm", "exact", "--top", "3"},
	"order":         {"--order", "reverse", "--threshold", "0.0001"},
	"screen":        {"--screen", "random:20", "--threshold", "0.0001"},
	"definition":    {"--definition", "eap", "--threshold", "0.0001"},
	"discover top":  {"--algorithm", "random", "--top", "30"},
	"steps":         {"--algorithm", "eap-ig", "--steps", "2", "--top", "30"},
	"rate":          {"--algorithm", "ugs", "--rate", "0.2", "--steps", "2", "--top", "30"},
	"lambda":        {"--algorithm", "sp", "--lambda", "50", "--steps", "20", "--rate", "0.1"},
	"init":          {"--algorithm", "edge-pruning", "--init", "eap-ig", "--steps", "5"},
	"fixed-pattern": {"--algorithm", "relp", "--fixed-pattern", "--top", "30", "--metric", "nll"},
	"prenorm":       {"--algorithm", "eap", "--prenorm", "--top", "30"},
	"sparsity":      {"--algorithm", "random", "--sparsity", "0.5"},
	"select":        {"--algorithm", "exact", "--select", "greedy", "--top", "9"},
	"share":         {"--algorithm", "exact", "--select", "ratio", "--share", "0.1", "--top", "30"},
	"bootstrap":     {"--algorithm", "exact", "--bootstrap", "20", "--top", "30"},
	"norm":          {"--algorithm", "ensemble:exact+activation", "--norm", "range"},
	"split-embed":   {"--task", "or_gate", "--split-embed", "--ablation", "resample"},
	// of run
	"circuit": nil, // the file itself
	"cut":     nil, // an edge of the circuit, see below
	"add":     nil, // an edge that it has not
}

const textModel = "random:1x2x16x64x50257"

var (
	hfModel = filepath.Join("..", "..", "testdata", "golden", "hf-gpt2-tiny")
	hfData  = filepath.Join(hfModel, "data.safetensors")
)

// deciless are the flags that decide no number.
var deciless = strings.Fields("output format color direct heads collapse max-edges all-edges drop-idle trace track checkpoint plan memory threads verify quiet verbose help prompt corrupt top")

// eachDecidingFlag calls f with every flag of a command.
func eachDecidingFlag(t *testing.T, cmd *cobra.Command, f func(name string)) {
	t.Helper()
	n := 0
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		n++
		if own := cmd.Name() + " " + flag.Name; deciding[own] != nil {
			f(own)
			return
		}
		for _, name := range deciless {
			if name == flag.Name {
				return
			}
		}
		_, known := deciding[flag.Name]
		require.True(t, known, "flag --%s of %s: say in this test whether it decides a number", flag.Name, cmd.Name())
		f(flag.Name)
	})
	require.Greater(t, n, 20)
}

// writtenBy runs a command that writes a circuit, and reads it.
func writtenBy(t *testing.T, path string, args ...string) *circuit.File {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := Main(context.Background(), append(args, "-o", path), strings.NewReader(""), &stdout, &stderr)
	require.Zero(t, code, "%v: %s", args, stderr.String())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	f, err := circuit.Decode(t.Context(), path, bytes.NewReader(data))
	require.NoError(t, err)
	return f
}

// readBack measures a file's circuit as the file says, and compares all its
// numbers to the last digit.
func readBack(t *testing.T, path string, f *circuit.File) {
	t.Helper()
	var rows []measured
	require.NoError(t, json.Unmarshal([]byte(acdcOut(t, "run", "--circuit", path, "--format", "json")), &rows))
	require.Len(t, rows, 3)
	for i, want := range []float64{f.Measured.Initial, f.Measured.Final, f.Measured.Corrupted} {
		got, ok := rows[i].Metrics[f.Metric]
		require.True(t, ok, "%s: %v", f.Metric, rows[i].Metrics)
		assert.Equal(t, want, got, "%s of the %s", f.Metric, rows[i].Run)
	}
}

// Whatever decides a number is in the file: for every flag of discover, what it
// writes is found again by reading it back.
func TestFilesOfDiscoverSayWhatDecidesTheirNumbers(t *testing.T) {
	if testing.Short() {
		t.Skip("a run for every flag takes half a minute")
	}
	plain := writtenBy(t, filepath.Join(t.TempDir(), "c.json"), "discover", "--task", "induction", "--quiet")
	same := 0
	eachDecidingFlag(t, newDiscover(&app{}, nil), func(name string) {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"discover", "--quiet"}, deciding[name]...)
			if !regexp.MustCompile("--(task|data|program)").MatchString(strings.Join(args, " ")) {
				args = append(args, "--task", "induction")
			}
			if name == "model" {
				args = append([]string{"discover", "--quiet", "--data", "random:6x9"}, deciding[name]...)
			}
			path := filepath.Join(t.TempDir(), "c.json")
			f := writtenBy(t, path, args...)
			if f.Measured.Final == plain.Measured.Final {
				same++
				t.Log("decides nothing here")
			}
			readBack(t, path, f)
		})
	})
	assert.LessOrEqual(t, same, 1, "flags whose value decides nothing here")
}

// The same for every flag of run, which changes what the file said before.
func TestFilesOfRunSayWhatDecidesTheirNumbers(t *testing.T) {
	if testing.Short() {
		t.Skip("a run for every flag takes half a minute")
	}
	eachDecidingFlag(t, newRun(&app{}, nil), func(name string) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			base, edited := filepath.Join(dir, "c.json"), filepath.Join(dir, "e.json")
			args, own := []string{"discover", "--quiet", "--task", "induction"}, deciding[name]
			switch {
			case name == "task", name == "half": // of one shape in both
				own = map[string][]string{"task": {"--task", "induction", "--seed", "9"}, "half": {"--half", "test"}}[name]
			case name == "model", name == "data":
				args, own = []string{"discover", "--quiet", "--model", "random:1x2x16x64x128", "--data", "random:6x9"}, deciding["model"]
				if name == "data" {
					own = []string{"--data", "random:5x7"}
				}
			case strings.Contains(strings.Join(own, " "), textModel):
				args, own = []string{"discover", "--quiet", "--task", own[1], "--model", textModel, "--examples", "3", "--metric", "nll", "--threshold", "0.001"}, own[len(own)-1:]
				if name == "variant" {
					own = []string{"--variant", "baba"}
				}
			case strings.Contains(strings.Join(own, " "), hfModel):
				args, own = []string{"discover", "--quiet", "--model", hfModel, "--data", hfData, "--ablation", "zero"}, own[4:5]
			}
			f := writtenBy(t, base, args...)
			switch name {
			case "cut":
				own = []string{"--cut", f.Edges[0].Sender + "->" + f.Edges[0].Receiver}
			case "add":
				own = []string{"--add", "input->logits"}
			}
			e := writtenBy(t, edited, append([]string{"run", "--circuit", base}, own...)...)
			readBack(t, edited, e)
			if name != "circuit" {
				assert.NotEqual(t, f.Measured.Final, e.Measured.Final, "%v changes the number", own)
			}
		})
	})
}
