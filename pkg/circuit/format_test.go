package circuit

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// writtenAs is the circuit in a format, with what is lost.
func writtenAs(t *testing.T, f *File, kind Format) (text string, lost []string) {
	t.Helper()
	var b bytes.Buffer
	lost, err := f.EncodeAs(&b, kind)
	require.NoError(t, err)
	return b.String(), lost
}

// readBack reads what was written.
func readBack(t *testing.T, text string, kind Format, c Config) *File {
	t.Helper()
	require.Equal(t, kind, Detect(t.Context(), []byte(text)))
	var f *File
	var err error
	if kind.Bare() {
		f, err = DecodeList(t.Context(), "x", []byte(text), kind, c)
	} else {
		f, err = Decode(t.Context(), "x", strings.NewReader(text))
	}
	require.NoError(t, err)
	return f
}

// A file of EAP-IG's own, of every edge of a small model, is written again byte
// by byte, through this project's JSON too.
func TestMIBIsWrittenAgainByteByByte(t *testing.T) {
	for _, path := range []string{"testdata/mib-full.json", "testdata/mib-parallel.json"} {
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		f := readBack(t, string(want), MIBJSON, Config{})
		got, lost := writtenAs(t, f, MIBJSON)
		assert.Equal(t, string(want), got)
		assert.Empty(t, lost)
		own, _ := writtenAs(t, f, Own)
		got, _ = writtenAs(t, readBack(t, own, Own, Config{}), MIBJSON)
		assert.Equal(t, string(want), got)
		found, err := Inspect(t.Context(), path, want, MIBJSON, Config{})
		require.NoError(t, err)
		assert.Empty(t, found)
	}
}

// Numbers as Python's repr has them.
func TestPythonNumbers(t *testing.T) {
	for x, want := range map[float64]string{0: "0.0", 1: "1.0", -2.5: "-2.5", 1e-4: "0.0001", 9.9e-5: "9.9e-05", 1e16: "1e+16", 123456789012345678: "1.2345678901234568e+17",
		9007199254740993: "9007199254740992.0", 1e-300: "1e-300", math.Copysign(0, -1): "-0.0"} {
		if x == 0 {
			continue // both zeros are one key
		}
		assert.Equal(t, want, pythonNumber(x))
	}
	assert.Equal(t, []string{"0.0", "-0.0", "NaN"}, []string{pythonNumber(0), pythonNumber(math.Copysign(0, -1)), pythonNumber(math.NaN())})
}

// Every format both ways, from every graph: the kept edges come back, and scores
// where the format has them, unless something is said to be lost.
func TestFormatsBothWays(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, shape := range []Config{{Layers: 2, Heads: 2}, {Layers: 3, Heads: 1, AttnOnly: true}, {Layers: 2, Heads: 3, ParallelAttnMLP: true}} {
		for _, c := range variants(shape) {
			for _, kind := range Formats() {
				g := mustNew(t, c)
				m, s := g.Empty(), noScores(g)
				for i := range m {
					if m[i] = rng.IntN(3) == 0; rng.IntN(4) > 0 {
						s[i] = rng.NormFloat64()
					}
				}
				f := &File{MIB: &MIB{DModel: 8}}
				f.SetCircuit(g, m, s, true)
				text, lost := writtenAs(t, f, kind)
				again := readBack(t, text, kind, c)
				got, gotMask, gotScores, err := again.Circuit()
				require.NoError(t, err)
				text2, _ := writtenAs(t, again, kind)
				assert.Equal(t, text, text2, "%s of %v", kind, c)
				to := mustNew(t, got.Config())
				wantMask, wantScores, words, err := g.Project(m, s, to)
				require.NoError(t, err)
				assert.Equal(t, wantMask, gotMask, "%s of %v", kind, c)
				if kind == PruningJSON {
					words.Divided = 0
				}
				assert.Subset(t, lost, words.Words())
				switch kind {
				case PruningJSON:
					assert.Empty(t, scored(to, gotScores))
					assert.Contains(t, lost[len(lost)-1], "the format has none")
				case EdgeList:
					for i := range wantScores {
						if wantMask[i] {
							assert.Equal(t, math.IsNaN(wantScores[i]), math.IsNaN(gotScores[i]))
						}
					}
				default:
					assert.Equal(t, scored(to, wantScores), scored(to, gotScores), "%s of %v", kind, c)
				}
			}
		}
	}
}

