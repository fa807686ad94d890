package study

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// An answer that is not of the model's vocabulary is refused with the name of the
// file and of the field or column, whatever reads it and whatever the metric.
func TestAnswersOfAnotherVocabulary(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	type data struct{ path, field string }
	all := []data{
		{write("a.json", `{"prompts":[{"clean":[1,2,3],"corrupt":[1,2,4],"answers":[99999],"wrong_answers":[4]}]}`), "answers"},
		{write("b.json", `{"prompts":[{"clean":[1,2,3],"corrupt":[1,2,4],"answers":[3],"wrong_answers":[99999]}]}`), "wrong_answers"},
		{write("c.json", `{"prompts":[{"clean":[1,2,99999],"corrupt":[1,2,4],"answers":[3],"wrong_answers":[3]}]}`), "clean"},
		{write("d.json", `{"prompts":[{"clean":[1,2,3],"corrupt":[1,2,99999],"answers":[3],"wrong_answers":[3]}]}`), "corrupt"},
	}
	for i, c := range [][2]string{{"correct_idx", "incorrect_idx"}, {"country_idx", "corrupted_country_idx"}, {"clean_answer_idx", "corrupted_answer_idx"}, {"answers_idx", "corrupted_answers_idx"}} {
		all = append(all, data{write(fmt.Sprintf("r%d.csv", i), fmt.Sprintf("clean,corrupted,%s,%s\nMary,John,99999,3\n", c[0], c[1])), c[0]},
			data{write(fmt.Sprintf("w%d.csv", i), fmt.Sprintf("clean,corrupted,%s,%s\nMary,John,3,99999\n", c[0], c[1])), c[1]})
	}
	for _, field := range []string{"clean", "corrupt", "correct", "wrong"} {
		var tensors []weights.Tensor
		for _, name := range []string{"clean", "corrupt", "correct", "wrong"} {
			id := int64(3)
			if name == field {
				id = 99999
			}
			if name == "clean" || name == "corrupt" {
				tensors = append(tensors, weights.Int64s(name, []int64{1, id}, 1, 2))
			} else {
				tensors = append(tensors, weights.Int64s(name, []int64{id}, 1))
			}
		}
		var b bytes.Buffer
		require.NoError(t, weights.Write(&b, tensors, nil))
		all = append(all, data{write(field+".safetensors", b.String()), field})
	}
	for _, d := range all {
		for _, name := range []metric.Name{metric.KL, metric.LogitDiff} {
			x, err := Spec{Model: "mini", Data: d.path, Metric: name}.Open(t.Context(), 1)
			if assert.Error(t, err, d.path) {
				assert.Regexp(t, fmt.Sprintf(`^%s: "%s": expected token ids from 0 to 906.*, found 99999 in example 0`, d.path, d.field), err.Error())
				continue
			}
			require.NoError(t, x.Close())
		}
	}
}
