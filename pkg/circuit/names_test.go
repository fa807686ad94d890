package circuit

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNames(t *testing.T) {
	whole, split := mustNew(t, Config{ACDC, 2, 7, false, false, false}), mustNew(t, Config{ACDC, 2, 7, false, false, true})
	for _, c := range []struct {
		node               Node
		short, hook, drawn string
	}{
		{Node{Kind: Input}, "input", "blocks.0.hook_resid_pre", "embed"},
		{Node{Kind: Embed}, "embed", "hook_embed", "embed"},
		{Node{Kind: PosEmbed}, "pos_embed", "hook_pos_embed", "pos_embed"},
		{Node{Head, 1, 6}, "a1.h6", "blocks.1.attn.hook_result[:, :, 6]", "a1.6"},
		{Node{Kind: MLP, Layer: 1}, "m1", "blocks.1.hook_mlp_out", "m1"},
		{Node{KInput, 1, 6}, "a1.h6<k>.input", "blocks.1.hook_k_input[:, :, 6]", "a1.6_k_in"},
		{Node{K, 1, 6}, "a1.h6<k>", "blocks.1.attn.hook_k[:, :, 6]", "a1.6_k"},
		{Node{Kind: MLPIn, Layer: 1}, "m1.input", "blocks.1.hook_mlp_in", "m1_in"},
		{Node{Kind: Output}, "logits", "blocks.1.hook_resid_post", "output"},
	} {
		g := whole
		if c.node.Kind == Embed || c.node.Kind == PosEmbed {
			g = split
		}
		assert.Equal(t, c.short, c.node.String())
		assert.Equal(t, c.hook, g.HookName(c.node))
		assert.Equal(t, c.drawn, Drawn.Name(c.node))
		for _, name := range []string{c.short, c.hook, c.drawn} {
			n, err := g.ParseNode(name)
			require.NoError(t, err)
			assert.Equal(t, c.node, n, name)
		}
	}
	for _, e := range []string{"input->a1.h6<k>", "a0.h3->m1", "m1->logits", "a1.h6<k>"} {
		i, err := whole.ParseEdge(e)
		require.NoError(t, err)
		assert.Equal(t, e, whole.Edge(i).String())
	}
}

// names lists how a dialect may write an edge, with all its signs for arrows.
func edgeNames(g *Graph, d Dialect, e Edge) []string {
	name := func(n Node) string {
		if n.Kind == Output {
			n.Layer = g.Config().Layers - 1
		}
		return d.Name(n)
	}
	from, to := name(e.Sender), name(e.Receiver)
	if e.IsDirect() && to != "" {
		out := []string{to}
		if from != "" {
			out = append(out, from+"->"+to)
		}
		return out
	}
	var out []string
	receivers := []string{to}
	switch { // at an arrow's end, the part stands for its residual input
	case e.Receiver.Kind >= QInput && e.Receiver.Kind <= VInput:
		receivers = append(receivers, d.Name(Node{e.Receiver.Kind + Q - QInput, e.Receiver.Layer, e.Receiver.Head}))
	case e.Receiver.Kind == MLPIn:
		receivers = append(receivers, d.Name(Node{Kind: MLP, Layer: e.Receiver.Layer}))
	}
	for _, r := range receivers {
		if from != "" && r != "" {
			out = append(out, from+"->"+r, from+" → "+r, fmt.Sprintf("%q -> %q", from, r))
		}
	}
	return out
}

// Every name that any dialect has for an edge is read as that edge, and the
// names of other dialects may be mixed with it.
func TestEveryDialectIsRead(t *testing.T) {
	for shape, cfg := range shapes() {
		t.Run(shape, func(t *testing.T) {
			g := mustNew(t, cfg)
			read := map[Dialect]int{}
			for i := range g.NumEdges() {
				for _, d := range Dialects() {
					for _, name := range edgeNames(g, d, g.Edge(i)) {
						got, err := g.ParseEdge(name)
						require.NoError(t, err)
						require.Equal(t, i, got, name)
						read[d]++
					}
				}
			}
			for _, d := range []Dialect{Short, Hooks, Drawn} {
				assert.GreaterOrEqual(t, read[d], g.NumEdges(), d)
			}
			assert.Positive(t, read[Pruning])
		})
	}
	g := mustNew(t, Config{ACDC, 2, 7, false, false, false})
	want, err := g.ParseEdge("a0.h4->a1.h1<k>")
	require.NoError(t, err)
	for _, name := range []string{"a0.4->a1.1_k", "a0.4 → a1.1_k", `"a0.4" -> "a1.1":k:n`, "a0.h4 -> a1.h1.k",
		"blocks.0.attn.hook_result[:, :, 4]->a1.1_k_in", "a0.4->blocks.1.hook_k_input[:, :, 1]"} {
		i, err := g.ParseEdge(name)
		require.NoError(t, err)
		assert.Equal(t, want, i, name)
	}
}

