package sweep

import (
	"context"
	"fmt"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// Grid says what is varied. An axis that is empty has the one value that the
// Spec, or the task, says.
type Grid struct {
	Spec       study.Spec // what all runs have in common
	Tasks      []string
	Seeds      []uint64
	Ablations  []ablate.Ablation
	Metrics    []metric.Name
	Algorithms []string
	Method     study.Method // options, each of the algorithms that have it
	Thresholds []float64    // ACDC's, ascending; nil for DefaultThresholds
	Sizes      []int        // of circuits that scores choose, in edges, ascending; nil for as many as thresholds (see Sizes)
	Definition circuit.Definition
	SplitEmbed *bool  // nil for the task's own
	TestData   string // a file, for data that are given
}

// The thresholds of ACDC unless they are given: evenly apart on a logarithmic
// scale around the task's.
const (
	defaultThresholds = 21
	leastThreshold    = 1e-3 // of the task's
	mostThreshold     = 10
)

// DefaultThresholds are ACDC's for a task whose own is given.
func DefaultThresholds(own float64) []float64 {
	return Log(leastThreshold*own, mostThreshold*own, defaultThresholds)
}

// MostRuns bounds a plan.
const MostRuns = 1_000_000

// Plan lists the runs of a grid: tasks outermost, then seeds, ablations,
// metrics, algorithms, and thresholds or sizes, so that what follows each other
// shares the most. The lab opens models and data for it, whose hashes are part
// of a run.
func (g Grid) Plan(ctx context.Context, lab *Lab) ([]Planned, error) {
	methods, err := g.Method.Each(g.Algorithms)
	if err != nil {
		return nil, err
	}
	var out []Planned
	for _, t := range orOne(g.Tasks, g.Spec.Task) {
		for _, seed := range orOne(g.Seeds, g.Spec.RandomSeed()) {
			s := g.Spec
			s.Task, s.Seed, s.Ablation = t, &seed, ablate.Resample // prompts and weights are the same under all
			pair, err := lab.open(ctx, s, g.TestData)
			if err != nil {
				return nil, err
			}
			for _, a := range orOne(g.Ablations, g.Spec.Ablation) {
				for _, m := range orOne(g.Metrics, g.Spec.Metric) {
					if out, err = g.add(ctx, out, lab, pair, methods, a, m); err != nil {
						return nil, err
					}
				}
			}
		}
	}
	return out, nil
}

// orOne is an axis of at least one value.
func orOne[T any](axis []T, one T) []T {
	if len(axis) > 0 {
		return axis
	}
	return []T{one}
}

// add plans all runs of a study under an ablation and a metric, those that are
// empty being the task's.
func (g Grid) add(ctx context.Context, out []Planned, lab *Lab, pair *pair, methods []study.Method, a ablate.Ablation, m metric.Name) ([]Planned, error) {
	x := *pair.found
	s := x.Spec
	s.Ablation, s.Metric = a, m
	s, t, err := s.Resolve()
	if err != nil {
		return nil, err
	}
	x.Spec = s
	if err := patch.Allows(s.Metric, x.Data, x.Model.Config); err != nil {
		return nil, fmt.Errorf("%s: %w", x.Where(), err)
	}
	in, err := g.common(ctx, lab, &x, pair)
	if err != nil {
		return nil, err
	}
	gr, err := x.Config(in.Graph.Definition, in.Graph.SplitEmbed).Graph()
	if err != nil {
		return nil, err
	}
	if n := len(g.Sizes); n > 0 && g.Sizes[n-1] > gr.NumEdges() {
		return nil, &UsageError{fmt.Errorf("--sizes: expected at most the %d edges of the graph of %s, found %d", gr.NumEdges(), x.Where(), g.Sizes[n-1])}
	}
	thresholds := g.Thresholds
	if thresholds == nil {
		thresholds = DefaultThresholds(t.Threshold)
	}
	for _, method := range methods {
		for _, at := range g.points(method, thresholds, gr) {
			p := in
			p.Method = at
			algorithm, err := at.Resolve(t, gr)
			if err != nil {
				return nil, err
			}
			if err := study.Describe(&p.Run, algorithm); err != nil {
				return nil, err
			}
			p.ID = p.Name()
			if out = append(out, p); len(out) > MostRuns {
				return nil, &UsageError{fmt.Errorf("expected at most %d runs", MostRuns)}
			}
		}
	}
	return out, nil
}

// points are a method at each threshold, or at each size.
func (g Grid) points(m study.Method, thresholds []float64, gr *circuit.Graph) (out []study.Method) {
	if m.Decides() {
		for _, x := range thresholds {
			at := m
			at.Threshold = &x
			out = append(out, at)
		}
		return out
	}
	sizes := g.Sizes
	if sizes == nil {
		sizes = Sizes(len(thresholds), gr.Choosable())
	}
	for _, n := range sizes {
		at := m
		at.Top = n
		out = append(out, at)
	}
	return out
}

// common is what all runs of a study have in common.
func (g Grid) common(ctx context.Context, lab *Lab, x *study.Study, pair *pair) (Planned, error) {
	p := Planned{Origin: lab.Origin, Graph: graph{g.Definition, x.Splits(g.SplitEmbed)}, Run: x.Planned()}
	var err error
	if p.Run.WeightsDigest, p.Run.PromptsDigest, err = pair.found.Digests(ctx); err != nil {
		return p, err
	}
	if pair.test != nil {
		p.Test.Data = g.TestData
		_, p.Test.Digest, err = pair.test.Digests(ctx)
	}
	return p, err
}
