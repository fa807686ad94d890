package roc

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/ending"
	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// sample is a small file.
func sample() *File {
	half, all := Count{1, 0, 2, 1}, Count{2, 2, 0, 0}
	area := 0.75
	return &File{
		Task: "tracr-reverse", Truth: "compiler", Counting: Options{Nodes: ReferenceNodes, Pruned: true},
		Curves: []Curve{
			{Name: `acdc, "x" <é>`, Least: ReferenceLeast, Points: []Point{{0.1, half, all}, {1e-9, all, all}}},
			{Name: "eap", InterpBench: &area, Points: []Point{{-0.25, half, half}}},
			{Name: "none"},
		},
	}
}

const sampleJSON = `{
 "task": "tracr-reverse",
 "truth": "compiler",
 "counting": {
  "nodes": "reference",
  "pruned": true
 },
 "curves": [
  {
   "name": "acdc, \"x\" <é>",
   "least": 0.000001,
   "edges": {
    "pessimistic": 0.5,
    "trapezoid": 0.75
   },
   "nodes": {
    "pessimistic": 0,
    "trapezoid": 0.5
   },
   "points": [
    {"threshold":0.1,"edges":{"true_positive":1,"false_positive":0,"true_negative":2,"false_negative":1,"tpr":0.5,"fpr":0,"precision":1},"nodes":{"true_positive":2,"false_positive":2,"true_negative":0,"false_negative":0,"tpr":1,"fpr":1,"precision":0.5}},
    {"threshold":1e-9,"edges":{"true_positive":2,"false_positive":2,"true_negative":0,"false_negative":0,"tpr":1,"fpr":1,"precision":0.5},"nodes":{"true_positive":2,"false_positive":2,"true_negative":0,"false_negative":0,"tpr":1,"fpr":1,"precision":0.5}}
   ]
  },
  {
   "name": "eap",
   "interpbench": 0.75,
   "edges": {
    "pessimistic": 0.5,
    "trapezoid": 0.75
   },
   "nodes": {
    "pessimistic": 0.5,
    "trapezoid": 0.75
   },
   "points": [
    {"threshold":-0.25,"edges":{"true_positive":1,"false_positive":0,"true_negative":2,"false_negative":1,"tpr":0.5,"fpr":0,"precision":1},"nodes":{"true_positive":1,"false_positive":0,"true_negative":2,"false_negative":1,"tpr":0.5,"fpr":0,"precision":1}}
   ]
  },
  {
   "name": "none",
   "edges": {
    "pessimistic": 0,
    "trapezoid": 0.5
   },
   "nodes": {
    "pessimistic": 0,
    "trapezoid": 0.5
   },
   "points": []
  }
 ]
}
`

// encoded is a file as text.
func encoded(t testing.TB, f *File) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, f.Encode(&b))
	return b.String()
}

func TestEncode(t *testing.T) {
	assert.Equal(t, sampleJSON, encoded(t, sample()))
	assert.Equal(t, "{\n \"counting\": {},\n \"curves\": []\n}\n", encoded(t, &File{}))
	dark := encoded(t, &File{Model: "\x1b[31m\u202e"})
	assert.Contains(t, dark, `"\u001b[31m\u202e"`)
}

func TestRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	files := []*File{sample(), {}}
	for range golden.Cases(100) {
		truth := eapTruth(t, rng, circuit.Config{Layers: 2, Heads: 2}, 0.3)
		f := &File{Task: "t", Model: "m\n\x1b", Counting: truth.Options()}
		for _, name := range []string{"a", "b"} {
			scores := randomScores(rng, len(truth.edges), 1e9)
			c, err := truth.FromScores(t.Context(), name, scores, Scoring{})
			require.NoError(t, err)
			greedy, err := truth.Greedy(t.Context(), name, scores)
			require.NoError(t, err)
			c.Least, c.InterpBench = rng.Float64(), greedy.InterpBench
			f.Curves = append(f.Curves, c)
		}
		files = append(files, f)
	}
	for _, f := range files {
		text := encoded(t, f)
		again, err := Decode(t.Context(), "f", []byte(text))
		require.NoError(t, err)
		require.Equal(t, f, again)
		require.Equal(t, text, encoded(t, again))
	}
}

