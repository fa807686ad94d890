package figure

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/plotstyle"
	"github.com/seed-2c350065/acdc/internal/sweep"
)

// The figure of docs/sweeps.md is that of the rows beside it, which make pareto
// makes anew, and these say what the page says.
func TestParetoOfTheDocs(t *testing.T) {
	docs := filepath.Join("..", "..", "..", "docs")
	text, err := os.ReadFile(filepath.Join(docs, "pareto.jsonl"))
	require.NoError(t, err)
	var rows []sweep.Row
	least := map[string]float64{} // edges of a circuit below one nat on test prompts, by method
	at := map[string]map[int]float64{}
	for line := range strings.Lines(string(text)) {
		var r sweep.Row
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		require.NotNil(t, r.TestKL)
		rows = append(rows, r)
		if at[r.Algorithm] == nil {
			at[r.Algorithm] = map[int]float64{}
		}
		if old, ok := at[r.Algorithm][r.Edges]; !ok || *r.TestKL < old { // of several circuits of a size the best
			at[r.Algorithm][r.Edges] = *r.TestKL
		}
		if n := least[r.Algorithm]; *r.TestKL < 1 && (n == 0 || float64(r.Edges) < n) {
			least[r.Algorithm] = float64(r.Edges)
		}
	}
	picture, err := os.ReadFile(filepath.Join(docs, "pareto.svg"))
	require.NoError(t, err)
	number := regexp.MustCompile(`-?\d+\.\d+`)
	same := func(svg string) string {
		return number.ReplaceAllStringFunc(svg, func(s string) string { return s[:strings.IndexByte(s, '.')] })
	}
	assert.Equal(t, same(string(picture)), same(drawn(t, plotstyle.SVG, rows...)), "docs/pareto.svg is not of docs/pareto.jsonl: make pareto")

	assert.Equal(t, map[string]float64{"acdc": 9, "eap": 41, "eap-ig": 9, "hisp": 24, "sp": 14, "edge-pruning": 24}, least)
	assert.InDelta(t, 0.96, at["acdc"][9], 5e-3)
	assert.InDelta(t, 0.0006, at["acdc"][16], 5e-5)
	assert.InDelta(t, 0.28, at["acdc"][12], 5e-3)
	assert.InDelta(t, 0.28, at["eap-ig"][14], 5e-3)
	for edges, kl := range at["eap"] {
		assert.True(t, kl > 10 || edges == 41, "eap, %d edges: %v", edges, kl)
	}
}
