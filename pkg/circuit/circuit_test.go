package circuit

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mustNew(t testing.TB, cfg Config) *Graph {
	t.Helper()
	g, err := New(cfg)
	require.NoError(t, err)
	return g
}

// shapes are the graphs that the tests below walk over.
func shapes() map[string]Config {
	out := map[string]Config{}
	for _, def := range Definitions() {
		for _, attnOnly := range []bool{false, true} {
			for _, parallel := range []bool{false, true} {
				for _, split := range []bool{false, true} {
					cfg := Config{def, 3, 2, attnOnly, parallel, split}
					out[fmt.Sprintf("%s/attnonly=%v/parallel=%v/split=%v", def, attnOnly, parallel, split)] = cfg
				}
			}
		}
	}
	return out
}

// The counts are those of the reference implementations: ACDC (or_gate 19,
// reverse 106, proportion 38, GPT-2 small 32,923), EAP and MIB (32,491), ACDC
// with split embeddings (33,368).
func TestEdgeCounts(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  Config
		want int
	}{
		{"gpt2 eap", Config{EAP, 12, 12, false, false, false}, 32491},
		{"gpt2 acdc", Config{ACDC, 12, 12, false, false, false}, 32923},
		{"gpt2 acdc split", Config{ACDC, 12, 12, false, false, true}, 33368},
		{"tracr-reverse", Config{ACDC, 4, 1, false, false, true}, 106},
		{"tracr-proportion", Config{ACDC, 2, 1, false, false, true}, 38},
		{"or_gate", Config{ACDC, 1, 2, false, false, false}, 19},
		{"induction", Config{ACDC, 2, 6, true, false, false}, 193},
		{"docstring attn-only 4 layers", Config{ACDC, 4, 8, true, false, false}, 1377},
		{"gpt3l", Config{ACDC, 3, 4, false, false, false}, 298},
	} {
		assert.Equal(t, c.want, mustNew(t, c.cfg).NumEdges(), c.name)
	}
}

func TestEdgeNumbersRoundTrip(t *testing.T) {
	for name, cfg := range shapes() {
		t.Run(name, func(t *testing.T) {
			g := mustNew(t, cfg)
			seen := map[Edge]bool{}
			for i := range g.NumEdges() {
				e := g.Edge(i)
				require.False(t, seen[e], "edge %v has two numbers", e)
				seen[e] = true
				back, ok := g.Index(e)
				require.True(t, ok)
				require.Equal(t, i, back)
				parsed, err := g.ParseEdge(e.String())
				require.NoError(t, err)
				require.Equal(t, i, parsed, e.String())
				hooks, err := g.ParseEdge(g.HookName(e.Sender) + "->" + g.HookName(e.Receiver))
				require.NoError(t, err)
				require.Equal(t, i, hooks)
			}
			for _, n := range append(append([]Node{}, g.Senders()...), g.Receivers()...) {
				for _, e := range g.Downstream(n) {
					require.Equal(t, n, g.Edge(e).Sender)
				}
			}
		})
	}
}

func TestParallelBlocksDoNotFeedTheirOwnMLP(t *testing.T) {
	e := Edge{Node{Kind: Head, Layer: 1}, Node{Kind: MLPIn, Layer: 1}}
	_, ok := mustNew(t, Config{ACDC, 2, 2, false, false, false}).Index(e)
	assert.True(t, ok)
	_, ok = mustNew(t, Config{ACDC, 2, 2, false, true, false}).Index(e)
	assert.False(t, ok)
}

func TestNames(t *testing.T) {
	g := mustNew(t, Config{ACDC, 2, 7, false, false, false})
	for _, c := range []struct {
		node        Node
		short, hook string
	}{
		{Node{Kind: Input}, "input", "blocks.0.hook_resid_pre"},
		{Node{Kind: Embed}, "embed", "hook_embed"},
		{Node{Kind: PosEmbed}, "pos_embed", "hook_pos_embed"},
		{Node{Head, 1, 6}, "a1.h6", "blocks.1.attn.hook_result[:, :, 6]"},
		{Node{Kind: MLP, Layer: 1}, "m1", "blocks.1.hook_mlp_out"},
		{Node{KInput, 1, 6}, "a1.h6<k>.input", "blocks.1.hook_k_input[:, :, 6]"},
		{Node{K, 1, 6}, "a1.h6<k>", "blocks.1.attn.hook_k[:, :, 6]"},
		{Node{Kind: MLPIn, Layer: 1}, "m1.input", "blocks.1.hook_mlp_in"},
		{Node{Kind: Output}, "logits", "blocks.1.hook_resid_post"},
	} {
		assert.Equal(t, c.short, c.node.String())
		assert.Equal(t, c.hook, g.HookName(c.node))
		for _, name := range []string{c.short, c.hook} {
			n, err := ParseNode(name)
			require.NoError(t, err)
			assert.Equal(t, c.node, n, name)
		}
	}
	for _, e := range []string{"input->a1.h6<k>", "a0.h3->m1", "m1->logits", "a1.h6<k>"} {
		i, err := g.ParseEdge(e)
		require.NoError(t, err)
		assert.Equal(t, e, g.Edge(i).String())
	}
}

