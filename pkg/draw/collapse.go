package draw

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// Collapse says which nodes are drawn as one box.
type Collapse string

// What is drawn as one box.
const (
	CollapseNone Collapse = "none"
	// CollapseLayers draws the heads of a layer as one.
	CollapseLayers Collapse = "layers"
	// CollapseGroups draws the nodes of each of Options.Groups as one. Layers
	// that groups have in common are one stretch; of each stretch the MLPs of
	// no group are one box, and the heads of no group another.
	CollapseGroups Collapse = "groups"
)

// Collapses lists what can be drawn as one box.
func Collapses() []Collapse { return []Collapse{CollapseNone, CollapseLayers, CollapseGroups} }

// bundle is what a box stands for.
type bundle struct {
	id, name string
	group    Group // the zero value unless isGroup
	isGroup  bool
	members  []circuit.Node // in order
	within   int            // edges between them
}

// shownMembers is how many members a box lists, and membersInLine how many side
// by side.
const shownMembers, membersInLine = 24, 4

// boxLines are the lines below the name of a box: its members, and how many
// edges are between them.
func (b *bundle) boxLines() string {
	var lines []string
	if b.members[0].Kind == circuit.Head || b.isGroup {
		var names []string
		for _, n := range b.members[:min(len(b.members), shownMembers)] {
			names = append(names, nodeName(n))
		}
		for line := range slices.Chunk(names, membersInLine) {
			lines = append(lines, strings.Join(line, " "))
		}
		if n := len(b.members) - shownMembers; n > 0 {
			lines = append(lines, fmt.Sprintf("and %d more", n))
		}
	}
	if b.within > 0 {
		lines = append(lines, edgeCount(b.within, "%s")+" within")
	}
	out := ""
	for _, line := range lines {
		out += fmt.Sprintf(`<BR/><FONT POINT-SIZE="8" COLOR="%s">%s</FONT>`, inkSoft, text(line))
	}
	return out
}

// many is what an arrow stands for.
type many struct {
	edges    int
	letters  [3]int   // of these, those into queries, keys and values
	inks     []string // in which it is striped; the colours that its edges have by kind
	partInks []string // the same by part
	isBack   bool     // goes against the order of the boxes
}

// tip says what an arrow between two boxes stands for.
func (m *many) tip(from, to *node) string {
	tip := from.name() + " → " + to.name() + ": " + edgeCount(m.edges, "%s")
	var letters []string
	for c, n := range m.letters {
		if n > 0 {
			letters = append(letters, fmt.Sprintf("%d %c", n, circuit.Letters[c]))
		}
	}
	if len(letters) > 0 {
		tip += " (" + strings.Join(letters, ", ") + ")"
	}
	return tip
}

// add lets an arrow stand for one more edge: it is as wide as the strongest that
// carries something, and of its sign.
func (e *edge) add(one edge) {
	m := e.many
	m.edges++
	if c, ok := one.to.Letter(); ok {
		m.letters[c]++
	}
	m.inks, m.partInks = with(m.inks, kindInk(one.to)), with(m.partInks, partInk(one.part))
	if e.part != one.part {
		e.part = -1
	}
	if !(one.strength <= e.strength) {
		e.strength = one.strength
	}
	if !(one.opacity <= e.opacity) { // also where there was none
		e.opacity = one.opacity
	}
	switch stronger := one.size > e.size || math.IsNaN(e.size); {
	case e.idle && !one.idle, e.idle == one.idle && stronger:
		e.score, e.size, e.idle = one.score, one.size, one.idle
	}
}

// with adds a colour to a list unless it is there, which stays in the order of
// the legend.
func with(inks []string, ink string) []string {
	if slices.Contains(inks, ink) {
		return inks
	}
	inks = append(inks, ink)
	slices.SortFunc(inks, func(a, b string) int { return slices.Index(inkOrder, a) - slices.Index(inkOrder, b) })
	return inks
}

// bundle draws boxes in place of the nodes that they stand for, and one arrow
// between two boxes in place of all edges.
func (p *picture) bundle(limit int) {
	boxOf, boxOfKey := p.boxes(), map[circuit.Node]*node{}
	at := map[[2]circuit.Node]int{}
	var arrows []edge
	for _, e := range p.edges {
		from, to := boxOf[e.from.Part()], boxOf[e.to.Part()]
		if from == to {
			p.within++
			from.bundle.within++
			continue
		}
		boxOfKey[from.Node], boxOfKey[to.Node] = from, to
		key := [2]circuit.Node{from.Node, to.Node}
		i, ok := at[key]
		if !ok {
			i = len(arrows)
			at[key] = i
			first := e
			first.from, first.to = from.Node, to.Node
			first.many = &many{isBack: from.bundle != nil && to.bundle != nil && from.Layer >= to.Layer}
			arrows = append(arrows, first)
		}
		arrows[i].add(e)
	}
	if !p.scored {
		for i := range arrows {
			arrows[i].size = float64(arrows[i].many.edges)
			if !p.ranked {
				arrows[i].strength = arrows[i].size
			}
		}
	}
	p.bundled = len(p.edges) - p.within
	p.edges = arrows
	p.limit(limit)
	for _, e := range p.edges {
		for _, n := range []circuit.Node{e.from, e.to} {
			p.nodes[n] = boxOfKey[n]
		}
	}
}

