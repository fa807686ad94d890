package study

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/stability"
)

// Bootstrap says how often a study is repeated, on a graph.
type Bootstrap struct {
	Definition circuit.Definition
	SplitEmbed *bool // nil for the task's own
	Method     Method
	Drawings   int // of the examples, for each seed
	Seeds      int // from the study's own on
	Confidence float64
}

// resolved is what a bootstrap binds, and the algorithm.
func (x *Study) resolved(o Bootstrap) (patch.Config, discover.Algorithm, error) {
	c := x.Config(o.Definition, x.Splits(o.SplitEmbed))
	g, err := c.Graph()
	if err != nil {
		return c, nil, err
	}
	a, err := o.Method.Resolve(x.Task, g)
	return c, a, err
}

// options are those of the result.
func (o Bootstrap) options(first uint64) stability.Options {
	out := stability.Options{Drawings: o.Drawings, Confidence: o.Confidence}
	for i := range o.Seeds {
		out.Seeds = append(out.Seeds, first+uint64(i))
	}
	return out
}

// OnSeed is the study with another seed, with the same model, which is closed with
// the study.
func (x *Study) OnSeed(ctx context.Context, seed uint64) (*Study, error) {
	if seed == x.Spec.RandomSeed() {
		return x, nil
	}
	s := x.Spec
	s.Seed, s.permuted = &seed, nil
	return x.Also(ctx, s)
}

// Stability repeats a discovery on drawings of the examples, and with other seeds.
// Observe, if it is not nil, hears how many of how many circuits are found.
func (x *Study) Stability(ctx context.Context, o Bootstrap, observe func(done, of int)) (*stability.Result, error) {
	options := o.options(x.Spec.RandomSeed())
	if err := options.Check(); err != nil {
		return nil, err
	}
	var all []stability.Drawing
	var first *patch.Experiment
	of := o.Seeds * (1 + o.Drawings)
	for _, seed := range options.Seeds {
		in, err := x.OnSeed(ctx, seed)
		if err != nil {
			return nil, fmt.Errorf("seed %d: %w", seed, err)
		}
		c, a, err := in.resolved(o)
		if err != nil {
			return nil, err
		}
		e, err := patch.Bind(ctx, c)
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = e
		}
		done := len(all)
		found, err := stability.Finder{Experiment: e, Algorithm: a, Seed: seed, Rebind: rebinder(c), Observe: func(i int) {
			if observe != nil {
				observe(done+i+1, of)
			}
		}}.Find(ctx, o.Drawings)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	r, err := stability.New(first.Graph(), all, options)
	if err != nil {
		return nil, err
	}
	return r, x.describe(ctx, o, first, r)
}

// rebinder makes experiments of examples that were drawn.
func rebinder(c patch.Config) func(context.Context, []int) (*patch.Experiment, error) {
	whole := c.Data
	return func(ctx context.Context, examples []int) (*patch.Experiment, error) {
		c := c
		c.Data = whole.Pick(examples)
		return patch.Bind(ctx, c)
	}
}

// describe writes into a result what decides it.
func (x *Study) describe(ctx context.Context, o Bootstrap, e *patch.Experiment, r *stability.Result) error {
	_, a, err := x.resolved(o)
	if err != nil {
		return err
	}
	r.Run = x.Run(e)
	if err := Describe(&r.Run, a); err != nil {
		return err
	}
	if err := x.Identify(ctx, &r.Run); err != nil {
		return err
	}
	return r.Check()
}

// StabilityPlan is what repeating a discovery would take.
type StabilityPlan struct {
	Circuits int               // that are found
	Runs     int               // of the algorithm
	Shares   stability.Sharing // what drawings of a seed share
	One      Plan              // of one run on all examples
	Likely   time.Duration     // of all
	Most     time.Duration
}

// PlanStability tries the first run for a short time, and says what all would take
// if each took as long.
func (x *Study) PlanStability(ctx context.Context, o Bootstrap) (StabilityPlan, error) {
	if err := o.options(x.Spec.RandomSeed()).Check(); err != nil {
		return StabilityPlan{}, err
	}
	c, a, err := x.resolved(o)
	if err != nil {
		return StabilityPlan{}, err
	}
	p := StabilityPlan{Circuits: o.Seeds * (1 + o.Drawings), Shares: stability.Shares(a)}
	if p.One, err = MakePlan(ctx, c, a); err != nil {
		return p, err
	}
	if p.Runs = p.Circuits; p.Shares == stability.Scored {
		p.Runs = o.Seeds
	}
	bound := p.Runs // how often the clean and the corrupted run are made
	if p.Shares == stability.Runs {
		bound = o.Seeds
	}
	total := func(one time.Duration) time.Duration {
		return time.Duration(p.Runs)*(one-p.One.Begin) + time.Duration(bound)*p.One.Begin
	}
	p.Likely, p.Most = total(p.One.Likely), total(p.One.Most)
	return p, nil
}
