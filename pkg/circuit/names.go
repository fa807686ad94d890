package circuit

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// Dialect is a way to write the names of nodes.
type Dialect uint8

// The dialects. This project writes the first three, and reads all.
const (
	// Short is that of the MIB and EAP-IG formats, and of circuit files.
	Short Dialect = iota
	// Hooks is that of TransformerLens, and of traces.
	Hooks
	// Drawn is that of the field's figures, and of pictures.
	Drawn
	// Port is that of an arrow's end in DOT text, where a head's inputs are
	// folded into it.
	Port
	// Pruning is that of Edge-Pruning's edge lists.
	Pruning
	dialects
)

// String names a dialect for people.
func (d Dialect) String() string {
	if d >= dialects {
		return fmt.Sprintf("Dialect(%d)", uint8(d))
	}
	return [...]string{"circuit files, MIB, EAP-IG", "TransformerLens, traces", "pictures", "DOT text", "Edge-Pruning"}[d]
}

// Dialects lists the dialects.
func Dialects() []Dialect { return []Dialect{Short, Hooks, Drawn, Port, Pruning} }

// patterns are the names of every kind of node in every dialect, L being the
// layer and H the head; empty where a dialect has no name for it. The output's
// L is the last layer. In pictures the residual stream before the first block
// and the token embeddings, of which a graph has but one, share a name.
var patterns = [kinds][dialects]string{
	Input:    {"input", "blocks.0.hook_resid_pre", "embed", "", ""},
	Embed:    {"embed", "hook_embed", "embed", "", "tok_embeds"},
	PosEmbed: {"pos_embed", "hook_pos_embed", "pos_embed", "", "pos_embeds"},
	Head:     {"aL.hH", "blocks.L.attn.hook_result[:, :, H]", "aL.H", "", "aL.hH"},
	MLP:      {"mL", "blocks.L.hook_mlp_out", "mL", "", "mL"},
	QInput:   {"aL.hH<q>.input", "blocks.L.hook_q_input[:, :, H]", "aL.H_q_in", "aL.H:q:n", ""},
	KInput:   {"aL.hH<k>.input", "blocks.L.hook_k_input[:, :, H]", "aL.H_k_in", "aL.H:k:n", ""},
	VInput:   {"aL.hH<v>.input", "blocks.L.hook_v_input[:, :, H]", "aL.H_v_in", "aL.H:v:n", ""},
	Q:        {"aL.hH<q>", "blocks.L.attn.hook_q[:, :, H]", "aL.H_q", "", "aL.hH.q"},
	K:        {"aL.hH<k>", "blocks.L.attn.hook_k[:, :, H]", "aL.H_k", "", "aL.hH.k"},
	V:        {"aL.hH<v>", "blocks.L.attn.hook_v[:, :, H]", "aL.H_v", "", "aL.hH.v"},
	MLPIn:    {"mL.input", "blocks.L.hook_mlp_in", "mL_in", "", ""},
	Output:   {"logits", "blocks.L.hook_resid_post", "output", "", "resid_post"},
}

// Pattern is how a dialect writes nodes of a kind, L and H standing for layer
// and head; empty where it has no name for them. It panics if there is no such
// kind or dialect.
func (d Dialect) Pattern(k Kind) string {
	if int(k) >= kinds || d >= dialects {
		panic(fmt.Sprintf("circuit: names of kind %d in dialect %d: there are %d and %d", k, d, kinds, dialects))
	}
	return patterns[k][d]
}

// Name is a node's name in a dialect, empty where the dialect has none. The
// output's layer is that of the node.
func (d Dialect) Name(n Node) string {
	return written(d.Pattern(n.Kind), n.Layer, n.Head)
}

// written puts layer and head into a pattern.
func written(pattern string, layer, head int) string {
	pattern = strings.Replace(pattern, "L", strconv.Itoa(layer), 1)
	return strings.Replace(pattern, "H", strconv.Itoa(head), 1)
}

// String is the node's short name as in the MIB format: "input", "a1.h5",
// "m0", "logits"; a head's queries are "a1.h5<q>", their residual input
// "a1.h5<q>.input"; an MLP's input is "m0.input".
func (n Node) String() string {
	if int(n.Kind) >= kinds {
		return fmt.Sprintf("Kind(%d)", n.Kind)
	}
	return Short.Name(n)
}

// ReceiverName is the node's name at the arrow's end of an addition edge:
// "a1.h5<q>" for the input of its queries, "m0", "logits".
func (n Node) ReceiverName() string { return strings.TrimSuffix(n.String(), ".input") }

// HookName is the name of a node of this graph in TransformerLens, with the
// index of its head as the reference writes it:
// "blocks.1.attn.hook_result[:, :, 5]". It panics if the graph has no such node.
func (t *Template) HookName(n Node) string {
	if !t.hasPart(n) {
		panic(fmt.Sprintf("circuit: HookName: no node %v in the graph", n))
	}
	if n.Kind == Output {
		n.Layer = t.cfg.Layers - 1
	}
	return Hooks.Name(n)
}

