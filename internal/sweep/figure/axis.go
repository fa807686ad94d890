package figure

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// axis is a logarithmic one with a place for zero at its lower end.
type axis struct {
	least, most float64 // of what is above zero and has a place of its own
	zero        bool    // there is something at zero, or below least
}

// deepest is how far below the largest value another has a place of its own;
// what is less stands at zero.
const deepest = 1e-6

// newAxis is an axis for values.
func newAxis(values []float64) axis {
	a := axis{least: math.Inf(1)}
	for _, x := range values {
		a.most = max(a.most, x)
	}
	for _, x := range values {
		if x > deepest*a.most {
			a.least = min(a.least, x)
		} else {
			a.zero = true
		}
	}
	if a.most == 0 {
		a.least, a.most = 1, 1
	}
	return a
}

// axes are those of edges and of divergence.
func (p panel) axes() (x, y axis) {
	var edges, kl []float64
	for _, s := range p.series {
		for _, points := range [][]point{s.frontier, s.dominated} {
			for _, at := range points {
				edges, kl = append(edges, at.edges), append(kl, at.kl)
			}
		}
	}
	return newAxis(edges), newAxis(kl)
}

// zeroAt is where zero stands: half a decade below the least.
func (a axis) zeroAt() float64 { return math.Log10(a.least) - 0.5 }

// at is where a value stands.
func (a axis) at(x float64) float64 {
	if x < a.least {
		return a.zeroAt()
	}
	return math.Log10(x)
}

// place puts points on two axes.
func (a axis) place(y axis, points []point) plotter.XYs {
	out := make(plotter.XYs, len(points))
	for i, p := range points {
		out[i] = plotter.XY{X: a.at(p.edges), Y: y.at(p.kl)}
	}
	return out
}

// apply gives a plot's axis its range and ticks: powers of ten, and where they
// are few also twice and five times them.
func (a axis) apply(p *plot.Axis) {
	low, high := math.Log10(a.least), math.Log10(a.most)
	var ticks plot.ConstantTicks
	between := []float64{1}
	if high-low < 3 {
		between = []float64{1, 2, 5}
	}
	const slack = 0.06 // marks at the ends are whole
	for power := math.Floor(low); power <= math.Ceil(high); power++ {
		for _, factor := range between {
			if x := power + math.Log10(factor); x >= low-slack && x <= high+slack {
				ticks = append(ticks, plot.Tick{Value: x, Label: strconv.FormatFloat(factor*math.Pow(10, power), 'g', 3, 64)})
			}
		}
	}
	if len(ticks) == 0 {
		ticks = append(ticks, plot.Tick{Value: high, Label: strconv.FormatFloat(a.most, 'g', 2, 64)})
	}
	if a.zero {
		low = a.zeroAt()
		ticks = append(ticks, plot.Tick{Value: low, Label: "0"})
	}
	p.Min, p.Max = low-slack, high+slack
	p.Tick.Marker = ticks
}
