package roc

import (
	"slices"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// network is a graph with its nodes numbered, the senders first, and what is
// looked up at every edge that a circuit gets.
type network struct {
	*circuit.Graph
	places []circuit.Node // senders, then receivers
	ends   [][2]int       // by the template's edge: sender, receiver
	direct []int          // by the template's edge: the direct edge of the head's input that it ends in, or -1
	joints [][2]int       // placeholder edges: sender, receiver
}

func newNetwork(g *circuit.Graph) *network {
	n := &network{Graph: g, places: slices.Clone(g.Senders())}
	at := map[circuit.Node]int{}
	for i, node := range slices.Concat(g.Senders(), g.Receivers()) {
		at[node] = i
	}
	for _, r := range g.Receivers() {
		n.places = append(n.places, r)
		n.addEdges(r, at)
		if to, ok := feeds(g, r); ok {
			n.joints = append(n.joints, [2]int{at[r], at[to]})
		}
	}
	return n
}

// edge is the number in the template of an edge of the graph.
func (n *network) edge(i int) int { return i % len(n.ends) }

// addEdges numbers the edges that end in a receiver, which are the next.
func (n *network) addEdges(r circuit.Node, at map[circuit.Node]int) {
	follows := -1
	letter, ofHead := r.Letter()
	computed := circuit.Node{Kind: circuit.Q + circuit.Kind(letter), Layer: r.Layer, Head: r.Head}
	if ofHead && r != computed && n.Has(computed) {
		follows, _ = n.Incoming(computed)
	}
	lo, hi := n.Incoming(r)
	for e := lo; e < hi; e++ {
		from := e - lo
		if ofHead && r == computed {
			from = at[circuit.Node{Kind: circuit.QInput + circuit.Kind(letter), Layer: r.Layer, Head: r.Head}]
		}
		n.ends = append(n.ends, [2]int{from, at[r]})
		n.direct = append(n.direct, follows)
	}
}

// feeds is the sender that a receiver's placeholder edge leads to.
func feeds(g *circuit.Graph, r circuit.Node) (circuit.Node, bool) {
	_, ofHead := r.Letter()
	switch {
	case r.Kind == circuit.MLPIn:
		return circuit.Node{Kind: circuit.MLP, Layer: r.Layer}, true
	case ofHead && (r.Kind >= circuit.Q || g.Config().Definition != circuit.ACDC):
		return circuit.Node{Kind: circuit.Head, Layer: r.Layer, Head: r.Head}, true
	}
	return circuit.Node{}, false
}

// parts numbers what a rule counts as nodes: by node its part, or -1 where it
// does not count.
func (n *network) parts(rule NodeRule) (part []int, count int) {
	number := map[circuit.Node]int{}
	for _, node := range n.places {
		if rule == ReferenceNodes {
			if node.Kind == circuit.MLPIn {
				part = append(part, -1)
				continue
			}
		} else {
			node = partOf(node)
		}
		if _, ok := number[node]; !ok {
			number[node] = len(number)
		}
		part = append(part, number[node])
	}
	return part, len(number)
}

// partOf is the node that stands for the part of the model that a node belongs
// to.
func partOf(n circuit.Node) circuit.Node {
	letter, ofHead := n.Letter()
	switch {
	case n.Kind == circuit.MLPIn:
		n.Kind = circuit.MLP
	case ofHead:
		n.Kind = circuit.QInput + circuit.Kind(letter)
	}
	return n
}