// ParseNode reads the name of a node of this graph in any dialect. A head's
// q, k and v are also names where the graph holds them to be one with their
// residual input.
func (t *Template) ParseNode(s string) (Node, error) {
	known := false
	for _, d := range Dialects() {
		for k := range kinds {
			layer, head, ok := match(patterns[k][d], s)
			if !ok {
				continue
			}
			known = true
			n := Node{Kind: Kind(k), Layer: layer, Head: head}
			if n.Kind == Output && d == Hooks {
				if layer != t.cfg.Layers-1 {
					continue
				}
				n.Layer = 0
			}
			if t.hasPart(n) {
				return n, nil
			}
		}
	}
	if known {
		return Node{}, fmt.Errorf("node %s: this graph has no such node (%s)", oneline.Quote(s), t.shape())
	}
	return Node{}, fmt.Errorf("node %s: expected a name like input, a1.h6, a1.h6<k>, m0, logits, a picture's like a1.6_k, or a hook name like blocks.1.attn.hook_result[:, :, 6]", oneline.Quote(s))
}

// hasPart is Has, where a head's q, k and v count also if they are one with
// their residual input.
func (t *Template) hasPart(n Node) bool {
	if n.Kind >= Q && n.Kind <= V {
		n.Kind -= Q - QInput
	}
	return t.Has(n)
}

// shape describes in an error what nodes there are.
func (t *Template) shape() string {
	s := fmt.Sprintf("%d layers of %d heads", t.cfg.Layers, t.cfg.Heads)
	if t.cfg.AttnOnly {
		s += " without MLPs"
	}
	if t.cfg.SplitEmbed {
		s += ", embeddings split"
	}
	return s
}

// match reads a name by a pattern.
func match(pattern, s string) (layer, head int, ok bool) {
	if pattern == "" {
		return 0, 0, false
	}
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		if c != 'L' && c != 'H' {
			if s == "" || s[0] != c {
				return 0, 0, false
			}
			s = s[1:]
			continue
		}
		n, rest, ok := number(s)
		if !ok {
			return 0, 0, false
		}
		if s = rest; c == 'L' {
			layer = n
		} else {
			head = n
		}
	}
	return layer, head, s == ""
}

// number reads a decimal without sign or leading zeros from the beginning of a
// text.
func number(s string) (n int, rest string, ok bool) {
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(s)
	}
	n, err := strconv.Atoi(s[:end])
	return n, s[end:], err == nil && strconv.Itoa(n) == s[:end]
}

// arrows are the signs between an edge's ends.
var arrows = []string{"->", "→"}

// cutArrow splits the name of an edge at its arrow.
func cutArrow(s string) (from, to string, ok bool) {
	for _, arrow := range arrows {
		if from, to, ok = strings.Cut(s, arrow); ok {
			return bareName(from), bareName(to), true
		}
	}
	return bareName(s), "", false
}

// bareName is a name without the quotes of DOT text.
func bareName(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(s, `"`, ""))
}

// ParseEdge reads the name of an edge of this graph: two names of nodes, in any
// dialect, with an arrow between them, or for the direct edge of a head's input
// the name of its q, k or v alone.
func (t *Template) ParseEdge(s string) (int, error) {
	from, to, isArrow := cutArrow(s)
	if !isArrow {
		n, err := t.ParseNode(from)
		if err != nil {
			return 0, fmt.Errorf("edge %s: expected the form a0.h3->m1, or a1.h6<k> for the direct edge of a head's input: %w", oneline.Quote(s), err)
		}
		if n.Kind < Q || n.Kind > V {
			return 0, fmt.Errorf("edge %s: expected the form a0.h3->m1, or a1.h6<k> for the direct edge of a head's input, found a node", oneline.Quote(s))
		}
		return t.find(Edge{Sender: Node{Kind: n.Kind - Q + QInput, Layer: n.Layer, Head: n.Head}, Receiver: n})
	}
	sender, err := t.ParseNode(from)
	if err != nil {
		return 0, fmt.Errorf("edge %s: %w", oneline.Quote(s), err)
	}
	receiver, err := t.ParseNode(to)
	if err != nil {
		return 0, fmt.Errorf("edge %s: %w", oneline.Quote(s), err)
	}
	return t.find(edgeOf(sender, receiver))
}

// find is Index with an error that says why the graph lacks the edge.
func (t *Template) find(e Edge) (int, error) {
	i, ok := t.Index(e)
	if !ok {
		return 0, fmt.Errorf("edge \"%v\" is impossible in this graph: %s", e, t.whyNot(e))
	}
	return i, nil
}
