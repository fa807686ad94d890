package roc

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// Point is a circuit compared with the true one.
type Point struct {
	Threshold    float64 // what the circuit was found with
	Edges, Nodes Count
}

// Of is the comparison of one kind of parts.
func (p Point) Of(part Part) Count {
	if part == Nodes {
		return p.Nodes
	}
	return p.Edges
}

// Curve is what a method finds over its thresholds.
type Curve struct {
	Name        string   // of the method
	Least       float64  // points of lower thresholds do not count for Pessimistic (see ReferenceLeast); 0: all count
	InterpBench *float64 // InterpBench's area of edges, nil where the method has no scores
	Points      []Point  // in the order in which they were found, from scores with falling threshold
}

// Rates are the points as rates of one kind of parts.
func (c Curve) Rates(of Part) []Rates {
	out := make([]Rates, len(c.Points))
	for i, p := range c.Points {
		out[i] = p.Of(of).Rates()
	}
	return out
}

// Pessimistic is the area as the reference has it, without the points below
// Least.
func (c Curve) Pessimistic(of Part) float64 { return Pessimistic(c.Counted().Rates(of)) }

// Trapezoid is the usual area, over all points.
func (c Curve) Trapezoid(of Part) float64 { return Trapezoid(c.Rates(of)) }

// Counted is the curve without the points below Least.
func (c Curve) Counted() Curve {
	if c.Least == 0 {
		return c
	}
	c.Points = slices.DeleteFunc(slices.Clone(c.Points), func(p Point) bool { return p.Threshold < c.Least })
	return c
}

// Found is a circuit that a method found with a threshold, or whatever else its
// size depends on.
type Found struct {
	Threshold float64
	Mask      circuit.Mask
}

// FromCircuits compares circuits that a method found, in the order in which they
// are given. It panics if a mask is of another graph.
func (t *Truth) FromCircuits(ctx context.Context, name string, circuits []Found) (Curve, error) {
	c := Curve{Name: name}
	for i, found := range circuits {
		if err := ctx.Err(); err != nil {
			return Curve{}, err
		}
		if err := checkFinite(found.Threshold); err != nil {
			return Curve{}, fmt.Errorf("circuit %d: threshold: %w", i, err)
		}
		x := t.tallied("FromCircuits", found.Mask)
		c.Points = append(c.Points, Point{found.Threshold, x.edges.count, x.nodes.count})
	}
	return c, nil
}

// Scoring says which circuits scores stand for.
type Scoring struct {
	Absolute   bool      // an edge is worth its score's size, not the score
	Thresholds []float64 // at which circuits are compared; nil: at every one that makes a difference
}

// FromScores compares, with falling threshold, the circuits of the edges that
// are worth at least the threshold. As in circuit.Selection an edge without a
// score (NaN) is in none, and a direct edge is there where an edge into its
// start is.
func (t *Truth) FromScores(ctx context.Context, name string, scores circuit.Scores, s Scoring) (Curve, error) {
	order, worth, err := t.made("FromScores").ranked(scores, s.Absolute)
	if err != nil {
		return Curve{}, err
	}
	thresholds, err := s.thresholds(order, worth)
	if err != nil {
		return Curve{}, err
	}
	c, x, next := Curve{Name: name, Points: make([]Point, 0, len(thresholds))}, t.tally(), 0
	for i, threshold := range thresholds {
		if i%256 == 0 && ctx.Err() != nil {
			return Curve{}, ctx.Err()
		}
		for ; next < len(order) && worth[order[next]] >= threshold; next++ {
			x.add(order[next])
			if d := t.net.direct[t.net.edge(order[next])]; d >= 0 {
				x.add(t.net.Number(t.net.SpanOf(order[next]), d))
			}
		}
		c.Points = append(c.Points, Point{threshold, x.edges.count, x.nodes.count})
	}
	return c, nil
}

// ranked sorts the edges that can be chosen, those of most worth first.
func (t *Truth) ranked(scores circuit.Scores, absolute bool) (order []int, worth []float64, err error) {
	if len(scores) != t.net.NumEdges() {
		return nil, nil, fmt.Errorf("scores: expected one for each of %d edges, found %d", t.net.NumEdges(), len(scores))
	}
	worth = make([]float64, len(scores))
	for i, score := range scores {
		e := t.net.Edge(i)
		if math.IsNaN(score) || e.IsDirect() {
			continue
		}
		if err := checkFinite(score); err != nil {
			return nil, nil, fmt.Errorf("scores: edge %v: %w", e, err)
		}
		if worth[i] = score; absolute {
			worth[i] = math.Abs(score)
		}
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(worth[b], worth[a]) })
	return order, worth, nil
}

// thresholds are those to look at, the highest first.
func (s Scoring) thresholds(order []int, worth []float64) ([]float64, error) {
	if s.Thresholds == nil {
		out := make([]float64, len(order))
		for k, i := range order {
			out[k] = worth[i]
		}
		return slices.Compact(out), nil
	}
	for i, x := range s.Thresholds {
		if err := checkFinite(x); err != nil {
			return nil, fmt.Errorf("threshold %d: %w", i, err)
		}
	}
	out := slices.Clone(s.Thresholds)
	slices.SortFunc(out, func(a, b float64) int { return cmp.Compare(b, a) })
	return out, nil
}

// checkFinite refuses NaN and infinity.
func checkFinite(x float64) error {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return fmt.Errorf("expected a finite number, found %v", x)
	}
	return nil
}
