package draw

import (
	"bytes"
	"cmp"
	"fmt"
	"io"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// ColorBy says what an edge's colour means.
type ColorBy string

// The meanings of an edge's colour.
const (
	// ByAuto is BySign where the kept edges have scores of both signs, and
	// ByKind otherwise.
	ByAuto ColorBy = "auto"
	// BySign tells edges with a positive score, whose removal raises the
	// metric, from those with a negative one.
	BySign ColorBy = "sign"
	// ByKind tells edges by what they end in: queries, keys, values, an MLP,
	// the output.
	ByKind ColorBy = "kind"
	// byPart is the meaning of an edge's colour where there are Parts.
	byPart ColorBy = "part"
)

// ColorBys lists the valid meanings of an edge's colour.
func ColorBys() []ColorBy { return []ColorBy{ByAuto, BySign, ByKind} }

// Options say how a circuit is drawn. The zero value is a picture without a
// title.
type Options struct {
	Caption Caption
	// Direct shows a head's residual inputs, its q, k and v, and the direct
	// and placeholder edges between them as nodes and edges of their own.
	Direct bool
	// Collapse draws several nodes as one box; empty is CollapseNone. Not with
	// Direct.
	Collapse Collapse
	// MaxEdges bounds how many arrows are drawn, 0 for no bound: the strongest,
	// which are those whose scores are the largest by size, or without scores
	// those that stand for the most edges, and of equals those of the lower
	// number. The caption says so.
	MaxEdges int
	// Strength is what the strongest are known by in place of the sizes of scores,
	// at least 0, NaN for none; nil for those.
	Strength circuit.Scores
	// Heads leaves out MLPs and the edges that begin or end in them.
	Heads bool
	// Color is the meaning of an edge's colour; empty is ByAuto.
	Color ColorBy
	// Parts are what edges are told by in place of Color, such as those of two
	// circuits and of one alone; an edge is of the first that has it. At most
	// three.
	Parts []Part
	// Idle are the edges that carry nothing (circuit.Graph.Idle), which are
	// drawn dashed and grey; nil for none.
	Idle circuit.Mask
	// Opacity is how far each edge is seen, from 0 to 1, such as how often it was
	// found; nil for that of its score.
	Opacity circuit.Scores
	// Groups names a role for some heads, MLPs or embeddings, such as the
	// classes of heads in a paper. They fill the node and stand in the legend.
	Groups map[circuit.Node]Group
}

// Part is some edges with a name of their own, which stands in the legend.
type Part struct {
	Name  string
	Edges circuit.Mask
}

// Group is a role that several nodes share.
type Group struct {
	Name  string
	Color string // "#rrggbb"; empty for one of the palette, in the order of names
}

// WriteDOT writes the picture of the kept edges of a graph. scores may be nil;
// an edge whose score is NaN has none and is drawn in a neutral width. Edges
// are drawn as they are: the caller who wants no loose ends prunes them first
// (circuit.Graph.Prune). It panics if mask or scores are not of the
// graph.
func WriteDOT(w io.Writer, g *circuit.Graph, m circuit.Mask, s circuit.Scores, o Options) error {
	p, err := newPicture(g, m, s, o)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	p.write(&b, o.Caption)
	_, err = w.Write(b.Bytes())
	return err
}

// Size is how much a picture shows.
type Size struct {
	Drawn   int  // arrows, of which each stands for an edge, or where nodes are collapsed for several
	Dropped int  // arrows that MaxEdges leaves out
	Scored  bool // some edge has a score, which the strongest are known by
}

// SizeOf is how much WriteDOT draws of the same circuit with the same options.
func SizeOf(g *circuit.Graph, m circuit.Mask, s circuit.Scores, o Options) (Size, error) {
	p, err := newPicture(g, m, s, o)
	if err != nil {
		return Size{}, err
	}
	return Size{Drawn: len(p.edges), Dropped: p.dropped, Scored: p.scored || o.Strength != nil}, nil
}

// newPicture checks what is to be drawn and gathers it.
func newPicture(g *circuit.Graph, m circuit.Mask, s circuit.Scores, o Options) (*picture, error) {
	if n := g.NumEdges(); len(m) != n || s != nil && len(s) != n || o.Idle != nil && len(o.Idle) != n || o.Opacity != nil && len(o.Opacity) != n || o.Strength != nil && len(o.Strength) != n {
		panic(fmt.Sprintf("draw: graph of %d edges, mask of %d, scores of %d, idle edges of %d, opacity of %d, strength of %d", n, len(m), len(s), len(o.Idle), len(o.Opacity), len(o.Strength)))
	}
	for _, part := range o.Parts {
		if n := g.NumEdges(); len(part.Edges) != n {
			panic(fmt.Sprintf("draw: graph of %d edges, part of %d", n, len(part.Edges)))
		}
	}
	if len(o.Parts) > len(partInks) {
		return nil, fmt.Errorf("parts: expected at most %d, found %d", len(partInks), len(o.Parts))
	}
	o.Color, o.Collapse = cmp.Or(o.Color, ByAuto), cmp.Or(o.Collapse, CollapseNone)
	if _, err := choice.Parse("edge colour", string(o.Color), ColorBys()); err != nil {
		return nil, err
	}
	if _, err := choice.Parse("collapse", string(o.Collapse), Collapses()); err != nil {
		return nil, err
	}
	if o.Direct && o.Collapse != CollapseNone {
		return nil, fmt.Errorf("direct edges and nodes collapsed to %s: expected one of them, since such edges lie within a box", o.Collapse)
	}
	groups, err := palette(o.Groups)
	if err != nil {
		return nil, err
	}
	p := gather(g, m, s, o, groups)
	if p.style(o.Color); len(o.Parts) > 0 {
		p.color = byPart
	}
	return p, nil
}
