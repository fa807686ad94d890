package task

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/tokenizer"
)

// asText and asIDs make prompts.
func asText(s string) Prompt { return Prompt{Text: s} }

func asIDs(n ...int) Prompt { return Prompt{IDs: n} }

// asTexts makes prompts of one text each.
func asTexts(list ...string) []Prompt {
	out := make([]Prompt, len(list))
	for i, s := range list {
		out[i] = asText(s)
	}
	return out
}

// unnamed are pairs without what their source calls answers.
func unnamed(pairs []Pair) []Pair {
	out := slices.Clone(pairs)
	for i := range out {
		out[i].Called = Called{}
	}
	return out
}

func TestReadAutoCircuit(t *testing.T) {
	pairs, err := ReadPairs(t.Context(), filepath.Join("testdata", "autocircuit.json"))
	require.NoError(t, err)
	assert.Equal(t, []Pair{
		{Clean: asText("The capital of Peru is"), Corrupt: asText("The capital of Chad is"), Correct: asTexts(" Lima"), Wrong: asTexts(" Roma", " Oslo")},
		{Clean: asIDs(1, 22, 333), Corrupt: asIDs(1, 23, 333), Correct: []Prompt{asIDs(7), asText(" Bern")}},
	}, unnamed(pairs))
}

func TestReadEAPYears(t *testing.T) {
	pairs, err := ReadPairs(t.Context(), filepath.Join("testdata", "eap_years.csv"))
	require.NoError(t, err)
	require.Len(t, pairs, 2)
	assert.Equal(t, "The war lasted from the year 1352 to the year 13", pairs[0].Clean.Text)
	assert.Equal(t, "The war lasted from the year 1301 to the year 13", pairs[0].Corrupt.Text)
	assert.Equal(t, `The "long" plan, lasted from the year 1604 to the year 16`, pairs[1].Clean.Text)
	require.Len(t, pairs[0].Correct, 47)
	require.Len(t, pairs[0].Wrong, 53)
	assert.Equal(t, asText("53"), pairs[0].Correct[0])
	assert.Equal(t, asText("99"), pairs[0].Correct[46])
	assert.Equal(t, asText("00"), pairs[0].Wrong[0])
	assert.Equal(t, asText("52"), pairs[0].Wrong[52])
	assert.Equal(t, asTexts("00", "01", "02", "03", "04"), pairs[1].Wrong)
}

func TestReadEAPNames(t *testing.T) {
	pairs, err := ReadPairs(t.Context(), filepath.Join("testdata", "eap_names.csv"))
	require.NoError(t, err)
	assert.Equal(t, []Pair{
		{Clean: asText("When Amy and Laura met, Laura spoke to"), Corrupt: asText("When Amy and Laura met, Nick spoke to"),
			Correct: []Prompt{asIDs(14235)}, Wrong: []Prompt{asIDs(16753)}},
		{Clean: asText("Then, Ann\nand Bob met. Bob spoke to"), Corrupt: asText("Then, Ann\nand Bob met. Cy spoke to"),
			Correct: []Prompt{asIDs(11)}, Wrong: []Prompt{asIDs(12)}},
	}, unnamed(pairs))
}

func TestReadMIB(t *testing.T) {
	pairs, err := ReadPairs(t.Context(), filepath.Join("testdata", "mib_ioi.jsonl"))
	require.NoError(t, err)
	assert.Equal(t, []Pair{
		{Clean: asText("As Carl and Maria left, Carl gave a fridge to"), Corrupt: asText("As Carl and Maria left, Maria gave a fridge to"),
			Correct: asTexts(" Maria"), Wrong: asTexts(" Carl")},
		{Clean: asText("Ann met Bob. Ann sang to"), Corrupt: asText("Ann met Bob. Bob sang to"), Correct: asTexts(" Bob"), Wrong: asTexts(" Ann")},
	}, pairs)
}

func TestReadEdgePruning(t *testing.T) {
	pairs, err := ReadPairs(t.Context(), filepath.Join("testdata", "edgepruning.jsonl"))
	require.NoError(t, err)
	assert.Equal(t, []Pair{
		{Clean: asText("Ann met Bob. Ann sang to"), Corrupt: asText("Ann met Bob. Cy sang to"), Correct: asTexts(" Bob"), Wrong: asTexts(" Ann")},
		{Clean: asText("The war lasted from 1732 to 17"), Corrupt: asText("The war lasted from 1701 to 17"), Correct: asTexts("45")},
	}, pairs)
}

