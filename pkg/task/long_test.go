package task

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What a data set says is shown shortened in errors, whatever the form and the
// field.
func TestLongValuesAreShortened(t *testing.T) {
	long, refused := strings.Repeat("a", 5000), 0
	short := func(text, what string) {
		t.Helper()
		pairs, err := DecodePairs(t.Context(), "d", []byte(text))
		if err == nil {
			_, err = Encode(t.Context(), pairs, nil, EncodeOptions{Name: "d"})
		}
		if err != nil {
			refused++
			assert.Less(t, len(err.Error()), 700, what)
		}
	}
	values := []string{`"` + long + `"`, `["` + long + `"]`, `{"` + long + `":1}`, strings.Repeat("9", 5000), `[` + strings.Repeat("9", 5000) + `]`}
	for _, form := range []string{
		`{"prompts":[{"clean":"a","corrupt":"b","answers":["c"],"wrong_answers":["d"]}],"word_idxs":{}}`,
		`{"prompt":"a","choices":["b","c"],"answerKey":0,"metadata":{},"random_names_counterfactual":{"prompt":"b"}}`,
		`{"clean":"a <predict>b</predict>","corr":"c <predict>d</predict>"}`,
	} {
		for i := range form {
			if form[i] != ':' {
				continue
			}
			for _, value := range values {
				end := strings.IndexAny(form[i+1:], ",}") + i + 1
				short(form[:i+1]+value+form[end:], form[:i])
			}
		}
		short(strings.ReplaceAll(form, "clean", long), form)
	}
	for _, header := range []string{"clean,corrupted,label", "clean,corrupted,correct_idx,incorrect_idx", "clean,corrupted," + long, long + ",b,c"} {
		columns := strings.Count(header, ",") + 1
		for i := range columns {
			cells := strings.Split(strings.Repeat("1,", columns-1)+"1", ",")
			cells[i] = long
			short(fmt.Sprintf("%s\n%s\n", header, strings.Join(cells, ",")), header)
		}
	}
	assert.Greater(t, refused, 30)
}
