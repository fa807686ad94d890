package faithful

import (
	"math"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// Normalised is a metric's place between that of the circuit without edges, 0,
// and that of the model, 1:
//
//	f = (m(C) − m(∅)) / (m(M) − m(∅))
//
// It may be negative or more than 1, and is not finite where both are equal.
func Normalised(metric, empty, model float64) float64 {
	f := (metric - empty) / (model - empty)
	if f == 0 {
		return 0 // without a sign
	}
	return f
}

// Point is one circuit of a curve.
type Point struct {
	Part         float64 `json:"part"`         // p, the size asked for as a part of all edges that can be chosen
	Chosen       int     `json:"edges_chosen"` // ⌊p·N⌋, less where fewer edges have scores
	Kept         int     `json:"edges_kept"`   // of these, without those that lead nowhere
	Metric       float64 `json:"metric"`
	Faithfulness float64 `json:"faithfulness"`
}

// Curve is faithfulness over the size of circuits that scores stand for.
type Curve struct {
	Rule     circuit.Rule `json:"rule"`
	Absolute bool         `json:"absolute"` // edges are chosen by their scores' size, not by the score
	Edges    int          `json:"edges"`    // N, how many can be chosen
	Model    float64      `json:"model"`    // the metric of the model,
	Empty    float64      `json:"empty"`    // and of the circuit without edges
	Points   []Point      `json:"points"`   // by growing part
}

// Selection names the way in which edges were chosen, as CPR and CMD are
// published for either.
func (c Curve) Selection() string {
	if c.Absolute {
		return "absolute"
	}
	return "signed"
}

// CPR is the integrated circuit performance ratio: the area below the straight
// lines between the points, from the smallest part to the largest,
//
//	Σ_i (p_{i+1} − p_i)·(f_i + f_{i+1})/2
//
// It has no ceiling: a circuit that overdoes the behaviour raises it, so that CMD
// belongs beside it.
func (c Curve) CPR() float64 { return c.area(func(f float64) float64 { return f }) }

// CMD is the integrated circuit-model distance: the same area of |1 − f|, 0 being
// the best.
func (c Curve) CMD() float64 { return c.area(func(f float64) float64 { return math.Abs(1 - f) }) }

// area is that below the lines between the points, of a function of faithfulness.
func (c Curve) area(of func(float64) float64) float64 {
	area := 0.0
	for i := 1; i < len(c.Points); i++ {
		a, b := c.Points[i-1], c.Points[i]
		area += (b.Part - a.Part) * (of(a.Faithfulness) + of(b.Faithfulness)) / 2
	}
	return area
}

// Mean is the mean faithfulness of the points, whatever lies between them; NaN
// without any.
func (c Curve) Mean() float64 {
	sum := 0.0
	for _, p := range c.Points {
		sum += p.Faithfulness
	}
	return sum / float64(len(c.Points))
}