// Forms that are read although they are a little different.
func TestDecodeVariants(t *testing.T) {
	sang := []Pair{{Clean: asText("a"), Corrupt: asText("b"), Correct: asTexts("c"), Wrong: asTexts("d")}}
	tokens := func(correct, wrong []Prompt) []Pair {
		return []Pair{{Clean: asText("a"), Corrupt: asText("b"), Correct: correct, Wrong: wrong}}
	}
	for _, c := range []struct {
		name, data string
		want       []Pair
	}{
		{"byte order mark", "\ufeff{\"prompts\":[{\"clean\":\"a\",\"corrupt\":\"b\",\"answers\":[\"c\"],\"wrong_answers\":[\"d\"]}]}\r\n", sang},
		{"rows in an array", " [ {\"clean\":\"a<predict>c</predict>\",\"corrupted\":\"b<predict>d</predict>\"} ]\n", sang},
		{"carriage returns", "\r\n{\"clean\":\"a<predict>c</predict>\",\"corrupted\":\"b<predict>d</predict>\"}\r\n\r\n", sang},
		{"year in correct_idx", "clean,corrupted,correct_idx\na,b,97\n", tokens(asTexts("98", "99"), asYears(97))},
		{"no answers", ",clean,corrupted\n0,a,b\n", tokens(nil, nil)},
		{"countries", "country_idx,clean,x,corrupted_country_idx,corrupted\n1,a,x,2,b\n", tokens([]Prompt{asIDs(1)}, []Prompt{asIDs(2)})},
		{"lists", "clean,corrupted,answers,answers_idx,corrupted_answers_idx\r\na,b,\"['c']\",\"[1, 2]\",[3]\r\n",
			tokens([]Prompt{asIDs(1), asIDs(2)}, []Prompt{asIDs(3)})},
		{"byte order mark of a table", "\ufeffclean,corrupted,label\na,b,98", tokens(asTexts("99"), asYears(98))},
	} {
		pairs, err := DecodePairs(t.Context(), "d", []byte(c.data))
		require.NoError(t, err, c.name)
		assert.Equal(t, c.want, unnamed(pairs), c.name)
	}
}

// asYears makes the texts from 00 to last.
func asYears(last int) []Prompt {
	var out []Prompt
	for y := 0; y <= last; y++ {
		out = append(out, asText(string([]byte{'0' + byte(y/10), '0' + byte(y%10)})))
	}
	return out
}

// forms is how every error of an unknown form begins.
const forms = `expected a data set as auto-circuit JSON ({"prompts": [{"clean", "corrupt", …}]}), EAP CSV (columns clean, corrupted, …), ` +
	`MIB IOI rows ("prompt", "metadata", "s2_io_flip_counterfactual") or Edge-Pruning JSON lines ("clean", "corrupted"), found `