// countsEdges reports whether widths tell how many edges an arrow stands for.
func (p *picture) countsEdges() bool { return p.collapse != CollapseNone && !p.scored }

// boxes makes the box of every head, MLP and end that edges touch.
func (p *picture) boxes() map[circuit.Node]*node {
	touched := map[circuit.Node]bool{}
	for _, e := range p.edges {
		touched[e.from.Part()], touched[e.to.Part()] = true, true
	}
	inOrder := slices.SortedFunc(maps.Keys(touched), byPlace)
	out := map[circuit.Node]*node{}
	byID := map[string]*bundle{}
	var bundles []*bundle
	stretchOf := p.stretches(inOrder)
	for _, n := range inOrder {
		b := p.bundleOf(n, stretchOf)
		if b == nil {
			out[n] = &node{Node: n}
			continue
		}
		if byID[b.id] == nil {
			byID[b.id] = b
			bundles = append(bundles, b)
		}
		byID[b.id].members = append(byID[b.id].members, n)
	}
	slices.SortStableFunc(bundles, func(a, b *bundle) int { return cmp.Compare(a.place(), b.place()) })
	for i, b := range bundles {
		box := &node{Node: circuit.Node{Kind: b.members[0].Kind, Layer: i}, bundle: b}
		if p.collapse == CollapseLayers {
			box.Layer = b.members[0].Layer
		}
		if b.name == "MLPs" && !b.isGroup {
			b.name = mlpsName(b.members)
		}
		for _, n := range b.members {
			out[n] = box
		}
	}
	return out
}

// bundleOf is what a head or an MLP is to be part of, nil for what stands for
// itself.
func (p *picture) bundleOf(n circuit.Node, stretchOf []int) *bundle {
	switch {
	case n.Kind != circuit.Head && n.Kind != circuit.MLP:
		return nil
	case p.collapse == CollapseLayers:
		if n.Kind == circuit.MLP {
			return nil
		}
		name := fmt.Sprintf("a%d", n.Layer)
		return &bundle{id: name, name: name}
	}
	if g, ok := p.groups.of[n]; ok {
		return &bundle{id: fmt.Sprintf("group %d", slices.Index(p.groups.names, g.Name)), name: boxName(g.Name), group: g, isGroup: true}
	}
	what := "MLPs"
	if n.Kind == circuit.Head {
		what = "other heads"
	}
	return &bundle{id: fmt.Sprintf("%s from layer %d", what, stretchOf[n.Layer]), name: what}
}

// mlpsName names MLPs by their layers.
func mlpsName(list []circuit.Node) string {
	if len(list) == 1 {
		return nodeName(list[0])
	}
	var layers []int
	for _, n := range list {
		layers = append(layers, n.Layer)
	}
	return "MLPs " + strings.ReplaceAll(oneline.Ranges(layers, ", "), "-", "–")
}

// boxName is the name of a group as its box has it.
func boxName(s string) string {
	const most = 32
	return max(oneline.Middle(oneline.Plain(s), most), " ") // Graphviz fails on empty cells
}

// place is where a box stands among others: the mean layer of its members, an
// MLP being half a layer behind the heads.
func (b *bundle) place() float64 {
	sum := 0.0
	for _, n := range b.members {
		sum += float64(n.Layer)
		if n.Kind == circuit.MLP {
			sum += 0.5
		}
	}
	return sum / float64(len(b.members))
}

// stretches gives each layer the first layer of the stretch that it is in: layers
// that a group reaches over are in one, and a layer where no group begins is in
// that of the one before.
func (p *picture) stretches(inOrder []circuit.Node) []int {
	type reach struct{ first, last int }
	of := map[string]reach{}
	for _, n := range inOrder {
		g, ok := p.groups.of[n]
		if !ok || !n.HasLayer() {
			continue
		}
		r, seen := of[g.Name]
		if !seen {
			r.first = n.Layer
		}
		r.last = n.Layer // in order
		of[g.Name] = r
	}
	begins := map[int]bool{}
	for _, r := range of {
		begins[r.first] = true
	}
	for _, r := range of {
		for l := r.first + 1; l <= r.last; l++ {
			delete(begins, l)
		}
	}
	out := make([]int, p.graph.Config().Layers)
	for l := range out {
		switch {
		case begins[l]:
			out[l] = l
		case l > 0:
			out[l] = out[l-1]
		}
	}
	return out
}

func byPlace(a, b circuit.Node) int {
	return cmp.Or(cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Head, b.Head))
}

// name is a node as people read it.
func (n *node) name() string {
	if n.bundle != nil {
		return n.bundle.name
	}
	return nodeName(n.Node)
}

// id names a node in DOT.
func (n *node) id() string {
	if n.bundle != nil {
		return n.bundle.id
	}
	return nodeName(n.Node)
}