// Edge-Pruning's names.
func TestEdgePruningLists(t *testing.T) {
	text := `[["tok_embeds","a0.h1.q"],["pos_embeds","m0"],["a0.h1","m0"],["m0","a1.h0.v"],["a1.h0","resid_post"]]`
	f, err := DecodeList(t.Context(), "edges.json", []byte(text), PruningJSON, Config{Layers: 2, Heads: 2})
	require.NoError(t, err)
	g, m, _, err := f.Circuit()
	require.NoError(t, err)
	assert.Equal(t, Config{EAP, 2, 2, false, false, true}, g.Config())
	assert.Equal(t, []string{"embed->a0.h1<q>", "pos_embed->m0", "a0.h1->m0", "m0->a1.h0<v>", "a1.h0->logits"}, listed(g, m))
	got, lost := writtenAs(t, f, PruningJSON)
	assert.JSONEq(t, text, got)
	assert.Empty(t, lost)
	gpt2 := mustNew(t, Config{EAP, 12, 12, false, false, true})
	assert.Equal(t, 32_936, gpt2.NumEdges(), "Edge-Pruning's number of GPT-2 small")
}

// What cannot be read is said with its place.
func TestListsThatCannotBeRead(t *testing.T) {
	c := Config{Layers: 1, Heads: 1}
	for _, x := range []struct {
		kind       Format
		text, want string
	}{
		{EdgeList, "input\ta0.h0<q>\t1\ninput\tm7\n", `x: line 2: edge "input->m7": field "receiver": node "m7": this graph has no such node`},
		{EdgeList, "input\n", "x: line 1: expected sender, receiver and, if there is one, score with tabs between, found \"input\""},
		{EdgeList, "\n\ninput\tm0\tNaN\n", `x: line 3: score: expected a finite number, found "NaN"`},
		{EdgeList, "input\tm0\ninput\tm0\t2\n", `x: line 2: edge "input->m0" appears twice`},
		{EdgeList, strings.Repeat("x", 5000), "x: expected lines of at most 4096 bytes, found a longer one"},
		{PruningJSON, `[["tok_embeds","m0"],["m0"]]`, "x: pair 2: expected two names, found 1"},
		{PruningJSON, `[["m0","a0.h0.q"]]`, `x: pair 1: edge "m0->a0.h0<q>" is impossible in this graph: a0.h0<q>.input is computed before m0`},
		{PruningJSON, `[{"a":1}]`, "x: "},
		{MIBJSON, `{}`, `unknown format of a list "mib": expected one of edge-pruning, edges`},
	} {
		_, err := DecodeList(t.Context(), "x", []byte(x.text), x.kind, c)
		require.Error(t, err, x.text)
		assert.Contains(t, err.Error(), x.want)
		assert.NotContains(t, err.Error(), "\n")
	}
	_, err := DecodeList(t.Context(), "x", []byte("input\tm0\n"), EdgeList, Config{})
	assert.ErrorContains(t, err, "graph of 0 layers and 0 heads: expected at least one of each")
	f := &File{}
	f.SetCircuit(mustNew(t, Config{EAP, 1, 1, false, false, false}), make(Mask, 8), nil, false)
	_, err = f.EncodeAs(&bytes.Buffer{}, MIBJSON)
	assert.ErrorContains(t, err, `field "mib"."d_model": expected the model's width, which the MIB format declares, found none`)
}

// Each kind of violation is one line, in each format in which there can be any.
func TestInspectNamesEveryKind(t *testing.T) {
	kinds := func(text string, kind Format) []string {
		found, err := Inspect(t.Context(), "x", []byte(text), kind, Config{Layers: 2, Heads: 2})
		require.NoError(t, err)
		var out []string
		for _, v := range found {
			assert.NotContains(t, v.String(), "\n")
			out = append(out, v.String())
		}
		return out
	}
	own := `{"graph":{"definition":"eap","n_layers":2,"n_heads":2},"run":{"seed":0,"examples":-3,"threshold":0},"edges_total":7,"edges_kept":9,"edges":[
		{"sender":"input","receiver":"a1.h0<q>","kept":true},{"sender":"a1.h0","receiver":"logits","kept":true},
		{"sender":"m1","receiver":"a0.h0<q>","kept":true},{"sender":"m1","receiver":"a1.h0<q>","kept":true},
		{"sender":"input","receiver":"m0","kept":true},{"sender":"input","receiver":"m0","kept":false}]}`
	assert.Equal(t, []string{
		`fields: field "examples": expected a whole number from 1 to 1000000, found -3`,
		`legal edges: 2 violations, the first: edge "m1->a0.h0<q>" is impossible in this graph: a0.h0<q>.input is computed before m1`,
		`every edge once: edge "input->m0"`,
		`edges of the graph: expected edges_total to be 46, found 7`,
		`edges kept: expected edges_kept to be 5, the number of edges with "kept": true, found 9`,
		`reachable edges: edge "input->m0" is kept and on no path from the input to the output`,
	}, kinds(own, Own))
	assert.Equal(t, []string{"graph: graph of 0 layers and 2 heads: expected at least one of each"}, kinds(strings.Replace(own, `"n_layers":2`, `"n_layers":0`, 1), Own)[1:])

	mib := `{"cfg":{"n_layers":2,"n_heads":2,"parallel_attn_mlp":false,"d_model":8},"nodes":{"input":{"in_graph":true},"m0":{"in_graph":true},"logits":{"in_graph":false},"m9":{"in_graph":true}},
		"edges":{"input->logits":{"score":NaN,"in_graph":true},"m0":{"score":1},"logits->m0":{"score":1,"in_graph":true}}}`
	assert.Equal(t, []string{
		`fields: edge "m0": field "in_graph" is missing`,
		`legal edges: 2 violations, the first: edge "logits->m0" is impossible in this graph: logits does not write to the residual stream`,
		`edges of the graph: expected all 46, found 1`,
		`nodes of the circuit: 2 violations, the first: node "logits": expected "in_graph" to be true, since an edge of the circuit touches it, found false`,
		`nodes of the graph: 6 violations, the first: node "m9": this graph has no such node (2 layers of 2 heads)`,
	}, kinds(mib, MIBJSON))

	assert.Equal(t, []string{`legal edges: edge "m1->a0.h0<q>" is impossible`}, trimmed(kinds(`[["m1","a0.h0.q"]]`, PruningJSON)))
	assert.Equal(t, []string{`every edge once: edge "input->logits"`, `reachable edges: edge "m0->m1" is kept and on no path from the input to the output`},
		kinds("input\tlogits\t1\ninput\tlogits\nm0\tm1\n", EdgeList))
	_, err := Inspect(t.Context(), "x", []byte(`{"graph":1}`), Own, Config{})
	assert.ErrorContains(t, err, "x: ")
	assert.True(t, json.Valid([]byte(own)))
}