// damagedSets lists what must not be read, with the error after "d: ".
var damagedSets = []struct{ name, data, want string }{
	{"empty", "", forms + `nothing`},
	{"blank", "\ufeff \r\n\t", forms + `nothing`},
	{"prose", "Call me Ishmael.\nSome years ago", forms + `text that begins with "Call me Ishmael."`},
	{"long prose", strings.Repeat("ä", 200), forms + `text that begins with "` + strings.Repeat("ä", 120) + `…"`},
	{"other columns", "clean;corrupted,label\na,b\n", forms + `the columns "clean;corrupted", "label"`},
	{"other object", `{"a":1,"b":[2],"a":3}`, forms + `a JSON object with "a", "b"`},
	{"many keys", `{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1}`, forms + `a JSON object with "a", "b", "c", "d", "e", "f", "g", "h" and 2 more`},
	{"no keys", `{}`, forms + `a JSON object without keys`},
	{"array of arrays", `[["tok_embeds","m0"]]`, forms + `a JSON array of something else than objects`},
	{"array", `[`, forms + `a JSON array of something else than objects`},
	{"array of data sets", `[{"prompts":[]}]`, forms + `a JSON array of objects with "prompts"`},
	{"zip", "PK\x03\x04\x00", forms + `a zip archive, perhaps a PyTorch or npz file`},
	{"gzip", "\x1f\x8b\x08", forms + `a gzip file, which must be unpacked first`},
	{"safetensors", "\x10\x00\x00\x00\x00\x00\x00\x00{\"x\":1}", forms + `a safetensors file`},
	{"pointer", "version https://git-lfs.github.com/spec/v1\n", forms + `a Git LFS pointer to the file`},
	{"not UTF-8", "clean,corrupted,label\n\xff\xfe,b,1\n", `expected UTF-8 text, found other bytes at byte 22`},
	{"circuit of acdc", `{"graph":{},"edges":[]}`, `expected a data set, found a circuit of acdc ("graph", "edges")`},
	{"broken key", "{\n\"a\":1,\n}", `line 3: expected JSON, found invalid character '}' looking for beginning of object key string`},
	{"cut key", `{"a":1,"`, `line 1: expected JSON, found an end in the middle of it`},
	{"cut object", `{"a":`, `line 1: expected JSON, found an end in the middle of it`},
	{"NaN before", "{\"a\":\nNaN}", `line 2: expected JSON, found invalid character 'N' looking for beginning of value`},

	{"key twice", `{"prompts":[],"prompts":[]}`, `expected different keys, found "prompts" twice`},
	{"key of a prompt twice", `{"prompts":[{"clean":"x","clean":"a","corrupt":"b","answers":["c"],"wrong_answers":["d"]}]}`, `field "prompts"[0]: expected different keys, found "clean" twice`},
	{"no list", `{"prompts":{}}`, `"prompts": expected a list, found an object`},
	{"null", `{"prompts":null}`, `"prompts": expected a list, found null`},
	{"text", `{"prompts":"a"}`, `"prompts": expected a list, found "a"`},
	{"no prompts", `{"prompts":[]}`, `expected at least one prompt, found none`},
	{"no object", `{"prompts":["a"]}`, `prompt 1: expected an object, found "a"`},
	{"no clean", `{"prompts":[{"corrupt":"b"}]}`, `prompt 1: "clean" is missing`},
	{"no corrupt", `{"prompts":[{"clean":"a","corrupted":"b"}]}`, `prompt 1: "corrupt" is missing`},
	{"no answers", `{"prompts":[{"clean":"a","corrupt":"b"}]}`, `prompt 1: "answers" is missing`},
	{"no wrong answers", `{"prompts":[{"clean":"a","corrupt":"b","answers":["c"]}]}`, `prompt 1: "wrong_answers" is missing`},
	{"empty clean", `{"prompts":[{"clean":""}]}`, `prompt 1: "clean": expected text or a list of token numbers, found ""`},
	{"true clean", `{"prompts":[{"clean":true}]}`, `prompt 1: "clean": expected text or a list of token numbers, found true`},
	{"no tokens", `{"prompts":[{"clean":[ ]}]}`, `prompt 1: "clean": expected at least one token number, found an empty list`},
	{"fraction", `{"prompts":[{"clean":[1,1.5]}]}`, `prompt 1: "clean": expected token numbers from 0 to 2^31-1, found 1.5`},
	{"negative", `{"prompts":[{"clean":[-1]}]}`, `prompt 1: "clean": expected token numbers from 0 to 2^31-1, found -1`},
	{"large", `{"prompts":[{"clean":[2147483648]}]}`, `prompt 1: "clean": expected token numbers from 0 to 2^31-1, found 2147483648`},
	{"mixed", `{"prompts":[{"clean":[1,"a"]}]}`, `prompt 1: "clean": expected token numbers from 0 to 2^31-1, found "a"`},
	{"NaN", "{\"prompts\":[\n{\"clean\":\n[NaN]}]}", `line 3: expected JSON, found invalid character 'N' looking for beginning of value`},
	{"answer", `{"prompts":[{"clean":"a","corrupt":"b","answers":"c"}]}`, `prompt 1: "answers": expected a list, found "c"`},
	{"nested answer", `{"prompts":[{"clean":"a","corrupt":"b","answers":[["c"]]}]}`, `prompt 1: "answers": expected texts or token numbers, found a list`},
	{"empty answer", `{"prompts":[{"clean":"a","corrupt":"b","answers":[""]}]}`, `prompt 1: "answers": expected texts or token numbers, found ""`},
	{"second prompt", `{"prompts":[{"clean":"a","corrupt":"b","answers":[],"wrong_answers":[]},7]}`, `prompt 2: expected an object, found 7`},
	{"cut list", `{"prompts":[{"clean":"a","corrupt":"b","answers":[],"wrong_answers":[]}`, `line 1: expected JSON, found an end in the middle of it`},
	{"more", "{\"prompts\":[]}\n{}", `line 2: expected the end of the text after the JSON value, found more`},

	{"no answer column", "clean,corrupted,plural\na,b,1\n", `header: expected answers in a column "label" or "correct_idx", or token numbers in "correct_idx" and "incorrect_idx" or the like, found "clean", "corrupted", "plural"`},
	{"column twice", "clean,clean,corrupted,label\n", `header: expected different columns, found "clean" twice`},
	{"no rows", "clean,corrupted,label\n", `expected at least one prompt, found none`},
	{"no text", "clean,corrupted,label\na,b,1\n,b,1\n", `line 3: column "clean": expected text, found nothing`},
	{"no corrupted text", "clean,corrupted,label\na,,1\n", `line 2: column "corrupted": expected text, found nothing`},
	{"columns", "clean,corrupted,label\na,b\n", `line 2: expected as many columns as the header has, found another number`},
	{"word", "clean,corrupted,label\na,b,Mary\n", `line 2: column "label": expected a two-digit year from 0 to 98, found "Mary"`},
	{"last year", "clean,corrupted,label\na,b,99\n", `line 2: column "label": expected a two-digit year from 0 to 98, found "99"`},
	{"token", "clean,corrupted,correct_idx,incorrect_idx\na,b,1,1.0\n", `line 2: column "incorrect_idx": expected token numbers from 0 to 2^31-1, found 1.0`},
	{"list", "clean,corrupted,answers_idx,corrupted_answers_idx\na,b,[],[1]\n", `line 2: column "answers_idx": expected token numbers from 0 to 2^31-1, found nothing`},
	{"quote", "clean,corrupted,label\na\"b,b,1\n", `line 2: expected CSV, found bare " in non-quoted-field`},
	{"open quote", "clean,corrupted,label\n\"a,b,1\n", `line 2: expected CSV, found extraneous or missing " in quoted-field`},
	{"spaces before", "  \nclean,corrupted,label\n", `header: expected the columns "clean" and "corrupted", found "  "`},

	{"no counterfactual", `{"prompt":"a","metadata":{}}`, `line 1: "s2_io_flip_counterfactual" is missing`},
	{"no flip", "\n{\"prompt\":\"a\",\"metadata\":{},\"s2_io_flip_counterfactual\":null}", `line 2: "s2_io_flip_counterfactual": expected an object, found null`},
	{"no flipped prompt", `{"prompt":"a","metadata":{},"s2_io_flip_counterfactual":{}}`, `line 1: "s2_io_flip_counterfactual": "prompt" is missing`},
	{"no metadata", `{"prompt":"a","s2_io_flip_counterfactual":{"prompt":"b"}}`, `line 1: "metadata" is missing`},
	{"no indirect object", `{"prompt":"a","metadata":{},"s2_io_flip_counterfactual":{"prompt":"b"}}`, `line 1: "metadata": "indirect_object" is missing`},
	{"no subject", `{"prompt":"a","metadata":{"indirect_object":"c","subject":4},"s2_io_flip_counterfactual":{"prompt":"b"}}`, `line 1: "metadata": "subject": expected text, found 4`},
	{"row in array", `[{"prompt":"a","metadata":{}},3]`, `row 1: "s2_io_flip_counterfactual" is missing`},

	{"no marks", `{"clean":"a","corrupted":"b"}`, `line 1: "clean": expected <predict>…</predict> around the answer, found none`},
	{"no end", `{"clean":"a<predict>b","corrupted":"b"}`, `line 1: "clean": expected one <predict> with its </predict> after it, found "a<predict>b"`},
	{"no start", `{"clean":"a</predict>b","corrupted":"b"}`, `line 1: "clean": expected one <predict> with its </predict> after it, found "a</predict>b"`},
	{"start twice", `{"clean":"a<predict>b<predict>c</predict>","corrupted":"b"}`, `line 1: "clean": expected one <predict> with its </predict> after it, found "a<predict>b<predict>c</predict>"`},
	{"nothing marked", `{"clean":"a<predict> </predict>","corrupted":"b"}`, `line 1: "clean": expected text before <predict> and inside, found "a<predict> </predict>"`},
	{"nothing before", `{"clean":" <predict>a</predict>","corrupted":"b"}`, `line 1: "clean": expected text before <predict> and inside, found " <predict>a</predict>"`},
	{"no corrupted", "{\"clean\":\"a<predict>c</predict>\",\"corrupted\":\"b\"}\n{\"clean\":\"a<predict>c</predict>\"}", `line 2: "corrupted" is missing`},
	{"broken line", "{\"clean\":\"a<predict>c</predict>\",\"corrupted\":\"b\"}\n{\"clean\":", `line 2: expected JSON, found an end in the middle of it`},
	{"two on a line", "{\"clean\":\"a<predict>c</predict>\",\"corrupted\":\"b\"}{}", `line 1: expected the end of the text after the JSON value, found more`},
	{"other row", "{\"clean\":\"a<predict>c</predict>\",\"corrupted\":\"b\"}\n[]", `line 2: expected an object, found an empty list`},
	{"cut array", `[{"clean":"a<predict>c</predict>","corrupted":"b"},`, `line 1: expected JSON, found an end in the middle of it`},
	{"after array", `[{"clean":"a<predict>c</predict>","corrupted":"b"}]]`, `line 1: expected the end of the text after the JSON value, found more`},
	{"long line", `{"clean":"a<predict>c</predict>","corrupted":"` + strings.Repeat("b", maxLine) + `"}`, `line 1: expected at most 16777216 bytes, found 16777264`},
}

