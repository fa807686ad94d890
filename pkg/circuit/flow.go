package circuit

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
)

// Selection under flow constraints (arXiv:2510.25786): of at most n edges, those
// that keep the largest sum of scores, such that every head and MLP that an edge
// begins or ends in has one that comes in and one that goes out. It is an integer
// programme, solved here by branch and bound. A subproblem forces some edges and
// bans others; without the constraints its optimum is the best edges that are
// left, which bounds it from above. Where that is no circuit, it is divided: by
// whether a node that lacks a side is part of the circuit at all, and then by
// whether the best edge of the side that it lacks is.

// flowSteps bounds how many subproblems are looked at.
const flowSteps = 10_000

// flow is an integer programme. Nodes are numbered: 0 is where streams begin, 1
// the output, then heads and MLPs.
type flow struct {
	worth    []float64  // by place
	edges    []int      // by place, the graph's edge, the best first
	from, to []int      // by place, the nodes it joins
	sides    [][2][]int // by node, the places that come in and that go out, the best first
	n        int
	best     []int // places of the best circuit found
	value    float64
}

// branch is a subproblem.
type branch struct {
	parent *branch
	place  int  // of the edge that is decided, -1 for none
	node   int  // or the node, -1 for none
	in     bool // it is part
	bound  float64
}

// decided are the decisions of a subproblem.
type decided struct {
	edge map[int]bool
	node map[int]bool
}

// flow adds to m the edges of the best circuit found, and returns how much more
// than theirs the sum of any circuit can be: 0 if it is the best.
func (g *Graph) flow(m Mask, worth Scores, n int) float64 {
	x := g.newFlow(worth, n)
	x.begin(g, worth)
	open := &branches{{place: -1, node: -1, bound: math.Inf(1)}}
	gap := 0.0
	for step := 0; open.Len() > 0; step++ {
		b := heap.Pop(open).(*branch)
		if b.bound <= x.value {
			break // the best that is open is no better
		}
		if step == flowSteps {
			gap = b.bound - x.value
			break
		}
		x.divide(b, open)
	}
	for _, p := range x.best {
		m[x.edges[p]] = true
	}
	return gap
}

func (g *Graph) newFlow(worth Scores, n int) *flow {
	x := &flow{n: n}
	for i, w := range worth {
		if !math.IsNaN(w) {
			x.edges = append(x.edges, i)
		}
	}
	slices.SortStableFunc(x.edges, func(a, b int) int { return cmp.Compare(worth[b], worth[a]) })
	number := map[Node]int{{Kind: Output}: 1}
	numbered := func(n Node) int {
		if n = n.Part(); n.Kind <= PosEmbed {
			return 0
		}
		if _, ok := number[n]; !ok {
			number[n] = len(number) + 1
		}
		return number[n]
	}
	for _, i := range x.edges {
		e := g.Edge(i)
		x.worth = append(x.worth, worth[i])
		x.from, x.to = append(x.from, numbered(e.Sender)), append(x.to, numbered(e.Receiver))
	}
	x.sides = make([][2][]int, len(number)+1)
	for p := range x.edges {
		x.sides[x.to[p]][0] = append(x.sides[x.to[p]][0], p)
		x.sides[x.from[p]][1] = append(x.sides[x.from[p]][1], p)
	}
	return x
}

// decisions collects what a subproblem and those that it came from decided. Both
// ends of a forced edge are part of the circuit.
func (x *flow) decisions(b *branch) (d decided, possible bool) {
	d = decided{map[int]bool{}, map[int]bool{}}
	for ; b != nil; b = b.parent {
		if b.place >= 0 {
			d.edge[b.place] = b.in
		}
		if b.node >= 0 {
			d.node[b.node] = b.in
		}
	}
	forced := 0
	for p, in := range d.edge {
		if !in {
			continue
		}
		forced++
		for _, v := range []int{x.from[p], x.to[p]} {
			if in, ok := d.node[v]; ok && !in {
				return d, false
			}
			if v > 1 {
				d.node[v] = true
			}
		}
	}
	return d, forced <= x.n
}

// allowed reports whether an edge may be part.
func (x *flow) allowed(d decided, p int) bool {
	if in, ok := d.edge[p]; ok && !in {
		return false
	}
	for _, v := range []int{x.from[p], x.to[p]} {
		if in, ok := d.node[v]; ok && !in {
			return false
		}
	}
	return true
}

// relaxed is the optimum without the constraints: the forced edges, and the best
// of those that add something.
func (x *flow) relaxed(d decided) (chosen []int, value float64) {
	for p, in := range d.edge {
		if in {
			chosen, value = append(chosen, p), value+x.worth[p]
		}
	}
	for p := 0; p < len(x.edges) && len(chosen) < x.n && x.worth[p] > 0; p++ {
		if _, ok := d.edge[p]; !ok && x.allowed(d, p) {
			chosen, value = append(chosen, p), value+x.worth[p]
		}
	}
	slices.Sort(chosen)
	return chosen, value
}

