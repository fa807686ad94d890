package judge

import (
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// paths draws paths from an embedding to the output.
type paths struct {
	graph   *circuit.Graph
	rng     *rand.Rand
	begins  []circuit.Node
	leaving [][]int // by sender, its edges
}

func newPaths(g *circuit.Graph, rng *rand.Rand) *paths {
	p := &paths{graph: g, rng: rng, leaving: make([][]int, len(g.Senders()))}
	for _, s := range g.Senders() {
		if s.Kind <= circuit.PosEmbed {
			p.begins = append(p.begins, s)
		}
	}
	for i := range g.NumEdges() {
		if e := g.Edge(i); !e.IsDirect() {
			s := g.SenderIndex(e.Sender)
			p.leaving[s] = append(p.leaving[s], i)
		}
	}
	return p
}

// draw is the edges of one path: from each node one of the edges that leave it,
// each with the same probability, and the direct edge of a head's input.
func (p *paths) draw() (edges []int) {
	at := p.begins[p.rng.IntN(len(p.begins))]
	for {
		leaving := p.leaving[p.graph.SenderIndex(at)]
		e := leaving[p.rng.IntN(len(leaving))]
		edges = append(edges, e)
		r := p.graph.Edge(e).Receiver
		side, isHead := r.Letter()
		switch {
		case isHead:
			if p.graph.Config().Definition == circuit.ACDC {
				lo, _ := p.graph.Incoming(circuit.Node{Kind: circuit.Q + circuit.Kind(side), Layer: r.Layer, Head: r.Head})
				edges = append(edges, p.graph.Number(p.graph.SpanOf(e), lo))
			}
			at = circuit.Node{Kind: circuit.Head, Layer: r.Layer, Head: r.Head}
		case r.Kind == circuit.MLPIn:
			at = circuit.Node{Kind: circuit.MLP, Layer: r.Layer}
		default:
			return edges
		}
	}
}

// inVain is how many paths in a row may bring no new edge before edges are drawn
// alone.
const inVain = 100

// grow adds paths to a mask until it has at least a number of edges, and returns
// those that are new.
func (p *paths) grow(m circuit.Mask, atLeast int) (added []int) {
	atLeast = min(atLeast, len(m))
	for vain, count := 0, m.Count(); count < atLeast; {
		edges := p.draw()
		if vain == inVain {
			edges = []int{p.rng.IntN(len(m))}
		}
		fresh := len(added)
		for _, e := range edges {
			if !m[e] {
				m[e], added = true, append(added, e)
			}
		}
		switch fresh = len(added) - fresh; {
		case vain == inVain: // and stays so
		case fresh > 0:
			vain = 0
		default:
			vain++
		}
		count += fresh
	}
	return added
}

// circuit is a random circuit of at least a number of edges, all on paths from an
// embedding to the output.
func (p *paths) circuit(atLeast int) circuit.Mask {
	m := p.graph.Empty()
	p.grow(m, atLeast)
	return m
}