// What follows from the counts need not be there.
func TestDecodeOfCountsAlone(t *testing.T) {
	f, err := Decode(t.Context(), "f", []byte(`{"curves":[{"name":"x","points":[{"threshold":1,
		"edges":{"true_positive":1,"false_positive":0,"true_negative":2,"false_negative":1},"nodes":{"true_positive":1,"false_positive":0,"true_negative":0,"false_negative":0}}]}]}`))
	require.NoError(t, err)
	assert.Equal(t, &File{Curves: []Curve{{Name: "x", Points: []Point{{1, Count{1, 0, 2, 1}, Count{1, 0, 0, 0}}}}}}, f)
}

// Each defect is one change of the sample's text.
var defects = []struct{ old, new, want string }{
	{`"curves": [`, `"lines": [`, `f: field "curves": expected a list, found null or none`},
	{`"nodes": "reference"`, `"nodes": "all"`, `f: field "counting": unknown rule of nodes "all": expected one of path, reference`},
	{`"name": "eap"`, `"name": "none"`, `f: field "curves"[2]: field "name": expected different names, found "none" twice`},
	{`"name": "eap"`, `"name": ""`, `f: field "curves"[1]: field "name": expected a name of 1 to 64 bytes without control characters, found ""`},
	{`"name": "eap"`, `"name": "a\nb"`, `f: field "curves"[1]: field "name": expected a name of 1 to 64 bytes without control characters, found "a\nb"`},
	{`"name": "eap"`, `"name": "` + strings.Repeat("x", 65) + `"`, `f: field "curves"[1]: field "name": expected a name of 1 to 64 bytes without control characters, found "` + strings.Repeat("x", 65) + `"`},
	{`"compiler"`, `"` + strings.Repeat("x", 4097) + `"`, `f: field "truth": expected at most 4096 bytes, found 4097`},
	{`"least": 0.000001`, `"least": -1`, `f: field "curves"[0]: field "least": expected a number of at least 0, found -1`},
	{`"interpbench": 0.75`, `"interpbench": 1.5`, `f: field "curves"[1]: field "interpbench": expected a number from 0 to 1, found 1.5`},
	{`"threshold":0.1`, `"threshold":null`, `f: field "curves"[0]."points"[0]: field "threshold": expected a number, found null or none`},
	{`"threshold":0.1`, `"threshold":1e999`, `f: field "curves"[0]."points"[0]."threshold": expected a finite number, found 1e999`},
	{`{"threshold":0.1,"edges":{"true_positive":1,`, `{"threshold":0.1,"edges":{`, `f: field "curves"[0]."points"[0]: field "edges": field "true_positive": expected a whole number, found null or none`},
	{`{"threshold":0.1,"edges":`, `{"threshold":0.1,"edge":`, `f: field "curves"[0]."points"[0]: field "edges": expected an object, found null or none`},
	{`{"threshold":-0.25,"edges":{"true_positive":1,`, `{"threshold":-0.25,"edges":{"true_positive":-1,`, `f: field "curves"[1]: field "points"[0]: field "edges": field "true_positive": expected a whole number from 0 to 1099511627776, found -1`},
	{`{"threshold":-0.25,"edges":{"true_positive":1,`, `{"threshold":-0.25,"edges":{"true_positive":2000000000000,`, `f: field "curves"[1]: field "points"[0]: field "edges": field "true_positive": expected a whole number from 0 to 1099511627776, found 2000000000000`},
	{`{"threshold":0.1,"edges":{"true_positive":1,"false_positive":0,"true_negative":2,"false_negative":1,`, `{"threshold":0.1,"edges":{"true_positive":0,"false_positive":0,"true_negative":4,"false_negative":0,`, `f: field "curves"[0]: field "points"[0]: field "edges": expected a true circuit that has some, found one without`},
	{`{"threshold":-0.25,"edges":{"true_positive":1,`, `{"threshold":-0.25,"edges":{"true_positive":2,`, `f: field "curves"[1]."points"[0]: field "edges": expected 4 of which 2 are true, as in the first point, found 5 and 3`},
	{`"tpr":0.5`, `"tpr":0.7`, `f: field "curves"[0]."points"[0]."edges": field "tpr": expected 0.5, as the counts say, found 0.7`},
	{`"fpr":1,`, `"fpr":0.9,`, `f: field "curves"[0]."points"[0]."nodes": field "fpr": expected 1, as the counts say, found 0.9`},
	{`"precision":1}`, `"precision":0}`, `f: field "curves"[0]."points"[0]."edges": field "precision": expected 1, as the counts say, found 0`},
	{`"pessimistic": 0.5`, `"pessimistic": 0.51`, `f: field "curves"[0]."edges": field "pessimistic": expected 0.5, as the points say, found 0.51`},
	{`"trapezoid": 0.5`, `"trapezoid": 0.75`, `f: field "curves"[0]."nodes": field "trapezoid": expected 0.5, as the points say, found 0.75`},
	{`"name": "eap"`, `"Name": "eap"`, `f: field "curves"[1]: expected the key "name", found "Name"`},
}

