package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/discover/ensemble"
	"github.com/seed-2c350065/acdc/pkg/draw"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

func discoverArgs(t *testing.T, args ...string) *discoverOptions {
	t.Helper()
	var got *discoverOptions
	cmd := newDiscover(&app{}, func(_ context.Context, o *discoverOptions) error { got = o; return nil })
	cmd.SetArgs(args)
	require.NoError(t, cmd.Execute())
	return got
}

func TestDiscoverDefaults(t *testing.T) {
	o := discoverArgs(t, "--task", "induction", "--threads", "3")
	assert.Equal(t, &discoverOptions{subject: subject{spec: study.Spec{Task: "induction"}, threads: 3},
		definition: circuit.ACDC}, o)
	s, found, err := o.spec.Resolve()
	require.NoError(t, err)
	assert.Equal(t, study.Spec{Task: "induction", Model: "induction", Metric: metric.KL, Ablation: ablate.Resample}, s)
	assert.Equal(t, 0.5, found.Threshold)
}

func TestDiscoverFlags(t *testing.T) {
	o := discoverArgs(t, "--model", "m", "--data", "d", "--threshold", "1e-3", "--abs", "--algorithm", "acdc", "--metric", "nll",
		"--ablation", "mean", "--seed", "18446744073709551615", "--examples", "9", "--order", "random", "-o", "a.svg", "--output=b.json",
		"--format", "edges", "--color", "sign", "--direct", "--trace", "t", "--threads", "2", "--verify", "--quiet", "-v",
		"--split-embed", "--definition", "eap", "--all-edges")
	seed, threshold := uint64(1<<64-1), 1e-3
	assert.Equal(t, &discoverOptions{
		subject:    subject{threads: 2, spec: study.Spec{Model: "m", Data: "d", Metric: metric.NLL, Ablation: ablate.Mean, Seed: &seed, Examples: 9}},
		outputs:    outputs{files: []string{"a.svg", "b.json"}, format: formatEdges, color: draw.BySign, pictureOptions: pictureOptions{direct: true}},
		method:     study.Method{Algorithm: "acdc", Threshold: &threshold, Absolute: true, Order: acdc.Random, VerifyEvery: verifyEvery},
		definition: circuit.EAP, splitEmbed: new(true), allEdges: true, trace: "t", quiet: true, verbose: true}, o)
	o = discoverArgs(t, "--task", "induction", "--algorithm", "ensemble:exact+ifr", "--top", "7", "--sparsity", "0.25", "--select", "ratio", "--share", "0.5",
		"--bootstrap", "100", "--norm", "range")
	sparsity, share := 0.25, 0.5
	assert.Equal(t, study.Method{Algorithm: "ensemble:exact+ifr", Top: 7, Sparsity: &sparsity, Rule: circuit.Ratio, Share: &share, Bootstrap: 100, Norm: ensemble.Range}, o.method)
}

func TestRunFlags(t *testing.T) {
	var got *runOptions
	cmd := newRun(&app{}, func(_ context.Context, o *runOptions) error { got = o; return nil })
	cmd.SetArgs([]string{"--circuit", "c", "--cut", "a0.h1,x->m1", "--cut", "b", "--add", "c", "-o", "e.json", "--format", "json",
		"--seed", "0", "--threads", "1"})
	require.NoError(t, cmd.Execute())
	assert.Equal(t, &runOptions{subject: subject{threads: 1, spec: study.Spec{Seed: new(uint64)}}, circuit: "c", cut: []string{"a0.h1,x->m1", "b"}, add: []string{"c"},
		files: []string{"e.json"}, format: reportJSON}, got)
}

func TestRunPromptFlags(t *testing.T) {
	var got *runOptions
	cmd := newPredict(func(_ context.Context, o *runOptions) error { got = o; return nil })
	cmd.SetArgs([]string{"--model", "m", "--prompt", "a, b", "--prompt", "c", "--top", "7", "--no-bos", "--circuit", "x", "--ablation", "zero", "--threads", "1"})
	require.NoError(t, cmd.Execute())
	no := false
	assert.Equal(t, &runOptions{subject: subject{threads: 1, spec: study.Spec{Model: "m", Ablation: ablate.Zero, BOS: &no}},
		textOptions: textOptions{prompts: []string{"a, b", "c"}, top: 7}, circuit: "x", format: reportText}, got)
	for _, top := range []string{"0", "-1", "1000001", "x", ""} {
		cmd := newPredict(func(context.Context, *runOptions) error { return nil })
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs([]string{"--prompt", "a", "--top", top})
		assert.ErrorContains(t, cmd.Execute(), "expected a whole number from 1 to 1000000, found \""+top+"\"")
	}
}

