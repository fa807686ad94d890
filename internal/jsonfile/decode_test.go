package jsonfile

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// edge and doc have a field of each type.
type edge struct {
	Score *float64 `json:"score"`
	Kept  bool     `json:"kept"`
}

type doc struct {
	Name  string         `json:"name"`
	Count int            `json:"count"`
	Edges []edge         `json:"edges"`
	Nodes map[string]int `json:"nodes"`
	Inner struct {
		Size uint8 `json:"size"`
	} `json:"inner"`
	Own own `json:"own"`
}

// own reads itself.
type own struct{ edge }

func (o *own) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &o.edge) }

func TestDecode(t *testing.T) {
	var d doc
	text := "\ufeff {\"name\":\"\\ud83d\\ude00\\n\\\\ud800\",\"edges\":[{\"score\":1.5},{\"kept\":true}],\"nodes\":{\"a\":1,\"\":2}, \"inner\":{},\"count\":7}\n"
	require.NoError(t, Decode(t.Context(), "d", []byte(text), &d))
	assert.Equal(t, "😀\n\\ud800", d.Name)
	assert.Equal(t, 1.5, *d.Edges[0].Score)
	assert.True(t, d.Edges[1].Kept)
	assert.Equal(t, map[string]int{"a": 1, "": 2}, d.Nodes)
	require.NoError(t, DecodeWith(t.Context(), "d", []byte(`{"edges":[{"score":NaN},{"score": -Infinity},{"score":Infinity}],"name":":NaN\",Infinity"}`), &d, Options{NonFinite: true}))
	assert.Equal(t, ":NaN\",Infinity", d.Name)
	assert.Len(t, d.Edges, 3)
	assert.Nil(t, d.Edges[0].Score)
}

var defects = []struct{ text, want string }{
	{"", `d: expected JSON, found nothing`},
	{"\ufeff \n", `d: expected JSON, found nothing`},
	{"\xff\xfe{\x00", `d: line 1: expected UTF-8 text, found byte 0xff at byte 0`},
	{"{\n\"name\":\"\xc3\"}", `d: line 2: expected UTF-8 text, found byte 0xc3 at byte 10`},
	{`{"name":`, `d: line 1: expected JSON, found an end in the middle of it`},
	{"{\n\"name\":\n]", `d: line 3: expected JSON, found invalid character ']' looking for beginning of value`},
	{`{"count":NaN}`, `d: line 1: expected JSON, found invalid character 'N' looking for beginning of value`},
	{"{}\n{}", `d: line 2: expected the end of the text after the JSON value, found more`},
	{"{}x", `d: line 1: expected the end of the text after the JSON value, found more`},
	{`{"name":"\ud800"}`, `d: field "name": expected Unicode text, found \ud800, half of a character`},
	{`{"name":"\udc00\ud800"}`, `d: field "name": expected Unicode text, found \udc00, half of a character`},
	{`{"name":"\ud800\ud800"}`, `d: field "name": expected Unicode text, found \ud800, half of a character`},
	{`{"name":"\ud800\n"}`, `d: field "name": expected Unicode text, found \ud800, half of a character`},
	{`{"nodes":{"\uDC00":1}}`, `d: field "nodes": expected Unicode text, found \udc00, half of a character`},
	{"{\"name\":\"a\",\n\"name\":\"a\"}", `d: expected different keys, found "name" twice`},
	{`{"edges":[{},{"x":{"a":1,"\u0061":2}}]}`, `d: field "edges"[1]."x": expected different keys, found "a" twice`},
	{strings.Repeat("[", 1001), `d: expected at most 1000 brackets one in another, found more`},
	{strings.Repeat(`{"a":`, 1_000_000), `d: expected at most 1000 brackets one in another, found more`},
	{`[]`, `d: expected an object, found a list`},
	{`"a"`, `d: expected an object, found "a"`},
	{`3`, `d: expected an object, found 3`},
	{`{"edges":[{},{},{},{"score":"x"}]}`, `d: field "edges"[3]."score": expected a number, found "x"`},
	{`{"edges":[{"score":1e999}]}`, `d: field "edges"[0]."score": expected a finite number, found 1e999`},
	{`{"edges":[{"kept": 1 }]}`, `d: field "edges"[0]."kept": expected true or false, found 1`},
	{`{"edges":{}}`, `d: field "edges": expected a list, found an object`},
	{`{"edges":[ [ ] ]}`, `d: field "edges"[0]: expected an object, found a list`},
	{`{"name":{"edges":[1]}}`, `d: field "name": expected a text, found an object`},
	{`{"name":12}`, `d: field "name": expected a text, found 12`},
	{`{"count":1.5}`, `d: field "count": expected a whole number, found 1.5`},
	{`{"count":"1"}`, `d: field "count": expected a whole number, found "1"`},
	{`{"count":true}`, `d: field "count": expected a whole number, found true`},
	{`{"count":99999999999999999999}`, `d: field "count": expected a whole number in range, found 99999999999999999999`},
	{`{"inner":{"size":-1}}`, `d: field "inner"."size": expected a whole number in range, found -1`},
	{`{"nodes":{"a":1,"b c":false}}`, `d: field "nodes"."b c": expected a whole number, found false`},
	{`{"own":{"score":"x"}}`, `d: field "own"."score": expected a number, found a text`},
}

