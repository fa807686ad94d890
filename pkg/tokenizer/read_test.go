package tokenizer

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// base is a small tokenizer.json; tests put other fields in.
const base = `{
	"added_tokens": [{"id": 3, "content": "<e>", "special": true, "normalized": false}],
	"normalizer": null,
	"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
	"post_processor": null,
	"decoder": {"type": "ByteLevel"},
	"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}
}`

// with returns base with a field, "model.vocab" for one of the model, replaced;
// an empty value takes it out.
func with(t testing.TB, name, value string) []byte {
	t.Helper()
	return replaced(t, []byte(base), name, value)
}

// replaced is with for another file than base.
func replaced(t testing.TB, file []byte, name, value string) []byte {
	t.Helper()
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(file, &all))
	if inner, ok := strings.CutPrefix(name, "model."); ok {
		var model map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(all["model"], &model))
		model[inner] = json.RawMessage(value)
		if value == "" {
			delete(model, inner)
		}
		data, err := json.Marshal(model)
		require.NoError(t, err)
		name, value = "model", string(data)
	}
	all[name] = json.RawMessage(value)
	if value == "" {
		delete(all, name)
	}
	data, err := json.Marshal(all)
	require.NoError(t, err)
	return data
}

// damaged lists a field, its value, and the error.
var damaged = [][3]string{
	{"model", ``, `field "model": expected an object, found none`},
	{"model", `null`, `field "model": expected an object, found none`},
	{"model", `[]`, `field "model": expected an object, found a list`},
	{"model.type", `"Unigram"`, `field "model": found type "Unigram", which is not supported, expected BPE or WordLevel`},
	{"model.type", `"WordPiece"`, `field "model": found type "WordPiece", which is not supported, expected BPE or WordLevel`},
	{"model.type", `"WordLevel"`, `field "model": field "merges": expected none of a WordLevel model`},
	{"model", `{"type": "WordLevel", "vocab": {"a": 0}}`, `field "model": field "unk_token" is missing: every word outside the vocabulary becomes it`},
	{"model", `{"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "?"}`, `field "model": field "unk_token": "?" is not in the vocabulary`},
	{"model", `{"type": "WordLevel", "vocab": {"a": "0"}, "unk_token": "a"}`, `field "model": field "vocab": token "a": expected an id, found "0"`},
	{"model.type", `3`, `field "model": field "type": expected a text, found 3`},
	{"model.byte_fallback", `true`, `field "model": field "byte_fallback": found true, which is not supported`},
	{"model.dropout", `0.1`, `field "model": field "dropout": found 0.1, expected none: ids would be random`},
	{"model.end_of_word_suffix", `"</w>"`, `field "model": field "end_of_word_suffix": found "</w>", which is not supported`},
	{"model.continuing_subword_prefix", `"##"`, `field "model": field "continuing_subword_prefix": found "##", which is not supported`},
	{"model.unk_token", `"?"`, `field "model": field "unk_token": "?" is not in the vocabulary`},
	{"model.vocab", ``, `field "model": field "vocab": expected an object, found none`},
	{"model.vocab", `["a", "b"]`, `field "model": field "vocab": expected an object, found an array`},
	{"model.vocab", `{"a": "x"}`, `field "model": field "vocab": token "a": expected an id, found "x"`},
	{"model.vocab", `{"a": {}}`, `field "model": field "vocab": token "a": expected an id, found an object`},
	{"model.vocab", `{"a": 1.5}`, `field "model": field "vocab": token "a": expected an id from 0 to 1048575, found 1.5`},
	{"model.vocab", `{"a": -1}`, `field "model": field "vocab": token "a": expected an id from 0 to 1048575, found -1`},
	{"model.vocab", `{"a": 2000000000}`, `field "model": field "vocab": token "a": expected an id from 0 to 1048575, found 2000000000`},
	{"model.vocab", `{"a": 0, "a": 1}`, `field "model"."vocab": expected different keys, found "a" twice`},
	{"model.vocab", `{"a": 0, "b": 0}`, `field "model": field "vocab": token "b": id 0 is already that of "a"`},
	{"model.merges", ``, `field "model": field "merges" is missing`},
	{"model.merges", `{}`, `field "model": field "merges": expected an array, found an object`},
	{"model.merges", `["ab"]`, `field "model": field "merges": entry 0: expected two tokens as "a b" or ["a", "b"], found "ab"`},
	{"model.merges", `["a b", "a b c"]`, `field "model": field "merges": entry 1: expected two tokens as "a b" or ["a", "b"], found "a b c"`},
	{"model.merges", `[["a", 1]]`, `field "model": field "merges": entry 0: expected two tokens as "a b" or ["a", "b"], found a list`},
	{"model.merges", `["c b"]`, `field "model": field "merges": entry 0: token "c" is not in the vocabulary`},
	{"model.merges", `["a c"]`, `field "model": field "merges": entry 0: token "c" is not in the vocabulary`},
	{"model.merges", `["b a"]`, `field "model": field "merges": entry 0: token "ba", merged of "b" and "a", is not in the vocabulary`},
	{"normalizer", `{"type": "Lowercase"}`, `field "normalizer": found type "Lowercase", which is not supported, expected NFC, NFD, NFKC, NFKD or a Sequence of them`},
	{"normalizer", `{"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Strip"}]}`, `field "normalizer": field "normalizers": entry 1: found type "Strip", which is not supported, expected NFC, NFD, NFKC, NFKD or a Sequence of them`},
	{"normalizer", `{"type": "Sequence"}`, `field "normalizer": field "normalizers" is missing`},
	{"normalizer", `{}`, `field "normalizer": field "type" is missing`},
	{"pre_tokenizer", `null`, `field "pre_tokenizer": expected a ByteLevel, found none: only byte-level vocabularies are supported`},
	{"pre_tokenizer", `"ByteLevel"`, `field "pre_tokenizer": expected an object, found "ByteLevel"`},
	{"pre_tokenizer", `{"type": "Metaspace"}`, `field "pre_tokenizer": found type "Metaspace", which is not supported, expected ByteLevel, Split, Digits or a Sequence of them`},
	{"pre_tokenizer", `{"type": "Whitespace"}`, `field "pre_tokenizer": found type "Whitespace", which is not supported, expected ByteLevel, Split, Digits or a Sequence of them`},
	{"pre_tokenizer", `{"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}, {"type": "ByteLevel"}]}`, `field "pre_tokenizer": field "pretokenizers": entry 1: found ByteLevel twice, expected it once`},
	{"pre_tokenizer", `{"type": "ByteLevel", "add_prefix_space": 1}`, `field "pre_tokenizer": field "add_prefix_space": expected true or false, found 1`},
	{"pre_tokenizer", `{"type": "Split", "behavior": "isolated"}`, `field "pre_tokenizer": field "behavior": found "isolated", expected Isolated, Removed, Contiguous, MergedWithPrevious or MergedWithNext`},
	{"pre_tokenizer", `{"type": "Split", "behavior": "Isolated", "pattern": {"String": ""}}`, `field "pre_tokenizer": field "pattern": expected a Regex or a String, found none`},
	{"pre_tokenizer", split(`a(?=b)`), `field "pre_tokenizer": field "pattern": pattern "a(?=b)": found a lookahead or lookbehind, expected none but in \s+(?!\S)|\s+ at the end`},
	{"pre_tokenizer", split(`(?<n>a)`), `field "pre_tokenizer": field "pattern": pattern "(?<n>a)": found the group "(?<n", which is not supported`},
	{"pre_tokenizer", split(`^a`), `field "pre_tokenizer": field "pattern": pattern "^a": found the anchor ^, which is not supported`},
	{"pre_tokenizer", split(`a\b`), `field "pre_tokenizer": field "pattern": pattern "a\\b": found "\\b", which is not supported`},
	{"pre_tokenizer", split(`a\`), `field "pre_tokenizer": field "pattern": pattern "a\\": found a \ at the end`},
	{"pre_tokenizer", split(`[a&&b]`), `field "pre_tokenizer": field "pattern": pattern "[a&&b]": found "&" within [ ], which is not supported`},
	{"pre_tokenizer", split(`[[:alpha:]]`), `field "pre_tokenizer": field "pattern": pattern "[[:alpha:]]": found "[" within [ ], which is not supported`},
	{"pre_tokenizer", split(`[ab`), `field "pre_tokenizer": field "pattern": pattern "[ab": found [ without ]`},
	{"pre_tokenizer", split(`a*`), `field "pre_tokenizer": field "pattern": pattern "a*": expected one that always takes a character, found one that may match nothing`},
	{"pre_tokenizer", split(`a{,3}`), `field "pre_tokenizer": field "pattern": pattern "a{,3}": found "{,3}", expected a count as in {1,3}`},
	{"pre_tokenizer", split(`a++`), `field "pre_tokenizer": field "pattern": pattern "a++": invalid nested repetition operator at "++"`},
	{"pre_tokenizer", split(strings.Repeat("a", 5000)), `field "pre_tokenizer": field "pattern": expected a pattern of at most 4096 bytes, found 5000`},
	{"decoder", `{"type": "Metaspace"}`, `field "decoder": found type "Metaspace", which is not supported, expected ByteLevel or a Sequence of it`},
	{"decoder", `{"type": "Sequence", "decoders": [{"type": "Strip"}]}`, `field "decoder": field "decoders": entry 0: found type "Strip", which is not supported, expected ByteLevel or Fuse`},
	{"added_tokens", `{}`, `field "added_tokens": expected an array, found an object`},
	{"added_tokens", `[{}]`, `field "added_tokens": entry 0: field "id" is missing`},
	{"added_tokens", `[{"id": 7}]`, `field "added_tokens": entry 0: field "content": expected a text, found none`},
	{"added_tokens", `[{"id": 7, "content": 7}]`, `field "added_tokens": entry 0: field "content": expected a text, found 7`},
	{"added_tokens", `[{"id": 1048576, "content": "x"}]`, `field "added_tokens": entry 0: field "id": expected an id from 0 to 1048575, found 1048576`},
	{"added_tokens", `[{"id": 7, "content": "ab"}]`, `field "added_tokens": entry 0: "ab": expected the id 2 that it has already, found 7`},
	{"added_tokens", `[{"id": 2, "content": "x"}]`, `field "added_tokens": entry 0: "x": id 2 is already that of "ab"`},
	{"added_tokens", `[{"id": 7, "content": "` + strings.Repeat("x", 600) + `"}]`, `field "added_tokens": entry 0: field "content": expected at most 512 bytes, found 600`},
	{"post_processor", `{"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}]}`, `field "post_processor": token "<s>" is not in the vocabulary`},
}

func split(pattern string) string {
	data, _ := json.Marshal(map[string]any{"type": "Split", "behavior": "Isolated", "pattern": map[string]string{"Regex": pattern}})
	return string(data)
}

func TestDamagedFiles(t *testing.T) {
	for _, d := range damaged {
		tok, err := Read(t.Context(), "t.json", with(t, d[0], d[1]))
		assert.Nil(t, tok)
		assert.EqualError(t, err, "t.json: "+d[2], "%s %s", d[0], d[1])
	}
	for file, want := range map[string]string{
		``:             "t.json: expected JSON, found nothing",
		`[]`:           "t.json: expected an object, found a list",
		`{"model": `:   "t.json: line 1: expected JSON, found an end in the middle of it",
		"{\"a\": \xff": "t.json: line 1: expected UTF-8 text, found byte 0xff at byte 6",
	} {
		_, err := Read(t.Context(), "t.json", []byte(file))
		assert.EqualError(t, err, want)
	}
	_, err := Read(t.Context(), "t.json", make([]byte, maxFile+1))
	assert.EqualError(t, err, "t.json: expected at most 67108864 bytes, found 67108865")
}

func TestDeepSequences(t *testing.T) {
	deep := strings.Repeat(`{"type": "Sequence", "pretokenizers": [`, 9) + `{"type": "ByteLevel"}` + strings.Repeat(`]}`, 9)
	_, err := Read(t.Context(), "t", with(t, "pre_tokenizer", deep))
	require.ErrorContains(t, err, "expected at most 32 steps in sequences nested 4 deep")
	wide := `{"type": "Sequence", "pretokenizers": [` + strings.Repeat(`{"type": "Digits"},`, 40) + `{"type": "ByteLevel"}]}`
	_, err = Read(t.Context(), "t", with(t, "pre_tokenizer", wide))
	require.EqualError(t, err, `t: field "pre_tokenizer": field "pretokenizers": expected at most 32 entries`)
}

func TestReadBase(t *testing.T) {
	tok, err := Read(t.Context(), "t.json", []byte(base))
	require.NoError(t, err)
	assert.Equal(t, "t.json", tok.Name())
	assert.Equal(t, 4, tok.Vocab())
	assert.Equal(t, []int{2, 3, 1, 0}, tok.Encode("ab<e>ba"))
	assert.Equal(t, []int{2}, tok.Encode("abc"), "a byte without a token is dropped")
	assert.Equal(t, "ab<e>ba", tok.Decode([]int{2, 3, 1, 0}))
	_, ok := tok.BOS()
	assert.False(t, ok)
}

// Files from before the fields had these forms.
func TestOldAndNewForms(t *testing.T) {
	for _, f := range [][2]string{{"model.type", ``}, {"model.merges", `["#version: 0.2", "a b"]`}, {"model.merges", `[["a", "b"]]`}, {"decoder", `null`}, {"model.unk_token", `""`}} {
		tok, err := Read(t.Context(), "t", with(t, f[0], f[1]))
		if assert.NoError(t, err, f) {
			assert.Equal(t, []int{2, 0}, tok.Encode("aba"), f)
		}
	}
}

func TestBOSOfTemplate(t *testing.T) {
	tok := family(t, "llama3")
	id, ok := tok.BOS()
	require.True(t, ok)
	assert.Equal(t, "<|begin_of_text|>", tok.Token(id))
	id, ok = family(t, "neox").BOS()
	assert.True(t, ok)
	assert.Zero(t, id)
}

// folder writes files into a new folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(files[name]), 0o600))
	}
	return dir
}

// The same tokenizer in its two forms.
func TestPairAgreesWithTokenizerJSON(t *testing.T) {
	for name, class := range map[string]string{"gpt2": "GPT2Tokenizer", "qwen2": "Qwen2Tokenizer"} {
		want := family(t, name)
		got, err := Open(t.Context(), folder(t, pairOf(t, name, class)))
		require.NoError(t, err)
		require.Equal(t, want.Vocab(), got.Vocab())
		for _, s := range fuzzStrings(7, 1000) {
			require.Equal(t, want.Encode(s), got.Encode(s), "%q", s)
		}
		a, okA := want.BOS()
		b, okB := got.BOS()
		assert.Equal(t, a, b)
		assert.Equal(t, okA, okB)
	}
}

// pairOf takes a fixture apart into vocab.json, merges.txt and the settings.
func pairOf(t *testing.T, name, class string) map[string]string {
	var f struct {
		Added []json.RawMessage `json:"added_tokens"`
		Model struct {
			Vocab  json.RawMessage
			Merges []string
		}
	}
	require.NoError(t, json.Unmarshal(unzip(t, name+".json.gz"), &f))
	added := map[int]json.RawMessage{}
	for _, raw := range f.Added {
		var a struct{ ID int }
		require.NoError(t, json.Unmarshal(raw, &a))
		added[a.ID] = raw
	}
	config, err := json.Marshal(map[string]any{"tokenizer_class": class, "added_tokens_decoder": added})
	require.NoError(t, err)
	return map[string]string{
		vocabName:  string(f.Model.Vocab),
		mergesName: "#version: 0.2\n" + strings.Join(f.Model.Merges, "\n") + "\n",
		configName: string(config),
	}
}

func TestOpenPair(t *testing.T) {
	vocab, merges := `{"a": 0, "b": 1, "ab": 2, "<|endoftext|>": 3, "Ġ": 5}`, "#version: 0.2\na b\n"
	tok, err := Open(t.Context(), folder(t, map[string]string{vocabName: vocab, mergesName: merges, addedName: `{"<pad>": 7}`}))
	require.NoError(t, err)
	assert.Equal(t, []int{2, 3, 1, 7}, tok.Encode("ab<|endoftext|>b<pad>"))
	id, ok := tok.BOS()
	assert.True(t, ok)
	assert.Equal(t, 3, id)
	assert.Equal(t, 8, tok.Vocab())
	assert.Equal(t, "[4]", tok.Token(4))

	tok, err = Open(t.Context(), folder(t, map[string]string{vocabName: vocab, mergesName: merges, configName: `{"add_prefix_space": true, "eos_token": "b", "additional_special_tokens": ["ab"]}`}))
	require.NoError(t, err)
	assert.Equal(t, []int{5, 0, 2, 5, 0}, tok.Encode("aaba"))
}

func TestOpenErrors(t *testing.T) {
	good := map[string]string{vocabName: `{"a": 0, "b": 1, "ab": 2}`, mergesName: "a b\n"}
	for _, c := range []struct{ file, content, want string }{
		{mergesName, "a b\nab\n", `DIR/merges.txt: line 2: expected two tokens with a space between them, found "ab"`},
		{mergesName, "a b\n\na  b\n", `DIR/merges.txt: line 3: expected two tokens with a space between them, found "a  b"`},
		{mergesName, "a x\n", `DIR/merges.txt: line 1: token "x" is not in the vocabulary`},
		{mergesName, "a \xff\n", `DIR/merges.txt: expected UTF-8, found byte 0xff at 2`},
		{vocabName, `{"a": 0`, `DIR/vocab.json: line 1: expected JSON, found an end in the middle of it`},
		{vocabName, `{"a": 0} 1`, `DIR/vocab.json: line 1: expected the end of the text after the JSON value, found more`},
		{vocabName, `[]`, `DIR/vocab.json: expected an object, found an array`},
		{addedName, `{"x": "y"}`, `DIR/added_tokens.json: token "x": expected an id, found "y"`},
		{addedName, `{"x": 1}`, `DIR: added tokens: entry 0: "x": id 1 is already that of "b"`},
		{configName, `{"tokenizer_class": "LlamaTokenizer"}`, `DIR/tokenizer_config.json: field "tokenizer_class": found "LlamaTokenizer", expected GPT2Tokenizer, GPTNeoXTokenizer, CodeGenTokenizer, RobertaTokenizer or Qwen2Tokenizer, or a folder with tokenizer.json`},
		{configName, `{"added_tokens_decoder": {"x": {}}}`, `DIR/tokenizer_config.json: field "added_tokens_decoder": expected ids as names, found "x"`},
		{configName, `{"added_tokens_decoder": {"7": {}}}`, `DIR/tokenizer_config.json: field "added_tokens_decoder": entry 7: field "content": expected a text, found none`},
		{tokenizerName, `{}`, `DIR/tokenizer.json: field "model": expected an object, found none`},
	} {
		files := maps.Clone(good)
		files[c.file] = c.content
		dir := folder(t, files)
		_, err := Open(t.Context(), dir)
		assert.EqualError(t, err, strings.Replace(c.want, "DIR", dir, 1))
	}
}

func TestOpenMissing(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(t.Context(), dir)
	assert.EqualError(t, err, dir+": expected tokenizer.json, or vocab.json and merges.txt, found none: file does not exist")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	_, err = Open(t.Context(), filepath.Join(dir, "none"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
	dir = folder(t, map[string]string{vocabName: `{}`})
	_, err = Open(t.Context(), dir)
	assert.EqualError(t, err, filepath.Join(dir, mergesName)+": no such file or directory")
	require.NoError(t, os.Mkdir(filepath.Join(dir, tokenizerName), 0o700))
	_, err = Open(t.Context(), dir)
	assert.ErrorContains(t, err, "expected a file of a tokenizer, found a directory")
	assert.False(t, errors.Is(err, fs.ErrNotExist))
}

// A file of 4 MB takes memory in proportion to its size, whatever it states.
func TestHostileSizes(t *testing.T) {
	size := 4 << 20
	if testing.Short() {
		size = 1 << 19
	}
	fill := func(unit string) string {
		return "[" + strings.Repeat(unit+",", size/(len(unit)+1)) + unit + "]"
	}
	for name, file := range map[string][]byte{
		"added":  with(t, "added_tokens", fill(`{"id":9,"content":"x"}`)),
		"merges": with(t, "model.merges", fill(`["a","b"]`)),
		"steps":  with(t, "pre_tokenizer", `{"type":"Sequence","pretokenizers":`+fill(`{}`)+`}`),
		"id":     with(t, "added_tokens", `[{"id": 1048575, "content": "x"}]`),
		"deep":   []byte(`{"normalizer":` + strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20) + `}`),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = Read(t.Context(), "t", file) // some are right, some are wrong
		runtime.ReadMemStats(&after)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(75*size+64<<20), name)
	}
}

func FuzzTokenizerJSON(f *testing.F) {
	f.Add([]byte(base))
	for _, d := range damaged {
		f.Add(with(f, d[0], d[1]))
	}
	for _, p := range patterns {
		f.Add(with(f, "pre_tokenizer", `{"type": "Sequence", "pretokenizers": [`+split(p)+`, {"type": "ByteLevel"}]}`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tok, err := Read(t.Context(), "t", data)
		if err != nil {
			require.Nil(t, tok)
			require.NotContains(t, err.Error(), "\n")
			return
		}
		for _, s := range []string{"ab<e>ba", " a  b\n1 22\u0301é\xff", ""} {
			ids, text := tok.Encode(s), ""
			for _, id := range ids {
				require.True(t, tok.piece(id).known)
				text += tok.Decode([]int{id})
			}
			require.Equal(t, text, tok.Decode(ids))
		}
	})
}

func FuzzMerges(f *testing.F) {
	f.Add([]byte("#version: 0.2\na b\n"), []byte(`{"a": 0, "b": 1, "ab": 2}`))
	f.Add([]byte("a b\r\nab a\r\n"), []byte(`{"a": 0, "b": 1, "ab": 2, "aba": 3}`))
	f.Fuzz(func(t *testing.T, merges, vocab []byte) {
		p := pairFiles{dir: "d", vocab: vocab, merges: merges, config: &settings{}}
		tok, err := p.read(t.Context())
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		for _, id := range tok.Encode("aba bab") {
			require.True(t, tok.piece(id).known)
		}
	})
}
