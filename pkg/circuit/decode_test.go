package circuit

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func decodeFile(t testing.TB, path string) *File {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	f, err := Decode(t.Context(), filepath.Base(path), bytes.NewReader(data))
	require.NoError(t, err)
	return f
}

// Files that were written before run and measured were objects of their own say
// the same as their successors.
func TestFlatFilesAreRead(t *testing.T) {
	flat, err := filepath.Glob("testdata/flat-*.json")
	require.NoError(t, err)
	drawn, err := filepath.Glob("../draw/testdata/*.json")
	require.NoError(t, err)
	require.Len(t, append(flat, drawn...), 6)
	for _, path := range append(flat, drawn...) {
		old := decodeFile(t, path)
		var b bytes.Buffer
		require.NoError(t, old.Encode(&b))
		assert.Contains(t, b.String(), "\n \"run\": {\n")
		again, err := Decode(t.Context(), path, &b)
		require.NoError(t, err)
		assert.Equal(t, old, again, path)
	}
	f := decodeFile(t, "testdata/flat-full.json")
	no, reset := false, uint64(3)
	assert.Equal(t, Run{Algorithm: "acdc", Task: "ioi", Model: "random:1x2x16x64x50257", Metric: "kl_div", Ablation: "resample", Order: "random",
		Seed: 5, Examples: 3, Half: "test", BOS: &no, Processing: []string{}, ResetWeights: &reset, Threshold: 0.0002, AbsoluteValue: true,
		PosPermutation: []int{8, 3, 1, 11, 13, 4, 12, 7, 2, 6, 14, 0, 10, 5, 9}}, f.Run)
	assert.Equal(t, Measured{Final: 1.7407301252673961e-13, Corrupted: 0.7075488713060286,
		Cost: &Cost{Tests: 27, Nodes: 96, FLOP: 150039072, ForwardPasses: 29.16578647806371}}, f.Measured)
	assert.True(t, f.AllEdgesIncluded)
	assert.Equal(t, []string{"edge pos_embed->a0.h0<q> was cut by hand"}, decodeFile(t, "testdata/flat-edited.json").Measured.Warnings)
}

// A field of a file: where it is, and of what type.
type fileField struct {
	path []string
	kind reflect.Type
}

// tag is the field's own name.
func (f fileField) tag() string { return f.path[len(f.path)-1] }

// fileFields lists all fields of a circuit file by its JSON tags.
func fileFields(typ reflect.Type, path ...string) []fileField {
	var out []fileField
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		own := append(append([]string{}, path...), name)
		t := typ.Field(i).Type
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		out = append(out, fileField{own, t})
		switch {
		case t.Kind() == reflect.Struct:
			out = append(out, fileFields(t, own...)...)
		case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
			out = append(out, fileFields(t.Elem(), append(own, "0")...)...)
		}
	}
	return out
}

// with sets a field of a JSON value.
func with(value any, path []string, to json.RawMessage) any {
	if len(path) == 0 {
		return to
	}
	switch v := value.(type) {
	case []any:
		out := append([]any{}, v...)
		out[0] = with(v[0], path[1:], to)
		return out
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			out[k] = x
		}
		out[path[0]] = with(v[path[0]], path[1:], to)
		return out
	}
	return with(map[string]any{}, path, to)
}

// hostile are values that a field of a type must not have.
func hostile(typ reflect.Type) []string {
	long := `"` + strings.Repeat("x", 100_000) + `"`
	switch typ.Kind() {
	case reflect.String:
		return []string{"7", "{}", long}
	case reflect.Int, reflect.Int64:
		return []string{"-4", "1.5", "1e300", "9223372036854775808", `"1"`, "[]"}
	case reflect.Uint64:
		return []string{"-1", "1.5", "18446744073709551616", `"1"`}
	case reflect.Float64:
		return []string{"1e999", "NaN", "-Infinity", `"1"`, "{}"}
	case reflect.Bool:
		return []string{"1", `"true"`}
	case reflect.Slice:
		out := []string{"7", "{}", `"x"`}
		switch typ.Elem().Kind() {
		case reflect.String:
			out = append(out, "[7]", "["+long+"]", "["+strings.Repeat(`"a",`, 10_000)+`"b"]`)
		case reflect.Int:
			out = append(out, "[-1]", "[0,0]", "[1]", "[0.5]", "["+strings.Repeat("0,", mostTokens)+"0]")
		}
		return out
	}
	return []string{"7", "[]", `"x"`}
}

