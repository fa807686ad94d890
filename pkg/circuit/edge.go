package circuit

import "fmt"

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

// whyNot explains why the graph lacks an edge between two of its nodes.
func (t *Template) whyNot(e Edge) string {
	switch {
	case e.IsDirect() && t.cfg.Definition != ACDC:
		return fmt.Sprintf("the %s graph has no direct edges", t.cfg.Definition)
	case !e.Sender.IsSender() && !e.IsDirect():
		return fmt.Sprintf("%v does not write to the residual stream", e.Sender)
	case !e.Receiver.IsReceiver():
		return fmt.Sprintf("%v does not read from the residual stream", e.Receiver)
	}
	return fmt.Sprintf("%v is computed before %v", e.Receiver, e.Sender)
}
