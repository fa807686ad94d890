package task

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The prompts of the models that were trained to be programs: tokens behind the
// beginning of sequence, which alone does not count, different ones where they are
// to be sorted, and the pattern somewhere where it is to be found.
func TestInterpTasks(t *testing.T) {
	for _, task := range []Task{interpSort, interpProportion, interpDetectPattern} {
		for seed := range uint64(20) {
			d := task.Generate(t.Context(), seed, task.Examples)
			require.NoError(t, d.Check())
			require.Equal(t, d, task.Generate(t.Context(), seed, task.Examples))
			assert.ElementsMatch(t, d.Clean, d.Corrupt)
			for i, row := range d.Clean {
				for at, counts := range d.Mask[i] {
					assert.Equal(t, at > 0, counts)
				}
				seen := map[int]bool{}
				for _, id := range row[1:] {
					assert.NotEqual(t, row[0], id)
					seen[id] = true
				}
				if task.Name == "interp-sort" {
					assert.Len(t, seen, 5)
				}
				if task.Name == "interp-detect-pattern" {
					assert.Contains(t, fmt.Sprint(row), "1 2 3")
				}
			}
			assert.NotEqual(t, d, task.Generate(t.Context(), seed+1, task.Examples))
		}
	}
}
