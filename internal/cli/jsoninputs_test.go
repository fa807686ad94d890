package cli

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/tokenizer"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// jsonInput is a kind of JSON that others write, with one that is read. All are
// objects.
type jsonInput struct {
	name   string
	good   string
	read   func(t *testing.T, text string) error
	noMark bool // begins with a brace, and has a test of its own for how it is damaged
	shards bool // what is good names files that are not there
}

// inFile reads a file of this name in a folder of its own, with others beside it.
func inFile(name string, read func(path string) error, beside ...string) func(*testing.T, string) error {
	return func(t *testing.T, text string) error {
		dir := t.TempDir()
		for i := 0; i+1 < len(beside); i += 2 {
			require.NoError(t, os.WriteFile(filepath.Join(dir, beside[i]), []byte(beside[i+1]), 0o600))
		}
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return read(path)
	}
}

func jsonInputs(t *testing.T) []jsonInput {
	t.Helper()
	text := func(parts ...string) string {
		data, err := os.ReadFile(filepath.Join(append([]string{"..", "..", "pkg"}, parts...)...))
		require.NoError(t, err)
		return strings.TrimSpace(string(data))
	}
	circuits := func(t *testing.T, text string) error {
		_, err := circuit.Decode(t.Context(), "c.json", strings.NewReader(text))
		return err
	}
	config := func(t *testing.T, text string) error {
		_, err := checkpoint.ReadConfig(t.Context(), "config.json", strings.NewReader(text))
		return err
	}
	pairs := inFile("data.json", func(path string) error { _, err := task.ReadPairs(context.Background(), path); return err })
	inFolder := func(path string) error { _, err := tokenizer.Open(t.Context(), filepath.Dir(path)); return err }
	const vocab, merges = `{"a":0,"b":1,"ab":2}`, "a b\n"
	return []jsonInput{
		{name: "old circuit", good: text("circuit", "testdata", "flat-reference.json"), read: circuits},
		{name: "circuit", good: nested(t, text("circuit", "testdata", "flat-full.json")), read: circuits},
		{name: "circuit of MIB", good: text("circuit", "testdata", "mib-small.json"), read: circuits},
		{name: "configuration of TransformerLens", read: config,
			good: `{"n_layers":1,"d_model":4,"n_ctx":8,"d_head":2,"n_heads":2,"d_mlp":6,"d_vocab":5,"act_fn":"relu","normalization_type":"LN"}`},
		{name: "configuration of Hugging Face", read: config,
			good: `{"model_type":"gpt2","n_layer":1,"n_head":2,"n_embd":8,"n_positions":16,"vocab_size":7,"layer_norm_epsilon":1e-5}`},
		{name: "tokenizer.json", read: inFile("tokenizer.json", inFolder),
			good: `{"added_tokens":[{"id":3,"content":"<s>","special":true}],"normalizer":null,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":` + vocab + `,"merges":["a b"]}}`},
		{name: "vocab.json", good: vocab, read: inFile("vocab.json", inFolder, "merges.txt", merges)},
		{name: "added_tokens.json", good: `{"<s>":3}`, read: inFile("added_tokens.json", inFolder, "vocab.json", vocab, "merges.txt", merges)},
		{name: "tokenizer_config.json", read: inFile("tokenizer_config.json", inFolder, "vocab.json", vocab, "merges.txt", merges),
			good: `{"tokenizer_class":"GPT2Tokenizer","bos_token":"a","add_prefix_space":false,"added_tokens_decoder":{"3":{"content":"<s>","special":true}},"additional_special_tokens":["<s>"]}`},
		{name: "special_tokens_map.json", read: inFile("special_tokens_map.json", inFolder, "vocab.json", vocab, "merges.txt", merges),
			good: `{"bos_token":{"content":"a"},"additional_special_tokens":["b"]}`},
		{name: "data of auto-circuit", good: text("task", "testdata", "autocircuit.json"), read: pairs},
		{name: "rows of MIB", good: text("task", "testdata", "mib_ioi.jsonl"), read: pairs},
		{name: "rows of Edge-Pruning", good: text("task", "testdata", "edgepruning.jsonl"), read: pairs},
		{name: "index of shards", good: `{"metadata":{"total_size":4},"weight_map":{"x":"m.safetensors"}}`, shards: true,
			read: inFile("model.safetensors.index.json", func(path string) error { _, err := weights.OpenAny(t.Context(), path); return err })},
		{name: "header of safetensors", good: `{"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"note":{"k":[1]}}}`, noMark: true,
			read: func(_ *testing.T, text string) error {
				file := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
				_, err := weights.Decode(t.Context(), "m", append(append(file, text...), 0, 0, 0, 0))
				return err
			}},
	}
}

// nested is an old circuit file in the present form.
func nested(t *testing.T, text string) string {
	t.Helper()
	f, err := circuit.Decode(t.Context(), "c.json", strings.NewReader(text))
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, f.Encode(&b))
	return strings.TrimSpace(b.String())
}

// fine checks that an error, if there is one, is none of the JSON.
func (in jsonInput) fine(t *testing.T, err error) {
	t.Helper()
	if in.shards {
		assert.ErrorIs(t, err, os.ErrNotExist)
		return
	}
	assert.NoError(t, err)
}

