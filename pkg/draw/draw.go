package draw

import (
	"bytes"
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
	if n := g.NumEdges(); len(m) != n || s != nil && len(s) != n || o.Idle != nil && len(o.Idle) != n || o.Opacity != nil && len(o.Opacity) != n {
		panic(fmt.Sprintf("draw: graph of %d edges, mask of %d, scores of %d, idle edges of %d, opacity of %d", n, len(m), len(s), len(o.Idle), len(o.Opacity)))
	}
	for _, part := range o.Parts {
		if n := g.NumEdges(); len(part.Edges) != n {
			panic(fmt.Sprintf("draw: graph of %d edges, part of %d", n, len(part.Edges)))
		}
	}
	if len(o.Parts) > len(partInks) {
		return fmt.Errorf("parts: expected at most %d, found %d", len(partInks), len(o.Parts))
	}
	if o.Color == "" {
		o.Color = ByAuto
	}
	if _, err := choice.Parse("edge colour", string(o.Color), ColorBys()); err != nil {
		return err
	}
	groups, err := palette(o.Groups)
	if err != nil {
		return err
	}
	p := gather(g, m, s, o)
	if p.style(o.Color); len(o.Parts) > 0 {
		p.color = byPart
	}
	p.groups = groups
	var b bytes.Buffer
	p.write(&b, o.Caption)
	_, err = w.Write(b.Bytes())
	return err
}
