package draw

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// picture is what is to be drawn, before it is text.
type picture struct {
	graph        *circuit.Graph
	kept         int // edges of the mask
	hidden       int // of these, direct edges that are folded away
	unshown      int // of these, edges of MLPs that are left out
	idle         int // of these, edges that carry nothing
	direct       bool
	rows         []row
	nodes        map[circuit.Node]*node
	edges        []edge // in the order of their numbers
	color        ColorBy
	parts        []Part
	scale        scale
	groups       grouping
	placeholders []edge // never tested, drawn with the direct edges only
	collapse     Collapse
	ranked       bool    // strongest edges are known by Options.Strength
	scored       bool    // some edge has a score
	least        float64 // size of the weakest arrow, where some were dropped
	within       int     // of the kept edges, those between nodes of one box
	bundled      int     // of the kept edges, those that stand in arrows of several
	dropped      int     // arrows that are weaker than those drawn
}

// row is one rank of the picture.
type row struct {
	label string // beside the row
	nodes []*node
}

// node is one box.
type node struct {
	circuit.Node
	tabs   [3]tab  // of a folded head
	bundle *bundle // what it stands for, nil for the node itself
}

// tab is the q, k or v of a folded head.
type tab struct {
	shown bool
	cut   bool // edges end here, but the direct edge behind it is not kept
}

// edge is one arrow.
type edge struct {
	from, to circuit.Node // to is the receiver, also where that is a tab
	score    float64      // NaN: none
	idle     bool         // carries nothing
	part     int          // of the picture's parts, -1 for none
	opacity  float64      // from 0 to 1; NaN: that of the score
	size     float64      // that the width tells; NaN: none
	strength float64      // that the strongest are known by; NaN: none
	many     *many        // what it stands for, nil for the edge itself
}

// gather collects edges and nodes of the kept circuit.
func gather(g *circuit.Graph, m circuit.Mask, s circuit.Scores, o Options, groups grouping) *picture {
	p := &picture{graph: g, kept: m.Count(), direct: o.Direct, nodes: map[circuit.Node]*node{}, parts: o.Parts, groups: groups, collapse: o.Collapse, ranked: o.Strength != nil}
	folded := p.gatherEdges(m, s, o)
	switch p.collapse {
	case CollapseLayers, CollapseGroups:
		p.bundle(o.MaxEdges)
	default:
		p.limit(o.MaxEdges)
		p.addNodes(m, folded)
	}
	p.addEnds()
	if o.Direct {
		p.addPlaceholders()
	}
	p.rank()
	return p
}

// gatherEdges collects the kept edges, and returns where those that are folded
// away end.
func (p *picture) gatherEdges(m circuit.Mask, s circuit.Scores, o Options) (folded []circuit.Node) {
	valueAt := func(list circuit.Scores, i int) float64 {
		if list == nil {
			return math.NaN()
		}
		return list[i]
	}
	for i, present := range m {
		if !present {
			continue
		}
		e, idle := p.graph.Edge(i), o.Idle != nil && o.Idle[i]
		if idle {
			p.idle++
		}
		if o.Heads && (e.Sender.Kind == circuit.MLP || e.Receiver.Kind == circuit.MLPIn) {
			p.unshown++
			continue
		}
		if e.IsDirect() && !o.Direct {
			p.hidden++
			folded = append(folded, e.Receiver)
			continue
		}
		score := valueAt(s, i)
		p.scored = p.scored || !math.IsNaN(score)
		strength := math.Abs(score)
		if o.Strength != nil {
			strength = o.Strength[i]
		}
		p.edges = append(p.edges, edge{from: e.Sender, to: e.Receiver, score: score, size: math.Abs(score), strength: strength, idle: idle,
			opacity: valueAt(o.Opacity, i), part: partOf(o.Parts, i)})
	}
	return folded
}

// addNodes adds the boxes that edges touch, and the tabs of heads. Where edges
// were dropped, folded ones add no box.
func (p *picture) addNodes(m circuit.Mask, folded []circuit.Node) {
	for _, e := range p.edges {
		p.touch(e.from)
		p.touch(e.to)
		if _, ok := e.to.Letter(); ok && !p.direct {
			t := p.tab(e.to)
			t.shown, t.cut = true, !directKept(p.graph, m, e.to)
		}
	}
	for _, n := range folded {
		if p.dropped == 0 || p.nodes[p.box(n)] != nil {
			p.tab(n).shown = true
		}
	}
}

// partOf is the first part that has an edge, or -1.
func partOf(parts []Part, edge int) int {
	return slices.IndexFunc(parts, func(p Part) bool { return p.Edges[edge] })
}

// carrying lists the edges that carry something.
func (p *picture) carrying() []edge {
	return slices.DeleteFunc(slices.Clone(p.edges), func(e edge) bool { return e.idle })
}

