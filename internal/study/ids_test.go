package study

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// A token that the model has not is refused with the file's name and where in it
// the token stands, in every list of every kind of file.
func TestTokensOfNoModelNameTheirFile(t *testing.T) {
	const model, none = "random:1x2x8x8x20", 20
	dir := t.TempDir()
	write := func(name string, lists map[string][]int64) string {
		var tensors []weights.Tensor
		for list, ids := range lists {
			tensors = append(tensors, weights.Int64s(list, ids, 1, len(ids)))
		}
		var b bytes.Buffer
		require.NoError(t, weights.Write(&b, tensors, nil))
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
		return path
	}
	whole := func() map[string][]int64 {
		return map[string][]int64{"clean": {1, 2, 3}, "corrupt": {1, 2, 4}, "correct": {5}, "wrong": {6}, "labels": {7, 8, 9}}
	}
	for _, list := range []string{"clean", "corrupt", "correct", "wrong", "labels"} {
		for _, bad := range []int64{none, -1, 1 << 40} {
			lists := whole()
			lists[list][len(lists[list])-1] = bad
			m := metric.LogitDiff
			if list == "labels" {
				m = metric.NLL
			}
			path := write(list+".safetensors", lists)
			_, err := Spec{Model: model, Data: path, Metric: m}.Open(t.Context(), 1)
			require.Error(t, err, list)
			assert.ErrorContains(t, err, path)
			assert.ErrorContains(t, err, list)
		}
	}
	for _, column := range []string{"correct_idx", "incorrect_idx"} {
		ids := map[string]string{"correct_idx": "3", "incorrect_idx": "4"}
		ids[column] = "20"
		path := filepath.Join(dir, column+".csv")
		text := "clean,corrupted,correct_idx,incorrect_idx\n\"[1, 2, 3]\",\"[1, 2, 4]\"," + ids["correct_idx"] + "," + ids["incorrect_idx"] + "\n"
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := Spec{Model: model, Data: path, Metric: metric.LogitDiff}.Open(t.Context(), 1)
		require.Error(t, err, column)
		assert.ErrorContains(t, err, path)
	}
}
