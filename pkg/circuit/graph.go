package circuit

import (
	"fmt"
	"slices"
	"sort"
	"strings"
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

// Graph holds the nodes and edges of one model shape. It is immutable and safe
// for concurrent use.
type Graph struct {
	cfg       Config
	senders   []Node
	receivers []Node
	first     []int // first[i] is the number of receiver i's first edge; one more at the end
	byNode    map[Node]int
}

// maxNodes bounds the heads of a graph, so that a damaged file cannot ask for
// all memory. The largest published models have some ten thousand.
const maxNodes = 200_000

// New makes the graph of a configuration.
func New(cfg Config) (*Graph, error) {
	if !slices.Contains(Definitions(), cfg.Definition) {
		return nil, fmt.Errorf("graph definition %q is unknown: expected one of %s", cfg.Definition, listed(Definitions()))
	}
	if cfg.Layers < 1 || cfg.Heads < 1 {
		return nil, fmt.Errorf("graph of %d layers and %d heads: expected at least one of each", cfg.Layers, cfg.Heads)
	}
	if cfg.Layers > maxNodes || cfg.Heads > maxNodes || cfg.Layers*cfg.Heads > maxNodes {
		return nil, fmt.Errorf("graph of %d layers and %d heads: expected at most %d heads in all", cfg.Layers, cfg.Heads, maxNodes)
	}
	g := &Graph{cfg: cfg, byNode: map[Node]int{}}
	g.addSenders()
	g.addReceivers()
	return g, nil
}

func listed[T ~string](names []T) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = string(n)
	}
	return strings.Join(out, ", ")
}

func (g *Graph) addSenders() {
	if g.cfg.SplitEmbed {
		g.senders = append(g.senders, Node{Kind: Embed}, Node{Kind: PosEmbed})
	} else {
		g.senders = append(g.senders, Node{Kind: Input})
	}
	for l := range g.cfg.Layers {
		for h := range g.cfg.Heads {
			g.senders = append(g.senders, Node{Kind: Head, Layer: l, Head: h})
		}
		if !g.cfg.AttnOnly {
			g.senders = append(g.senders, Node{Kind: MLP, Layer: l})
		}
	}
	for i, s := range g.senders {
		g.byNode[s] = i
	}
}

func (g *Graph) addReceivers() {
	add := func(n Node, edges int) {
		g.byNode[n] = len(g.receivers)
		g.receivers = append(g.receivers, n)
		last := 0
		if len(g.first) > 0 {
			last = g.first[len(g.first)-1]
		} else {
			g.first = append(g.first, 0)
		}
		g.first = append(g.first, last+edges)
	}
	for l := range g.cfg.Layers {
		before := g.sendersBefore(l)
		for _, kind := range []Kind{QInput, KInput, VInput} {
			for h := range g.cfg.Heads {
				add(Node{Kind: kind, Layer: l, Head: h}, before)
			}
		}
		if g.cfg.Definition == ACDC {
			for _, kind := range []Kind{Q, K, V} {
				for h := range g.cfg.Heads {
					add(Node{Kind: kind, Layer: l, Head: h}, 1)
				}
			}
		}
		if !g.cfg.AttnOnly {
			heads := g.cfg.Heads
			if g.cfg.ParallelAttnMLP {
				heads = 0
			}
			add(Node{Kind: MLPIn, Layer: l}, before+heads)
		}
	}
	add(Node{Kind: Output}, len(g.senders))
}

// sendersBefore counts the senders that block l's heads can hear.
func (g *Graph) sendersBefore(l int) int {
	n, perLayer := 1, g.cfg.Heads
	if g.cfg.SplitEmbed {
		n = 2
	}
	if !g.cfg.AttnOnly {
		perLayer++
	}
	return n + l*perLayer
}

// Config returns what the graph was made from.
func (g *Graph) Config() Config { return g.cfg }

// NumEdges is the number of edges, placeholders not counted.
func (g *Graph) NumEdges() int { return g.first[len(g.first)-1] }

// Senders lists the senders in the order of computation. The caller must not
// change it.
func (g *Graph) Senders() []Node { return g.senders }

// Receivers lists the receivers in the order of computation; a layer's q, k
// and v inputs come before its q, k and v. The caller must not change it.
func (g *Graph) Receivers() []Node { return g.receivers }

// Has reports whether the graph has the node.
func (g *Graph) Has(n Node) bool { _, ok := g.byNode[n]; return ok }

// SenderIndex is the position of a sender in Senders. It panics if the graph
// has no such sender.
func (g *Graph) SenderIndex(n Node) int {
	i, ok := g.byNode[n]
	if !ok || !n.IsSender() {
		panic(fmt.Sprintf("circuit: no sender %v in the graph", n))
	}
	return i
}

// Incoming returns the numbers [lo, hi) of the edges that end in receiver r;
// edge lo+i comes from sender i, or, for q, k and v, is the direct edge. It
// panics if the graph has no such receiver.
func (g *Graph) Incoming(r Node) (lo, hi int) {
	i, ok := g.byNode[r]
	if !ok || !r.IsReceiver() {
		panic(fmt.Sprintf("circuit: no receiver %v in the graph", r))
	}
	return g.first[i], g.first[i+1]
}

// Edge returns edge number i.
func (g *Graph) Edge(i int) Edge {
	r := sort.Search(len(g.receivers), func(k int) bool { return g.first[k+1] > i })
	n := g.receivers[r]
	if n.Kind >= Q && n.Kind <= V {
		return Edge{Sender: Node{Kind: n.Kind - Q + QInput, Layer: n.Layer, Head: n.Head}, Receiver: n}
	}
	return Edge{Sender: g.senders[i-g.first[r]], Receiver: n}
}

// Index returns an edge's number and whether the graph has it.
func (g *Graph) Index(e Edge) (int, bool) {
	i, ok := g.byNode[e.Receiver]
	if !ok || !e.Receiver.IsReceiver() {
		return 0, false
	}
	if e.IsDirect() {
		return g.first[i], true
	}
	if !e.Sender.IsSender() || e.Receiver.Kind >= Q && e.Receiver.Kind <= V {
		return 0, false
	}
	s, ok := g.byNode[e.Sender]
	n := g.first[i] + s
	return n, ok && n < g.first[i+1]
}

// Downstream lists the edges that leave a node, and is the inverse of
// Incoming: for a sender its addition edges, for a head's residual input its
// direct edge. With a definition without direct edges a head's residual input
// has none, since it is one with the queries, keys or values.
func (g *Graph) Downstream(n Node) []int {
	var out []int
	if n.Kind >= QInput && n.Kind <= VInput {
		direct := Edge{Sender: n, Receiver: Node{Kind: n.Kind - QInput + Q, Layer: n.Layer, Head: n.Head}}
		if i, ok := g.Index(direct); ok {
			out = append(out, i)
		}
		return out
	}
	if !n.IsSender() {
		return nil
	}
	s := g.SenderIndex(n)
	for i, r := range g.receivers {
		if e := g.first[i] + s; e < g.first[i+1] && (r.Kind < Q || r.Kind > V) {
			out = append(out, e)
		}
	}
	return out
}
