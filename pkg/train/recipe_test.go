package train

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tiny is a recipe that is trained in a second.
const tiny = `{
 "name": "tiny",
 "description": "a test",
 "model": {"n_layers": 2, "d_model": 16, "n_ctx": 14, "d_head": 8, "n_heads": 2, "d_mlp": 24, "d_vocab": 20, "d_vocab_out": 20,
  "act_fn": "gelu_new", "eps": 1e-5, "normalization_type": "LN", "positional_embedding_type": "standard"},
 "data": {"kind": "repeats", "repeats": {"vocab": 20, "length": 13, "min_period": 2, "max_period": 5}},
 "optimizer": {"learning_rate": 0.005, "warmup": 5, "final": 0.1, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "weight_decay": 0.1,
  "head_lasso": 0.1, "clip": 1, "init_std": 0.5},
 "batch": 40,
 "steps": 12,
 "seed": 3,
 "dtype": "F32"
}`

// with returns tiny with the values of some fields replaced; a field within
// another is named a.b, and an empty value takes it out.
func with(t testing.TB, fields map[string]string) []byte {
	t.Helper()
	var all map[string]any
	require.NoError(t, json.Unmarshal([]byte(tiny), &all))
	for name, value := range fields {
		at, path := all, strings.Split(name, ".")
		for _, p := range path[:len(path)-1] {
			at = at[p].(map[string]any)
		}
		at[path[len(path)-1]] = json.RawMessage(value)
		if value == "" {
			delete(at, path[len(path)-1])
		}
	}
	data, err := json.Marshal(all)
	require.NoError(t, err)
	return data
}

func parse(t testing.TB, data []byte) Recipe {
	t.Helper()
	r, err := ParseRecipe(t.Context(), "r.json", data)
	require.NoError(t, err)
	return r
}

func TestRecipeIsWrittenAsItIsRead(t *testing.T) {
	r := parse(t, []byte(tiny))
	again, err := ParseRecipe(t.Context(), "again", r.text())
	require.NoError(t, err)
	assert.Equal(t, string(r.text()), string(again.text()))
	assert.JSONEq(t, tiny, string(r.text()))
	path := filepath.Join(t.TempDir(), "r.json")
	require.NoError(t, os.WriteFile(path, []byte(tiny), 0o644))
	read, err := ReadRecipe(t.Context(), path)
	require.NoError(t, err)
	assert.Equal(t, r, read)
	_, err = ReadRecipe(t.Context(), filepath.Dir(path))
	assert.ErrorContains(t, err, "expected a recipe, found a directory")
}

// Every field is checked, and its error names it.
func TestRecipeRefuses(t *testing.T) {
	for field, wrong := range map[string][]string{
		"batch": {"0", "-1", "70000", ""}, "steps": {"0", "-3", ""},
		"optimizer.learning_rate": {"0", "-1", "11", ""}, "optimizer.warmup": {"-1"}, "optimizer.final": {"-0.1", "2"},
		"optimizer.beta1": {"1", "-0.1"}, "optimizer.beta2": {"1", "2"}, "optimizer.epsilon": {"0", ""}, "optimizer.weight_decay": {"-1", "11"},
		"optimizer.head_lasso": {"-1", "1000"}, "optimizer.clip": {"-1"}, "optimizer.init_std": {"-1", "11"},
		"dtype": {`"F8"`, `""`, ""}, "data.kind": {`"poems"`, ""},
		"data.repeats.vocab": {"21", "5"}, "data.repeats.length": {"15", "4", ""}, "data.repeats.min_period": {"1", "6", ""},
		"data.repeats.max_period": {"7", "1"}, "data.measured": {`{"vocab": 20, "length": 15, "min_period": 2, "max_period": 3}`, "3"},
		"model.d_model": {"0", ""}, "model.n_layers": {"-1"}, "model.normalization_type": {"null", `"RMS"`}, "model.d_vocab_out": {"21"},
	} {
		for _, value := range wrong {
			_, err := ParseRecipe(t.Context(), "r.json", with(t, map[string]string{field: value}))
			require.Error(t, err, "%s %s", field, value)
			assert.True(t, strings.HasPrefix(err.Error(), "r.json: "), err)
			last := field[strings.LastIndexByte(field, '.')+1:]
			if strings.HasPrefix(field, "model.") && !strings.Contains(err.Error(), last) {
				last = "model"
			}
			assert.Contains(t, err.Error(), last, "%s %s", field, value)
			assert.NotContains(t, err.Error(), " json:")
			assert.NotContains(t, err.Error(), "\n")
		}
	}
}

func TestRecipeErrorsInFull(t *testing.T) {
	for _, c := range []struct{ field, value, want string }{
		{"batch", "0", `r.json: field "batch": expected a whole number from 1 to 65536, found 0`},
		{"batch", "1.5", `r.json: field "batch": expected a whole number, found 1.5`},
		{"optimizer.clip", `"x"`, `r.json: field "optimizer"."clip": expected a number, found "x"`},
		{"optimiser", "{}", `r.json: field "optimiser" is not known of recipes`},
		{"optimizer.momentum", "1", `r.json: field "momentum" is not known of recipes`},
		{"dtype", `"F8"`, `r.json: field "dtype": expected F32, F16 or BF16, found "F8"`},
		{"data.kind", `"poems"`, `r.json: field "data.kind": unknown kind "poems": expected one of repeats, text, interchange`},
		{"data.kind", `"text"`, `r.json: field "data": expected the field "text" beside the kind, and no other kind's`},
		{"data.repeats.length", "15", `r.json: field "data.repeats.length": expected a whole number from 5 to 14, found 15`},
		{"model.d_model", "", `r.json: field "model": field "d_model" is missing: expected a positive integer`},
		{"model.normalization_type", "null", `r.json: field "model": expected a TransformerLens configuration with "LN" and as many logits as tokens`},
	} {
		_, err := ParseRecipe(t.Context(), "r.json", with(t, map[string]string{c.field: c.value}))
		assert.EqualError(t, err, c.want)
	}
	_, err := ParseRecipe(t.Context(), "r.json", []byte("{"))
	assert.ErrorContains(t, err, "r.json: ")
}

func FuzzRecipe(f *testing.F) {
	f.Add([]byte(tiny))
	f.Add([]byte(`{"model": {}}`))
	f.Add([]byte(`{"data": {"kind": "text", "text": {"shares": [{"source": "ioi", "turns": 1}]}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseRecipe(t.Context(), "r.json", data)
		if err != nil {
			assert.NotContains(t, err.Error(), "\n")
			return
		}
		_, err = ParseRecipe(t.Context(), "again", r.text())
		assert.NoError(t, err)
	})
}
