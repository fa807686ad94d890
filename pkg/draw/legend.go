package draw

import (
	"fmt"
	"strings"
)

// captionWidth is the length in characters at which captions are broken.
const captionWidth = 72

// label is the graph's label: legend, then caption. It is one table of lines
// of text, without tables in tables and without empty cells: Graphviz 12.1
// fails on some of those.
func (p *picture) label(c Caption) string {
	l := lines{grow: 1}
	if len(p.edges) > manyEdges {
		l.grow = 1.5 // a dense picture is shown smaller; its caption stays legible
	}
	l.add(l.span(4, inkMuted, " "))
	l.addEntries(p.colorEntries())
	if s := p.widthLine(); s != "" {
		l.add(l.span(9, inkMuted, s))
	}
	l.addEntries(p.groupEntries())
	l.add(l.span(5, inkMuted, " "))
	for _, s := range wrap(clean(c.Title), captionWidth*10/13) {
		l.add("<B>" + l.span(13, inkDark, s) + "</B>")
	}
	for _, s := range append(append([]string{}, c.Lines...), p.keptLine()) {
		for _, part := range wrap(clean(s), captionWidth) {
			l.add(l.span(10, inkSoft, part))
		}
	}
	return `<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">` + l.String() + `</TABLE>>`
}

// lines gathers lines of text as rows of an HTML-like table.
type lines struct {
	strings.Builder
	grow float64 // how much larger than its nominal size the text is
}

func (l *lines) add(s string) { fmt.Fprintf(l, "\n\t\t\t<TR><TD>%s</TD></TR>", s) }

func (l *lines) span(size float64, color, s string) string {
	return fmt.Sprintf(`<FONT POINT-SIZE="%g" COLOR="%s">%s</FONT>`, size*l.grow, color, text(s))
}

// addEntries adds entries of the legend, side by side as long as they fit.
func (l *lines) addEntries(entries []entry) {
	var row []string
	length := 0
	for i, e := range entries {
		row = append(row, l.span(10, e.color, e.mark)+l.span(9, inkSoft, " "+e.name))
		length += len([]rune(e.name)) + 4
		if length > captionWidth*3/4 || i == len(entries)-1 {
			l.add(strings.Join(row, l.span(10, inkMuted, "   ")))
			row, length = nil, 0
		}
	}
}

// entry is one entry of the legend: a mark in the colour, and what it means.
type entry struct{ mark, color, name string }

// colorEntries explains the colours of the edges that occur.
func (p *picture) colorEntries() []entry {
	var out []entry
	add := func(ok bool, color, name string) {
		if ok {
			out = append(out, entry{"▬", color, name})
		}
	}
	if p.color == BySign {
		plus, minus, none := p.signs()
		add(plus, positive, "effect > 0")
		add(minus, negative, "effect < 0")
		add(none, noScore, "effect 0 or unknown")
		return out
	}
	seen := map[string]bool{}
	for _, e := range p.edges {
		seen[kindInk(e.to)] = true
	}
	for c, name := range []string{"query", "key", "value"} {
		add(seen[letterInk[c]], letterInk[c], name)
	}
	add(seen[kindMLP], kindMLP, "MLP")
	add(seen[kindOut], kindOut, "output")
	return out
}

// widthLine says what line widths mean.
func (p *picture) widthLine() string {
	s := p.scale
	if s.isFlat() {
		return ""
	}
	return fmt.Sprintf("line width: |effect| from %s to %s, logarithmic", number(s.least), number(s.most))
}

// groupEntries names the groups that occur in the picture.
func (p *picture) groupEntries() []entry {
	seen := map[string]bool{}
	for n := range p.nodes {
		if g, ok := p.groups.of[n]; ok {
			seen[g.Name] = true
		}
	}
	var out []entry
	for _, name := range p.groups.names {
		if seen[name] {
			out = append(out, entry{"■", p.groups.fill[name], name})
		}
	}
	return out
}
