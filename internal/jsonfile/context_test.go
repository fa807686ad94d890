package jsonfile

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/ending"
)

// many is what is large enough to be read in runs, of every kind.
type many struct {
	Name   string            `json:"name"`
	Edges  []edge            `json:"edges"`
	Nodes  map[string]int    `json:"nodes"`
	Parts  map[string][]int  `json:"parts"`
	Raw    json.RawMessage   `json:"raw"`
	Any    any               `json:"any"`
	Inner  *many             `json:"inner"`
	Deep   [][]int           `json:"deep"`
	Texts  []string          `json:"texts"`
	Escape string            `json:"escape"`
	Small  map[string]string `json:"small"`
	embedded
}

type embedded struct {
	Numbers []float64 `json:"numbers"`
}

// manyText is JSON of every kind of large value, of some MiB each.
func manyText() string {
	const mib = 1 << 20
	list := func(one string) string {
		one += strings.Repeat(" ", 80-len(one))
		return "[" + strings.Repeat(one+",\n", 5*mib/4/len(one)) + one + "]"
	}
	var nodes strings.Builder
	for i := range 80_000 {
		fmt.Fprintf(&nodes, `"n%d": %d,`, i, i)
	}
	inner := fmt.Sprintf(`{"name":"inner","edges":%s,"unknown":%s}`, list(`{"score": 1.5, "kept": true}`), list(`[{}, null]`))
	return fmt.Sprintf(`{"name":%q,"small":{"a":"b"},"edges":%s,"nodes":{%s"last":-1},"parts":{"a":%s,"b":[1],"c":%s},"raw":%s,"any":{"x":%s,"y":[null,%s]},
		"inner":%s,"deep":[[1],%s,[2]],"texts":%s,"escape":%q,"numbers":%s}`,
		strings.Repeat("name", mib), list(`{"score": null}`), nodes.String(), list("12"), list("3"), list(`"raw"`), list("1.5"), list(`{"k":true}`),
		inner, list("7"), list(`"text é"`), strings.Repeat("\n", mib), list("0.25"))
}

func TestLargeValuesAreTheDecoders(t *testing.T) {
	text := []byte(manyText())
	var got, want many
	require.NoError(t, json.Unmarshal(text, &want))
	require.NoError(t, Decode(t.Context(), "m", text, &got))
	assert.True(t, assert.ObjectsAreEqual(want, got))
	var free, wantFree any
	require.NoError(t, json.Unmarshal(text, &wantFree))
	require.NoError(t, Decode(t.Context(), "m", text, &free))
	assert.True(t, assert.ObjectsAreEqual(wantFree, free))
}

// Errors name the place in a large value as in a small one.
func TestDefectsInLargeValues(t *testing.T) {
	const n = 400_000
	edges := strings.Repeat(`{"kept":true},`, n)
	for text, want := range map[string]string{
		`{"edges":[` + edges + `{"score":"x"}]}`:                           `d: field "edges"[400000]."score": expected a number, found "x"`,
		`{"edges":[` + edges + `{"score":1e999}, {}]}`:                     `d: field "edges"[400000]."score": expected a finite number, found 1e999`,
		`{"edges":[` + edges + `{"Score":1}]}`:                             `d: field "edges"[400000]: expected the key "score", found "Score"`,
		`{"edges":[` + edges + `{"score":1,"score":2}]}`:                   `d: field "edges"[400000]: expected different keys, found "score" twice`,
		`{"edges":[` + edges + `{]}`:                                       `d: line 1: expected JSON, found invalid character ']' looking for beginning of object key string`,
		`{"name":[` + edges + `1]}`:                                        `d: field "name": expected a text, found a list`,
		`{"edges":{"a":[` + edges + `1]}}`:                                 `d: field "edges": expected a list, found an object`,
		`{"inner":{"size":300},"name":"` + strings.Repeat("x", n*8) + `"}`: `d: field "inner"."size": expected a whole number in range, found 300`,
	} {
		assert.EqualError(t, Decode(t.Context(), "d", []byte(text), &doc{}), want)
	}
}

// The context is asked at least once in a mebibyte by each pass over a text.
func TestContextEnds(t *testing.T) {
	text := []byte(manyText())
	mebibytes := len(text) >> 20
	ending.Everywhere(t, 3*mebibytes, func(ctx context.Context) error { return Decode(ctx, "m", text, &many{}) })
	ending.Everywhere(t, 3*mebibytes, func(ctx context.Context) error { var free any; return Decode(ctx, "m", text, &free) })
	broken := append(append([]byte{}, text...), "]"...)
	assert.Equal(t, context.Canceled, Decode(ending.After(3*mebibytes), "m", broken, &many{}), "while the error is looked for")
}

// A text of 200 MB is let go within a fraction of a second, whenever that is.
func TestContextEndsSoon(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 2 GB")
	}
	text := []byte(`{"edges":[` + strings.Repeat(`{"score": 1.5, "kept": true},`, 200<<20/28) + `{}],"nodes":{}}`)
	for _, after := range []time.Duration{50 * time.Millisecond, 400 * time.Millisecond, 1200 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		start := time.Now()
		err := Decode(ctx, "m", text, &many{})
		took := time.Since(start)
		cancel()
		assert.Equal(t, context.DeadlineExceeded, err)
		assert.Less(t, took, after+2*time.Second)
	}
}

// A key in other letters than a field's is not taken for it, whether the field
// is there too or not.
func TestNamesInOtherLetters(t *testing.T) {
	for text, want := range map[string]string{
		`{"name":"a","Name":"b"}`:                       `d: expected the key "name", found "Name"`,
		`{"NAME":"b"}`:                                  `d: expected the key "name", found "NAME"`,
		`{"inner":{"Size":1}}`:                          `d: field "inner": expected the key "size", found "Size"`,
		`{"edges":[{},{"ſcore":1}]}`:                    `d: field "edges"[1]: expected the key "score", found "ſcore"`,
		`{"edges":[{"\u0053core":1}]}`:                  `d: field "edges"[0]: expected the key "score", found "Score"`,
		`{"nodes":{"Name":1,"name":2},"other":{"N":1}}`: ``,
	} {
		err := Decode(t.Context(), "d", []byte(text), &doc{})
		if want == "" {
			assert.NoError(t, err)
			continue
		}
		assert.EqualError(t, err, want)
	}
	var m many
	assert.EqualError(t, Decode(t.Context(), "d", []byte(`{"inner":{"inner":{"Numbers":[]}}}`), &m), `d: field "inner"."inner": expected the key "numbers", found "Numbers"`)
}
