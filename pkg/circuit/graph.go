package circuit

import (
	"fmt"
	"slices"
	"sort"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/internal/oneline"
)

// Definition names a way to cut a transformer into edges.
type Definition string

// The graph definitions.
const (
	// ACDC splits each head's q, k and v inputs and adds, for each, a direct
	// edge from the residual input to the queries, keys or values computed from
	// it (Conmy et al. 2023, TLACDCCorrespondence).
	ACDC Definition = "acdc"
	// EAP is the graph of EAP-IG and the MIB benchmark: split q, k and v
	// inputs, no direct edges.
	EAP Definition = "eap"
)

// Definitions lists the valid graph definitions.
func Definitions() []Definition { return []Definition{ACDC, EAP} }

// Config is what determines a graph.
type Config struct {
	Definition      Definition
	Layers          int
	Heads           int
	AttnOnly        bool // no MLPs
	ParallelAttnMLP bool // a block's MLP reads the same stream as its heads
	SplitEmbed      bool // token and position embeddings are two senders
}

// String says in words what a graph is of, whatever its definition.
func (c Config) String() string {
	many := map[bool]string{true: "s"}
	out := fmt.Sprintf("%d layer%s of %d head%s", c.Layers, many[c.Layers != 1], c.Heads, many[c.Heads != 1])
	if c.AttnOnly {
		out += " without MLPs"
	}
	if c.ParallelAttnMLP {
		out += " with parallel MLPs"
	}
	if c.SplitEmbed {
		out += " with split embeddings"
	}
	return out
}

// Template holds the nodes and edges of one model shape. It is immutable and
// safe for concurrent use.
type Template struct {
	cfg       Config
	senders   []Node
	receivers []Node
	first     []int // first[i] is the number of receiver i's first edge; one more at the end
	byNode    map[Node]int
}

// What bounds a graph, so that a damaged file cannot ask for all memory. The
// largest published models have some ten thousand heads, which make 10^8 edges.
const (
	maxHeads = 200_000
	maxEdges = 1 << 27
)

// NewTemplate makes the nodes and edges of a configuration.
func NewTemplate(cfg Config) (*Template, error) {
	if !slices.Contains(Definitions(), cfg.Definition) {
		return nil, fmt.Errorf("graph definition %s is unknown: expected one of %s", oneline.Quote(string(cfg.Definition)), choice.List(Definitions()))
	}
	shape := fmt.Sprintf("graph of %d layers and %d heads", cfg.Layers, cfg.Heads)
	if cfg.Layers < 1 || cfg.Heads < 1 {
		return nil, fmt.Errorf("%s: expected at least one of each", shape)
	}
	if cfg.Layers > maxHeads || cfg.Heads > maxHeads || cfg.Layers*cfg.Heads > maxHeads {
		return nil, fmt.Errorf("%s: expected at most %d heads in all", shape, maxHeads)
	}
	t := &Template{cfg: cfg, byNode: map[Node]int{}}
	if t.count() > maxEdges {
		return nil, fmt.Errorf("%s: expected at most %d edges", shape, maxEdges)
	}
	t.addSenders()
	t.addReceivers()
	return t, nil
}

// count is how many edges there will be.
func (t *Template) count() int {
	n := t.sendersBefore(t.cfg.Layers) // into the output
	for l := range t.cfg.Layers {
		for _, b := range t.block(l) {
			n += b.edges
		}
	}
	return n
}

// bundle is receivers of one kind in one block, one a head or one in all, and
// the edges that end in all of them.
type bundle struct {
	kind  Kind
	heads int // 0: one receiver for the block
	edges int
}

// block lists the receivers of a block in the order of computation.
func (t *Template) block(l int) []bundle {
	var out []bundle
	before, h := t.sendersBefore(l), t.cfg.Heads
	for k := QInput; k <= VInput; k++ {
		out = append(out, bundle{k, h, h * before})
	}
	if t.cfg.Definition == ACDC {
		for k := Q; k <= V; k++ {
			out = append(out, bundle{k, h, h})
		}
	}
	if !t.cfg.AttnOnly {
		if !t.cfg.ParallelAttnMLP {
			before += h
		}
		out = append(out, bundle{MLPIn, 0, before})
	}
	return out
}

