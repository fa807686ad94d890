package study

import (
	"context"
	"fmt"
	"math"
	"slices"

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

// Truth is a circuit that is known, or several where each is as true as the
// others: methods are then held to the one that they come closest to.
type Truth struct {
	Source string // in a few words
	Masks  []circuit.Mask
}

// Truth returns the circuit that is known of the study's model and task: what
// its program compiles to, what people found by hand and published, or what a
// model by hand is under the study's ablation.
func (x *Study) Truth(ctx context.Context, g *circuit.Graph) (Truth, error) {
	mask, ok, err := x.Model.TrueCircuit(ctx, g)
	if ok || err != nil {
		relation := " is compiled from"
		if x.Model.Imitates() {
			relation = " was trained to be"
		}
		return Truth{"the program that " + x.Model.Name + relation, []circuit.Mask{mask}}, err
	}
	if !slices.Contains(reference.Tasks(), x.Task.Name) {
		return Truth{}, usagef("%s: no circuit is known: expected a task of a compiled program or with a reference circuit (acdc reference), or --truth CIRCUIT.json", x.Where())
	}
	c, err := reference.Find(x.Task.Name, string(x.Spec.Ablation))
	if err != nil {
		return Truth{}, &UsageError{err}
	}
	if c.Ablations != nil && x.Model.Name != c.Model {
		return Truth{}, usagef("%s: no circuit is known of model %s: expected %s, or --truth CIRCUIT.json", x.Where(), x.Model.Name, c.Model)
	}
	if n := len(x.Data.Clean); c.Ablations != nil && n < x.Task.Examples {
		return Truth{}, usagef("%s: its circuit is that of all prompts: expected --examples of at least %d, found %d", x.Where(), x.Task.Examples, n)
	}
	masks, err := c.Masks(g)
	source := c.Source
	if n := len(masks); n > 1 {
		source += fmt.Sprintf(": of %d circuits the one that comes closest", n)
	}
	return Truth{source, masks}, err
}

// TruthOf is a circuit file's circuit, which must be of a graph.
func TruthOf(name string, f *circuit.File, g *circuit.Graph) (Truth, error) {
	own, mask, _, err := f.Circuit()
	if err != nil {
		return Truth{}, fmt.Errorf("%s: %w", name, err)
	}
	if own.Config() != g.Config() {
		return Truth{}, fmt.Errorf("%s: expected a circuit of a graph (%s) of %v, found one (%s) of %v", name, g.Config().Definition, g.Config(), own.Config().Definition, own.Config())
	}
	return Truth{name, []circuit.Mask{mask}}, nil
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
	var truths []*roc.Truth
	for _, mask := range o.Truth.Masks {
		truth, err := roc.NewTruth(e.Graph(), mask, options)
		if err != nil {
			return nil, err
		}
		truths = append(truths, truth)
	}
	out := &roc.File{Task: x.Task.Name, Model: x.Model.Name, Truth: o.Truth.Source, Counting: options}
	for _, name := range o.Algorithms {
		if observe != nil {
			observe(name)
		}
		against, err := x.answer(ctx, e, o, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		c, err := closest(truths, against)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out.Curves = append(out.Curves, c)
	}
	return out, out.Check()
}

// closest is the curve of the largest area of edges among those against each
// truth.
func closest(truths []*roc.Truth, against func(*roc.Truth) (roc.Curve, error)) (roc.Curve, error) {
	var best roc.Curve
	for i, t := range truths {
		c, err := against(t)
		if err != nil {
			return roc.Curve{}, err
		}
		if i == 0 || c.Pessimistic(roc.Edges) > best.Pessimistic(roc.Edges) {
			best = c
		}
	}
	return best, nil
}

// answer runs one algorithm and returns what compares it with a truth: of ACDC a
// circuit a threshold, of others every circuit that their scores can choose.
func (x *Study) answer(ctx context.Context, e *patch.Experiment, o ROC, name string) (func(*roc.Truth) (roc.Curve, error), error) {
	m := o.Method
	m.Algorithm = name
	request := discover.Request{Experiment: e, Seed: x.Spec.RandomSeed()}
	if m.Decides() {
		found, err := x.circuits(ctx, m, request, o.Thresholds)
		return func(t *roc.Truth) (roc.Curve, error) {
			c, err := t.FromCircuits(ctx, name, found)
			if slices.ContainsFunc(found, func(f roc.Found) bool { return f.Threshold >= roc.ReferenceLeast }) {
				c.Least = roc.ReferenceLeast // else nothing would be left
			}
			return c, err
		}, err
	}
	a, err := m.Resolve(x.Task, e.Graph())
	if err != nil {
		return nil, err
	}
	s, err := a.(discover.Selected).Scorer.Score(ctx, request)
	return func(t *roc.Truth) (roc.Curve, error) {
		c, err := t.FromScores(ctx, name, s.Scores, roc.Scoring{Absolute: m.Absolute})
		if err != nil {
			return c, err
		}
		greedy, err := t.Greedy(ctx, name, s.Scores)
		c.InterpBench = greedy.InterpBench
		return c, err
	}, err
}

// circuits are what ACDC finds, one a threshold.
func (x *Study) circuits(ctx context.Context, m Method, r discover.Request, thresholds []float64) ([]roc.Found, error) {
	if thresholds == nil {
		thresholds = DefaultThresholds(r.Experiment)
	}
	var found []roc.Found
	for _, threshold := range thresholds {
		m.Threshold = &threshold
		a, err := m.Resolve(x.Task, r.Experiment.Graph())
		if err != nil {
			return nil, err
		}
		result, err := a.Discover(ctx, r)
		if err != nil {
			return nil, err
		}
		found = append(found, roc.Found{Threshold: threshold, Mask: result.Mask})
	}
	return found, nil
}