// Every name of a node that is not in the graph is refused, in every dialect.
func TestNodesOfOtherGraphsAreRefused(t *testing.T) {
	for shape, cfg := range shapes() {
		t.Run(shape, func(t *testing.T) {
			g := mustNew(t, cfg)
			refused := 0
			for _, d := range Dialects() {
				for k := range Output + 1 {
					for _, layer := range []int{0, 1, 2, 3, 4, 77, 1 << 40} {
						for _, head := range []int{0, 1, 2, 7, 1 << 40} {
							n := Node{Kind: k, Layer: layer, Head: head}
							name := d.Name(n)
							if name == "" || name == "embed" || exists(cfg, d, n) { // embed is a name of either embedding
								continue
							}
							refused++
							_, err := g.ParseNode(name)
							require.ErrorContains(t, err, "this graph has no such node", name)
							_, err = g.ParseEdge("a0.h0->" + name)
							require.ErrorContains(t, err, name)
							_, err = g.ParseEdge(name + "->logits")
							require.ErrorContains(t, err, name)
						}
					}
				}
			}
			assert.Greater(t, refused, 1000)
		})
	}
}

// exists says of a name of a dialect whether the graph has the node.
func exists(cfg Config, d Dialect, n Node) bool {
	switch {
	case n.Kind == Input:
		return !cfg.SplitEmbed
	case n.Kind <= PosEmbed:
		return cfg.SplitEmbed
	case n.Kind == Output:
		return d != Hooks || n.Layer == cfg.Layers-1
	case n.Kind == MLP || n.Kind == MLPIn:
		return n.Layer < cfg.Layers && !cfg.AttnOnly
	}
	return n.Layer < cfg.Layers && n.Head < cfg.Heads
}

func TestBadNames(t *testing.T) {
	g := mustNew(t, Config{ACDC, 2, 4, true, false, false})
	long := strings.Repeat("x", 100_000)
	for in, want := range map[string]string{
		"":                                 "expected the form",
		"nonsense":                         "expected the form",
		"a1.h2":                            "expected the form",
		"a1.2":                             "found a node",
		"a01.h2->logits":                   "expected a name like",
		"a0.h1<x>":                         "expected the form",
		"a0.h1->m1":                        `node "m1": this graph has no such node (2 layers of 4 heads without MLPs)`,
		"input->a5.h0<q>":                  `node "a5.h0<q>": this graph has no such node`,
		"a0.h0->blocks.77.hook_resid_post": `node "blocks.77.hook_resid_post": this graph has no such node`,
		"a0.h0->blocks.0.hook_resid_post":  `node "blocks.0.hook_resid_post": this graph has no such node`,
		"blocks.1.hook_resid_pre->logits":  "expected a name like",
		"tok_embeds->logits":               `node "tok_embeds": this graph has no such node`,
		"a1.h0->a0.h0<q>":                  "a0.h0<q>.input is computed before a1.h0",
		"a0.h0->a1.h1":                     "does not read",
		"logits->logits":                   "does not write",
		"a0.h-1->logits":                   "expected a name like",
		"a0.h0->a1.h0<q>.x":                "expected a name like",
		"a0.h99999999999999999999->logits": "expected a name like",
		"a0.h0->a1.h1<q>->logits":          "expected a name like",
		long + "->" + long:                 "…",
	} {
		_, err := g.ParseEdge(in)
		require.Error(t, err, in)
		assert.Contains(t, err.Error(), want, in)
		assert.Less(t, len(err.Error()), 1000)
	}
	_, err := mustNew(t, Config{EAP, 2, 4, true, false, false}).ParseEdge("a1.h0<q>")
	assert.ErrorContains(t, err, "no direct edges")
	_, err = New(Config{Definition: "wrong", Layers: 1, Heads: 1})
	assert.ErrorContains(t, err, "expected one of acdc, eap")
	_, err = New(Config{Definition: ACDC})
	assert.ErrorContains(t, err, "at least one")
	_, err = New(Config{Definition: ACDC, Layers: 20000, Heads: 1})
	assert.ErrorContains(t, err, "expected at most 134217728 edges")
}

// Files may name edges in any dialect.
func TestFilesInAnyDialect(t *testing.T) {
	const text = `{"graph":{"definition":"acdc","n_layers":2,"n_heads":2},"edges_total":%d,"edges_kept":3,"edges":[
		{"sender":"embed","receiver":"a0.1_k","kept":true},
		{"sender":"blocks.0.hook_k_input[:, :, 1]","receiver":"blocks.0.attn.hook_k[:, :, 1]","kind":"direct","kept":true},
		{"sender":"a0.h1","receiver":"resid_post","kind":"addition","kept":true}]}`
	g := mustNew(t, Config{ACDC, 2, 2, false, false, false})
	f, err := Decode(t.Context(), "c.json", strings.NewReader(fmt.Sprintf(text, g.NumEdges())))
	require.NoError(t, err)
	assert.Equal(t, []FileEdge{
		{Sender: "input", Receiver: "a0.h1<k>", Kept: true},
		{Sender: "a0.h1<k>.input", Receiver: "a0.h1<k>", Kind: "direct", Kept: true},
		{Sender: "a0.h1", Receiver: "logits", Kept: true},
	}, f.Edges)
}
