package track

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/tablefile"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/train"
)

// The page has the list of columns.
func TestColumnsAreDocumented(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "sweeps.md"))
	require.NoError(t, err)
	var b strings.Builder
	for _, c := range Columns() {
		b.WriteString("| `" + c.Name + "` | " + c.About + " |\n")
	}
	assert.Contains(t, string(page), b.String())
}

// Learnings and trainings have the same columns, each value in its own; what
// does not apply is empty.
func TestSteps(t *testing.T) {
	run := circuit.Run{Model: "m", Task: "t", Seed: 7, Algorithm: "sp", Options: []byte(`{"lambda":1}`), Metric: "nll", Ablation: "zero"}
	rows := Learned(run, []discover.Learned{{Step: 1, Steps: 2, Loss: 3.5, Metric: 2.5, Sparsity: 0.25, Rate: 0.125}, {Step: 2, Steps: 2, Loss: math.NaN()}})
	trained, err := Trained("r", 9, []train.Event{{Step: 1, Steps: 1, Loss: 4, Rate: 0.5, Norm: 2, Measures: []train.Measure{{Name: "a", Value: 0.5, At: "a0.h1"}}}})
	require.NoError(t, err)
	text, err := tablefile.Encode(append(rows, trained...), tablefile.CSV)
	require.NoError(t, err)
	lines, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, [][]string{
		strings.Fields("model task data seed algorithm options metric ablation step steps loss metric_gated sparsity learning_rate gradient_norm measures"),
		{"m", "t", "", "7", "sp", `{"lambda":1}`, "nll", "zero", "1", "2", "3.5", "2.5", "0.25", "0.125", "", ""},
		{"m", "t", "", "7", "sp", `{"lambda":1}`, "nll", "zero", "2", "2", "", "0", "0", "0", "", ""},
		{"r", "", "", "9", "train", "", "", "", "1", "1", "4", "", "", "0.5", "2", `[{"name":"a","value":0.5,"at":"a0.h1"}]`},
	}, lines)
}
