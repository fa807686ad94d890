package judge

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
)

// RunName says which edges a run has.
type RunName string

// The runs.
const (
	Model      RunName = "full model"
	Circuit    RunName = "circuit"
	Complement RunName = "complement"
	Corrupted  RunName = "corrupted"
)

// RunNames lists the runs, in the order in which they are reported.
func RunNames() []RunName { return []RunName{Model, Circuit, Complement, Corrupted} }

// Levels are the shares of the examples below which the quantiles lie.
var levels = [7]float64{0, 0.05, 0.25, 0.5, 0.75, 0.95, 1}

// Run is one metric of one run.
type Run struct {
	Run          RunName    `json:"run"`
	Edges        int        `json:"edges"`
	Mean         float64    `json:"mean"`
	Faithfulness *float64   `json:"faithfulness"` // null where the model's metric is the corrupted run's
	Quantiles    [7]float64 `json:"quantiles"`    // of the examples: least, 5 %, 25 %, median, 75 %, 95 %, most
	Examples     []*float64 `json:"examples"`     // by example, null where the metric reads none of its positions
}

// Measurement is one metric of the four runs.
type Measurement struct {
	Data   string      `json:"data"` // validation, test or data
	Metric metric.Name `json:"metric"`
	Runs   []Run       `json:"runs"` // one of each of RunNames
}

// Measure measures a circuit's four runs by the experiment's metric.
func Measure(ctx context.Context, e *patch.Experiment, mask circuit.Mask) (*Measurement, error) {
	b, err := newBench(e, mask)
	if err != nil {
		return nil, err
	}
	out := &Measurement{Metric: e.Metric().Name()}
	for _, name := range RunNames() {
		m := b.maskOf(name)
		rows, err := b.rows(ctx, m)
		if err != nil {
			return nil, err
		}
		out.Runs = append(out.Runs, b.run(name, m.Count(), rows))
	}
	return out, nil
}

// bench is an experiment with the circuit that is judged.
type bench struct {
	e        *patch.Experiment
	graph    *circuit.Graph
	mask     circuit.Mask
	examples int
}

// newBench checks that the circuit is of the experiment's graph.
func newBench(e *patch.Experiment, mask circuit.Mask) (*bench, error) {
	g := e.Graph()
	if err := mask.Gates().Check(g); err != nil {
		return nil, err
	}
	return &bench{e, g, mask, e.Runs().Examples()}, nil
}

// maskOf is the mask of a run.
func (b *bench) maskOf(name RunName) circuit.Mask {
	switch name {
	case Model:
		return b.graph.Full()
	case Complement:
		return b.complement(b.mask)
	case Corrupted:
		return b.graph.Empty()
	}
	return b.mask
}

// complement has the edges that a mask has not, and all direct edges.
func (b *bench) complement(m circuit.Mask) circuit.Mask {
	out := make(circuit.Mask, len(m))
	for i, present := range m {
		out[i] = !present || b.graph.Edge(i).IsDirect()
	}
	return out
}

// rows is the metric of a mask, row by row.
func (b *bench) rows(ctx context.Context, m circuit.Mask) ([]float64, error) {
	return incremental.Rows(ctx, b.e, m)
}

// mean is the metric of a mask.
func (b *bench) mean(ctx context.Context, m circuit.Mask) (float64, error) {
	rows, err := b.rows(ctx, m)
	if err != nil {
		return 0, err
	}
	return b.e.Metric().Mean(rows), nil
}

// span is how much taking everything away does to the metric.
func (b *bench) span() float64 { return b.e.CleanMetric() - b.e.CorruptedMetric() }

// ofSpan is a number as a share of span, nil where that is none; 0 has no sign.
func (b *bench) ofSpan(x float64) *float64 {
	if share := x/b.span() + 0; !math.IsNaN(share) && !math.IsInf(share, 0) {
		return &share
	}
	return nil
}

// run sums up the rows of a run.
func (b *bench) run(name RunName, edges int, rows []float64) Run {
	out := Run{Run: name, Edges: edges, Mean: b.e.Metric().Mean(rows)}
	out.Faithfulness = b.ofSpan(out.Mean - b.e.CorruptedMetric())
	var values []float64
	for _, x := range b.e.Metric().PerExample(rows, b.examples) {
		if math.IsNaN(x) {
			out.Examples = append(out.Examples, nil)
			continue
		}
		out.Examples = append(out.Examples, &x)
		values = append(values, x)
	}
	slices.Sort(values)
	for i, q := range levels {
		out.Quantiles[i] = Quantile(values, q)
	}
	return out
}

// scores are the examples' scores, of those that the metric reads.
func (b *bench) scores(ctx context.Context, m circuit.Mask) ([]float64, error) {
	rows, err := b.rows(ctx, m)
	if err != nil {
		return nil, err
	}
	var out []float64
	for _, x := range b.e.Metric().PerExample(rows, b.examples) {
		if !math.IsNaN(x) {
			out = append(out, -x)
		}
	}
	return out, nil
}

// distance is the mean squared difference of scores.
func distance(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += (a[i] - b[i]) * (a[i] - b[i])
	}
	return sum / float64(len(a))
}

// Quantile is that of sorted values, linear between two of them. It panics if there
// are none.
func Quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 || !(q >= 0 && q <= 1) {
		panic(fmt.Sprintf("judge: Quantile %v of %d values", q, len(sorted)))
	}
	at := q * float64(len(sorted)-1)
	lo := int(math.Floor(at))
	hi := min(lo+1, len(sorted)-1)
	return sorted[lo] + (at-float64(lo))*(sorted[hi]-sorted[lo])
}
