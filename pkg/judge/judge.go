package judge

import (
	"context"
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// Options say how a circuit is judged. Everything random is drawn from the seed.
type Options struct {
	Seed         uint64       `json:"seed"`
	Samples      int          `json:"samples"`      // random circuits of each null distribution
	Permutations int          `json:"permutations"` // of the examples, for independence
	KnockOuts    int          `json:"knock_outs"`   // sets of nodes by chance
	Level        float64      `json:"level"`        // of the tests
	Quantile     float64      `json:"quantile"`     // the share of chance's that a circuit or a part has to be above
	Epsilon      float64      `json:"epsilon"`      // how far from one half the chance to be the better one may be
	Nodes        bool         `json:"nodes"`        // parts are nodes, not edges
	Groups       []NamedNodes `json:"-"`            // nodes that are knocked out together, nil for the layers
}

// Default are the options of Shi et al. 2024, as their code has them.
func Default() Options {
	return Options{Samples: 100, Permutations: 1000, KnockOuts: 10, Level: 0.05, Quantile: 0.9, Epsilon: 0.1}
}

// What options may ask for.
const (
	mostSamples   = 1_000_000
	mostKnockOuts = 10_000
)

// Check refuses what cannot be meant.
func (o Options) Check() error {
	for _, n := range []struct {
		field             string
		found, from, upTo int
	}{{"samples", o.Samples, 1, mostSamples}, {"permutations", o.Permutations, 1, mostSamples}, {"knock_outs", o.KnockOuts, 0, mostKnockOuts}} {
		if n.found < n.from || n.found > n.upTo {
			return fmt.Errorf("field %q: expected a whole number from %d to %d, found %d", n.field, n.from, n.upTo, n.found)
		}
	}
	for _, x := range []struct {
		field string
		found float64
		upTo  float64
	}{{"level", o.Level, 1}, {"quantile", o.Quantile, 1}, {"epsilon", o.Epsilon, 0.5}} {
		if !(x.found > 0 && x.found < x.upTo) {
			return fmt.Errorf("field %q: expected a number above 0 and below %v, found %v", x.field, x.upTo, x.found)
		}
	}
	return nil
}

// Verdict is what one experiment says of a circuit.
type Verdict struct {
	Completeness Completeness `json:"completeness"`
	Minimality   []Part       `json:"minimality"`
	Tests        []Test       `json:"tests"`
}

// Judge asks an experiment for completeness, minimality and the hypothesis tests.
// Observe, if it is not nil, hears what comes next.
func Judge(ctx context.Context, e *patch.Experiment, mask circuit.Mask, o Options, observe func(what string)) (*Verdict, error) {
	b, err := newBench(e, mask)
	if err != nil {
		return nil, err
	}
	if err := o.Check(); err != nil {
		return nil, err
	}
	say := func(what string) {
		if observe != nil {
			observe(what)
		}
	}
	say("completeness")
	complete, err := b.completeness(ctx, o)
	if err != nil {
		return nil, err
	}
	say("minimality")
	parts, err := b.minimality(ctx, o)
	if err != nil {
		return nil, err
	}
	say("hypothesis tests")
	tests, err := b.hypotheses(ctx, o, parts)
	if err != nil {
		return nil, err
	}
	return &Verdict{*complete, parts, tests}, nil
}
