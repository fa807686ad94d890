package circuit

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMIBFiles(t *testing.T) {
	f := decodeFile(t, "testdata/mib-small.json")
	g, m, scores, err := f.Circuit()
	require.NoError(t, err)
	assert.Equal(t, Config{Definition: EAP, Layers: 2, Heads: 6}, g.Config())
	assert.Equal(t, []string{"input->a0.h4<v>", "a0.h4->logits"}, listed(g, m))
	i, err := g.ParseEdge("a0.h4->logits")
	require.NoError(t, err)
	assert.Equal(t, -0.5, scores[i])
	assert.Len(t, f.Edges, 3, "all that have scores")

	// Part of a published circuit of GPT-2 small: all 756 edges that it keeps
	// and 80 of the others, of which three have no score.
	f = decodeFile(t, "testdata/mib-ioi.json")
	g, m, scores, err = f.Circuit()
	require.NoError(t, err)
	assert.Equal(t, 32491, g.NumEdges())
	assert.Equal(t, 756, m.Count())
	assert.Equal(t, 756, f.EdgesKept)
	n := 0
	for _, s := range scores {
		if !math.IsNaN(s) {
			n++
		}
	}
	assert.Equal(t, 836-3, n)
}

// A file of every edge of a model of GPT-2's size, scores from NaN to infinity.
func TestMIBFileOfEveryEdge(t *testing.T) {
	g := mustNew(t, Config{EAP, 12, 12, false, false, false})
	var b strings.Builder
	b.WriteString(`{"cfg": {"n_layers": 12, "n_heads": 12, "parallel_attn_mlp": false, "d_model": 768}, "nodes": {"input": {"in_graph": true, "score": NaN}}, "edges": {`)
	for i := range g.NumEdges() {
		if i > 0 {
			b.WriteString(", ")
		}
		score := []string{"NaN", "Infinity", "-Infinity", "0.25"}[i%4]
		in := []string{"true", "false", "false"}[i%3]
		b.WriteString(`"` + g.Edge(i).String() + `": {"score": ` + score + `, "in_graph": ` + in + `}`)
	}
	b.WriteString("}}")
	f, err := Decode(t.Context(), "mib.json", strings.NewReader(b.String()))
	require.NoError(t, err)
	_, m, scores, err := f.Circuit()
	require.NoError(t, err)
	for i := range m {
		require.Equal(t, i%3 == 0, m[i])
		require.Equal(t, i%4 == 3, scores[i] == 0.25)
		require.Equal(t, i%4 != 3, math.IsNaN(scores[i]))
	}
	var own bytes.Buffer
	require.NoError(t, f.Encode(&own))
	assert.NotContains(t, own.String(), "NaN")
	assert.True(t, json.Valid(own.Bytes()))
}

func TestMIBFileErrors(t *testing.T) {
	data, err := os.ReadFile("testdata/mib-small.json")
	require.NoError(t, err)
	good := string(data)
	for _, c := range []struct{ from, to, want string }{
		{`"n_layers": 2`, `"n_layers": 0`, `field "cfg": graph of 0 layers`},
		{`"n_layers": 2`, `"n_layers": "2"`, "n_layers"},
		{`"a0.h4": {`, `"a9.h4": {`, `field "nodes": node "a9.h4": this graph has no such node`},
		{`"input->a0.h4<v>"`, `"input->a0.h4<x>"`, `field "edges": edge "input->a0.h4<x>"`},
		{`"input->a0.h4<v>"`, `"a1.h4->a0.h4<v>"`, `is computed before`},
		{`"input->a0.h4<v>"`, `"input -> logits"`, `field "edges": edge "input->logits" appears twice, the other time as "input -> logits"`},
		{`{"score": 1.5, "in_graph": true}`, `{"score": 1.5}`, `edge "input->a0.h4<v>": field "in_graph" is missing`},
		{`{"score": 1.5, "in_graph": true}`, `[]`, `field "edges"."input->a0.h4<v>": expected an object, found a list`},
		{good, `{"cfg": {"n_layers": 1, "n_heads": 1}}`, `fields "cfg" and "edges"`},
	} {
		require.Contains(t, good, c.from)
		_, err := Decode(t.Context(), "c.json", strings.NewReader(strings.Replace(good, c.from, c.to, 1)))
		require.ErrorContains(t, err, c.want)
		assert.True(t, strings.HasPrefix(err.Error(), "c.json: "), err.Error())
		assert.NotRegexp(t, `\b(circuit\.|Go |int64|struct)`, err.Error())
	}
}
