package circuit

import (
	"fmt"
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
// reverse 106, proportion 38, GPT-2 small 32,923), EAP and MIB (32,491; Qwen2.5-0.5B
// 179,749, Gemma-2-2B 74,218, Llama-3.1-8B 1,592,881), ACDC with split embeddings (33,368).
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
		{"qwen2.5-0.5b", Config{EAP, 24, 14, false, false, false}, 179749},
		{"gemma-2-2b", Config{EAP, 26, 8, false, false, false}, 74218},
		{"llama-3.1-8b", Config{EAP, 32, 32, false, false, false}, 1592881},
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
