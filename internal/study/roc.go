package study

import (
	"context"
	"fmt"
	"math"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/reference"
	"github.com/seed-2c350065/acdc/pkg/roc"
)

// ROC says how methods are compared with a true circuit.
type ROC struct {
	Algorithms []string
	Method     Method       // what the algorithms have in common: steps, order and so on
	Thresholds []float64    // of ACDC, ascending; nil for DefaultThresholds
	Nodes      roc.NodeRule // which nodes count
	Truth      Truth
}

// Truth is a circuit that is known.
type Truth struct {
	Source string // in a few words
	Mask   circuit.Mask
}

// Truth returns the circuit that is known of the study's model and task: what
// its program compiles to, or what people found by hand and published.
func (x *Study) Truth(ctx context.Context, g *circuit.Graph) (Truth, error) {
	mask, ok, err := x.Model.TrueCircuit(ctx, g)
	if ok || err != nil {
		relation := " is compiled from"
		if x.Model.Imitates() {
			relation = " was trained to be"
		}
		return Truth{"the program that " + x.Model.Name + relation, mask}, err
	}
	c, err := reference.Find(x.Task.Name)
	if err != nil {
		return Truth{}, usagef("%s: no circuit is known: expected a task of a compiled program or with a reference circuit (acdc reference), or --truth CIRCUIT.json", x.Where())
	}
	mask, err = c.Mask(g)
	return Truth{c.Source, mask}, err
}

// TruthOf is a circuit file's circuit, which must be of a graph.
func TruthOf(name string, f *circuit.File, g *circuit.Graph) (Truth, error) {
	own, mask, _, err := f.Circuit()
	if err != nil {
		return Truth{}, fmt.Errorf("%s: %w", name, err)
	}
	if own.Config() != g.Config() {
		return Truth{}, fmt.Errorf("%s: expected a circuit of the graph %+v, found one of %+v", name, g.Config(), own.Config())
	}
	return Truth{name, mask}, nil
}

// How ACDC's thresholds are chosen unless they are given: evenly on a logarithmic
// scale up to what taking everything away does to the metric.
const (
	thresholds     = 21
	leastThreshold = 1e-6 // of that
)

// DefaultThresholds are ACDC's for an experiment, ascending.
func DefaultThresholds(e *patch.Experiment) []float64 {
	most := math.Abs(e.CorruptedMetric() - e.CleanMetric())
	if !(most > 0) {
		most = 1
	}
	out := make([]float64, thresholds)
	for i := range out {
		out[i] = most * math.Pow(leastThreshold, 1-float64(i)/(thresholds-1))
	}
	return out
}

// Curves runs the algorithms and compares what they find. Observe, if it is not
// nil, hears of each before it runs.
func (x *Study) Curves(ctx context.Context, e *patch.Experiment, o ROC, observe func(algorithm string)) (*roc.File, error) {
	run := x.Run(e)
	options := roc.Options{Nodes: o.Nodes, Orphans: !run.OrphansIdle()}
	truth, err := roc.NewTruth(e.Graph(), o.Truth.Mask, options)
	if err != nil {
		return nil, err
	}
	out := &roc.File{Task: x.Task.Name, Model: x.Model.Name, Truth: o.Truth.Source, Counting: options}
	for _, name := range o.Algorithms {
		if observe != nil {
			observe(name)
		}
		c, err := x.curve(ctx, e, o, truth, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out.Curves = append(out.Curves, c)
	}
	return out, out.Check()
}

// curve is one algorithm's: of ACDC a circuit a threshold, of others every
// circuit that their scores can choose.
func (x *Study) curve(ctx context.Context, e *patch.Experiment, o ROC, truth *roc.Truth, name string) (roc.Curve, error) {
	m := o.Method
	m.Algorithm = name
	request := discover.Request{Experiment: e, Seed: x.Spec.RandomSeed()}
	if m.Decides() {
		all := o.Thresholds
		if all == nil {
			all = DefaultThresholds(e)
		}
		var found []roc.Found
		for _, threshold := range all {
			m.Threshold = &threshold
			a, err := m.Resolve(x.Task, e.Graph())
			if err != nil {
				return roc.Curve{}, err
			}
			r, err := a.Discover(ctx, request)
			if err != nil {
				return roc.Curve{}, err
			}
			found = append(found, roc.Found{Threshold: threshold, Mask: r.Mask})
		}
		c, err := truth.FromCircuits(ctx, name, found)
		c.Least = roc.ReferenceLeast
		return c, err
	}
	a, err := m.Resolve(x.Task, e.Graph())
	if err != nil {
		return roc.Curve{}, err
	}
	s, err := a.(discover.Selected).Scorer.Score(ctx, request)
	if err != nil {
		return roc.Curve{}, err
	}
	c, err := truth.FromScores(ctx, name, s.Scores, roc.Scoring{Absolute: m.Absolute})
	if err != nil {
		return c, err
	}
	greedy, err := truth.Greedy(ctx, name, s.Scores)
	c.InterpBench = greedy.InterpBench
	return c, err
}