func TestDefects(t *testing.T) {
	for _, d := range defects {
		require.Contains(t, sampleJSON, d.old)
		_, err := Decode(t.Context(), "f", []byte(strings.Replace(sampleJSON, d.old, d.new, 1)))
		assert.EqualError(t, err, d.want, "%s for %s", d.new, d.old)
	}
}

// What cannot be read again is not written.
func TestEncodeRefuses(t *testing.T) {
	for want, spoil := range map[string]func(f *File){
		`curves: field "curves"[0]: field "points"[1]: field "threshold": expected a finite number, found NaN`: func(f *File) { f.Curves[0].Points[1].Threshold = math.NaN() },
		`curves: field "curves"[0]: field "least": expected a number of at least 0, found +Inf`:                func(f *File) { f.Curves[0].Least = math.Inf(1) },
		`curves: field "curves"[1]: field "interpbench": expected a number from 0 to 1, found NaN`:             func(f *File) { *f.Curves[1].InterpBench = math.NaN() },
		`curves: field "curves": expected at most 1000, found 1001`:                                            func(f *File) { f.Curves = make([]Curve, 1001) },
	} {
		f := sample()
		spoil(f)
		var b bytes.Buffer
		assert.EqualError(t, f.Encode(&b), want)
		for _, write := range []func() error{func() error { return f.WritePoints(&b) }, func() error { return f.WriteAreas(&b) }} {
			assert.EqualError(t, write(), want)
		}
		assert.Zero(t, b.Len())
	}
}

func TestDecodeEndsWithItsContext(t *testing.T) {
	ending.Everywhere(t, 1, func(ctx context.Context) error { _, err := Decode(ctx, "f", []byte(sampleJSON)); return err })
}

// Whatever is read can be written, and is read again as the same.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(sampleJSON))
	for _, d := range defects {
		f.Add([]byte(strings.Replace(sampleJSON, d.old, d.new, 1)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Decode(t.Context(), "f", data)
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		text := encoded(t, file)
		require.True(t, json.Valid([]byte(text)))
		again, err := Decode(t.Context(), "f", []byte(text))
		require.NoError(t, err)
		require.Equal(t, text, encoded(t, again))
	})
}

func TestCSV(t *testing.T) {
	var points, areas bytes.Buffer
	require.NoError(t, sample().WritePoints(&points))
	assert.Equal(t, `method,threshold,edges_found,edges_true_positive,edges_false_positive,edges_true_negative,edges_false_negative,edges_tpr,edges_fpr,edges_precision,nodes_found,nodes_true_positive,nodes_false_positive,nodes_true_negative,nodes_false_negative,nodes_tpr,nodes_fpr,nodes_precision
"acdc, ""x"" <é>",0.1,1,1,0,2,1,0.5,0,1,4,2,2,0,0,1,1,0.5
"acdc, ""x"" <é>",1e-09,4,2,2,0,0,1,1,0.5,4,2,2,0,0,1,1,0.5
eap,-0.25,1,1,0,2,1,0.5,0,1,1,1,0,2,1,0.5,0,1
`, points.String())
	require.NoError(t, sample().WriteAreas(&areas))
	assert.Equal(t, `method,points,edges_pessimistic,edges_trapezoid,nodes_pessimistic,nodes_trapezoid,edges_interpbench
"acdc, ""x"" <é>",2,0.5,0.75,0,0.5,
eap,1,0.5,0.75,0.5,0.75,0.75
none,0,0,0.5,0,0.5,
`, areas.String())
}
