package reference

import "github.com/seed-2c350065/acdc/pkg/circuit"

// The colours that the groups are drawn in, in the order of the groups.
const (
	mint    = "#d7f8ee"
	lime    = "#e7f2da"
	peach   = "#fee7d5"
	violet  = "#ececf5"
	cream   = "#fff6db"
	pink    = "#fad6e9"
	apricot = "#f9ecd7"
)

const gpt2Layers, gpt2Heads = 12, 12

// ioi is the circuit of ioi. Wang et al. looked at heads only: of the MLPs
// nothing was claimed, so that all of them are in it with every edge between
// them and the input, the output and the circuit's heads. Between heads, and
// from the input, there are those edges that the paper tells of.
func ioi() Circuit {
	groups := []Group{
		{"name mover", mint, heads([2]int{9, 9}, [2]int{10, 0}, [2]int{9, 6})},
		{"backup name mover", lime, heads([2]int{10, 10}, [2]int{10, 6}, [2]int{10, 2}, [2]int{10, 1},
			[2]int{11, 2}, [2]int{9, 7}, [2]int{9, 0}, [2]int{11, 9})},
		{"negative name mover", peach, heads([2]int{10, 7}, [2]int{11, 10})},
		{"S2 inhibition", violet, heads([2]int{7, 3}, [2]int{7, 9}, [2]int{8, 6}, [2]int{8, 10})},
		{"induction", cream, heads([2]int{5, 5}, [2]int{5, 8}, [2]int{5, 9}, [2]int{6, 9})},
		{"duplicate token", pink, heads([2]int{0, 1}, [2]int{0, 10}, [2]int{3, 0})},
		{"previous token", apricot, heads([2]int{2, 2}, [2]int{4, 11})},
	}
	return Circuit{
		Task: "ioi", Model: "gpt2", Source: "Wang et al. 2022, arXiv:2211.00593",
		Layers: gpt2Layers, Heads: gpt2Heads, Groups: groups,
		Sets: []Set{{"heads", union(groups)}, {"MLPs", mlps(0, gpt2Layers)}},
		Wires: []Wire{
			{"input", "MLPs", ""},
			{"input", "logits", ""},
			{"heads", "MLPs", ""},
			{"MLPs", "heads", "qkv"},
			{"MLPs", "MLPs", ""},
			{"MLPs", "logits", ""},
			{"input", "previous token", "qkv"},
			{"input", "duplicate token", "qkv"},
			{"input", "S2 inhibition", "q"},
			{"input", "negative name mover", "kv"},
			{"input", "name mover", "kv"},
			{"input", "backup name mover", "kv"},
			{"previous token", "induction", "kv"},
			{"induction", "S2 inhibition", "kv"},
			{"duplicate token", "S2 inhibition", "kv"},
			{"S2 inhibition", "negative name mover", "q"},
			{"S2 inhibition", "name mover", "q"},
			{"S2 inhibition", "backup name mover", "q"},
			{"negative name mover", "logits", ""},
			{"name mover", "logits", ""},
			{"backup name mover", "logits", ""},
		},
	}
}

// greaterThan is the circuit of greaterthan. Hanna et al. leave the queries of
// the middle heads as they are, for which many edges would stand; here it is
// those from the MLPs before them, and the edges among these MLPs.
func greaterThan() Circuit {
	const firstMiddle, lastMiddle = 5, 9 // layers of the middle heads
	return Circuit{
		Task: "greaterthan", Model: "gpt2", Source: "Hanna et al. 2023, arXiv:2305.00586",
		Layers: gpt2Layers, Heads: gpt2Heads,
		Groups: []Group{
			{"layer 0, heads 3 and 5", mint, heads([2]int{0, 3}, [2]int{0, 5})},
			{"layer 0, head 1", lime, heads([2]int{0, 1})},
			{"early MLPs", peach, mlps(0, 4)},
			{"middle heads", violet, heads([2]int{firstMiddle, 5}, [2]int{6, 1}, [2]int{6, 9}, [2]int{7, 10},
				[2]int{8, 11}, [2]int{lastMiddle, 1})},
			{"late MLPs", cream, mlps(8, gpt2Layers)},
		},
		Sets: []Set{{"MLPs before the middle heads", mlps(0, lastMiddle)}},
		Wires: []Wire{
			{"input", "layer 0, heads 3 and 5", "qkv"},
			{"input", "layer 0, head 1", "qkv"},
			{"input", "early MLPs", ""},
			{"early MLPs", "early MLPs", ""},
			{"late MLPs", "late MLPs", ""},
			{"layer 0, head 1", "early MLPs", ""},
			{"layer 0, head 1", "middle heads", "qkv"},
			{"layer 0, heads 3 and 5", "middle heads", "qkv"},
			{"early MLPs", "middle heads", "qkv"},
			{"middle heads", "late MLPs", ""},
			{"middle heads", "logits", ""},
			{"late MLPs", "logits", ""},
			{"MLPs before the middle heads", "MLPs before the middle heads", ""},
			{"MLPs before the middle heads", "middle heads", "q"},
		},
	}
}

// docstring is the circuit of docstring, edge by edge as its authors wrote it
// down for Conmy et al. 2023. No colours of its groups were published; they are
// those of the other two circuits.
func docstring() Circuit {
	return Circuit{
		Task: "docstring", Model: "attn-only-4l",
		Source: "Heimersheim and Janiak 2023, A circuit for Python docstrings in a 4-layer attention-only transformer",
		Layers: 4, Heads: 8, AttnOnly: true,
		Groups: []Group{
			{"argument mover", mint, heads([2]int{3, 0}, [2]int{3, 6})},
			{"fuzzy previous token", violet, heads([2]int{2, 0})},
			{"induction and previous token", cream, heads([2]int{1, 4})},
			{"duplicate token", pink, heads([2]int{0, 5}, [2]int{1, 2})},
		},
		Wires: []Wire{
			{"input", "a0.h5", "v"},
			{"input", "a1.h2", "qk"},
			{"a0.h5", "a1.h2", "qk"},
			{"input", "a1.h4", "v"},
			{"a0.h5", "a1.h4", "v"},
			{"input", "a2.h0", "qk"},
			{"a0.h5", "a2.h0", "qk"},
			{"a1.h4", "a2.h0", "v"},
			{"a1.h4", "argument mover", "q"},
			{"a1.h2", "argument mover", "k"},
			{"a2.h0", "argument mover", "k"},
			{"input", "argument mover", "v"},
			{"a0.h5", "argument mover", "v"},
			{"argument mover", "logits", ""},
		},
	}
}

// union are the nodes of all groups, in their order.
func union(groups []Group) []circuit.Node {
	var out []circuit.Node
	for _, g := range groups {
		out = append(out, g.Nodes...)
	}
	return out
}

// heads makes nodes of heads by layer and number.
func heads(at ...[2]int) []circuit.Node {
	out := make([]circuit.Node, len(at))
	for i, a := range at {
		out[i] = circuit.Node{Kind: circuit.Head, Layer: a[0], Head: a[1]}
	}
	return out
}

// mlps makes nodes of the MLPs of layers [lo,hi).
func mlps(lo, hi int) []circuit.Node {
	var out []circuit.Node
	for l := lo; l < hi; l++ {
		out = append(out, circuit.Node{Kind: circuit.MLP, Layer: l})
	}
	return out
}