// trimmed are lines without what stands behind the fact.
func trimmed(lines []string) []string {
	out := slices.Clone(lines)
	for i, s := range out {
		out[i], _, _ = strings.Cut(s, " in this graph")
	}
	return out
}

// Any text of any format is a circuit that is written and read again, or an
// error; what Decode takes has no illegal edge.
func FuzzFormats(f *testing.F) {
	for _, name := range []string{"mib-full.json", "mib-small.json", "flat-full.json"} {
		data, err := os.ReadFile("testdata/" + name)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add([]byte(`[["tok_embeds","a0.h1.q"],["a0.h1","resid_post"]]`))
	f.Add([]byte("input\ta0.h0<q>\t1\na0.h0<q>.input\ta0.h0<q>\t\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := Config{Layers: 2, Heads: 2}
		kind := Detect(t.Context(), data)
		var file *File
		var err error
		if kind.Bare() {
			file, err = DecodeList(t.Context(), "x", data, kind, c)
		} else {
			file, err = Decode(t.Context(), "x", bytes.NewReader(data))
		}
		if err != nil || file.EdgesTotal > 10_000 {
			return
		}
		found, err := Inspect(t.Context(), "x", data, kind, c)
		require.NoError(t, err)
		for _, v := range found {
			require.NotContains(t, []string{"legal edges", "every edge once", "graph"}, v.Kind)
		}
		for _, to := range []Format{Own, EdgeList, PruningJSON} {
			text, _ := writtenAs(t, file, to)
			kept := readBackKept(t, text, to, Config(file.Graph))
			if to == PruningJSON { // without direct edges, and with two for each from the input
				continue
			}
			require.Equal(t, file.EdgesKept, kept)
		}
	})
}

// readBackKept is how many edges are kept of what was written, which need not be
// told from a list of another format where it is empty.
func readBackKept(t *testing.T, text string, kind Format, c Config) int {
	t.Helper()
	var f *File
	var err error
	if kind.Bare() {
		f, err = DecodeList(t.Context(), "x", []byte(text), kind, c)
	} else {
		f, err = Decode(t.Context(), "x", strings.NewReader(text))
	}
	require.NoError(t, err)
	return f.EdgesKept
}

// A selection by a file's scores replaces the circuit and what was measured of it.
func TestSelect(t *testing.T) {
	data, err := os.ReadFile("testdata/mib-full.json")
	require.NoError(t, err)
	f := readBack(t, string(data), MIBJSON, Config{})
	f.Measured.Final, f.Threshold = 3, 1
	require.NoError(t, f.Select(Selection{Rule: Top, Edges: 4, Absolute: true}))
	g, m, scores, err := f.Circuit()
	require.NoError(t, err)
	assert.Equal(t, 4, m.Count())
	least := math.Inf(1)
	for i := range m {
		if m[i] {
			least = min(least, math.Abs(scores[i]))
		}
	}
	for i := range m {
		assert.False(t, !m[i] && math.Abs(scores[i]) > least, g.Edge(i))
	}
	assert.Equal(t, []any{4, 4, 0.0, 0.0}, []any{f.EdgesKept, f.Measured.Chosen, f.Measured.Final, f.Threshold})
	assert.ErrorContains(t, f.Select(Selection{Rule: Top, Edges: 10_000}), "edges: expected 0 to ")
	f.Edges = nil
	f.EdgesKept = 0
	assert.EqualError(t, f.Select(Selection{Rule: Top}), "expected edges with scores, found none")
}
