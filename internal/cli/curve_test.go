package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/faithful"
)

// goldenCurve is a curve of MIB's own script.
type goldenCurve struct {
	Scores       string
	Absolute     bool
	Percentages  []float64
	Sizes        []int
	Kept         []int `json:"edges_after_prune"`
	Faithfulness []float64
	CPR          float64 `json:"cpr_area_under"`
	CMD          float64 `json:"cmd_area_from_1"`
	Average      float64
}

// goldenTolerance is that of the golden curves, which come from double precision.
const goldenTolerance = 1e-5

// goldenCircuits writes the golden scores as circuit files, which know nothing of model
// and data, in the format of MIB or in the project's own.
func goldenCircuits(t *testing.T, format string) map[string]string {
	t.Helper()
	var all map[string]json.RawMessage
	golden.ReadJSON(t, &all, "gpt3l-random", "attribution.json")
	g, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: 3, Heads: 4})
	require.NoError(t, err)
	out := map[string]string{}
	for _, c := range goldenCurves(t) {
		if out[c.Scores] != "" {
			continue
		}
		var byName map[string]float64
		require.NoError(t, json.Unmarshal(all[c.Scores], &byName))
		scores := make(circuit.Scores, g.NumEdges())
		for i := range scores {
			scores[i] = byName[g.Edge(i).String()]
		}
		f := &circuit.File{Run: circuit.Run{Algorithm: "stored"}, MIB: &circuit.MIB{DModel: 64}}
		f.SetCircuit(g, g.Empty(), scores, true)
		path := filepath.Join(t.TempDir(), c.Scores+".json")
		var b bytes.Buffer
		_, err := f.EncodeAs(&b, circuit.Format(format))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
		out[c.Scores] = path
	}
	return out
}

func goldenCurves(t *testing.T) []goldenCurve {
	t.Helper()
	var want struct{ Curves []goldenCurve }
	golden.ReadJSON(t, &want, "gpt3l-random", "mib_curves.json")
	require.Len(t, want.Curves, 6)
	return want.Curves
}

// onGolden are the flags that say what the golden curves were measured on.
func onGolden(args ...string) []string {
	return append(args, "--model", golden.Path("gpt3l-random"), "--data", golden.Path("gpt3l-random", "data.safetensors"), "--metric", "logit_diff", "--quiet")
}

// The curves of MIB's own script, through the command line: of circuits in its format
// and in the project's own, signed and absolute.
func TestCurvesOfTheCommandLineAreMIBs(t *testing.T) {
	for _, format := range []string{"mib", "json"} {
		files := goldenCircuits(t, format)
		paths := []string{"curve"}
		for _, path := range files {
			paths = append(paths, path)
		}
		saved := filepath.Join(t.TempDir(), "curves.json")
		text := acdcOut(t, onGolden(append(paths, "--format", "json", "-o", saved)...)...)
		written, err := os.ReadFile(saved)
		require.NoError(t, err)
		assert.Equal(t, text, string(written))
		got, err := faithful.Decode(t.Context(), saved, written)
		require.NoError(t, err)
		require.Len(t, got.Circuits, 3)
		for _, w := range goldenCurves(t) {
			for _, c := range got.Circuits {
				if c.Name != files[w.Scores] {
					continue
				}
				require.Len(t, c.Curves, 2)
				curve := c.Curves[0]
				if w.Absolute {
					curve = c.Curves[1]
				}
				name := fmt.Sprintf("%s, %s, %s", format, w.Scores, curve.By)
				assert.Equal(t, w.Absolute, curve.By == "absolute", name)
				require.Len(t, curve.Points, len(w.Sizes), name)
				for k, p := range curve.Points {
					assert.Equal(t, []any{w.Percentages[k], w.Sizes[k], w.Kept[k]}, []any{p.Part, p.Chosen, p.Kept}, name)
					assert.InDelta(t, w.Faithfulness[k], p.Faithfulness, goldenTolerance, "%s, %v", name, p.Part)
				}
				assert.InDelta(t, w.CPR, curve.CPR, goldenTolerance, name)
				assert.InDelta(t, w.CMD, curve.CMD, goldenTolerance, name)
				assert.InDelta(t, w.Average, curve.Mean, goldenTolerance, name)
			}
		}
	}
}

// A row of the leaderboard has CPR of the signed scores and CMD of the absolute ones,
// as they are published, and one cell.
func TestRowOfTheLeaderboard(t *testing.T) {
	files, cpr, cmd := goldenCircuits(t, "json"), map[string]float64{}, map[string]float64{}
	for _, w := range goldenCurves(t) {
		if w.Absolute {
			cmd[w.Scores] = w.CMD
		} else {
			cpr[w.Scores] = w.CPR
		}
	}
	for scores, path := range files {
		rows, err := csv.NewReader(strings.NewReader(acdcOut(t, onGolden("evaluate", path, "--mib", "--format", "csv")...))).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 2)
		filled := map[string]float64{}
		for i, title := range rows[0][2:] {
			if cell := rows[1][i+2]; cell != "" {
				filled[title], err = strconv.ParseFloat(cell, 64)
				require.NoError(t, err)
			}
		}
		assert.Len(t, filled, 2)
		assert.InDelta(t, cpr[scores], filled["gpt3l-random CPR"], goldenTolerance)
		assert.InDelta(t, cmd[scores], filled["gpt3l-random CMD"], goldenTolerance)
		assert.Equal(t, []string{"method", "split", "IOI (GPT) CPR", "IOI (GPT) CMD"}, rows[0][:4])
		assert.Equal(t, "stored", rows[1][0])
		printed := acdcOut(t, onGolden("evaluate", path, "--mib")...)
		assert.Contains(t, printed, fmt.Sprintf("CPR %.2f, CMD %.2f\n", cpr[scores], cmd[scores]))
		assert.Equal(t, 2, strings.Count(printed, "\n"))
	}
}

// What decides a curve is in its file: what it says makes the same one again.
func TestCurvesSayWhatDecidesThem(t *testing.T) {
	dir := t.TempDir()
	found := filepath.Join(dir, "c.json")
	acdcOut(t, "discover", "--task", "induction", "--algorithm", "random", "--top", "9", "--quiet", "-o", found)
	measured := func(path string, flags ...string) (string, *faithful.File) {
		text := acdcOut(t, append([]string{"curve", path, "--quiet", "--format", "json", "--fractions", "0.3,0.7"}, flags...)...)
		f, err := faithful.Decode(t.Context(), "c.json", []byte(text))
		require.NoError(t, err)
		return text, f
	}
	plain, _ := measured(found)
	for _, flags := range [][]string{nil, {"--half", "validation"}, {"--metric", "nll"}, {"--ablation", "zero"}, {"--seed", "5"}, {"--examples", "7"}, {"--data", "random:9x15"}, {"--select", "greedy"}} {
		text, f := measured(found, flags...)
		assert.Equal(t, flags == nil, text == plain, "%v decides a number", flags)
		c := f.Circuits[0]
		run := c.Run
		again := []string{"--metric", run.Metric, "--ablation", run.Ablation, "--examples", strconv.Itoa(run.Examples), "--seed", strconv.FormatUint(run.Seed, 10), "--select", string(c.Curves[0].Rule)}
		if run.Data != "" {
			again = append(again, "--data", run.Data)
		} else {
			again = append(again, "--task", run.Task, "--half", run.Half)
		}
		repeated, _ := measured(found, again...)
		assert.Equal(t, text, repeated, "%v", flags)
	}
}
