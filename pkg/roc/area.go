package roc

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// ReferenceLeast is the threshold below which the reference leaves out runs of
// ACDC from its figures and areas, but not those of other methods.
const ReferenceLeast = 1e-6

// Rates are a point below a curve, each from 0 to 1.
type Rates struct {
	FPR, TPR float64
}

// byRates orders points from left to right, and in a column upwards.
func byRates(a, b Rates) int { return cmp.Or(cmp.Compare(a.FPR, b.FPR), cmp.Compare(a.TPR, b.TPR)) }

// withEnds are points in order, with (0,0) and (1,1), which every curve has: the
// circuit without edges and the whole model.
func withEnds(points []Rates) []Rates {
	out := append([]Rates{{0, 0}, {1, 1}}, points...)
	slices.SortFunc(out, byRates)
	return out
}

// Frontier are points in order, from (0,0) to (1,1), without those that are
// dominated: one further left is higher. They climb from left to right.
func Frontier(points []Rates) []Rates {
	var out []Rates
	highest := 0.0 // so far, which in the same column is no higher than the next
	for _, p := range withEnds(points) {
		if p.TPR >= highest {
			out, highest = append(out, p), p.TPR
		}
	}
	return out
}

// Pessimistic is the area below the stairs that go from each point of the
// frontier to the right and only then up (pessimistic_auc of Conmy et al. 2023):
//
//	Σ_i (1 − fpr_i)·(tpr_i − tpr_{i−1})
//
// Between two points it takes the worse one's TPR, so that a method with few
// points loses.
func Pessimistic(points []Rates) float64 {
	area, below := 0.0, 0.0
	for _, p := range Frontier(points) {
		area += (1 - p.FPR) * (p.TPR - below)
		below = p.TPR
	}
	return area
}

// Trapezoid is the usual area, below the straight lines between the points in
// order, from (0,0) to (1,1), the dominated ones among them:
//
//	Σ_i (fpr_i − fpr_{i−1})·(tpr_i + tpr_{i−1})/2
//
// Over every threshold of scores it is the probability that an edge of the true
// circuit has a higher score than another edge, equal ones counting half.
func Trapezoid(points []Rates) float64 { return trapezoids(withEnds(points)) }

// trapezoids is the area below the lines between points as they stand.
func trapezoids(points []Rates) float64 {
	area := 0.0
	for i := 1; i < len(points); i++ {
		area += (points[i].FPR - points[i-1].FPR) * (points[i].TPR + points[i-1].TPR) / 2
	}
	return area
}

// InterpBench is the area as the MIB benchmark takes it on InterpBench's models:
// trapezoids between the points from the smallest circuit to the largest,
// without (0,0) and (1,1), divided by the FPR of the last. Without any false
// positive there is no area.
func InterpBench(points []Rates) (area float64, ok bool) {
	if len(points) == 0 || points[len(points)-1].FPR == 0 {
		return 0, false
	}
	return trapezoids(points) / points[len(points)-1].FPR, true
}

// Greedy compares the circuits that the MIB benchmark makes of scores for
// InterpBench's area: of the sizes p = .001 … 1, ⌈p·N⌉ edges of N by the size of
// their scores, from the output back, without those that lead nowhere. Its
// thresholds are 1 − p, and its InterpBench is set where there is one. Of direct
// edges, which are chosen with others, N has none.
func (t *Truth) Greedy(ctx context.Context, name string, scores circuit.Scores) (Curve, error) {
	order, _, err := t.made("Greedy").ranked(scores, true)
	if err != nil {
		return Curve{}, err
	}
	all := t.net.Choosable()
	var found []Found
	for _, p := range circuit.MIBSizes() {
		if err := ctx.Err(); err != nil {
			return Curve{}, err
		}
		n := min(int(math.Ceil(p*float64(all))), len(order))
		m, err := circuit.Selection{Rule: circuit.Greedy, Edges: n, Absolute: true}.Choose(t.net.Graph, scores)
		if err != nil {
			return Curve{}, err
		}
		t.net.Prune(m, true)
		found = append(found, Found{1 - p, m})
	}
	c, err := t.FromCircuits(ctx, name, found)
	if area, ok := InterpBench(c.Rates(Edges)); err == nil && ok {
		c.InterpBench = &area
	}
	return c, err
}
