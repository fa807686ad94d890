package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// imitations are the builtin models that were trained to be programs.
func imitations(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, name := range zoo.Recipes() {
		if strings.HasPrefix(name, "interp-") {
			out = append(out, name)
		}
	}
	require.Len(t, out, 3)
	return out
}

// The models that were trained to be programs are: on inputs that were kept from
// training they answer as the program, with a node of the circuit interchanged too,
// and nothing comes of the nodes outside.
func TestImitationsMeetTheirMarks(t *testing.T) {
	for _, name := range imitations(t) {
		for _, seed := range []uint64{1001, 1002, 1003} {
			value := map[string]float64{}
			for _, m := range measuresOf(t, name, seed) {
				value[m.Name] = m.Value
			}
			require.Len(t, value, 8)
			for _, high := range []string{"accuracy", "interchange accuracy", "of answers that change"} {
				assert.GreaterOrEqual(t, value[high], 0.99, "%s: %s", name, high)
			}
			assert.LessOrEqual(t, value["effect from outside"], 0.01, name)
			assert.GreaterOrEqual(t, value["accuracy of the circuit alone"], 0.95, name)
			for _, loss := range []string{"behaviour loss", "interchange loss", "strict loss"} {
				assert.Less(t, value[loss], 0.02, "%s: %s", name, loss)
			}
		}
	}
}

// The table of docs/ground-truth.md has the areas that acdc roc prints.
func TestImitationTable(t *testing.T) {
	if testing.Short() {
		t.Skip("six comparisons")
	}
	page := readText(t, top("docs", "ground-truth.md"))
	rows := map[string]string{}
	methods := []string{"acdc", "exact", "eap-ig", "eap", "hisp", "random"}
	for _, name := range imitations(t) {
		for _, ablation := range []string{"resample", "zero"} {
			areas := map[string]string{}
			for line := range strings.Lines(stdoutOf(t, "roc", "--task", name, "--ablation", ablation, "--algorithm", strings.Join(methods, ","), "--quiet")) {
				fields := strings.Fields(line)
				areas[fields[0]] = fields[2]
			}
			for _, m := range methods {
				rows[m] += " " + areas[m] + " |"
			}
		}
	}
	assert.Equal(t, rows["eap"], rows["hisp"])
	for _, m := range methods {
		row := "| `" + m + "` |" + rows[m] + "\n"
		if m == "eap" || m == "hisp" {
			row = "| `eap`, `hisp` |" + rows[m] + "\n"
		}
		assert.True(t, strings.Contains(page, row), "expected the row %s", row)
	}
}

// The prompts of their tasks are inputs of their programs, which have a value
// everywhere; what the circuit leaves out can be another prompt's without much
// loss, and what it has cannot.
func TestImitationsAreTheirCircuits(t *testing.T) {
	for _, name := range imitations(t) {
		x, err := study.Spec{Task: name}.Open(t.Context(), 2)
		require.NoError(t, err)
		defer x.Close()
		program := x.Model.Program
		for _, row := range slices.Concat(x.Data.Clean, x.Data.Corrupt) {
			assert.Equal(t, program.BOS, row[0])
			assert.Len(t, row, program.Domain.MaxLen+1)
			for _, id := range row[1:] {
				assert.Contains(t, program.Domain.Vocab, program.Tokens[id])
			}
		}
		defined, err := x.Model.Defined(t.Context(), x.Data.Clean)
		require.NoError(t, err)
		assert.Equal(t, defined, x.Data.Mask)

		e, err := patch.Bind(t.Context(), x.Config(circuit.ACDC, x.SplitsEmbed()))
		require.NoError(t, err)
		truth, err := x.Truth(t.Context(), e.Graph())
		require.NoError(t, err)
		alone, err := incremental.Metric(t.Context(), e, truth.Masks[0])
		require.NoError(t, err)
		without := e.Graph().Full()
		for i, present := range truth.Masks[0] {
			without[i] = !present
		}
		rest, err := incremental.Metric(t.Context(), e, without)
		require.NoError(t, err)
		t.Logf("%s: %d of %d edges, alone %.4g, the rest %.4g, corrupted %.4g", name, truth.Masks[0].Count(), len(truth.Masks[0]), alone, rest, e.CorruptedMetric())
		assert.Less(t, alone, 0.25*e.CorruptedMetric(), name)
		assert.Greater(t, rest, 0.5*e.CorruptedMetric(), name)
		assert.Equal(t, "the program that "+name+" was trained to be", truth.Source)

		split, err := patch.Bind(t.Context(), x.Config(circuit.ACDC, true))
		require.NoError(t, err)
		_, err = x.Truth(t.Context(), split.Graph())
		assert.ErrorContains(t, err, "one sender for tokens and positions")
	}
}
