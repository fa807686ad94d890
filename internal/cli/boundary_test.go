package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// boundaries are the values that every flag is tried with: what is none, the
// least, too little, too much, no number, no whole number and no name.
var boundaries = []string{"", "0", "-1", "99999999999999999999999999", "NaN", "inf", "0.5", "no such thing"}

// Which of the boundaries a flag takes; none is a usage error. A text is what
// only its file, model or edge can refuse, with exit code 1.
var (
	noneOfThem = []string{}
	zeroOnly   = []string{"0"}
	aFile      = boundaries[1:]
)

// accepted says what each flag takes.
var accepted = map[string][]string{
	"abs": zeroOnly, "add": aFile, "all-edges": zeroOnly, "cut": aFile, "direct": zeroOnly, "drop-idle": zeroOnly, "heads": zeroOnly, "collapse": noneOfThem, "max-edges": noneOfThem,
	"help": zeroOnly, "json": zeroOnly, "no-processing": zeroOnly, "plan": zeroOnly, "quiet": zeroOnly, "split-embed": zeroOnly,
	"verbose": zeroOnly, "verify": zeroOnly, "version": zeroOnly,
	"bos": zeroOnly, "no-bos": zeroOnly, "fold-ln": zeroOnly, "center-writing-weights": zeroOnly, "center-unembed": zeroOnly,
	"fold-value-biases": zeroOnly,
	"algorithm":         noneOfThem, "order": noneOfThem, "definition": noneOfThem, "task": noneOfThem, "metric": noneOfThem,
	"ablation": noneOfThem, "half": noneOfThem, "variant": noneOfThem, "format": noneOfThem, "color": noneOfThem,
	"model": noneOfThem, "output": noneOfThem,
	"seed": zeroOnly, "reset-weights": zeroOnly, "examples": noneOfThem, "threads": noneOfThem, "top": noneOfThem, "pairs": noneOfThem,
	"sparsity": {"0", "0.5"}, "share": noneOfThem, "select": noneOfThem, "norm": noneOfThem, "bootstrap": noneOfThem,
	"rate": noneOfThem, "lambda": noneOfThem, "init": noneOfThem, "screen": noneOfThem,
	"steps": noneOfThem, "fixed-pattern": zeroOnly, "prenorm": zeroOnly,
	"thresholds": {"0", "99999999999999999999999999", "0.5"}, "truth": aFile, "nodes": noneOfThem, "program": noneOfThem,
	"samples": noneOfThem, "permutations": noneOfThem, "knock-outs": noneOfThem, "level": {"0.5"}, "parts": noneOfThem, "table": noneOfThem,
	"seeds": noneOfThem, "confidence": {"0.5"},
	"train": zeroOnly, "accept": zeroOnly, "n-heads": noneOfThem, "d-model": noneOfThem,
	"vocab": aFile, "max-len": noneOfThem, "causal": zeroOnly,
	"from": noneOfThem, "to": noneOfThem, "shape": noneOfThem, "check": zeroOnly,
	"sizes": noneOfThem, "test-data": aFile, "dir": aFile, "manifest": aFile, "per-task": noneOfThem, "index": zeroOnly, "missing": zeroOnly,
	"by": noneOfThem, "fractions": {"0", "0.5"}, "mib": zeroOnly,
	"emit": noneOfThem, "cpus": noneOfThem, "image": aFile, "claim": aFile,
	"memory": noneOfThem, "folder": aFile, "threshold": {"0", "99999999999999999999999999", "0.5"},
	"port": zeroOnly, "open": zeroOnly,
	"track": noneOfThem, "trace": aFile, "checkpoint": aFile, "data": aFile, "circuit": aFile, "revision": {"0", "99999999999999999999999999", "NaN", "inf", "0.5"}, "prompt": aFile, "corrupt": aFile,
}