func (t *Template) addSenders() {
	if t.cfg.SplitEmbed {
		t.senders = append(t.senders, Node{Kind: Embed}, Node{Kind: PosEmbed})
	} else {
		t.senders = append(t.senders, Node{Kind: Input})
	}
	for l := range t.cfg.Layers {
		for h := range t.cfg.Heads {
			t.senders = append(t.senders, Node{Kind: Head, Layer: l, Head: h})
		}
		if !t.cfg.AttnOnly {
			t.senders = append(t.senders, Node{Kind: MLP, Layer: l})
		}
	}
	for i, s := range t.senders {
		t.byNode[s] = i
	}
}

func (t *Template) addReceivers() {
	t.first = []int{0}
	add := func(n Node, edges int) {
		t.byNode[n] = len(t.receivers)
		t.receivers = append(t.receivers, n)
		t.first = append(t.first, t.first[len(t.first)-1]+edges)
	}
	for l := range t.cfg.Layers {
		for _, b := range t.block(l) {
			if b.heads == 0 {
				add(Node{Kind: b.kind, Layer: l}, b.edges)
			}
			for h := range b.heads {
				add(Node{Kind: b.kind, Layer: l, Head: h}, b.edges/b.heads)
			}
		}
	}
	add(Node{Kind: Output}, len(t.senders))
}

// sendersBefore counts the senders that block l's heads can hear.
func (t *Template) sendersBefore(l int) int {
	n, perLayer := 1, t.cfg.Heads
	if t.cfg.SplitEmbed {
		n = 2
	}
	if !t.cfg.AttnOnly {
		perLayer++
	}
	return n + l*perLayer
}

// made is the template itself; it panics if NewTemplate did not make it.
func (t *Template) made() *Template {
	if t == nil || t.first == nil {
		panic("circuit: a graph that neither New nor NewTemplate made")
	}
	return t
}

// Config returns what the graph was made from.
func (t *Template) Config() Config { return t.made().cfg }

// NumEdges is the number of edges, placeholders not counted.
func (t *Template) NumEdges() int { return t.made().first[len(t.first)-1] }

// Senders lists the senders in the order of computation. The caller must not
// change it.
func (t *Template) Senders() []Node { return t.made().senders }

// Receivers lists the receivers in the order of computation; a layer's q, k
// and v inputs come before its q, k and v. The caller must not change it.
func (t *Template) Receivers() []Node { return t.made().receivers }

// Has reports whether the graph has the node.
func (t *Template) Has(n Node) bool { _, ok := t.made().byNode[n]; return ok }

// SenderIndex is the position of a sender in Senders. It panics if the graph
// has no such sender.
func (t *Template) SenderIndex(n Node) int {
	i, ok := t.made().byNode[n]
	if !ok || !n.IsSender() {
		panic(fmt.Sprintf("circuit: no sender %v in the graph", n))
	}
	return i
}

// Incoming returns the numbers [lo, hi) of the edges that end in receiver r;
// edge lo+i comes from sender i, or, for q, k and v, is the direct edge. It
// panics if the graph has no such receiver.
func (t *Template) Incoming(r Node) (lo, hi int) {
	i, ok := t.made().byNode[r]
	if !ok || !r.IsReceiver() {
		panic(fmt.Sprintf("circuit: no receiver %v in the graph", r))
	}
	return t.first[i], t.first[i+1]
}

// Edge returns edge number i. It panics if there is none.
func (t *Template) Edge(i int) Edge {
	if n := t.NumEdges(); i < 0 || i >= n {
		panic(fmt.Sprintf("circuit: Edge(%d) of a graph of %d edges", i, n))
	}
	r := sort.Search(len(t.receivers), func(k int) bool { return t.first[k+1] > i })
	n := t.receivers[r]
	if n.Kind >= Q && n.Kind <= V {
		return Edge{Sender: Node{Kind: n.Kind - Q + QInput, Layer: n.Layer, Head: n.Head}, Receiver: n}
	}
	return Edge{Sender: t.senders[i-t.first[r]], Receiver: n}
}

// Index returns an edge's number and whether the graph has it.
func (t *Template) Index(e Edge) (int, bool) {
	i, ok := t.made().byNode[e.Receiver]
	if !ok || !e.Receiver.IsReceiver() {
		return 0, false
	}
	if e.IsDirect() {
		return t.first[i], true
	}
	if !e.Sender.IsSender() || e.Receiver.Kind >= Q && e.Receiver.Kind <= V {
		return 0, false
	}
	s, ok := t.byNode[e.Sender]
	n := t.first[i] + s
	return n, ok && n < t.first[i+1]
}
