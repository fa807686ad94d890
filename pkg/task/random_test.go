package task

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRandomFitsItsVocabulary(t *testing.T) {
	d := Random(1, 50, 7, 3)
	require.NoError(t, d.Check())
	assert.Len(t, d.Clean, 50)
	assert.Len(t, d.Clean[0], 7)
	seen := map[int]bool{}
	for b := range d.Clean {
		assert.NotEqual(t, d.Correct[b], d.Wrong[b])
		for i := range d.Clean[b] {
			seen[d.Clean[b][i]] = true
			seen[d.Corrupt[b][i]] = true
		}
	}
	assert.Equal(t, map[int]bool{0: true, 1: true, 2: true}, seen)
	assert.Equal(t, d, Random(1, 50, 7, 3))
	assert.NotEqual(t, d, Random(2, 50, 7, 3))
	assert.Equal(t, [][]int{{0}}, Random(0, 1, 1, 1).Clean)
}