// more are values that are wrong for what a field means.
var more = map[string][]string{
	"examples": {"1000001", "1125899906842624"}, "threshold": {"-0.1"}, "forward_passes": {"-1"},
	"n_layers": {"0", "200001", "4611686018427387904"}, "n_heads": {"0", "200001", "4611686018427387904"}, "definition": {`"x"`, `""`},
	"edges_total": {"0", "4611686018427387904"}, "edges_kept": {"0", "4611686018427387904"},
	"d_model": {"0", "1048577"}, "name": {`""`, `"m7"`}, "sender": {`""`, `"m7"`}, "receiver": {`""`, `"m7"`}, "kind": {`"x"`},
	"algorithm": {`"a\u001b[31m"`}, "task": {`"a\nb"`}, "metric": {`"\u0000"`}, "ablation": {`"a\u0007"`}, "order": {`"\u202e"`},
	"options": {"[]", `"x"`}, "rule": {`"x"`, `""`}, "share": {"2", "-1"}, "edges": {"-1"}, "bootstrap": {"-1"}, "chosen": {"-1"}, "screened": {"-1"},
	"weights_sha256": {`"12ab"`, `"z"`}, "prompts_sha256": {`"12ab"`, `"` + strings.Repeat("g", 64) + `"`},
	"half": {`"\u0085"`}, "variant": {`"a\tb"`}, "processing": {`["\u001b"]`},
}

// Every field of a file is checked on reading: what is wrong is refused in one
// line that names file and field, in the words of JSON.
func TestEveryFieldIsChecked(t *testing.T) {
	var b bytes.Buffer
	f := decodeFile(t, "testdata/flat-full.json")
	yes := true
	f.Data, f.Variant, f.BOS, f.Measured.Warnings, f.Processing = "d.json", "v", &yes, []string{"w"}, []string{"fold_ln"}
	f.WeightsDigest, f.PromptsDigest = strings.Repeat("0a", 32), strings.Repeat("1b", 32)
	f.Options, f.Selection, f.Measured.Chosen = json.RawMessage(`{"steps":5}`), &Selection{Rule: Ratio, Edges: 3, Least: 1, Share: 0.5, Bootstrap: 2}, 7
	f.MIB = &MIB{DModel: 8, Nodes: []NodeScore{{"a0.h1", 1}}}
	f.Edges[1], f.Edges[0] = f.Edges[0], f.Edges[1] // the first edge is one that is kept
	require.NoError(t, f.Encode(&b))
	var good any
	require.NoError(t, json.Unmarshal(b.Bytes(), &good))
	fields := fileFields(reflect.TypeFor[File]())
	require.Greater(t, len(fields), 40)
	tried := map[string]bool{}
	for _, field := range fields {
		tried[field.tag()] = true
		for _, bad := range append(hostile(field.kind), more[field.tag()]...) {
			if field.tag() == "initial" || field.tag() == "final" || field.tag() == "corrupted" || field.tag() == "score" {
				require.False(t, strings.HasPrefix(bad, "-") && bad != "-Infinity")
			}
			data := marshal(t, with(good, field.path, json.RawMessage(`"¶"`)), bad)
			_, err := Decode(t.Context(), "c.json", strings.NewReader(data))
			require.Error(t, err, "%v: %.80s", field.path, bad)
			text := err.Error()
			assert.True(t, strings.HasPrefix(text, "c.json: "), text)
			assert.NotContains(t, text, "\n")
			assert.NotRegexp(t, `\b(circuit\.|Go |int64|uint64|float64|struct)\b| json:`, text)
			assert.Less(t, len(text), 1500)
			if !strings.Contains(bad, "nfinity") && bad != "NaN" && !strings.Contains(text, "graph of ") { // no JSON at all
				assert.Contains(t, text, field.tag(), "%.80s", bad)
			}
		}
	}
	for name := range more {
		assert.True(t, tried[name], "no field %q", name)
	}
}

// marshal writes a value with a text in the place of "¶", which need not be
// JSON.
func marshal(t *testing.T, value any, place string) string {
	t.Helper()
	data, err := json.Marshal(value)
	require.NoError(t, err)
	return strings.Replace(string(data), `"¶"`, place, 1)
}

// What a model and data are called is any text: a path may hold every letter.
func TestPathsMayHoldAnything(t *testing.T) {
	for _, field := range []string{"model", "data"} {
		text := `{"graph":{"definition":"eap","n_layers":1,"n_heads":1},"run":{"` + field + `":"\u001b[31mX"},"edges_total":8,"edges_kept":0,"edges":[]}`
		f, err := Decode(t.Context(), "c.json", strings.NewReader(text))
		require.NoError(t, err)
		assert.Equal(t, "\x1b[31mX", f.Model+f.Data)
	}
}
