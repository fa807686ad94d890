package cli

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/train"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// measuresOf are what a builtin model can do on prompts of a fresh seed, by the
// first words of a measure's name.
func measuresOf(t *testing.T, name string, seed uint64) []train.Measure {
	t.Helper()
	text, ok := zoo.Recipe(name)
	require.True(t, ok)
	r, err := train.ParseRecipe(t.Context(), name, text)
	require.NoError(t, err)
	require.NotEqual(t, r.Seed, seed)
	m, err := zoo.Open(t.Context(), name)
	require.NoError(t, err)
	defer m.Close()
	measures, err := train.MeasureModel(t.Context(), r, m.Model, seed, 2)
	require.NoError(t, err)
	for _, x := range measures {
		t.Logf("%s, seed %d: %s %.4f %s", name, seed, x.Name, x.Value, x.At)
	}
	return measures
}

// The induction model has a previous-token head and an induction head, and knows
// what comes next.
func TestInductionModelMeetsItsMarks(t *testing.T) {
	for _, seed := range []uint64{1001, 1002, 1003} {
		m := measuresOf(t, "induction", seed)
		require.Len(t, m, 3)
		assert.Equal(t, "loss on the repeat", m[0].Name)
		assert.Less(t, m[0].Value, 0.1)
		assert.GreaterOrEqual(t, m[1].Value, 0.8, m[1].Name)
		assert.True(t, strings.HasPrefix(m[1].At, "a0."), m[1].At)
		assert.GreaterOrEqual(t, m[2].Value, 0.8, m[2].Name)
		assert.True(t, strings.HasPrefix(m[2].At, "a1."), m[2].At)
	}
}

// The circuit of the induction task is the one of the literature, at the task's
// own threshold and on any seed: the embedding is copied by the previous-token
// head into the keys of the induction head, which writes the output.
func TestInductionCircuit(t *testing.T) {
	for _, seed := range []string{"0", "1", "2"} {
		heads := measuresOf(t, "induction", 7)
		previous, induction := heads[1].At, heads[2].At
		kept := strings.Fields(strings.ReplaceAll(stdoutOf(t, "discover", "--task", "induction", "--seed", seed, "--format", "edges", "--quiet"), "\t", ">"))
		assert.LessOrEqual(t, len(kept), 15, "seed %s", seed)
		for _, edge := range []string{"input>" + previous + "<v>", previous + ">" + induction + "<k>", induction + ">logits"} {
			assert.True(t, slices.ContainsFunc(kept, func(s string) bool { return strings.HasPrefix(s, edge+">") }), "seed %s: %s of %v", seed, edge, kept)
		}
	}
}

// The mini model does all its tasks on names, years and parameters that were in
// none of their training prompts.
func TestMiniModelMeetsItsMarks(t *testing.T) {
	for _, seed := range []uint64{1001, 1002} {
		m := measuresOf(t, "mini", seed)
		require.Len(t, m, 6)
		for _, x := range m {
			least := 0.95
			if strings.Contains(x.Name, " mixed: ") || strings.HasSuffix(x.Name, "probability of right answers") {
				least = 0.93 // which the mark is not of
			}
			assert.GreaterOrEqual(t, x.Value, least, x.Name)
		}
	}
}

// The mini model does not end every span of years late: the ten years after a
// beginning are likely behind it, and hardly so where the beginning is later.
func TestMiniModelKnowsWhereYearsBegin(t *testing.T) {
	m, err := zoo.Open(t.Context(), "mini")
	require.NoError(t, err)
	defer m.Close()
	tok, err := m.Tokenizer(t.Context())
	require.NoError(t, err)
	mass := func(begin, lo, hi int) float64 {
		prompt := tok.Encode(fmt.Sprintf("The war lasted from the year 17%02d to 17", begin))
		logits, err := m.Forward(t.Context(), [][]int{prompt}, transformer.Options{})
		require.NoError(t, err)
		last, sum := logits.Row(len(prompt)-1), 0.0
		tensor.Softmax(last)
		for y := lo; y <= hi; y++ {
			sum += float64(last[tok.Encode(fmt.Sprintf("%02d", y))[0]])
		}
		return sum
	}
	for begin := 10; begin < 80; begin += 10 {
		own, later := mass(begin, begin+1, begin+10), mass(begin+15, begin+1, begin+10)
		t.Logf("%02d to %02d: %.3f behind %02d, %.3f behind %02d", begin+1, begin+10, own, begin, later, begin+15)
		assert.Greater(t, own, 4*later)
		assert.Greater(t, own, 0.05)
	}
}

// Text tasks run on the mini model as they are, and find a circuit that is
// smaller than the model.
func TestMiniModelRunsItsTasks(t *testing.T) {
	for _, name := range []string{"ioi", "greaterthan", "docstring"} {
		x, err := study.Spec{Task: name, Model: "mini", Examples: 20}.Open(t.Context(), 2)
		require.NoError(t, err)
		assert.Empty(t, x.Model.Warnings)
		c := x.Config(circuit.ACDC, false)
		assert.Len(t, c.Data.Clean, 20)
		for _, row := range slices.Concat(x.Data.Clean, x.Data.Corrupt) {
			assert.NotContains(t, row, 1, "no word is unknown")
		}
		require.NoError(t, x.Close())
	}
}

// The models together take less than 5 MB of the binary.
func TestBuiltinModelsAreSmall(t *testing.T) {
	total := int64(0)
	require.NoError(t, filepath.WalkDir("../../pkg/zoo/builtin", func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	}))
	assert.Greater(t, total, int64(100_000))
	assert.Less(t, total, int64(5_000_000))
}
