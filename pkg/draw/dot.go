package draw

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// font is one whose widths Graphviz knows without any font at hand.
const font = "Arial"

const (
	// manyEdges is where a picture becomes a dense one.
	manyEdges = 80
	// tooManyEdges is where nobody can follow single edges any more, and
	// Graphviz is told not to search long for the best order: 3000 edges take
	// it 6 seconds in place of 80.
	tooManyEdges = 600
)

// write writes the whole picture.
func (p *picture) write(b *bytes.Buffer, c Caption) {
	// Every long edge takes part in every row it crosses. Where there are many,
	// they stand close, and the nodes keep their distance by a margin of their
	// own; edges that leave a node sideways then begin at that margin.
	nodesep, ranksep, margin := 0.14, 0.5, 0.0
	if n := len(p.edges); n > manyEdges {
		nodesep, ranksep, margin = 0.04, min(0.8, 0.5+float64(n)/700), 0.03
	}
	effort := ""
	if len(p.edges) > tooManyEdges {
		effort = ` mclimit="0.1" nslimit="1"`
	}
	fmt.Fprintf(b, "digraph circuit {\n")
	fmt.Fprintf(b, "\tgraph [bgcolor=\"white\" rankdir=\"TB\" newrank=\"true\" outputorder=\"edgesfirst\" splines=\"spline\"\n")
	fmt.Fprintf(b, "\t\tnodesep=\"%g\" ranksep=\"%.2f\" pad=\"0.2\"%s fontname=%q fontsize=\"11\" fontcolor=%q\n", nodesep, ranksep, effort, font, inkDark)
	fmt.Fprintf(b, "\t\tlabelloc=\"b\" labeljust=\"c\" label=%s]\n", p.label(c))
	fmt.Fprintf(b, "\tnode [shape=\"box\" peripheries=\"0\" margin=\"%g,0\" width=\"0\" height=\"0\" fontname=%q fontsize=\"11\" fontcolor=%q]\n", margin, font, inkDark)
	fmt.Fprintf(b, "\tedge [arrowhead=\"normal\"]\n\n")
	p.writeRows(b)
	b.WriteString("\n")
	for _, e := range p.edges {
		p.writeEdge(b, e)
	}
	for _, e := range p.placeholders {
		fmt.Fprintf(b, "\t%s -> %s [color=%q style=\"dotted\" penwidth=\"0.8\" arrowsize=\"0.4\" tooltip=\"placeholder: always there, cannot be cut\"]\n",
			quote(nodeName(e.from)), quote(nodeName(e.to)), inkMuted)
	}
	b.WriteString("}\n")
}

// writeRows writes the nodes row by row, and beside them a column of layer
// names, whose invisible edges keep the rows in order.
func (p *picture) writeRows(b *bytes.Buffer) {
	if p.collapse == CollapseGroups {
		p.writeGroups(b)
		return
	}
	for i, r := range p.rows {
		fmt.Fprintf(b, "\tsubgraph { rank=\"same\"\n")
		fmt.Fprintf(b, "\t\t\"row %d\" [label=%s fontsize=\"9\" fontcolor=%q]\n", i, quote(r.label), inkMuted)
		for _, n := range r.nodes {
			p.writeNode(b, n)
		}
		b.WriteString("\t}\n")
	}
	if len(p.rows) > 1 {
		b.WriteString("\t")
		for i := range p.rows {
			if i > 0 {
				b.WriteString(" -> ")
			}
			fmt.Fprintf(b, "\"row %d\"", i)
		}
		b.WriteString(" [style=\"invis\" weight=\"20\"]\n")
	}
	if p.direct {
		p.writeFrames(b)
	}
}

// writeFrames writes a frame for each head, which keeps what belongs to it
// together.
func (p *picture) writeFrames(b *bytes.Buffer) {
	of := map[circuit.Node][]string{}
	var heads []circuit.Node
	for _, r := range p.rows {
		for _, n := range r.nodes {
			head := n.Part()
			if head.Kind != circuit.Head {
				continue
			}
			if of[head] == nil {
				heads = append(heads, head)
			}
			of[head] = append(of[head], quote(nodeName(n.Node)))
		}
	}
	for _, head := range heads {
		fmt.Fprintf(b, "\tsubgraph %s { label=\"\" style=\"rounded\" color=%q bgcolor=%q margin=\"4\"; %s }\n",
			quote("cluster "+nodeName(head)), lineFrame, paleFrame, strings.Join(of[head], "; "))
	}
}

func (p *picture) writeNode(b *bytes.Buffer, n *node) {
	fmt.Fprintf(b, "\t\t%s [label=%s tooltip=%s]\n", quote(n.id()), p.nodeLabel(n), nodeTip(p.tooltip(n)))
}

