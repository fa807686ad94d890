package study

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Answers that the clean run finds likely raise no doubt; those of another
// vocabulary, which the same model finds unlikely, do.
func TestIdsOfAnotherVocabularyRaiseADoubt(t *testing.T) {
	const model = "random:1x2x16x64x5000"
	m, err := Spec{Model: model}.OpenModel(t.Context(), 1)
	require.NoError(t, err)
	tokens := [][]int{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}, {10, 11, 12}}
	logits, err := m.Forward(t.Context(), tokens, transformer.Options{})
	require.NoError(t, err)
	for first, want := range map[int]int{0: 0, 3: 0, 900: 0, 1200: 1, 4000: 1} {
		type prompt struct {
			Clean        []int `json:"clean"`
			Corrupt      []int `json:"corrupt"`
			Answers      []int `json:"answers"`
			WrongAnswers []int `json:"wrong_answers"`
		}
		var set struct {
			Prompts []prompt `json:"prompts"`
		}
		for b, row := range tokens {
			last := logits.Row(b*3 + 2)
			order := make([]int, len(last))
			for i := range order {
				order[i] = i
			}
			slices.SortFunc(order, func(x, y int) int {
				if last[x] > last[y] {
					return -1
				}
				return 1
			})
			set.Prompts = append(set.Prompts, prompt{row, []int{20, 21, row[2]}, []int{order[first+b]}, []int{order[first+b+1]}})
		}
		text, err := json.Marshal(set)
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "d.json")
		require.NoError(t, os.WriteFile(path, text, 0o600))
		x, err := Spec{Model: model, Data: path}.Open(t.Context(), 1)
		require.NoError(t, err)
		for _, batch := range []int{0, 1} {
			c := x.Config("", false)
			c.Batch = batch
			e, err := patch.Bind(t.Context(), c)
			require.NoError(t, err)
			doubts, err := x.Doubts(t.Context(), e)
			require.NoError(t, err)
			assert.Len(t, doubts, want, "the answers begin with the %dth likeliest", first)
		}
		require.NoError(t, x.Close())
	}
}
