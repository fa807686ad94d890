package circuit

import (
	"fmt"
	"math"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// Lost says what a circuit loses where it is told in another graph of the same
// model.
type Lost struct {
	Direct     int // kept direct edges that the other graph has no place for
	Cut        int // kept edges into heads behind which the direct edge is cut: they carry nothing, and are no edges there
	Embeddings int // kept edges from the embeddings that came from only one of the two
	Divided    int // scores of edges from the embeddings, which have no parts
}

// Words are the losses as sentences, none if there are none.
func (l Lost) Words() []string {
	var out []string
	add := func(n int, one, many string) {
		if n == 1 {
			out = append(out, "1 "+one)
		} else if n > 1 {
			out = append(out, fmt.Sprintf("%d %s", n, many))
		}
	}
	add(l.Direct, "direct edge is left out: heads have none there", "direct edges are left out: heads have none there")
	add(l.Cut, "edge into a head whose direct edge is cut is left out", "edges into heads whose direct edges are cut are left out")
	add(l.Embeddings, "edge is from tokens or positions alone, which are one sender there", "edges are from tokens or positions alone, which are one sender there")
	add(l.Divided, "score of an edge from the embeddings cannot be divided between tokens and positions", "scores of edges from the embeddings cannot be divided between tokens and positions")
	return out
}

// Common is the configuration of the finest graph that circuits of both can be
// told in: without direct edges where one has none, with one embedding where one
// has one, with MLPs where one has them, as files of the MIB format always do.
// Graphs of different models are an error.
func Common(a, b Config) (Config, error) {
	if a.Layers != b.Layers || a.Heads != b.Heads || a.ParallelAttnMLP != b.ParallelAttnMLP {
		return Config{}, fmt.Errorf("expected graphs of one model, found %s and %s", a.model(), b.model())
	}
	if b.Definition == EAP {
		a.Definition = EAP
	}
	a.SplitEmbed, a.AttnOnly = a.SplitEmbed && b.SplitEmbed, a.AttnOnly && b.AttnOnly
	return a, nil
}

// model describes a configuration's model in an error.
func (c Config) model() string {
	s := fmt.Sprintf("%d layers of %d heads", c.Layers, c.Heads)
	if c.AttnOnly {
		s += " without MLPs"
	}
	if c.ParallelAttnMLP {
		s += " with parallel MLPs"
	}
	return s
}

// Project tells a circuit of this graph in another graph of the same model. A
// head's input without its direct edge carries nothing, and has no edges where
// there are none; what two embeddings send is one edge with the sum of their
// scores, or an edge from both without a score. MLPs may come in, without edges.
// scores may be nil. It panics if mask or scores are of another graph, and fails
// for another model and over several spans.
func (g *Graph) Project(m Mask, scores Scores, to *Graph) (Mask, Scores, Lost, error) {
	g.checkMask("Project", m)
	if scores != nil && len(scores) != len(m) {
		panic(fmt.Sprintf("circuit: Project: %d scores, the graph has %d edges", len(scores), len(m)))
	}
	a, b := g.cfg, to.made().cfg
	a.Definition, a.SplitEmbed = b.Definition, b.SplitEmbed
	if a.AttnOnly = a.AttnOnly && b.AttnOnly; a != b {
		return nil, nil, Lost{}, fmt.Errorf("expected graphs of one model, found %s and %s", g.cfg.model(), b.model())
	}
	if g.spans != 1 || to.spans != 1 {
		return nil, nil, Lost{}, fmt.Errorf("expected graphs over all positions, found %d and %d spans", g.spans, to.spans)
	}
	if scores == nil {
		scores = noScores(g)
	}
	p := projection{from: g, to: to, mask: m, scores: scores, outMask: to.Empty(), outScores: noScores(to)}
	for i := range p.outMask {
		p.edge(i)
	}
	if b.Definition != ACDC {
		for i, present := range m {
			if present && g.Edge(i).IsDirect() {
				p.lost.Direct++
			}
		}
	} else if g.cfg.Definition != ACDC {
		to.addDirect(p.outMask)
	}
	return p.outMask, p.outScores, p.lost, nil
}

// projection is a circuit on its way to another graph.
type projection struct {
	from, to  *Graph
	mask      Mask
	scores    Scores
	outMask   Mask
	outScores Scores
	lost      Lost
}

// edge tells one edge of the other graph.
func (p *projection) edge(i int) {
	sources, isPart := p.from.sources(p.to.Edge(i))
	kept := 0
	for _, s := range sources {
		p.addScore(i, s, isPart)
		if !p.mask[s] {
			continue
		}
		if p.to.cfg.Definition != ACDC && p.isCut(s) {
			p.lost.Cut++
			continue
		}
		kept++
	}
	p.outMask[i] = kept > 0
	if kept > 0 && kept < len(sources) {
		p.lost.Embeddings++
	}
}

// addScore adds the score of an edge to that of the edge that tells of it.
func (p *projection) addScore(i, source int, isPart bool) {
	score := p.scores[source]
	switch {
	case math.IsNaN(score):
	case isPart:
		if p.to.Edge(i).Sender.Kind == Embed { // the positions' edge is the same once more
			p.lost.Divided++
		}
	case math.IsNaN(p.outScores[i]):
		p.outScores[i] = score
	default:
		p.outScores[i] += score
	}
}

// isCut reports whether an edge ends in a head's input whose direct edge is not
// kept.
func (p *projection) isCut(i int) bool {
	r := p.from.Edge(i).Receiver
	if p.from.cfg.Definition != ACDC || r.Kind < QInput || r.Kind > VInput {
		return false
	}
	lo, _ := p.from.Incoming(Node{Kind: r.Kind - QInput + Q, Layer: r.Layer, Head: r.Head})
	return !p.mask[lo]
}

// sources are the edges of this graph that an edge of another graph stands for,
// and whether it is only a part of one.
func (g *Graph) sources(e Edge) (edges []int, isPart bool) {
	senders := []Node{e.Sender}
	switch {
	case e.Sender.Kind == Input && g.cfg.SplitEmbed:
		senders = []Node{{Kind: Embed}, {Kind: PosEmbed}}
	case (e.Sender.Kind == Embed || e.Sender.Kind == PosEmbed) && !g.cfg.SplitEmbed:
		senders, isPart = []Node{{Kind: Input}}, true
	}
	for _, s := range senders {
		if i, ok := g.Index(Edge{Sender: s, Receiver: e.Receiver}); ok {
			edges = append(edges, i)
		}
	}
	return edges, isPart
}

// In tells the file's circuit in another graph of the same model, with what is
// known of it otherwise, and says what is lost.
func (f *File) In(c Config) (*File, Lost, error) {
	g, m, scores, err := f.Circuit()
	if err != nil {
		return nil, Lost{}, err
	}
	to, err := New(c)
	if err != nil {
		return nil, Lost{}, err
	}
	m, scores, lost, err := g.Project(m, scores, to)
	if err != nil {
		return nil, Lost{}, fmt.Errorf("definition %s: %w", oneline.Quote(string(c.Definition)), err)
	}
	out := *f
	if f.MIB != nil && c.SplitEmbed != g.Config().SplitEmbed {
		out.MIB = &MIB{DModel: f.MIB.DModel} // the nodes are others
	}
	out.SetCircuit(to, m, scores, f.AllEdgesIncluded)
	return &out, lost, nil
}
