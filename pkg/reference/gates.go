package reference

// The ablations, as package ablate names them.
const (
	resample = "resample"
	mean     = "mean"
	zero     = "zero"
)

// byHand lists the circuits of the models whose weights are written by hand. They
// are circuits by definition: the sets of edges with which the model does on every
// prompt of the task what it does with all, and of which none can be spared. Tests
// find them anew by trying every set.
//
// What is the same on all prompts, such as where a head looks or a one that is
// subtracted, is never missed where a cut edge carries what another prompt has, or
// the mean of all. Zero takes it away: then the edge counts that brings it from a
// sender. A bias is no sender and no edge, and counts under no ablation. None of
// these circuits is one of optimal ablation, whose constants are learned.
func byHand() []Circuit {
	varied, zeroed := []string{resample, mean}, []string{zero}
	one := []Wire{{"input", "m0", ""}}
	return []Circuit{
		orOfConstants(),
		gate("or_bits", varied, "v", nil), gate("or_bits", zeroed, "kv", nil),
		gate("and_gate", varied, "v", nil), gate("and_gate", zeroed, "kv", one),
		gate("xor_gate", varied, "v", nil), gate("xor_gate", zeroed, "kv", nil),
		inductionHeads(varied, "v"), inductionHeads(zeroed, "qkv"),
	}
}

// orOfConstants is the circuit of or_gate, whose heads have a bias for their
// value and read nothing. Both always speak, and either is enough for the MLP: so
// there are two circuits, and neither head is missed as long as the other stays.
// With any ablation but zero a cut edge carries what the whole model has, no edge
// is missed, and there is no circuit to find.
func orOfConstants() Circuit {
	either := func(head string) []Wire { return []Wire{{head, "m0", ""}, {"m0", "logits", ""}} }
	c := gateShape("or_gate", "Conmy et al. 2023, arXiv:2304.14997, appendix")
	c.Ablations, c.Wires, c.Others = []string{zero}, either("a0.h0"), [][]Wire{either("a0.h1")}
	return c
}

// gate is the circuit of a gate over bits: each head brings one to the MLP, which
// makes the output of them. The prompts have all inputs against each other, so
// that both bits decide, also of an OR, and the circuit is the only one. The heads
// read letters: values under every ablation, and keys, which are positions, where
// these are missed; queries are a bias. More is what else a gate reads: AND
// subtracts a one that the embedding sends, where XOR subtracts a bias and OR
// has its one in what the MLP sends.
func gate(task string, ablations []string, letters string, more []Wire) Circuit {
	c := gateShape(task, "this project, by definition")
	c.Ablations = ablations
	c.Wires = append([]Wire{
		{"input", "first bit", letters}, {"input", "second bit", letters},
		{"first bit", "gate", ""}, {"second bit", "gate", ""}, {"gate", "logits", ""},
	}, more...)
	return c
}

// gateShape is the model of a gate.
func gateShape(task, source string) Circuit {
	return Circuit{Task: task, Model: task, Source: source, Layers: 1, Heads: 2, Groups: []Group{
		{"first bit", mint, heads([2]int{0, 0})},
		{"second bit", lime, heads([2]int{0, 1})},
		{"gate", peach, mlps(0, 1)},
	}}
}

// inductionHeads is the circuit of induction_heads. The induction head looks for
// the present token, its query, among the keys that the previous token head wrote,
// and moves the token that stands there. The letters are those of the previous
// token head: the value is a token, query and key are positions.
func inductionHeads(ablations []string, letters string) Circuit {
	return Circuit{
		Task: "induction_heads", Model: "induction_heads",
		Source:    "Elhage et al. 2021, A mathematical framework for transformer circuits",
		Ablations: ablations,
		Layers:    2, Heads: 1, AttnOnly: true,
		Groups: []Group{{"previous token", apricot, heads([2]int{0, 0})}, {"induction", cream, heads([2]int{1, 0})}},
		Wires: []Wire{
			{"input", "previous token", letters},
			{"previous token", "induction", "k"},
			{"input", "induction", "qv"},
			{"induction", "logits", ""},
		},
	}
}
