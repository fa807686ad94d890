package zoo

import (
	"cmp"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// best are the most probable next tokens of a few.
func best(t *testing.T, m *Model, n int) (ids []int, probabilities []float64) {
	t.Helper()
	logits, err := m.Forward(t.Context(), [][]int{{5, 17, 3, 88, 42, 7}}, transformer.Options{})
	require.NoError(t, err)
	v := m.Config.VocabOut
	last := logits.Data[len(logits.Data)-v:]
	sum := 0.0
	for i, x := range last {
		ids, sum = append(ids, i), sum+math.Exp(float64(x))
	}
	slices.SortFunc(ids, func(a, b int) int { return cmp.Compare(last[b], last[a]) })
	for _, id := range ids[:n] {
		probabilities = append(probabilities, math.Exp(float64(last[id]))/sum)
	}
	return ids[:n], probabilities
}

// What a float64 forward pass of another program gives for models whose
// configurations were read wrongly before.
func TestModelsOfTheField(t *testing.T) {
	for name, want := range map[string]struct {
		ids           []int
		probabilities []float64
	}{
		"inverse-layer-idx":     {[]int{56, 66, 106}, []float64{.0364, .0289, .0243}},
		"neox-rope-type-linear": {[]int{60, 11, 102}, []float64{.0567, .0387, .0373}},
	} {
		m := open(t, filepath.Join("testdata", "field", name))
		ids, probabilities := best(t, m, 3)
		assert.Equal(t, want.ids, ids, name)
		assert.InDeltaSlice(t, want.probabilities, probabilities, 6e-5, name)
		assert.Empty(t, m.Warnings)
	}
	path := filepath.Join("testdata", "field", "tl-rotary-yarn")
	_, err := Open(t.Context(), path)
	assert.EqualError(t, err, filepath.Join(path, "config.json")+`: field "use_yarn_rope": expected false, found true: scaled rotary positions are not computed`)
}