func TestRenderFlags(t *testing.T) {
	var got *renderOptions
	cmd := newRender(&app{}, func(_ context.Context, o *renderOptions) error { got = o; return nil })
	cmd.SetArgs([]string{"c.json", "-o", "x.svg", "--drop-idle"})
	require.NoError(t, cmd.Execute())
	assert.Equal(t, &renderOptions{circuit: "c.json", outputs: outputs{files: []string{"x.svg"}, dropIdle: true}}, got)
}

func TestStdoutFormat(t *testing.T) {
	for _, c := range []struct {
		o    outputs
		want format
	}{
		{outputs{}, formatDOT},
		{outputs{format: formatEdges}, formatEdges},
		{outputs{files: []string{"x.svg"}}, ""},
		{outputs{files: []string{"x.svg"}, format: formatJSON}, formatJSON},
		{outputs{files: []string{"x.svg", "-"}}, formatDOT},
		{outputs{files: []string{"-"}, format: formatEdges}, formatEdges},
	} {
		assert.Equal(t, c.want, c.o.stdout(), "%+v", c.o)
	}
}

func TestExitCodes(t *testing.T) {
	_, unknownModel := zoo.Open(t.Context(), "nonsense")
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("x"), 1},
		{fs.ErrNotExist, 1},
		{usagef("x"), 2},
		{fmt.Errorf("wrapped: %w", usagef("x")), 2},
		{unknownModel, 2},
		{context.Canceled, 130},
		{fmt.Errorf("wrapped: %w", context.Canceled), 130},
	} {
		assert.Equal(t, c.want, exitCode(c.err), "%v", c.err)
	}
	assert.Equal(t, "two lines", message(nil, errors.New("two\n  lines\n")))
}

func TestSuggestion(t *testing.T) {
	list := []string{"kl_div", "logit_diff", "nll", "match_nll"}
	for s, want := range map[string]string{
		"kl": "kl_div", "kl_dvi": "kl_div", "logit-diff": "logit_diff", "LOGIT_DIFF": "logit_diff", "nlll": "nll",
		"": "", "zzz": "", "n": "", "x": "",
	} {
		if want != "" {
			want = "; did you mean " + want + "?"
		}
		assert.Equal(t, want, suggestion(s, list), s)
	}
	assert.Equal(t, 3, editDistance("kitten", "sitting"))
	assert.Equal(t, 1, editDistance("ab", "ba"))
	assert.Equal(t, 2, editDistance("", "τα"))
}

func TestTable(t *testing.T) {
	assert.Equal(t, ""+
		"NAME       N  TEXT\n"+
		"a       1000  x\n"+
		"lönger    -1  yy z\n", table([][]string{{"NAME", "N", "TEXT"}, {"a", "1000", "x"}, {"lönger", "-1", "yy z"}}, 0))
	assert.Equal(t, "1,234,567", grouped(1234567))
	assert.Equal(t, "-123", grouped(-123))
	assert.Equal(t, "0", grouped(0))
}

// Main itself reports a context that has ended as an interrupt.
func TestMainInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var stdout, stderr bytes.Buffer
	assert.Equal(t, 130, Main(ctx, []string{"discover", "--task", "induction"}, nil, &stdout, &stderr))
	assert.Empty(t, stdout.String())
	assert.Equal(t, "acdc: interrupted\n", stderr.String())
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: "/dev/stdout", Err: fs.ErrPermission}
}

func TestMainReportsLostOutput(t *testing.T) {
	for _, args := range [][]string{{}, {"--version"}, {"tasks"}, {"models", "--json"}, {"discover", "--task", "or_gate", "--quiet"},
		{"completion", "zsh"}, {"info", "--model", "or_gate"}, {"run", "--help"}} {
		var stderr bytes.Buffer
		assert.Equal(t, 1, Main(context.Background(), args, nil, brokenWriter{}, &stderr), "%v", args)
		assert.Equal(t, "acdc: standard output: permission denied\n", stderr.String())
	}
}

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]int64{"1M": 1 << 20, "1048576": 1 << 20, "1e9": 1e9, "2GiB": 2 << 30, "1.5g": 3 << 29, "1024KB": 1 << 20} {
		n, err := parseBytes(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, n, text)
	}
	for _, text := range []string{"", "0", "-1", "-1G", "0.5", "1", "1048575", "1023K", "0.9M", "1048576.5", "NaN", "inf", "infG", "1e30", "much", "M"} {
		_, err := parseBytes(text)
		assert.ErrorContains(t, err, "at least 1M, found \""+text+"\"", text)
	}
}

func TestQuietAndVerbose(t *testing.T) {
	code, text := runMain("discover", "--task", "or_gate", "--quiet", "-v")
	assert.Equal(t, codeUsage, code)
	assert.Equal(t, "acdc: --quiet and --verbose: expected one of them, found both (see acdc discover --help)\n", text)
}
