package train

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// imitating is a recipe of a model that becomes a program of two tokens in a few
// seconds.
const imitating = `{
 "name": "first", "description": "a test",
 "model": {"n_layers": 1, "d_model": 12, "n_ctx": 4, "d_head": 6, "n_heads": 3, "d_mlp": 16, "d_vocab": 4, "d_vocab_out": 2,
  "act_fn": "gelu", "eps": 1e-5, "normalization_type": null, "positional_embedding_type": "standard", "attention_dir": "bidirectional"},
 "data": {"kind": "interchange", "interchange": {"program": "vocab \"a\", \"b\"\nmax_len 3\nreturn aggregate(select(indices, indices, (k, q) -> k == 0), tokens)\n",
  "min_len": 1, "heads": [[1]], "behaviour": 1, "interchange": 1, "strict": 0.4}},
 "optimizer": {"learning_rate": 0.01, "warmup": 5, "final": 0.1, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "weight_decay": 0,
  "head_lasso": 0, "clip": 1, "init_std": 0.5},
 "batch": 20, "steps": 9, "seed": 3, "dtype": "F32"
}`

// A model becomes a program in the places of its circuit; the bits depend neither
// on the number of threads nor on where the run was stopped.
func TestImitation(t *testing.T) {
	r := parse(t, []byte(imitating))
	assert.JSONEq(t, imitating, string(r.text()))
	whole := saved(t, begin(t, r, 1))
	assert.Equal(t, whole, saved(t, begin(t, r, 3)))
	for stop := 1; stop < r.Steps; stop += 3 {
		path := filepath.Join(t.TempDir(), "run.ckpt")
		first := begin(t, r, 2)
		require.ErrorIs(t, first.Train(t.Context(), 0, func(e Event) error {
			if e.Step == stop {
				return errStop
			}
			return nil
		}), errStop)
		require.NoError(t, first.SaveState(t.Context(), path))
		second := begin(t, r, 1)
		require.NoError(t, second.LoadState(t.Context(), path))
		assert.Equal(t, whole, saved(t, second), "stopped after step %d", stop)
	}

	r.Steps = 250
	run := begin(t, r, 2)
	before := values(t, run)
	require.NoError(t, run.Train(t.Context(), 0, nothing))
	after := values(t, run)
	assert.Less(t, before["accuracy"], 0.9)
	assert.Greater(t, after["accuracy"], 0.99)
	assert.Greater(t, after["interchange accuracy"], 0.98)
	assert.Greater(t, after["of answers that change"], 0.98)
	assert.Greater(t, after["accuracy of the circuit alone"], 0.98)
	assert.Less(t, after["effect from outside"], 0.02)
	for _, loss := range []string{"behaviour loss", "interchange loss", "strict loss"} {
		assert.Less(t, after[loss], before[loss]/5, loss)
	}
	again, err := MeasureModel(t.Context(), r, run.Model(), 7, 1)
	require.NoError(t, err)
	own, err := run.Measure(t.Context(), 7)
	require.NoError(t, err)
	assert.Equal(t, own, again)
}

// values are what a run's model can do, by name.
func values(t *testing.T, run *Run) map[string]float64 {
	t.Helper()
	list, err := run.Measure(t.Context(), 1)
	require.NoError(t, err)
	out := map[string]float64{}
	for _, m := range list {
		out[m.Name] = m.Value
	}
	return out
}

// Every fault of the program, of the places of its heads and of the model's shape
// is told by its field.
func TestImitationRefuses(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{`return aggregate(`, `return agregate(`, `field "data.interchange": program:3:8: `},
		{`"heads": [[1]]`, `"heads": [[3]]`, `field "data.interchange": field "heads": expected different heads from 0 to 2 in layer 0, found [3]`},
		{`"min_len": 1`, `"min_len": 4`, `field "data.interchange": field "min_len": expected a whole number from 1 to 3, found 4`},
		{`"d_vocab": 4`, `"d_vocab": 5`, `field "data.interchange": field "d_vocab" of the model: expected 4 as in the compiled program, found 5`},
		{`"n_layers": 1`, `"n_layers": 2`, `field "n_layers" of the model: expected 1 as in the compiled program, found 2`},
		{`"bidirectional"`, `"causal"`, `field "attention_dir" of the model: expected bidirectional as in the compiled program, found causal`},
		{`"normalization_type": null`, `"normalization_type": "LNPre"`, `field "model": expected a TransformerLens configuration with "LN" or without a norm`},
		{`"strict": 0.4`, `"strict": -1`, `field "data.interchange": field "strict": expected a number from 0 to 1000, found -1`},
		{`"heads": [[1]]`, `"heads": "1"`, `field "data"."interchange"."heads": expected `},
		{`"kind": "interchange", "interchange"`, `"kind": "interchange", "repeats": {}, "interchange"`, `field "data": expected the field "interchange" beside the kind, and no other kind's`},
	} {
		text := strings.Replace(imitating, c.old, c.new, 1)
		require.NotEqual(t, imitating, text)
		_, err := ParseRecipe(t.Context(), "r.json", []byte(text))
		if assert.Error(t, err, c.new) {
			assert.True(t, strings.HasPrefix(err.Error(), "r.json: field "), err)
			assert.Contains(t, err.Error(), c.want)
			assert.NotContains(t, err.Error(), "\n")
		}
	}
}
