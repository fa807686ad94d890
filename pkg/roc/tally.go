package roc

import "github.com/seed-2c350065/acdc/pkg/circuit"

// tally is a circuit that gets edge after edge, with what is counted of it kept
// up to date. All edges of a graph cost together a time in proportion to their
// number, so that every threshold of a method's scores can be looked at.
type tally struct {
	*network
	o       Options
	part    []int // of the model, by node
	has     circuit.Mask
	live    []bool   // by the template's edge: it is there and lies on a path
	linked  []bool   // by the template's edge: it is there
	out, in [][]link // by node
	reached []bool   // by node: a present path leads to it from an embedding
	leads   []bool   // by node: a present path leads from it to the output
	touched []bool   // by node: it is an end of a present edge
	onPath  []bool   // by node: it is an end of a live edge
	byNode  [][]int  // by node: the placeholder edges that lead to it
	edges   side     // edges, then placeholder edges
	nodes   side     // parts of the model
}

// link is an edge as one of its ends sees it.
type link struct {
	node int // the other end
	edge int // of the template, -1 for a placeholder edge
}

// side is one kind of parts: which of them the circuit has, and the comparison.
type side struct {
	in, truth []bool
	count     Count
}

// newSide begins with a circuit that has nothing.
func newSide(truth []bool) side {
	s := side{in: make([]bool, len(truth)), truth: truth}
	for _, isTrue := range truth {
		if isTrue {
			s.count.FalseNegative++
		} else {
			s.count.TrueNegative++
		}
	}
	return s
}

// add gives the circuit a part.
func (s *side) add(i int) {
	if s.in[i] {
		return
	}
	s.in[i] = true
	if s.truth[i] {
		s.count.TruePositive++
		s.count.FalseNegative--
	} else {
		s.count.FalsePositive++
		s.count.TrueNegative--
	}
}

// newTally begins with no edge.
func newTally(n *network, o Options, part []int, edges, nodes []bool) *tally {
	count, template := len(n.places), n.Template.NumEdges()
	t := &tally{
		network: n, o: o, part: part, has: n.Empty(), live: make([]bool, template), linked: make([]bool, template),
		out: make([][]link, count), in: make([][]link, count), byNode: make([][]int, count),
		reached: make([]bool, count), leads: make([]bool, count), touched: make([]bool, count), onPath: make([]bool, count),
		edges: newSide(edges), nodes: newSide(nodes),
	}
	for i, j := range n.joints {
		t.out[j[0]], t.in[j[1]] = append(t.out[j[0]], link{j[1], -1}), append(t.in[j[1]], link{j[0], -1})
		t.byNode[j[1]] = append(t.byNode[j[1]], i)
	}
	for i, node := range n.places {
		if o.Orphans || node.Kind <= circuit.PosEmbed {
			t.spread(i, t.reached, t.out, t.leads)
		}
		if node.Kind == circuit.Output {
			t.spread(i, t.leads, t.in, t.reached)
		}
	}
	return t
}

// add gives the circuit an edge of the graph.
func (t *tally) add(i int) {
	if t.has[i] {
		return
	}
	t.has[i] = true
	e := t.edge(i)
	if !t.o.Pruned || t.live[e] {
		t.edges.add(i)
	}
	if t.linked[e] {
		return
	}
	t.linked[e] = true
	from, to := t.ends[e][0], t.ends[e][1]
	t.out[from], t.in[to] = append(t.out[from], link{to, e}), append(t.in[to], link{from, e})
	t.enter(from, t.touched, false)
	t.enter(to, t.touched, false)
	if t.reached[from] {
		t.spread(to, t.reached, t.out, t.leads)
	}
	if t.leads[to] {
		t.spread(from, t.leads, t.in, t.reached)
	}
	if t.reached[from] && t.leads[to] {
		t.carry(e)
	}
}

// spread marks a node, and all that the links lead to from it. A link whose
// other end has the other mark lies on a path from now on.
func (t *tally) spread(node int, mark []bool, links [][]link, other []bool) {
	if mark[node] {
		return
	}
	mark[node] = true
	for open := []int{node}; len(open) > 0; {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		for _, l := range links[at] {
			if other[l.node] {
				t.carry(l.edge)
			}
			if !mark[l.node] {
				mark[l.node] = true
				open = append(open, l.node)
			}
		}
	}
}

// carry notes that a template's edge lies on a path.
func (t *tally) carry(e int) {
	if e < 0 || t.live[e] {
		return
	}
	t.live[e] = true
	if t.o.Pruned {
		for span := range t.Spans() {
			if i := t.Number(span, e); t.has[i] {
				t.edges.add(i)
			}
		}
	}
	t.enter(t.ends[e][0], t.onPath, true)
	t.enter(t.ends[e][1], t.onPath, true)
}

// enter notes that a node is an end of a present edge, or of one on a path.
func (t *tally) enter(node int, set []bool, path bool) {
	if set[node] {
		return
	}
	set[node] = true
	if p := t.part[node]; p >= 0 && path == (t.o.Nodes != ReferenceNodes) {
		t.nodes.add(p)
	}
	if !t.o.Placeholders || path != t.o.Pruned {
		return
	}
	for _, j := range t.byNode[node] {
		t.edges.add(len(t.has) + j)
	}
}
