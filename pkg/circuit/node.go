package circuit

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

// kinds is how many kinds there are.
const kinds = int(Output) + 1

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

// HasLayer reports whether the node belongs to one block.
func (n Node) HasLayer() bool { return n.Kind >= Head && n.Kind <= MLPIn }

// Part is the head, MLP, embedding or output that a node belongs to: what the MIB
// format calls a node.
func (n Node) Part() Node {
	switch {
	case n.Kind >= QInput && n.Kind <= V:
		n.Kind = Head
	case n.Kind == MLPIn:
		n.Kind = MLP
	}
	return n
}
