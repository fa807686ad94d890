package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/judge"
)

// Whatever decides a number of a judgement is in it: what it says makes the same
// one again, for every flag that decides one.
func TestJudgementsSayWhatDecidesThem(t *testing.T) {
	dir := t.TempDir()
	found := filepath.Join(dir, "c.json")
	acdcOut(t, "discover", "--task", "induction", "--quiet", "-o", found)
	few := []string{"--samples", "2", "--permutations", "3", "--knock-outs", "1", "--examples", "9", "--quiet", "--format", "json"}
	judged := func(path string, flags ...string) []byte {
		return []byte(acdcOut(t, append(append([]string{"evaluate", path}, few...), flags...)...))
	}
	plain := judged(found)
	for _, flags := range [][]string{nil, {"--half", "test"}, {"--metric", "nll"}, {"--ablation", "zero"}, {"--seed", "5"}, {"--examples", "7"}, {"--samples", "3"},
		{"--permutations", "4"}, {"--knock-outs", "2"}, {"--level", "0.2"}, {"--parts", "nodes"}, {"--task", "induction", "--seed", "3"}, {"--data", "random:9x15"}} {
		text := judged(found, flags...)
		assert.Equal(t, flags == nil, bytes.Equal(plain, text), "%v decides a number", flags)
		f, err := judge.Decode(t.Context(), "j.json", text)
		require.NoError(t, err)
		again := []string{"--samples", strconv.Itoa(f.Options.Samples), "--permutations", strconv.Itoa(f.Options.Permutations), "--knock-outs", strconv.Itoa(f.Options.KnockOuts),
			"--level", strconv.FormatFloat(f.Options.Level, 'g', -1, 64), "--examples", strconv.Itoa(f.Run.Examples)}
		if f.Options.Nodes {
			again = append(again, "--parts", "nodes")
		}
		if len(f.Measurements) > 0 && f.Measurements[0].Data == f.Judged && f.Run.Half != "" {
			again = append(again, "--half", f.Judged)
		}
		if only(f) {
			again = append(again, "--metric", f.Run.Metric)
		}
		g, mask, err := f.Mask()
		require.NoError(t, err)
		file := &circuit.File{Run: f.Run}
		file.SetCircuit(g, mask, nil, false)
		var b bytes.Buffer
		require.NoError(t, file.Encode(&b))
		path := filepath.Join(dir, "again.json")
		require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
		assert.Equal(t, string(text), string(judged(path, again...)), "%v", flags)
	}
}

// only reports whether a judgement has one metric.
func only(f *judge.File) bool {
	for _, m := range f.Measurements {
		if m.Metric != f.Measurements[0].Metric {
			return false
		}
	}
	return true
}