func TestDecodeDamaged(t *testing.T) {
	for _, c := range damagedSets {
		pairs, err := DecodePairs(t.Context(), "d", []byte(c.data))
		require.Error(t, err, c.name)
		assert.Nil(t, pairs, c.name)
		assert.Equal(t, "d: "+c.want, err.Error(), c.name)
	}
}

// A circuit is no data set, even where it holds NaN.
func TestReadPairsRefusesCircuit(t *testing.T) {
	path := filepath.Join("testdata", "mib_circuit.json")
	_, err := ReadPairs(t.Context(), path)
	assert.EqualError(t, err, path+`: expected a data set, found a circuit as MIB and EAP-IG write it ("cfg", "nodes", "edges"), which nothing here reads yet`)
}

func TestReadPairsOfNoFile(t *testing.T) {
	dir := t.TempDir()
	_, err := ReadPairs(t.Context(), dir)
	assert.EqualError(t, err, dir+": expected a data set, found a directory")
	missing := filepath.Join(dir, "none.json")
	_, err = ReadPairs(t.Context(), missing)
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.Equal(t, 1, strings.Count(err.Error(), missing), err)
	large := filepath.Join(dir, "large.csv")
	f, err := os.Create(large)
	require.NoError(t, err)
	defer f.Close()
	if err := f.Truncate(maxFile + 1); err != nil {
		t.Skip("no sparse files here")
	}
	_, err = ReadPairs(t.Context(), large)
	assert.EqualError(t, err, large+": expected a data set of at most 256 MiB, found 268435457 bytes")
}

