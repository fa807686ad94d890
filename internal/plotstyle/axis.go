package plotstyle

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// Log is a logarithmic axis with a place for zero at its lower end.
type Log struct {
	least, most float64 // of what is above zero and has a place of its own
	zero        bool    // there is something at zero, or below least
}

// deepest is how far below the largest value another has a place of its own;
// what is less stands at zero.
const deepest = 1e-6

// NewLog is an axis for values, of which those at zero and below stand at zero.
func NewLog(values []float64) Log {
	a := Log{least: math.Inf(1)}
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

// zeroAt is where zero stands: half a decade below the least.
func (a Log) zeroAt() float64 { return math.Log10(a.least) - 0.5 }

// At is where a value stands.
func (a Log) At(x float64) float64 {
	if x < a.least {
		return a.zeroAt()
	}
	return math.Log10(x)
}

// Apply gives a plot's axis its range and ticks: powers of ten, and where they
// are few also twice and five times them. It panics without an axis.
func (a Log) Apply(p *plot.Axis) {
	if p == nil {
		panic("plotstyle: Log.Apply: no axis")
	}
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