func TestDefects(t *testing.T) {
	for _, x := range defects {
		assert.EqualError(t, Decode(t.Context(), "d", []byte(x.text), &doc{}), x.want, "%.80s", x.text)
	}
	var deep any
	assert.NoError(t, Decode(t.Context(), "d", []byte(strings.Repeat("[", 1000)+strings.Repeat("]", 1000)), &deep))
	err := Decode(t.Context(), "d", []byte(`{"nodes":{"`+strings.Repeat("x", 100_000)+`":"`+strings.Repeat("y", 100_000)+`"}}`), &doc{})
	assert.Less(t, len(err.Error()), 500)
}

// Whatever is accepted is JSON that says the same to any reader, and no error
// speaks of Go.
func FuzzDecode(f *testing.F) {
	for _, x := range defects {
		if len(x.text) < 1000 {
			f.Add([]byte(x.text))
		}
	}
	f.Add([]byte(`{"edges":[{"score":NaN}],"name":"\ud83d\ude00"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var d doc
		plain := Decode(t.Context(), "d", data, &d)
		lenient := DecodeWith(t.Context(), "d", data, &d, Options{NonFinite: true})
		for _, err := range []error{plain, lenient} {
			if err == nil {
				continue
			}
			for _, word := range []string{"Go ", "struct", "float64", "jsonfile", "map[", "\n"} {
				require.NotContains(t, strings.ReplaceAll(err.Error(), string(data), ""), word)
			}
		}
		if plain != nil && json.Valid(bytes.TrimPrefix(data, mark)) {
			require.NotContains(t, plain.Error(), ": expected JSON, found ")
			require.NotContains(t, plain.Error(), "expected the end of the text")
		}
		if plain == nil {
			require.NoError(t, lenient)
			clean, err := Clean(t.Context(), data, Options{})
			require.NoError(t, err)
			require.True(t, json.Valid(clean))
		}
	})
}

// Names of edges stay readable, and a terminal obeys nothing that is encoded.
func TestEncode(t *testing.T) {
	for indent, want := range map[string]string{"": `{"a<q>->b":"\u009b\u202ex"}` + "\n", " ": "{\n \"a<q>->b\": \"\\u009b\\u202ex\"\n}\n"} {
		text, err := Encode(map[string]string{"a<q>->b": "\u009b\u202ex"}, indent)
		require.NoError(t, err)
		assert.Equal(t, want, string(text))
	}
	_, err := Encode(math.Inf(1), "")
	assert.Error(t, err)
}