// Every JSON input is read alike: with a byte-order mark or without, and not
// with what no two programs would read alike.
func TestEveryJSONInputIsReadAlike(t *testing.T) {
	for _, in := range jsonInputs(t) {
		t.Run(in.name, func(t *testing.T) {
			in.fine(t, in.read(t, in.good))
			if !in.noMark {
				in.fine(t, in.read(t, "\ufeff"+in.good))
			}
			for start, want := range map[string][]string{
				"{\"\xff\":1,":         {"UTF-8"},
				`{"x":"\ud800",`:       {`\ud800, half of a character`},
				`{"\udc00x":1,`:        {`\udc00, half of a character`},
				`{"zz":1,"z\u007a":1,`: {`"zz" twice`},
				`{"x":{"k":1,"k":2},`:  {`"k" twice`},
				`{"x":` + strings.Repeat("[", 1001) + strings.Repeat("]", 1001) + ",": {"at most 1000 brackets"},
				`{"x":` + strings.Repeat("[", 20_000) + ",":                           {"at most 1000 brackets", "max depth"},
				`{"x":nul,`: {"expected JSON"},
			} {
				err := in.read(t, start+in.good[1:])
				require.Error(t, err, "%.40s", start)
				assert.True(t, in.noMark || slices.ContainsFunc(want, func(w string) bool { return strings.Contains(err.Error(), w) }), "%.40s: %v", start, err)
				inWords(t, err)
			}
			for _, text := range []string{"", " ", in.good[:len(in.good)-2], in.good + "]", "7", `"a"`, "[]", "null", "[7]"} {
				err := in.read(t, text)
				require.Error(t, err, "%.40s", text)
				inWords(t, err)
			}
		})
	}
}

// Whatever stands in a field, an error of it speaks of JSON and not of Go.
func TestErrorsOfEveryFieldAreInWords(t *testing.T) {
	others := []any{nil, true, -1, 1.5, json.RawMessage("1e999"), json.RawMessage("99999999999999999999"), "x", []any{}, []any{map[string]any{}}, map[string]any{}, map[string]any{"x": []int{1}}}
	for _, in := range jsonInputs(t) {
		t.Run(in.name, func(t *testing.T) {
			first, _, _ := strings.Cut(in.good, "\n{\"") // of rows the first
			var doc any
			require.NoError(t, json.Unmarshal([]byte(first), &doc))
			refused := 0
			eachValue(doc, func(set func(any)) {
				for _, other := range others {
					set(other)
					text, err := json.Marshal(doc)
					require.NoError(t, err)
					if err := in.read(t, string(text)); err != nil {
						refused++
						inWords(t, err)
					}
				}
			})
			assert.NotZero(t, refused)
		})
	}
}

// eachValue calls a function for each value in a document, of a list the first
// and the last, which can set another in its place for the time of the call.
func eachValue(doc any, visit func(set func(any))) {
	switch v := doc.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			old := v[key]
			visit(func(other any) { v[key] = other })
			v[key] = old
			eachValue(old, visit)
		}
	case []any:
		for i, old := range v {
			if i > 0 && i < len(v)-1 {
				continue
			}
			visit(func(other any) { v[i] = other })
			v[i] = old
			eachValue(old, visit)
		}
	}
}

// A key that differs by case alone from a field's is not taken for it, whatever
// it holds: it is refused by name, or nobody looks at it.
func TestKeysInOtherLettersOfEveryInput(t *testing.T) {
	names := []string{"vocab", "weight_map", "nodes", "edges", "added_tokens.json", "vocab.json", "header of safetensors", "__metadata__"} // objects whose keys are no fields
	for _, in := range jsonInputs(t) {
		t.Run(in.name, func(t *testing.T) {
			first, _, _ := strings.Cut(in.good, "\n{\"")
			var doc any
			require.NoError(t, json.Unmarshal([]byte(first), &doc))
			tried := 0
			eachObject(in.name, doc, func(name string, object map[string]any) {
				for _, key := range slices.Sorted(maps.Keys(object)) {
					other := strings.ToUpper(key[:1]) + key[1:]
					if other == key || slices.Contains(names, name) {
						continue
					}
					tried++
					object[other] = map[string]any{"zz": []any{}}
					text, err := json.Marshal(doc)
					require.NoError(t, err)
					delete(object, other)
					if err := in.read(t, string(text)); err != nil && !(in.shards && errors.Is(err, os.ErrNotExist)) {
						assert.Contains(t, err.Error(), fmt.Sprintf("expected the key %q, found %q", key, other))
					}
				}
			})
			assert.True(t, tried > 0 || slices.Contains(names, in.name))
		})
	}
}

// eachObject calls a function for each object in a document, with the key that
// it stands under.
func eachObject(name string, doc any, visit func(name string, object map[string]any)) {
	switch v := doc.(type) {
	case map[string]any:
		visit(name, v)
		for key, inner := range v {
			eachObject(key, inner, visit)
		}
	case []any:
		for _, inner := range v {
			eachObject(name, inner, visit)
		}
	}
}

// inWords checks that an error is one line without a name of a Go type.
func inWords(t *testing.T, err error) {
	t.Helper()
	assert.NotRegexp(t, `Go |\b(struct|float64|float32|u?int(8|16|32|64)?|map\[|\[\]string|slice|json:|unmarshal|RawMessage|(circuit|checkpoint|tokenizer|task)\.[a-zA-Z]*File)\b|\n`, err.Error())
	assert.Less(t, len(err.Error()), 2000, fmt.Sprintf("%.200s", err))
}
