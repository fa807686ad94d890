package circuit

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind says what a node is.
type Kind uint8

// The kinds of nodes, senders first.
const (
	Input    Kind = iota // the residual stream before the first block
	Embed                // token embeddings, where positions are split off
	PosEmbed             // position embeddings, where they are split off
	Head                 // one attention head's output, without b_O
	MLP                  // one MLP's output
	QInput               // a head's residual input for its queries, before ln1
	KInput               // the same for its keys
	VInput               // the same for its values
	Q                    // a head's queries
	K                    // a head's keys
	V                    // a head's values
	MLPIn                // an MLP's residual input, before ln2
	Output               // the residual stream after the last block, before ln_final
)

// Letters are the names of a head's three inputs, in the order q, k, v.
var Letters = [3]byte{'q', 'k', 'v'}

// Node is one node of the graph. Layer and Head are zero where they mean
// nothing, so that nodes compare with ==.
type Node struct {
	Kind  Kind
	Layer int
	Head  int
}

// IsSender reports whether the node writes to the residual stream.
func (n Node) IsSender() bool { return n.Kind <= MLP }

// IsReceiver reports whether edges of the graph may end in the node.
func (n Node) IsReceiver() bool { return n.Kind >= QInput }

// Letter returns 0, 1 or 2 for the q, k or v side of a head and whether the
// node is one.
func (n Node) Letter() (int, bool) {
	switch {
	case n.Kind >= QInput && n.Kind <= VInput:
		return int(n.Kind - QInput), true
	case n.Kind >= Q && n.Kind <= V:
		return int(n.Kind - Q), true
	}
	return 0, false
}

// HasHead reports whether the node belongs to one attention head.
func (n Node) HasHead() bool { return n.Kind == Head || n.Kind >= QInput && n.Kind <= V }

// HasLayer reports whether the node belongs to one block.
func (n Node) HasLayer() bool { return n.Kind >= Head && n.Kind <= MLPIn }

// String is the node's short name as in the MIB format: "input", "a1.h5",
// "m0", "logits"; a head's queries are "a1.h5<q>", their residual input
// "a1.h5<q>.input"; an MLP's input is "m0.input".
func (n Node) String() string {
	switch n.Kind {
	case Input:
		return "input"
	case Embed:
		return "embed"
	case PosEmbed:
		return "pos_embed"
	case Head:
		return headName(n)
	case MLP:
		return "m" + strconv.Itoa(n.Layer)
	case MLPIn:
		return "m" + strconv.Itoa(n.Layer) + ".input"
	case Output:
		return "logits"
	}
	c, ok := n.Letter()
	if !ok {
		return fmt.Sprintf("Kind(%d)", n.Kind)
	}
	name := headName(n) + "<" + string(Letters[c]) + ">"
	if n.Kind <= VInput {
		name += ".input"
	}
	return name
}

func headName(n Node) string {
	return "a" + strconv.Itoa(n.Layer) + ".h" + strconv.Itoa(n.Head)
}

// ReceiverName is the node's name at the arrow's end of an addition edge:
// "a1.h5<q>" for the input of its queries, "m0", "logits".
func (n Node) ReceiverName() string { return strings.TrimSuffix(n.String(), ".input") }

// hookNames are the TransformerLens names, "%d" being the layer. The output's
// layer is the last one and is put in by Graph.HookName.
var hookNames = [...]string{
	Input: "blocks.0.hook_resid_pre", Embed: "hook_embed", PosEmbed: "hook_pos_embed",
	Head: "blocks.%d.attn.hook_result", MLP: "blocks.%d.hook_mlp_out",
	QInput: "blocks.%d.hook_q_input", KInput: "blocks.%d.hook_k_input", VInput: "blocks.%d.hook_v_input",
	Q: "blocks.%d.attn.hook_q", K: "blocks.%d.attn.hook_k", V: "blocks.%d.attn.hook_v",
	MLPIn: "blocks.%d.hook_mlp_in", Output: "blocks.%d.hook_resid_post",
}

// HookName is the name of a node of this graph in TransformerLens, with the
// index of its head as the reference writes it:
// "blocks.1.attn.hook_result[:, :, 5]".
func (g *Graph) HookName(n Node) string {
	name := hookNames[n.Kind]
	layer := n.Layer
	if n.Kind == Output {
		layer = g.cfg.Layers - 1
	}
	if strings.Contains(name, "%d") {
		name = fmt.Sprintf(name, layer)
	}
	if n.HasHead() {
		name += "[:, :, " + strconv.Itoa(n.Head) + "]"
	}
	return name
}

// ParseNode reads a short name (Node.String) or a hook name (Graph.HookName).
// It checks the form only; whether the graph has the node is Graph.Has.
func ParseNode(s string) (Node, error) {
	if n, ok := parseShort(s); ok {
		return n, nil
	}
	if n, ok := parseHook(s); ok {
		return n, nil
	}
	return Node{}, fmt.Errorf("node %q: expected a name like input, a1.h6, a1.h6<k>, m0, logits or a hook name like blocks.1.attn.hook_result[:, :, 6]", s)
}

func parseShort(s string) (Node, bool) {
	switch s {
	case "input":
		return Node{Kind: Input}, true
	case "embed":
		return Node{Kind: Embed}, true
	case "pos_embed":
		return Node{Kind: PosEmbed}, true
	case "logits":
		return Node{Kind: Output}, true
	}
	base, isInput := strings.CutSuffix(s, ".input")
	if digits, ok := strings.CutPrefix(base, "m"); ok {
		layer, ok := number(digits)
		kind := MLP
		if isInput {
			kind = MLPIn
		}
		return Node{Kind: kind, Layer: layer}, ok
	}
	rest, ok := strings.CutPrefix(base, "a")
	if !ok {
		return Node{}, false
	}
	layerText, rest, ok := strings.Cut(rest, ".h")
	if !ok {
		return Node{}, false
	}
	kind := Head
	headText, letter, hasLetter := strings.Cut(rest, "<")
	if hasLetter {
		i := strings.Index("q>k>v>", letter)
		if len(letter) != 2 || i < 0 || i%2 != 0 {
			return Node{}, false
		}
		kind = Q + Kind(i/2)
		if isInput {
			kind = QInput + Kind(i/2)
		}
	} else if isInput {
		return Node{}, false
	}
	layer, ok1 := number(layerText)
	head, ok2 := number(headText)
	return Node{Kind: kind, Layer: layer, Head: head}, ok1 && ok2
}

func parseHook(s string) (Node, bool) {
	head := 0
	name, index, hasHead := strings.Cut(s, "[:, :, ")
	if hasHead {
		digits, ok := strings.CutSuffix(index, "]")
		if !ok {
			return Node{}, false
		}
		if head, ok = number(digits); !ok {
			return Node{}, false
		}
	}
	layer := 0
	pattern := name
	if rest, ok := strings.CutPrefix(name, "blocks."); ok {
		digits, tail, ok := strings.Cut(rest, ".")
		if !ok {
			return Node{}, false
		}
		if layer, ok = number(digits); !ok {
			return Node{}, false
		}
		pattern = "blocks.%d." + tail
	}
	if pattern == "blocks.%d.hook_resid_pre" && layer == 0 {
		pattern = hookNames[Input]
	}
	for kind, h := range hookNames {
		if h != pattern {
			continue
		}
		n := Node{Kind: Kind(kind), Layer: layer, Head: head}
		if n.Kind == Output {
			n.Layer = 0
		}
		return n, n.HasHead() == hasHead
	}
	return Node{}, false
}

// number reads a decimal without sign or leading zeros.
func number(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0 && strconv.Itoa(n) == s
}
