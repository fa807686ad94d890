package task

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The prompts of the compiled programs: of reverse every order of the three
// tokens; each prompt has another one as its corrupt one, and positions another
// order. A seed gives the same again.
func TestTracrTasks(t *testing.T) {
	for _, task := range []Task{tracrReverse, tracrProportion} {
		for seed := range uint64(20) {
			for _, n := range []int{1, 2, task.Examples, task.Examples + 3} {
				d := task.Generate(t.Context(), seed, n)
				require.NoError(t, d.Check())
				require.Len(t, d.Clean, n)
				require.Len(t, d.Clean[0], 4)
				require.Equal(t, d, task.Generate(t.Context(), seed, n))
				assert.False(t, slices.IsSorted(d.PosPermutation))
				clean, corrupt := slices.Clone(d.Clean), slices.Clone(d.Corrupt)
				slices.SortFunc(clean, slices.Compare)
				slices.SortFunc(corrupt, slices.Compare)
				require.Equal(t, clean, corrupt, "the corrupt prompts are the clean ones in another order")
			}
			assert.NotEqual(t, task.Generate(t.Context(), seed, task.Examples), task.Generate(t.Context(), seed+1, task.Examples))
		}
	}
	whole := tracrReverse.Generate(t.Context(), 0, tracrReverse.Examples)
	assert.Equal(t, permutations, whole.Clean)
	for i, row := range whole.Clean {
		assert.NotEqual(t, row, whole.Corrupt[i])
	}
}
