package circuit

import "fmt"

// Mask says, by edge number, which edges are present.
type Mask []bool

// Gates says, by edge number, how much of an edge is present, from 0 to 1.
type Gates []float32

// Scores says, by edge number, what an edge is worth; its meaning is the
// algorithm's.
type Scores []float64

// Full returns the mask with every edge present: the whole model.
func (g *Graph) Full() Mask {
	m := make(Mask, g.NumEdges())
	for i := range m {
		m[i] = true
	}
	return m
}

// Empty returns the mask with no edge present: the corrupted run.
func (g *Graph) Empty() Mask { return make(Mask, g.NumEdges()) }

// Clone returns a copy.
func (m Mask) Clone() Mask { return append(Mask(nil), m...) }

// Count is the number of edges present.
func (m Mask) Count() int {
	n := 0
	for _, present := range m {
		if present {
			n++
		}
	}
	return n
}

// Parts are the heads, MLPs, embeddings and the output in which a mask's edges
// begin or end. It panics if the mask is of another graph.
func (g *Graph) Parts(m Mask) map[Node]bool {
	g.checkMask("Parts", m)
	out := map[Node]bool{}
	for i, present := range m {
		if present {
			e := g.Edge(i)
			out[e.Sender.Part()], out[e.Receiver.Part()] = true, true
		}
	}
	return out
}

// Gates returns the gates that are 1 where an edge is present and 0 elsewhere.
func (m Mask) Gates() Gates {
	out := make(Gates, len(m))
	for i, present := range m {
		if present {
			out[i] = 1
		}
	}
	return out
}

// Check refuses gates that are not one for each edge of the graph, each from 0
// to 1.
func (a Gates) Check(g *Graph) error {
	if len(a) != g.NumEdges() {
		return fmt.Errorf("gates: expected one for each of %d edges, found %d", g.NumEdges(), len(a))
	}
	for i, x := range a {
		if !(x >= 0 && x <= 1) { // NaN is neither
			return fmt.Errorf("gates: edge %v: expected a number from 0 to 1, found %v", g.Edge(i), x)
		}
	}
	return nil
}

// checkMask panics if a mask is of another graph.
func (g *Graph) checkMask(what string, m Mask) {
	if len(m) != g.NumEdges() {
		panic(fmt.Sprintf("circuit: %s: a mask of %d edges, the graph has %d", what, len(m), g.NumEdges()))
	}
}

// present reports whether a template's edge is present in any span.
func (g *Graph) present(m Mask, edge int) bool {
	for span := range g.spans {
		if m[g.Number(span, edge)] {
			return true
		}
	}
	return false
}

// cut removes a template's edge from every span.
func (g *Graph) cut(m Mask, edge int) {
	for span := range g.spans {
		m[g.Number(span, edge)] = false
	}
}

// HasOutgoing reports whether a present edge leaves node n in any span.
// Placeholder edges count as present until their end is dropped, so that a
// head's q, k and v have one as long as the head itself has.
func (g *Graph) HasOutgoing(m Mask, n Node) bool {
	g.checkMask("HasOutgoing", m)
	switch {
	case n.Kind == Output:
		return true
	case n.Kind == MLPIn:
		return g.HasOutgoing(m, Node{Kind: MLP, Layer: n.Layer})
	case n.Kind >= Q && n.Kind <= V, n.Kind >= QInput && n.Kind <= VInput && g.cfg.Definition != ACDC:
		return g.HasOutgoing(m, Node{Kind: Head, Layer: n.Layer, Head: n.Head})
	}
	if n.Kind >= QInput && n.Kind <= VInput {
		lo, _ := g.Incoming(Node{Kind: n.Kind - QInput + Q, Layer: n.Layer, Head: n.Head})
		return g.present(m, lo) && g.HasOutgoing(m, Node{Kind: Head, Layer: n.Layer, Head: n.Head})
	}
	s := g.SenderIndex(n)
	for i, r := range g.receivers {
		if e := g.first[i] + s; e < g.first[i+1] && (r.Kind < Q || r.Kind > V) && g.present(m, e) {
			return true
		}
	}
	return false
}

// Prune removes the edges that carry nothing and returns how many it removed:
// those from whose receiver no present path leads to the output and, if orphans
// are to go too, those into whose sender none leads from the embeddings.
//
// A node without a path from the embeddings computes its output from what the
// corrupted run has at all its inputs. Where the corrupted run is a run of the
// model (resample ablation), that output is the corrupted run's own, and an edge
// that carries it is as good as cut. Where it is made by putting other values in
// the place of outputs (zero and mean ablation), it is not, and orphans carry
// something.
func (g *Graph) Prune(m Mask, orphans bool) int {
	g.checkMask("Prune", m)
	before := m.Count()
	if orphans {
		g.pruneOrphans(m)
	}
	g.pruneDeadEnds(m) // which leaves no new orphans: what still leads on keeps what leads to it
	return before - m.Count()
}

// Idle returns the edges that Prune would remove.
func (g *Graph) Idle(m Mask, orphans bool) Mask {
	g.checkMask("Idle", m)
	left := m.Clone()
	g.Prune(left, orphans)
	idle := g.Empty()
	for i := range m {
		idle[i] = m[i] && !left[i]
	}
	return idle
}

// pruneDeadEnds drops, in reverse order of computation, all edges into nodes
// that no present edge leaves.
func (g *Graph) pruneDeadEnds(m Mask) {
	for i := len(g.receivers) - 1; i >= 0; i-- {
		if g.HasOutgoing(m, g.receivers[i]) {
			continue
		}
		for e := g.first[i]; e < g.first[i+1]; e++ {
			g.cut(m, e)
		}
	}
}

// pruneOrphans drops, in the order of computation, all edges that leave nodes
// that nothing reaches from the embeddings.
func (g *Graph) pruneOrphans(m Mask) {
	reached := make(map[Node]bool, len(g.byNode))
	for _, s := range g.senders {
		if s.Kind <= PosEmbed {
			reached[s] = true
		}
	}
	for i, r := range g.receivers {
		for e := g.first[i]; e < g.first[i+1]; e++ {
			if !g.present(m, e) {
				continue
			}
			if from := g.Edge(e).Sender; !reached[from] {
				g.cut(m, e)
				continue
			}
			reached[r] = true
		}
		if !reached[r] {
			continue
		}
		switch {
		case r.Kind == MLPIn:
			reached[Node{Kind: MLP, Layer: r.Layer}] = true
		case r.Kind >= Q && r.Kind <= V, r.Kind <= VInput && g.cfg.Definition != ACDC:
			reached[Node{Kind: Head, Layer: r.Layer, Head: r.Head}] = true
		}
	}
}
