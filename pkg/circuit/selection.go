package circuit

import (
	"cmp"
	"container/heap"
	"fmt"
	"math"
	"slices"

	"github.com/seed-2c350065/acdc/internal/choice"
)

// Rule is a way from scores to a circuit.
type Rule string

// The rules.
const (
	Top       Rule = "top"       // the best edges
	Threshold Rule = "threshold" // the edges whose score is at least a number
	Greedy    Rule = "greedy"    // from the output back, the best edge among those that lead to what is chosen
	Ratio     Rule = "ratio"     // a share by the signed score, the others by its size
	Flow      Rule = "flow"      // at most so many, of the largest sum, such that each leads from the input to the output
)

// Rules lists the valid rules.
func Rules() []Rule { return []Rule{Top, Threshold, Greedy, Ratio, Flow} }

// Selection says which circuit scores stand for. Its zero value is not valid.
type Selection struct {
	Rule      Rule    `json:"rule"`
	Edges     int     `json:"edges,omitempty"`     // how many are chosen, unless by threshold
	Least     float64 `json:"least,omitempty"`     // score of an edge that the rule threshold chooses
	Absolute  bool    `json:"absolute"`            // an edge is worth its score's size, not the score
	Share     float64 `json:"share,omitempty"`     // of the edges that the rule ratio chooses by the signed score
	Bootstrap int     `json:"bootstrap,omitempty"` // resamplings of the examples in which a chosen edge's score must keep its sign, 0 for none; whoever has the examples' scores sees to it
}

// Check refuses what cannot be meant for a graph.
func (s Selection) Check(g *Graph) error {
	if _, err := choice.Parse("rule", string(s.Rule), Rules()); err != nil {
		return err
	}
	if s.Edges < 0 || s.Rule != Threshold && s.Edges > g.NumEdges() {
		return fmt.Errorf("edges: expected 0 to %d, the graph's, found %d", g.NumEdges(), s.Edges)
	}
	if math.IsNaN(s.Least) {
		return fmt.Errorf("least: expected a number, found NaN")
	}
	if !(s.Share >= 0 && s.Share <= 1) {
		return fmt.Errorf("share: expected a number from 0 to 1, found %v", s.Share)
	}
	if s.Bootstrap < 0 {
		return fmt.Errorf("bootstrap: expected a number of resamplings of at least 0, found %d", s.Bootstrap)
	}
	return nil
}

// Choose returns the edges that the selection takes, as many as it says where
// it says how many. Prune then removes those that lead nowhere. An edge whose
// score is NaN is not taken; of equal ones the first is. A direct edge is part
// of its head: it is never chosen, and is there, uncounted, where an edge into
// its start is.
func (s Selection) Choose(g *Graph, scores Scores) (Mask, error) {
	m, _, err := s.ChooseWithin(g, scores)
	return m, err
}

// ChooseWithin is Choose, and says of the rule flow by how much the sum of the
// scores may be less than the largest there is: 0 where it is the largest.
func (s Selection) ChooseWithin(g *Graph, scores Scores) (m Mask, gap float64, err error) {
	if len(scores) != g.NumEdges() {
		return nil, 0, fmt.Errorf("scores: expected one for each of %d edges, found %d", g.NumEdges(), len(scores))
	}
	if err := s.Check(g); err != nil {
		return nil, 0, err
	}
	scores = g.withoutDirect(scores)
	worth := scores
	if s.Absolute || s.Rule == Ratio {
		worth = sizes(scores)
	}
	m = g.Empty()
	switch s.Rule {
	case Threshold:
		for i, x := range worth {
			m[i] = x >= s.Least
		}
	case Greedy:
		g.greedy(m, worth, s.Edges)
	case Flow:
		gap = g.flow(m, worth, s.Edges)
	case Ratio:
		best(m, scores, int(math.Round(s.Share*float64(s.Edges))))
		best(m, worth, s.Edges-m.Count())
	default:
		best(m, worth, s.Edges)
	}
	g.addDirect(m)
	return m, gap, nil
}

// withoutDirect are scores without those of direct edges.
func (g *Graph) withoutDirect(scores Scores) Scores {
	out := slices.Clone(scores)
	for i := range out {
		if g.Edge(i).IsDirect() {
			out[i] = math.NaN()
		}
	}
	return out
}

// addDirect adds to m the direct edges from the inputs that its edges end in.
func (g *Graph) addDirect(m Mask) {
	if g.cfg.Definition != ACDC {
		return
	}
	for i, present := range m {
		r := g.Edge(i).Receiver
		if !present || r.Kind < QInput || r.Kind > VInput {
			continue
		}
		lo, _ := g.Incoming(Node{Kind: r.Kind - QInput + Q, Layer: r.Layer, Head: r.Head})
		m[g.Number(g.SpanOf(i), lo)] = true
	}
}

// sizes are the absolute values of scores.
func sizes(scores Scores) Scores {
	out := make(Scores, len(scores))
	for i, x := range scores {
		out[i] = math.Abs(x)
	}
	return out
}

// best adds to m the n edges of most worth among those that it does not have.
func best(m Mask, worth Scores, n int) {
	var left []int
	for i, x := range worth {
		if !m[i] && !math.IsNaN(x) {
			left = append(left, i)
		}
	}
	slices.SortStableFunc(left, func(a, b int) int { return cmp.Compare(worth[b], worth[a]) })
	for _, i := range left[:min(n, len(left))] {
		m[i] = true
	}
}

// greedy adds to m the best edge among those into the output, then those into
// what the edges chosen come from as well, and so on, n in all (MIB's greedy
// selection).
func (g *Graph) greedy(m Mask, worth Scores, n int) {
	open := candidates{worth: worth}
	asked := map[Node]bool{}
	ask := func(r Node) {
		if asked[r] {
			return
		}
		asked[r] = true
		lo, hi := g.Incoming(r)
		for span := range g.spans {
			for e := lo; e < hi; e++ {
				if i := g.Number(span, e); !math.IsNaN(worth[i]) {
					heap.Push(&open, i)
				}
			}
		}
	}
	ask(Node{Kind: Output})
	for k := 0; k < n && open.Len() > 0; k++ {
		i := heap.Pop(&open).(int)
		m[i] = true
		for _, r := range g.feeds(g.Edge(i).Sender) {
			ask(r)
		}
	}
}

// feeds lists the receivers of the residual stream that a node's value is
// computed from.
func (g *Graph) feeds(n Node) []Node {
	switch n.Kind {
	case MLP:
		return []Node{{Kind: MLPIn, Layer: n.Layer}}
	case Head:
		return []Node{{Kind: QInput, Layer: n.Layer, Head: n.Head}, {Kind: KInput, Layer: n.Layer, Head: n.Head}, {Kind: VInput, Layer: n.Layer, Head: n.Head}}
	}
	return nil
}

// candidates is a heap of edges, the best first, of equal ones the first.
type candidates struct {
	worth Scores
	edges []int
}

func (c *candidates) Len() int { return len(c.edges) }
func (c *candidates) Less(i, j int) bool {
	a, b := c.edges[i], c.edges[j]
	return c.worth[a] > c.worth[b] || c.worth[a] == c.worth[b] && a < b
}
func (c *candidates) Swap(i, j int) { c.edges[i], c.edges[j] = c.edges[j], c.edges[i] }
func (c *candidates) Push(x any)    { c.edges = append(c.edges, x.(int)) }
func (c *candidates) Pop() any {
	last := len(c.edges) - 1
	x := c.edges[last]
	c.edges = c.edges[:last]
	return x
}
