package draw

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

const (
	// captionWidth is the length in characters at which captions are broken.
	captionWidth = 72
	// captionLines is how many lines a text of the caption takes at most.
	captionLines = 4
)

// shown is a text as the caption shows it.
func shown(s string) string {
	return oneline.Middle(oneline.Plain(s), captionLines*captionWidth)
}

// label is the graph's label: legend, then caption. It is one table of lines
// of text, without tables in tables and without empty cells: Graphviz 12.1
// fails on some of those.
func (p *picture) label(c Caption) string {
	groups := p.shownGroups()
	l := lines{grow: 1, columns: columns(groups)}
	if len(p.edges) > manyEdges {
		l.grow = 1.5 // a dense picture is shown smaller; its caption stays legible
	}
	l.add(l.span(4, inkMuted, " "))
	l.addEntries(p.colorEntries())
	if s := p.widthLine(); s != "" {
		l.add(l.span(9, inkMuted, s))
	}
	l.addGroups(groups, p.groups.fill)
	l.add(l.span(5, inkMuted, " "))
	for _, s := range wrap(shown(c.Title), captionWidth*10/13) {
		l.add("<B>" + l.span(13, inkDark, s) + "</B>")
	}
	for _, s := range append(append([]string{}, c.Lines...), p.keptLines()...) {
		for _, part := range wrap(shown(s), captionWidth) {
			l.add(l.span(10, inkSoft, part))
		}
	}
	return `<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">` + l.String() + `</TABLE>>`
}

// lines gathers lines of text as rows of an HTML-like table.
type lines struct {
	strings.Builder
	grow    float64 // how much larger than its nominal size the text is
	columns int     // of the table, all of which a line takes
}

func (l *lines) add(s string) {
	span := ""
	if l.columns > 1 {
		span = fmt.Sprintf(` COLSPAN="%d"`, l.columns)
	}
	fmt.Fprintf(l, "\n\t\t\t<TR><TD%s>%s</TD></TR>", span, s)
}

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
	switch p.color {
	case byPart:
		for k, part := range p.parts {
			n := 0
			for _, e := range p.edges {
				if slices.Contains(p.inks(e), partInks[k]) {
					n++
				}
			}
			add(true, partInks[k], fmt.Sprintf("%s (%d)", oneline.Shown(part.Name), n))
		}
	case BySign:
		plus, minus, none := p.signs()
		add(plus, positive, "effect > 0")
		add(minus, negative, "effect < 0")
		add(none, noScore, "effect 0 or unknown")
	default:
		seen := map[string]bool{}
		for _, e := range p.carrying() {
			for _, ink := range e.kindInks() {
				seen[ink] = true
			}
		}
		for c, name := range []string{"query", "key", "value"} {
			add(seen[letterInk[c]], letterInk[c], name)
		}
		add(seen[kindMLP], kindMLP, "MLP")
		add(seen[kindOut], kindOut, "output")
	}
	if len(p.carrying()) < len(p.edges) {
		out = append(out, entry{"– –", inkMuted, "carries nothing"})
	}
	return out
}

// widthLine says what line widths mean.
func (p *picture) widthLine() string {
	s := p.scale
	if s.isFlat() {
		return ""
	}
	what := "|effect|"
	switch {
	case p.countsEdges():
		what = "edges,"
	case p.collapse != CollapseNone:
		what = "the largest |effect|"
	}
	return fmt.Sprintf("line width: %s from %s to %s, logarithmic", what, number(s.least), number(s.most))
}

// shownGroups names the groups that occur in the picture.
func (p *picture) shownGroups() []string {
	seen := map[string]bool{}
	for _, n := range p.nodes {
		if g, ok := p.groupOf(n); ok && (n.bundle == nil || n.bundle.name != g.Name) { // else the box says it
			seen[g.Name] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(p.groups.names), func(name string) bool { return !seen[name] })
}

// columns is how many groups stand side by side: as many as fit, in rows that
// are all full where that is possible.
func columns(groups []string) int {
	widest := 1
	for _, name := range groups {
		widest = max(widest, len([]rune(oneline.Shown(name)))+2)
	}
	most := min(len(groups), max(1, captionWidth/widest))
	if most < 2 {
		return 1
	}
	rows := (len(groups) + most - 1) / most
	return (len(groups) + rows - 1) / rows
}

// addGroups names groups on their colours, which a mark beside the name would
// show too little of: those of papers are pale.
func (l *lines) addGroups(groups []string, fill map[string]string) {
	for row := range slices.Chunk(groups, l.columns) {
		l.WriteString("\n\t\t\t<TR>")
		for _, name := range row {
			fmt.Fprintf(l, `<TD BORDER="1" COLOR="%s" BGCOLOR="%s" CELLPADDING="3">%s</TD>`, lineBox, fill[name], l.span(9, inkDark, max(oneline.Shown(name), " ")))
		}
		for range l.columns - len(row) {
			l.WriteString("<TD>" + l.span(9, inkMuted, " ") + "</TD>")
		}
		l.WriteString("</TR>")
	}
}
