package circuit

import (
	"bytes"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFileRoundTrip(t *testing.T) {
	for name, cfg := range shapes() {
		t.Run(name, func(t *testing.T) {
			g := mustNew(t, cfg)
			m, scores := g.Empty(), make(Scores, g.NumEdges())
			for i := range m {
				m[i] = i%3 == 0
				scores[i] = float64(i) / 7
				if i%4 == 0 {
					scores[i] = math.NaN()
				}
			}
			for _, all := range []bool{false, true} {
				f := File{Run: Run{Algorithm: "acdc", Model: "m<1>", Metric: "kl_div", Threshold: 0.1}}
				f.SetCircuit(g, m, scores, all)
				var b bytes.Buffer
				require.NoError(t, f.Encode(&b))
				assert.NotContains(t, b.String(), "NaN")
				back, err := Decode(t.Context(), "c.json", &b)
				require.NoError(t, err)
				g2, m2, s2, err := back.Circuit()
				require.NoError(t, err)
				assert.Equal(t, cfg, g2.Config())
				assert.Equal(t, m, m2)
				for i := range m {
					if m[i] || all && !math.IsNaN(scores[i]) {
						assert.Equal(t, math.IsNaN(scores[i]), math.IsNaN(s2[i]))
						if !math.IsNaN(scores[i]) {
							assert.Equal(t, scores[i], s2[i])
						}
					}
				}
			}
		})
	}
}

func TestFileErrorsNameTheField(t *testing.T) {
	g := mustNew(t, Config{ACDC, 1, 1, true, false, false})
	m := g.Empty()
	m[0] = true
	var f File
	f.SetCircuit(g, m, nil, false)
	var b bytes.Buffer
	require.NoError(t, f.Encode(&b))
	good := b.String()
	_, err := Decode(t.Context(), "c.json", strings.NewReader(good))
	require.NoError(t, err)
	for _, c := range []struct{ from, to, want string }{
		{good, "", "expected JSON"},
		{good, "{}", "definition\" is missing"},
		{good, "[1]", "not a circuit file: expected an object, found a list"},
		{good, good + "x", "expected the end"},
		{`"definition": "acdc"`, `"definition": "abc"`, "expected one of acdc, eap"},
		{`"n_layers": 1`, `"n_layers": 0`, "0 layers"},
		{`"n_heads": 1`, `"n_heads": 2`, `"edges_total": expected`},
		{`"edges_kept": 1`, `"edges_kept": 2`, `"edges_kept": expected 1`},
		{`"sender":"input"`, `"sender":"inputs"`, `field "sender"`},
		{`"sender":"input"`, `"sender":"m0"`, `edge "m0->a0.h0<q>": field "sender": node "m0": this graph has no such node`},
		{`"receiver":"a0.h0<q>"`, `"receiver":"a0.h0<z>"`, `field "receiver"`},
		{`"kept":true`, `"kind":"direct","kept":true`, `"kind": expected "addition"`},
		{"{\"sender\"", "{\"sender\":\"input\",\"receiver\":\"a0.h0<q>\",\"kept\":true},\n{\"sender\"", `"input->a0.h0<q>" appears twice`},
	} {
		require.Contains(t, good, c.from)
		_, err := Decode(t.Context(), "c.json", strings.NewReader(strings.Replace(good, c.from, c.to, 1)))
		require.Error(t, err, c.to)
		assert.True(t, strings.HasPrefix(err.Error(), "c.json: "), err.Error())
		assert.Contains(t, err.Error(), c.want)
		assert.NotContains(t, err.Error(), "\n")
	}
}

func FuzzDecode(f *testing.F) {
	g := mustNew(f, Config{ACDC, 1, 1, true, false, false})
	var file File
	file.SetCircuit(g, g.Full(), nil, false)
	var b bytes.Buffer
	require.NoError(f, file.Encode(&b))
	f.Add(b.Bytes())
	for _, name := range []string{"flat-full", "flat-edited", "mib-small"} {
		data, err := os.ReadFile("testdata/" + name + ".json")
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add([]byte(`{"graph":{"definition":"eap","n_layers":1,"n_heads":1},"edges":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Decode(t.Context(), "fuzz", bytes.NewReader(data))
		if err != nil {
			return
		}
		g, m, scores, err := file.Circuit()
		require.NoError(t, err)
		var again File
		again.SetCircuit(g, m, scores, true)
		require.Equal(t, file.EdgesKept, again.EdgesKept)
	})
}