// directKept reports whether what arrives at a head's residual input goes on
// to its queries, keys or values; without direct edges it always does.
func directKept(g *circuit.Graph, m circuit.Mask, input circuit.Node) bool {
	behind := input
	behind.Kind += circuit.Q - circuit.QInput
	i, ok := g.Index(circuit.Edge{Sender: input, Receiver: behind})
	return !ok || m[i]
}

// addEnds makes sure that the picture has a beginning and an end.
func (p *picture) addEnds() {
	p.touch(circuit.Node{Kind: circuit.Output})
	if !p.graph.Config().SplitEmbed {
		p.touch(circuit.Node{Kind: circuit.Input})
		return
	}
	tok, pos := circuit.Node{Kind: circuit.Embed}, circuit.Node{Kind: circuit.PosEmbed}
	if p.nodes[tok] == nil && p.nodes[pos] == nil {
		p.touch(tok)
		p.touch(pos)
	}
}

// addPlaceholders adds the edges that are part of every circuit in which their
// ends are: q, k and v to their head, an MLP's input to the MLP.
func (p *picture) addPlaceholders() {
	for _, r := range p.graph.Receivers() {
		from := p.box(r)
		if p.nodes[from] == nil || r.Kind == circuit.Output {
			continue
		}
		to := circuit.Node{Kind: circuit.Head, Layer: r.Layer, Head: r.Head}
		switch {
		case r.Kind == circuit.MLPIn:
			to.Kind = circuit.MLP
		case from.Kind <= circuit.VInput:
			continue // its direct edge may be missing, which the picture shows
		}
		p.touch(to)
		p.placeholders = append(p.placeholders, edge{from: from, to: to})
	}
}

// box is the node that stands for a graph node: a folded q, k, v is its head,
// a folded MLP input its MLP. Unfolded, and without direct edges, a residual
// input is one with the q, k, v.
func (p *picture) box(n circuit.Node) circuit.Node {
	if p.collapse != CollapseNone {
		return n // as bundle has it
	}
	if p.direct {
		if n.Kind >= circuit.QInput && n.Kind <= circuit.VInput && p.graph.Config().Definition != circuit.ACDC {
			n.Kind += circuit.Q - circuit.QInput
		}
		return n
	}
	return n.Part()
}

func (p *picture) touch(n circuit.Node) *node {
	at := p.box(n)
	if p.nodes[at] == nil {
		p.nodes[at] = &node{Node: at}
	}
	return p.nodes[at]
}

func (p *picture) tab(n circuit.Node) *tab {
	c, _ := n.Letter()
	return &p.touch(n).tabs[c]
}

// levels of a layer, from top to bottom. A folded picture uses the last two.
const (
	levelInput = iota // residual inputs of q, k and v
	levelQKV
	levelHead
	levelMLPIn
	levelMLP
	levels
)

// level places a node within its layer. The MLP of a parallel block reads what
// its heads read, and stands beside them.
func (p *picture) level(n circuit.Node) int {
	parallel := p.graph.Config().ParallelAttnMLP
	switch {
	case n.Kind <= circuit.PosEmbed, n.Kind == circuit.Output:
		return 0
	case n.Kind == circuit.Head:
		return levelHead
	case n.Kind == circuit.MLPIn && parallel:
		return levelInput
	case n.Kind == circuit.MLPIn:
		return levelMLPIn
	case n.Kind == circuit.MLP && parallel:
		return levelHead
	case n.Kind == circuit.MLP:
		return levelMLP
	case n.Kind >= circuit.Q:
		return levelQKV
	}
	return levelInput
}

// rank sorts the nodes into rows. Rows without nodes are left out.
func (p *picture) rank() {
	depth := func(n circuit.Node) int {
		switch {
		case n.Kind <= circuit.PosEmbed:
			return -1
		case n.Kind == circuit.Output:
			return p.graph.Config().Layers * levels
		}
		return n.Layer*levels + p.level(n)
	}
	all := make([]*node, 0, len(p.nodes))
	for _, n := range p.nodes {
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b *node) int {
		return cmp.Or(depth(a.Node)-depth(b.Node), a.Head-b.Head, int(a.Kind)-int(b.Kind))
	})
	if p.collapse == CollapseGroups { // whose order Graphviz finds
		p.rows = []row{{nodes: all}}
		return
	}
	last, labelled := -2, -1
	for _, n := range all {
		d := depth(n.Node)
		if d != last {
			p.rows = append(p.rows, row{label: " "}) // an empty label would be replaced by the name
			last = d
		}
		r := &p.rows[len(p.rows)-1]
		r.nodes = append(r.nodes, n)
		if n.HasLayer() && n.Layer != labelled {
			r.label, labelled = "layer "+strconv.Itoa(n.Layer), n.Layer
		}
	}
}