// base are arguments that a command runs with, or ends in an error that is none
// of usage, so that the flag to try is all that may be wrong.
func base(cmd *cobra.Command, flag, circuit string) []string {
	path := strings.Fields(cmd.CommandPath())[1:]
	switch strings.Join(path, " ") {
	case "discover", "stability":
		if flag == "data" {
			return append(path, "--model", "or_gate")
		}
		switch flag {
		case "sparsity", "select", "bootstrap", "top":
			path = append(path, "--algorithm", "random")
		}
		return append(path, "--task", "ioi", "--model", "or_gate")
	case "view":
		switch flag {
		case "sparsity", "select", "bootstrap", "top":
			path = append(path, "--algorithm", "random")
		}
		if flag == "data" {
			return append(path, "--model", "or_gate")
		}
		return append(path, "--task", "ioi", "--model", "or_gate")
	case "run":
		switch flag {
		case "prompt":
			return append(path, "--circuit", circuit)
		case "top", "corrupt":
			return append(path, "--circuit", circuit, "--ablation", "resample", "--prompt", "x")
		case "bos", "no-bos":
			return append(path, "--circuit", circuit, "--task", "ioi")
		case "drop-idle":
			return append(path, "--circuit", circuit, "-o", "x.json")
		}
		return append(path, "--circuit", circuit)
	case "evaluate", "curve":
		return append(path, circuit, "--task", "ioi")
	case "predict":
		switch flag {
		case "prompt":
			return append(path, "--circuit", circuit, "--ablation", "zero")
		case "corrupt":
			return append(path, "--circuit", circuit, "--ablation", "resample", "--prompt", "x")
		case "circuit":
			return append(path, "--prompt", "x")
		}
		return append(path, "--circuit", circuit, "--ablation", "zero", "--prompt", "x")
	case "render":
		return append(path, circuit)
	case "compare":
		return append(path, circuit, circuit)
	case "convert":
		return append(path, circuit, "x.tsv")
	case "info":
		return append(path, "--model", "or_gate")
	case "data show":
		if flag == "data" {
			return path
		}
		return append(path, "--task", "ioi")
	case "reference":
		if flag == "json" {
			return path
		}
		return append(path, "ioi")
	case "pull":
		return append(path, "gpt2")
	case "train":
		return append(path, "gone.json", "-o", "model")
	case "roc":
		return append(path, "--task", "ioi", "--model", "or_gate")
	case "sweep", "sweep plan":
		if flag == "test-data" {
			return append(path, "--model", "or_gate", "--data", "gone.json")
		}
		if flag == "data" {
			return append(path, "--model", "or_gate")
		}
		if flag == "abs" || flag == "fixed-pattern" || flag == "prenorm" {
			path = append(path, "--algorithm", "relp")
		}
		return append(path, "--task", "ioi", "--model", "or_gate")
	case "sweep run":
		return append(path, "--index", "0")
	case "compile":
		if slices.Contains(trainingFlags, flag) {
			path = append(path, "--train")
		}
		return append(path, "gone.rasp", "-o", "model")
	case "completion":
		return append(path, "bash")
	}
	return path
}

// Every flag of every command, tried with each boundary value, takes it or ends
// in one line that names the flag and exit code 2.
func TestBoundaryValues(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("HF_HOME", t.TempDir())
	t.Setenv("HF_HUB_OFFLINE", "1")
	code, text := runMain("discover", "--task", "or_gate", "-o", "c.json")
	require.Zero(t, code, text)
	seen := map[string]bool{}
	eachFlag(newRoot(&app{stdout: &output{}}), func(cmd *cobra.Command, f *pflag.Flag) {
		seen[f.Name] = true
		valid, known := accepted[f.Name]
		require.True(t, known, "%s --%s has no entry", cmd.CommandPath(), f.Name)
		for _, value := range boundaries {
			args := append(base(cmd, f.Name, "c.json"), "--"+f.Name+"="+value)
			code, text := runMain(args...)
			assert.LessOrEqual(t, strings.Count(text, "acdc: ")-strings.Count(text, "acdc: warning: "), 1, "%q: %s", args, text)
			if slices.Contains(valid, value) {
				assert.NotEqual(t, codeUsage, code, "%q: %s", args, text)
				continue
			}
			assert.Equal(t, codeUsage, code, "%q: %s", args, text)
			assert.Equal(t, 1, strings.Count(text, "\n"), "%q: %s", args, text)
		}
	}, nil)
	for name := range accepted {
		assert.True(t, seen[name], "no command has --%s", name)
	}
}