// writeEdge writes one kept edge.
func (p *picture) writeEdge(b *bytes.Buffer, e edge) {
	from, to := p.nodes[p.box(e.from)], p.nodes[p.box(e.to)]
	head := quote(to.id())
	if c, ok := e.to.Letter(); ok && !p.direct {
		head += ":" + string(circuit.Letters[c]) + ":n"
	}
	tip := arrowName(e)
	if e.many != nil {
		tip = e.many.tip(from, to)
	}
	if !math.IsNaN(e.score) {
		tip += "  " + number(e.score)
	}
	if e.part >= 0 {
		tip += ", " + oneline.Shown(p.parts[e.part].Name)
	}
	w, style := p.scale.width(e.size), ""
	stripe := w
	if n := len(p.inks(e)); n > 1 {
		stripe = max(w/float64(n), minStripe)
	}
	if e.idle {
		w, stripe, style = idleWidth, idleWidth, ` style="dashed"`
		tip += ", carries nothing"
	}
	if e.many != nil {
		style += p.order(e)
	}
	fmt.Fprintf(b, "\t%s -> %s [color=%q%s penwidth=\"%.2f\" arrowsize=\"%.2f\" tooltip=%s]\n",
		quote(from.id()), head, p.ink(e), style, stripe, 0.4+0.1*w, quote(tip))
}

// order keeps arrows that go back from turning the order of the groups.
func (p *picture) order(e edge) string {
	if p.collapse == CollapseGroups && e.many.isBack {
		return ` constraint="false"`
	}
	return ""
}

// writeGroups writes the boxes of groups, whose order Graphviz finds from the
// arrows.
func (p *picture) writeGroups(b *bytes.Buffer) {
	for _, n := range p.rows[0].nodes {
		p.writeNode(b, n)
	}
}

// nodeName names a node as in the figures of the field: a1.6, a1.6_k, m0.
func nodeName(n circuit.Node) string { return circuit.Drawn.Name(n) }

// arrowName names an edge by the names in the picture; an MLP's input is the
// MLP, a head's residual input its q, k or v.
func arrowName(e edge) string {
	if (circuit.Edge{Sender: e.from, Receiver: e.to}).IsDirect() {
		return nodeName(e.from) + " → " + nodeName(e.to)
	}
	return nodeName(e.from) + " → " + strings.TrimSuffix(nodeName(e.to), "_in")
}

func (p *picture) tooltip(n *node) string {
	tip := n.name()
	if n.Kind == circuit.Head {
		for c, t := range n.tabs {
			if t.cut {
				tip += fmt.Sprintf(", direct edge of %c not kept", circuit.Letters[c])
			}
		}
	}
	if g, ok := p.groupOf(n); ok && n.bundle == nil {
		tip += ": " + oneline.Shown(g.Name)
	}
	return tip
}

// nodeLabel is the HTML-like label of a node: its name, and above it, where
// the arrows arrive, the tabs of a folded head.
func (p *picture) nodeLabel(n *node) string {
	size, pad := 11, 3
	switch n.Kind {
	case circuit.Input, circuit.Embed, circuit.PosEmbed, circuit.Output:
		pad = 5
	case circuit.Head, circuit.MLP:
	default:
		size = 8
	}
	tabs, columns := p.tabRow(n)
	name := fmt.Sprintf(`<FONT POINT-SIZE="%d">%s</FONT>`, size, text(n.name()))
	if n.bundle != nil {
		name += n.bundle.boxLines()
	}
	return fmt.Sprintf(`<<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="1" COLOR="%s">%s<TR><TD COLSPAN="%d" CELLPADDING="%d" BGCOLOR="%s">%s</TD></TR></TABLE>>`,
		lineBox, tabs, columns, pad, p.nodeFill(n), name)
}

// nodeFill is the background of a node's name.
func (p *picture) nodeFill(n *node) string {
	if g, ok := p.groupOf(n); ok {
		return p.groups.fill[g.Name]
	}
	c, isLetter := n.Letter()
	switch {
	case len(p.groups.of) > 0 && (n.Kind == circuit.Head || n.Kind == circuit.MLP):
		return paleNoGroup
	case n.Kind <= circuit.PosEmbed || n.Kind == circuit.Output:
		return paleEnds
	case n.Kind == circuit.MLP || n.Kind == circuit.MLPIn:
		return paleMLP
	case isLetter && p.color == ByKind:
		return letterPale[c]
	}
	return paleBox
}

// tabRow is the row of a folded head's tabs, and how many columns it has, at
// least one.
func (p *picture) tabRow(n *node) (row string, columns int) {
	for c, t := range n.tabs {
		if !t.shown {
			continue
		}
		columns++
		ink, pale := letterInk[c], letterPale[c]
		if p.color != ByKind {
			ink, pale = inkSoft, paleEnds // the colours mean something else
		}
		if t.cut {
			ink, pale = inkMuted, paleNoTab
		}
		row += fmt.Sprintf(`<TD PORT="%c" BGCOLOR="%s"><FONT POINT-SIZE="8" COLOR="%s">%c</FONT></TD>`,
			circuit.Letters[c], pale, ink, circuit.Letters[c])
	}
	if columns == 0 {
		return "", 1
	}
	return "<TR>" + row + "</TR>", columns
}

// quote makes any text a DOT string that is shown as it is: Graphviz reads
// escapes such as \N in labels and tooltips, and SGML entities.
func quote(s string) string { return `"` + text(s) + `"` }

// text makes any text the text of an HTML-like label, where Graphviz reads the
// same escapes.
func text(s string) string {
	return strings.ReplaceAll(html.EscapeString(oneline.Plain(s)), `\`, `\\`)
}

// nodeTip is quote for the tooltip of a node, where Graphviz reads escapes
// twice.
func nodeTip(s string) string { return quote(strings.ReplaceAll(s, `\`, `\\`)) }
