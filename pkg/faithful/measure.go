package faithful

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
)

// Options say which circuits scores stand for. The zero value is MIB's curve by
// signed scores.
type Options struct {
	Parts    []float64    // sizes as parts of all edges that can be chosen, growing, from 0 to 1; nil: MIB's
	Rule     circuit.Rule // empty: the best edges
	Absolute bool         // an edge is worth its score's size, not the score
}

// withDefaults fills in what is not given.
func (o Options) withDefaults() Options {
	if o.Parts == nil {
		o.Parts = circuit.MIBSizes()
	}
	if o.Rule == "" {
		o.Rule = circuit.Top
	}
	return o
}

// check refuses parts that are none or do not grow, and a rule without a number of edges.
func (o Options) check() error {
	for i, p := range o.Parts {
		if !(p >= 0 && p <= 1) || i > 0 && p <= o.Parts[i-1] {
			return fmt.Errorf("parts: expected growing numbers from 0 to 1, found %v at place %d", p, i)
		}
	}
	if o.Rule == circuit.Threshold {
		return fmt.Errorf("rule: expected one that takes a number of edges, found %s", o.Rule)
	}
	return nil
}

// Space is what circuits are measured in.
type Space struct {
	Graph   *circuit.Graph
	Orphans bool // edges whose sender nothing reaches carry nothing (circuit.Graph.Prune)
	// Metric is the metric of a circuit.
	Metric func(ctx context.Context, m circuit.Mask) (float64, error)
	Model  float64 // the metric of the model
}

// Measure is Along on an experiment. Under resample ablation, as MIB's is, the
// circuit without edges is the corrupted run. It panics without an experiment.
func Measure(ctx context.Context, e *patch.Experiment, scores circuit.Scores, o Options) (*Curve, error) {
	return Along(ctx, Space{
		Graph: e.Graph(), Orphans: e.Runs().Ablation() == ablate.Resample, Model: e.CleanMetric(),
		Metric: func(ctx context.Context, m circuit.Mask) (float64, error) { return incremental.Metric(ctx, e, m) },
	}, scores, o)
}

// Along measures the circuits that scores stand for, each one that differs once.
// Where model and circuit without edges have the same metric there is no
// faithfulness, which is an error. It panics if the space lacks graph or metric.
func Along(ctx context.Context, s Space, scores circuit.Scores, o Options) (*Curve, error) {
	if s.Graph == nil || s.Metric == nil {
		panic("faithful: Along in a space without a graph or a metric")
	}
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	c := &Curve{Rule: o.Rule, Absolute: o.Absolute, Edges: s.Graph.Choosable(), Model: s.Model}
	known := s.Graph.Empty()
	value, err := s.Metric(ctx, known)
	if err != nil {
		return nil, err
	}
	c.Empty = value
	if c.Empty == c.Model || math.IsNaN(c.Empty-c.Model) {
		return nil, fmt.Errorf("faithfulness: expected a model whose metric differs from that of the circuit without edges, found %v and %v", c.Model, c.Empty)
	}
	for _, p := range o.Parts {
		m, err := circuit.Selection{Rule: o.Rule, Edges: int(p * float64(c.Edges)), Absolute: o.Absolute}.Choose(s.Graph, scores)
		if err != nil {
			return nil, err
		}
		chosen := s.Graph.CountChosen(m)
		s.Graph.Prune(m, s.Orphans)
		if !slices.Equal(m, known) {
			if value, err = s.measure(ctx, m); err != nil {
				return nil, err
			}
			known = m
		}
		c.Points = append(c.Points, Point{p, chosen, s.Graph.CountChosen(m), value, Normalised(value, c.Empty, c.Model)})
	}
	return c, nil
}

// measure is the metric of a circuit, the model's where it is all of it.
func (s Space) measure(ctx context.Context, m circuit.Mask) (float64, error) {
	if m.Count() == len(m) {
		return s.Model, nil
	}
	return s.Metric(ctx, m)
}
