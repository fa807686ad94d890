package circuit

import "fmt"

// Graph is a template over spans of positions: every edge of the template once
// for each span. Edge number e of span s is number s·E + e of the graph, E being
// the edges of the template; where there is one span, which is all positions,
// the numbers are the same. It is immutable and safe for concurrent use.
//
// What is inherited from the template (Incoming, Index, ParseEdge)
// speaks of edges of the template.
type Graph struct {
	*Template
	spans int
}

// New makes the graph of a configuration, with one span.
func New(cfg Config) (*Graph, error) {
	t, err := NewTemplate(cfg)
	if err != nil {
		return nil, err
	}
	return t.Over(1), nil
}

// Over makes the graph of a template over some spans. It panics if there is
// none, or edges would be too many to number.
func (t *Template) Over(spans int) *Graph {
	if spans < 1 || spans > maxEdges/t.NumEdges() {
		panic(fmt.Sprintf("circuit: graph of %d edges over %d spans", t.NumEdges(), spans))
	}
	return &Graph{Template: t, spans: spans}
}

// Spans is the number of spans of positions.
func (g *Graph) Spans() int { return g.made().spans }

// made is the graph itself; it panics if New or Over did not make it.
func (g *Graph) made() *Graph {
	if g == nil || g.spans == 0 {
		panic("circuit: a graph that neither New nor Over made")
	}
	return g
}

// NumEdges is the number of edges of all spans, placeholders not counted.
func (g *Graph) NumEdges() int { return g.made().spans * g.Template.NumEdges() }

// Number is the number of a template's edge in a span.
func (g *Graph) Number(span, edge int) int {
	if span < 0 || span >= g.made().spans || edge < 0 || edge >= g.Template.NumEdges() {
		panic(fmt.Sprintf("circuit: Number(%d, %d) of a graph of %d spans and %d edges", span, edge, g.spans, g.Template.NumEdges()))
	}
	return span*g.Template.NumEdges() + edge
}

// SpanOf is the span that an edge of the graph belongs to.
func (g *Graph) SpanOf(i int) int { return g.checked("SpanOf", i) / g.Template.NumEdges() }

// Edge returns edge number i, whatever its span.
func (g *Graph) Edge(i int) Edge {
	return g.Template.Edge(g.checked("Edge", i) % g.Template.NumEdges())
}

// checked is an edge's number; it panics if the graph has no such edge.
func (g *Graph) checked(what string, i int) int {
	if i < 0 || i >= g.NumEdges() {
		panic(fmt.Sprintf("circuit: %s(%d) of a graph of %d edges", what, i, g.NumEdges()))
	}
	return i
}
