package circuit

// Mask says, by edge number, which edges are present.
type Mask []bool

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

// HasOutgoing reports whether a present edge leaves node n. Placeholder edges
// count as present until their end is dropped, so that a head's q, k and v
// have one as long as the head itself has.
func (g *Graph) HasOutgoing(m Mask, n Node) bool {
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
		return m[lo] && g.HasOutgoing(m, Node{Kind: Head, Layer: n.Layer, Head: n.Head})
	}
	s := g.SenderIndex(n)
	for i, r := range g.receivers {
		if e := g.first[i] + s; e < g.first[i+1] && (r.Kind < Q || r.Kind > V) && m[e] {
			return true
		}
	}
	return false
}

// PruneUnreachable removes every edge from whose receiver no present path
// leads to the output, and every edge into whose sender none leads from the
// input, and returns how many it removed. The metric of a patched run may
// change with the latter: a node without inputs still computes its corrupted
// value, which under resampling is no change at all.
func (g *Graph) PruneUnreachable(m Mask) int {
	before := m.Count()
	g.pruneDeadEnds(m)
	g.pruneOrphans(m)
	g.pruneDeadEnds(m)
	return before - m.Count()
}

// pruneDeadEnds drops, in reverse order of computation, all edges into nodes
// that no present edge leaves.
func (g *Graph) pruneDeadEnds(m Mask) {
	for i := len(g.receivers) - 1; i >= 0; i-- {
		if g.HasOutgoing(m, g.receivers[i]) {
			continue
		}
		clear(m[g.first[i]:g.first[i+1]])
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
			if !m[e] {
				continue
			}
			if from := g.Edge(e).Sender; !reached[from] {
				m[e] = false
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
