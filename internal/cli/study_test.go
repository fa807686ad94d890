package cli

import (
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// studyPictures are those in docs that docs/study.sh draws.
var studyPictures = []string{"study-frontier.svg", "study-frontier.png", "study-roc.svg", "study-stable.svg", "study-compared.svg"}

// The study of docs/study.md runs as it stands there, and what it finds is what
// the page says and its pictures show.
func TestStudy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command("sh", top("docs", "study.sh"))
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Empty(t, string(out), "results are in files")

	// number is a number of a line that begins with words, by its place behind them.
	number := func(file, line string, place int) float64 {
		t.Helper()
		for text := range strings.Lines(readText(t, filepath.Join(dir, file))) {
			if rest, ok := strings.CutPrefix(strings.Join(strings.Fields(text), " "), line+" "); ok {
				x, err := strconv.ParseFloat(strings.Fields(rest)[place], 64)
				require.NoError(t, err, text)
				return x
			}
		}
		require.Fail(t, "no such line", "%s: %s", file, line)
		return 0
	}
	assert.Equal(t, 9., number("judged.txt", "test circuit", 0))
	assert.InDelta(t, 1, number("judged.txt", "test full model", 1), 1e-9)
	assert.InDelta(t, 0.9471, number("judged.txt", "test circuit", 1), 5e-4)
	assert.InDelta(t, 0.2231, number("judged.txt", "test complement", 1), 5e-4)
	assert.Equal(t, 0., number("judged.txt", "test corrupted", 1))
	assert.Equal(t, 1., number("roc.txt", "acdc", 0))
	assert.InDelta(t, 0.972, number("roc.txt", "eap-ig", 0), 2e-3)
	assert.InDelta(t, 0.625, number("roc.txt", "eap", 0), 2e-3)
	assert.Equal(t, []float64{9, 0, 5}, []float64{number("compared.txt", "circuit.json eap-ig.json edges", 0), number("compared.txt", "circuit.json eap-ig.json edges", 1), number("compared.txt", "circuit.json eap-ig.json edges", 2)})

	f, err := os.Open(filepath.Join(dir, "rows.csv"))
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	best := map[string]string{} // divergence on test prompts, by method and edges, the last
	for _, r := range rows[1:] {
		best[r[column["algorithm"]]+" "+r[column["edges"]]] = r[column["test_kl"]]
	}
	kl, err := strconv.ParseFloat(best["acdc 16"], 64)
	require.NoError(t, err, best)
	assert.InDelta(t, 0.0006, kl, 5e-5)
	frequent, err := csv.NewReader(strings.NewReader(readText(t, filepath.Join(dir, "stable.csv")))).ReadAll()
	require.NoError(t, err)
	always := 0
	for _, r := range frequent[1:] {
		if r[4] == "1" {
			always++
		}
	}
	assert.GreaterOrEqual(t, always, 15, "edges of every drawing")
	for _, picture := range studyPictures {
		data, err := os.ReadFile(filepath.Join(dir, picture))
		require.NoError(t, err)
		if *updateReadme {
			require.NoError(t, os.WriteFile(top("docs", picture), data, 0o644))
		}
		samePicture(t, dir, picture)
	}
}