// Every file of the folder that ACDC_SAMPLES names is read, or refused in one
// line that names it.
func TestSamples(t *testing.T) {
	dir := os.Getenv("ACDC_SAMPLES")
	if dir == "" {
		t.Skip("ACDC_SAMPLES names no folder")
	}
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		path := filepath.Join(dir, f.Name())
		pairs, err := ReadPairs(t.Context(), path)
		if err != nil {
			assert.True(t, strings.HasPrefix(err.Error(), path+": "), err)
			assert.NotContains(t, err.Error(), "\n")
			t.Log(err)
			continue
		}
		assert.NotEmpty(t, pairs, path)
		d, err := Encode(t.Context(), pairs, tokenizer.GPT2(), EncodeOptions{Name: path, BOS: true})
		if err != nil {
			assert.NotContains(t, err.Error(), "\n")
			t.Logf("%d pairs, which GPT-2 cannot be given: %v", len(pairs), err)
			continue
		}
		require.NoError(t, d.Check())
		t.Logf("%s: %d pairs of %d tokens, padding %v", path, len(pairs), len(d.Clean[0]), d.Pad != nil)
	}
}

func FuzzPairs(f *testing.F) {
	for _, name := range []string{"autocircuit.json", "eap_names.csv", "eap_years.csv", "mib_ioi.jsonl", "edgepruning.jsonl", "mib_circuit.json"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(f, err)
		f.Add(data)
	}
	for _, c := range damagedSets {
		if len(c.data) < 1000 {
			f.Add([]byte(c.data))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		pairs, err := DecodePairs(t.Context(), "d", data)
		if err != nil {
			require.True(t, strings.HasPrefix(err.Error(), "d: "), err)
			require.NotContains(t, err.Error(), "\n")
			require.Nil(t, pairs)
			return
		}
		require.NotEmpty(t, pairs)
		for _, p := range pairs {
			require.False(t, p.Clean.IsZero() || p.Corrupt.IsZero())
			for _, a := range append(append([]Prompt{}, p.Correct...), p.Wrong...) {
				require.False(t, a.IsZero())
			}
		}
	})
}
