package draw

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// limit keeps the strongest arrows, in their order; n is 0 for all.
func (p *picture) limit(n int) {
	if n <= 0 || n >= len(p.edges) {
		return
	}
	order := make([]int, len(p.edges))
	for i := range order {
		order[i] = i
	}
	size := func(i int) float64 { // what has none is the weakest
		if x := p.edges[i].strength; !math.IsNaN(x) {
			return x
		}
		return -1
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(size(b), size(a)) })
	p.dropped = len(p.edges) - n
	p.least = max(0, size(order[n-1]))
	kept := order[:n]
	slices.Sort(kept)
	out := make([]edge, n)
	for k, i := range kept {
		out[k] = p.edges[i]
	}
	p.edges = out
}

// droppedLine says what the limit left out.
func (p *picture) droppedLine() string {
	n, of := len(p.edges), len(p.edges)+p.dropped
	what := "edges"
	if p.collapse != CollapseNone {
		what = "arrows"
	}
	switch {
	case p.dropped == 0:
		return ""
	case p.ranked:
		return fmt.Sprintf("the strongest %d of %d %s", n, of, what)
	case !p.scored && p.collapse == CollapseNone:
		return fmt.Sprintf("the first %d of %d %s: none has an effect", n, of, what)
	case p.countsEdges():
		return fmt.Sprintf("the widest %d of %d arrows, each for at least %s", n, of, edgeCount(int(p.least), "%s"))
	}
	return fmt.Sprintf("the strongest %d of %d %s, |effect| at least %s", n, of, what, number(p.least))
}