// lacking lists the nodes of a choice, and those that must be part, that have
// only one side, each with the side that it lacks.
func (x *flow) lacking(chosen []int, must map[int]bool) (nodes, sides []int) {
	has := make([][2]bool, len(x.sides))
	for _, p := range chosen {
		has[x.to[p]][0], has[x.from[p]][1] = true, true
	}
	for v := 2; v < len(has); v++ {
		if !has[v][0] && !has[v][1] && !must[v] {
			continue
		}
		for side := range 2 {
			if !has[v][side] {
				nodes, sides = append(nodes, v), append(sides, side)
			}
		}
	}
	return nodes, sides
}

// divide looks at a subproblem, and opens those that it is divided into.
func (x *flow) divide(b *branch, open *branches) {
	d, possible := x.decisions(b)
	if !possible {
		return
	}
	chosen, value := x.relaxed(d)
	bound := min(b.bound, value)
	if bound <= x.value && x.best != nil {
		return
	}
	nodes, sides := x.lacking(chosen, d.node)
	if len(nodes) == 0 {
		x.found(chosen)
		return
	}
	x.found(x.pruned(chosen))
	v, side := nodes[0], sides[0]
	for i, other := range nodes { // what must be part first
		if d.node[other] {
			v, side = other, sides[i]
			break
		}
	}
	if !d.node[v] {
		for _, in := range []bool{true, false} {
			heap.Push(open, &branch{parent: b, place: -1, node: v, in: in, bound: bound})
		}
		return
	}
	for _, p := range x.sides[v][side] {
		if _, ok := d.edge[p]; !ok && x.allowed(d, p) {
			for _, in := range []bool{true, false} {
				heap.Push(open, &branch{parent: b, place: p, node: -1, in: in, bound: bound})
			}
			return
		}
	}
}

// pruned is what is left of a choice without the nodes that lack a side, with the
// best edges between those that remain in the room that this makes.
func (x *flow) pruned(chosen []int) []int {
	for {
		nodes, _ := x.lacking(chosen, nil)
		if len(nodes) == 0 {
			break
		}
		chosen = slices.DeleteFunc(slices.Clone(chosen), func(p int) bool {
			return slices.Contains(nodes, x.from[p]) || slices.Contains(nodes, x.to[p])
		})
	}
	part := map[int]bool{0: true, 1: true}
	for _, p := range chosen {
		part[x.from[p]], part[x.to[p]] = true, true
	}
	return x.filled(chosen, part)
}

// begin finds circuits to begin with: the greedy one, and what joins the nodes of
// the best edges.
func (x *flow) begin(g *Graph, worth Scores) {
	m := g.Empty()
	g.greedy(m, worth, x.n)
	var chosen []int
	for p, i := range x.edges {
		if m[i] {
			chosen = append(chosen, p)
		}
	}
	x.found(x.pruned(chosen))
	best, _ := x.relaxed(decided{})
	x.found(x.joined(best))
	x.found(x.joined(chosen))
}

// joined makes a circuit of the nodes of a choice: each gets its best edge on
// either side, to or from one of the others, and what room is left goes to the
// best edges between them. While the room is too small, the node whose edges are
// worth least goes.
func (x *flow) joined(chosen []int) []int {
	part := map[int]bool{0: true, 1: true}
	for _, p := range chosen {
		part[x.from[p]], part[x.to[p]] = true, true
	}
	for len(part) > 2 {
		needed, value, worst := map[int]bool{}, map[int]float64{}, -1
		for v := range part {
			for side := range 2 {
				if v <= 1 {
					continue
				}
				i := slices.IndexFunc(x.sides[v][side], func(p int) bool { return part[x.from[p]] && part[x.to[p]] })
				if i < 0 {
					value[v] = math.Inf(-1)
					continue
				}
				p := x.sides[v][side][i]
				needed[p] = true
				value[v] += x.worth[p]
			}
			if v > 1 && (worst < 0 || value[v] < value[worst] || value[v] == value[worst] && v < worst) {
				worst = v
			}
		}
		if len(needed) > x.n || math.IsInf(value[worst], -1) {
			delete(part, worst)
			continue
		}
		out := make([]int, 0, x.n)
		for p := range needed {
			out = append(out, p)
		}
		slices.Sort(out)
		return x.filled(out, part)
	}
	return x.filled(nil, part)
}

// filled adds the best edges between some nodes as long as there is room.
func (x *flow) filled(chosen []int, part map[int]bool) []int {
	for p := 0; p < len(x.edges) && len(chosen) < x.n && x.worth[p] > 0; p++ {
		if part[x.from[p]] && part[x.to[p]] && !slices.Contains(chosen, p) {
			chosen = append(chosen, p)
		}
	}
	return chosen
}

// found keeps a circuit if it is the best so far.
func (x *flow) found(chosen []int) {
	value := 0.0
	for _, p := range chosen {
		value += x.worth[p]
	}
	if x.best == nil || value > x.value {
		x.best, x.value = append([]int{}, chosen...), value
	}
}

// branches is a heap of subproblems, the one of the highest bound first.
type branches []*branch

func (h branches) Len() int           { return len(h) }
func (h branches) Less(i, j int) bool { return h[i].bound > h[j].bound }
func (h branches) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *branches) Push(b any)        { *h = append(*h, b.(*branch)) }
func (h *branches) Pop() any {
	last := len(*h) - 1
	b := (*h)[last]
	*h = (*h)[:last]
	return b
}
