package circuit

import (
	"fmt"
	"strings"
)

// Edge goes from a sender to a receiver that reads it from the residual
// stream, or (a direct edge) from a head's residual input to the queries, keys
// or values computed from it.
type Edge struct {
	Sender   Node
	Receiver Node
}

// IsDirect reports whether the edge is the direct edge of a head's input.
func (e Edge) IsDirect() bool {
	return e.Sender.Kind >= QInput && e.Sender.Kind <= VInput &&
		e.Receiver == Node{Kind: e.Sender.Kind - QInput + Q, Layer: e.Sender.Layer, Head: e.Sender.Head}
}

// String writes the edge as in the MIB format: "input->a1.h6<k>",
// "a0.h3->m1", "m1->logits"; a direct edge is its receiver alone, "a1.h6<k>".
func (e Edge) String() string {
	if e.IsDirect() {
		return e.Receiver.String()
	}
	return e.Sender.String() + "->" + e.Receiver.ReceiverName()
}

// ParseEdge reads an edge of the graph as Edge.String writes it, or with hook
// names on both sides of the arrow.
func (g *Graph) ParseEdge(s string) (int, error) {
	e, err := parseEdge(s)
	if err != nil {
		return 0, err
	}
	i, ok := g.Index(e)
	if !ok {
		return 0, fmt.Errorf("edge %q is impossible in this graph: %s", s, g.whyNot(e))
	}
	return i, nil
}

func parseEdge(s string) (Edge, error) {
	from, to, isArrow := strings.Cut(s, "->")
	if !isArrow {
		n, err := ParseNode(s)
		if err != nil || n.Kind < Q || n.Kind > V {
			return Edge{}, fmt.Errorf("edge %q: expected the form a0.h3->m1, or a1.h6<k> for the direct edge of a head's input", s)
		}
		return Edge{Sender: Node{Kind: n.Kind - Q + QInput, Layer: n.Layer, Head: n.Head}, Receiver: n}, nil
	}
	sender, err := ParseNode(from)
	if err != nil {
		return Edge{}, fmt.Errorf("edge %q: %w", s, err)
	}
	receiver, err := ParseNode(to)
	if err != nil {
		return Edge{}, fmt.Errorf("edge %q: %w", s, err)
	}
	return edgeOf(sender, receiver), nil
}

// edgeOf makes the edge that two names mean: at the arrow's end "m1" is an
// MLP's input, and "a1.h6<k>" the residual input of the keys unless the arrow
// comes from that input itself.
func edgeOf(sender, receiver Node) Edge {
	e := Edge{Sender: sender, Receiver: receiver}
	switch {
	case e.IsDirect():
	case receiver.Kind == MLP:
		e.Receiver.Kind = MLPIn
	case receiver.Kind >= Q && receiver.Kind <= V:
		e.Receiver.Kind = receiver.Kind - Q + QInput
	}
	return e
}

// whyNot explains why the graph lacks an edge.
func (g *Graph) whyNot(e Edge) string {
	shape := fmt.Sprintf("%d layers of %d heads", g.cfg.Layers, g.cfg.Heads)
	if g.cfg.AttnOnly {
		shape += " without MLPs"
	}
	switch {
	case e.IsDirect() && g.cfg.Definition != ACDC:
		return fmt.Sprintf("the %s graph has no direct edges", g.cfg.Definition)
	case !g.Has(e.Sender):
		return fmt.Sprintf("it has no node %v (%s)", e.Sender, shape)
	case !g.Has(e.Receiver):
		return fmt.Sprintf("it has no node %v (%s)", e.Receiver, shape)
	case !e.Sender.IsSender() && !e.IsDirect():
		return fmt.Sprintf("%v does not write to the residual stream", e.Sender)
	case !e.Receiver.IsReceiver():
		return fmt.Sprintf("%v does not read from the residual stream", e.Receiver)
	}
	return fmt.Sprintf("%v is computed before %v", e.Receiver, e.Sender)
}
