package study

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// tracrScores are the scores of some methods on a compiled model, under zero
// ablation.
func tracrScores(t *testing.T, model string, methods ...string) (*circuit.Graph, map[string]circuit.Scores) {
	t.Helper()
	e, err := patch.Bind(t.Context(), golden.Bound(t, golden.Model(t, model), model, golden.Run{Metric: "l2", Ablation: "zero"}, 2))
	require.NoError(t, err)
	out := map[string]circuit.Scores{}
	for _, name := range methods {
		a, err := findAlgorithm(name)
		require.NoError(t, err)
		found, err := a.scorer(Method{}).Score(t.Context(), discover.Request{Experiment: e})
		require.NoError(t, err)
		out[name] = found.Scores
	}
	return e.Graph(), out
}

// The table of docs/methods.md, of the edges that the compiled models are known
// to need, is what the methods give. Exact patching separates them from the
// others but for those that stand in for each other; EAP does not see what
// changes nothing to first order.
func TestTracrTable(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "methods.md"))
	require.NoError(t, err)
	methods := []string{"exact", "eap", "eap-ig"}
	for _, model := range []string{"tracr-reverse", "tracr-proportion"} {
		g, scores := tracrScores(t, model, methods...)
		needed := golden.TrueEdges(t, model, g)
		most := map[string]float64{}
		for i := range needed {
			row := fmt.Sprintf("| `%s` | `%v` |", strings.TrimPrefix(model, "tracr-"), g.Edge(i))
			for _, m := range methods {
				row += fmt.Sprintf(" %s |", rounded(scores[m][i]))
				if !needed[i] && !g.Edge(i).IsDirect() {
					most[m] = math.Max(most[m], math.Abs(scores[m][i]))
				}
			}
			if needed[i] && !g.Edge(i).IsDirect() {
				assert.Contains(t, string(page), row+"\n")
			}
		}
		row := fmt.Sprintf("| `%s` | the largest of all others |", strings.TrimPrefix(model, "tracr-"))
		for _, m := range methods {
			row += fmt.Sprintf(" %s |", rounded(most[m]))
		}
		assert.Contains(t, string(page), row+"\n")
	}
}

// rounded has two digits, and no sign of a zero.
func rounded(x float64) string {
	if math.Abs(x) < 1e-6 {
		return "0"
	}
	return fmt.Sprintf("%.2g", x)
}