func TestBadNames(t *testing.T) {
	g := mustNew(t, Config{ACDC, 2, 4, true, false, false})
	for in, want := range map[string]string{
		"":                  "expected the form",
		"nonsense":          "expected the form",
		"a1.h2":             "expected the form",
		"a01.h2->logits":    "expected a name like",
		"a0.h1<x>":          "expected the form",
		"a0.h1->m1":         "no node m1",
		"input->a5.h0<q>":   "no node a5.h0<q>.input (2 layers of 4 heads without MLPs)",
		"a1.h0->a0.h0<q>":   "a0.h0<q>.input is computed before a1.h0",
		"a0.h0->a1.h1":      "does not read",
		"logits->logits":    "does not write",
		"a0.h-1->logits":    "expected a name like",
		"a0.h0->a1.h0<q>.x": "expected a name like",
	} {
		_, err := g.ParseEdge(in)
		require.Error(t, err, in)
		assert.Contains(t, err.Error(), want, in)
	}
	_, err := mustNew(t, Config{EAP, 2, 4, true, false, false}).ParseEdge("a1.h0<q>")
	assert.ErrorContains(t, err, "no direct edges")
	_, err = New(Config{Definition: "wrong", Layers: 1, Heads: 1})
	assert.ErrorContains(t, err, "expected one of acdc, eap")
	_, err = New(Config{Definition: ACDC})
	assert.ErrorContains(t, err, "at least one")
}

func TestHasOutgoingFollowsPlaceholders(t *testing.T) {
	g := mustNew(t, Config{ACDC, 2, 2, false, false, false})
	m := g.Full()
	head := Node{Head, 1, 0}
	for _, e := range g.Downstream(head) {
		m[e] = false
	}
	assert.False(t, g.HasOutgoing(m, head))
	for _, k := range []Kind{Q, K, V, QInput, KInput, VInput} {
		assert.False(t, g.HasOutgoing(m, Node{k, 1, 0}), "%v", Node{k, 1, 0})
		assert.True(t, g.HasOutgoing(m, Node{k, 1, 1}))
	}
	direct, err := g.ParseEdge("a1.h1<k>")
	require.NoError(t, err)
	m[direct] = false
	assert.False(t, g.HasOutgoing(m, Node{KInput, 1, 1}))
	assert.True(t, g.HasOutgoing(m, Node{K, 1, 1}))
}

func TestPruneUnreachable(t *testing.T) {
	g := mustNew(t, Config{ACDC, 2, 2, false, false, false})
	keep := []string{"input->a1.h0<v>", "a1.h0<v>", "a1.h0->logits"}
	extra := []string{"input->a1.h1<v>", "a1.h1<v>", "m0->a1.h0<v>", "a0.h0->m0"}
	m := g.Empty()
	for _, e := range append(append([]string{}, keep...), extra...) {
		i, err := g.ParseEdge(e)
		require.NoError(t, err)
		m[i] = true
	}
	assert.Equal(t, len(extra), g.PruneUnreachable(m))
	var left []string
	for i, present := range m {
		if present {
			left = append(left, g.Edge(i).String())
		}
	}
	assert.ElementsMatch(t, keep, left)
	full := g.Full()
	assert.Zero(t, g.PruneUnreachable(full))
}

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
				f := File{Algorithm: "acdc", Model: "m<1>", Metric: "kl_div", Threshold: 0.1}
				f.SetCircuit(g, m, scores, all)
				var b bytes.Buffer
				require.NoError(t, f.Encode(&b))
				assert.NotContains(t, b.String(), "NaN")
				back, err := Decode("c.json", &b)
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
	_, err := Decode("c.json", strings.NewReader(good))
	require.NoError(t, err)
	for _, c := range []struct{ from, to, want string }{
		{good, "", "expected JSON"},
		{good, "{}", "definition\" is missing"},
		{good, "[1]", "expected JSON"},
		{good, good + "x", "after the end"},
		{`"definition": "acdc"`, `"definition": "abc"`, "expected one of acdc, eap"},
		{`"n_layers": 1`, `"n_layers": 0`, "0 layers"},
		{`"n_heads": 1`, `"n_heads": 2`, `"edges_total": expected`},
		{`"edges_kept": 1`, `"edges_kept": 2`, `"edges_kept": expected 1`},
		{`"sender":"input"`, `"sender":"inputs"`, `field "sender"`},
		{`"sender":"input"`, `"sender":"m0"`, `edge "m0->a0.h0<q>" is impossible`},
		{`"receiver":"a0.h0<q>"`, `"receiver":"a0.h0<z>"`, `field "receiver"`},
		{`"kept":true`, `"kind":"direct","kept":true`, `"kind": expected "addition"`},
		{"{\"sender\"", "{\"sender\":\"input\",\"receiver\":\"a0.h0<q>\",\"kept\":true},\n{\"sender\"", `"input->a0.h0<q>" appears twice`},
	} {
		require.Contains(t, good, c.from)
		_, err := Decode("c.json", strings.NewReader(strings.Replace(good, c.from, c.to, 1)))
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
	f.Add([]byte(`{"graph":{"definition":"eap","n_layers":1,"n_heads":1},"edges":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Decode("fuzz", bytes.NewReader(data))
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
