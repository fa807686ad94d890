package stability

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/discover/attribution"
	"github.com/seed-2c350065/acdc/pkg/discover/baseline"
	"github.com/seed-2c350065/acdc/pkg/discover/exact"
	"github.com/seed-2c350065/acdc/pkg/discover/flow"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// Drawing is what was found on some drawing of the examples.
type Drawing struct {
	Seed   uint64
	Whole  bool // on each example once
	Mask   circuit.Mask
	Scores circuit.Scores
}

// Sharing is what the drawings have in common.
type Sharing string

// The ways.
const (
	Scored Sharing = "scores" // the scores of single examples
	Runs   Sharing = "runs"   // the clean and the corrupted run
	Model  Sharing = "model"  // the model
)

// Shares says what the drawings of an algorithm share.
func Shares(a discover.Algorithm) Sharing {
	switch a := a.(type) {
	case acdc.Algorithm:
		if a.Screen == nil {
			return Runs
		}
	case discover.Selected:
		switch a.Scorer.(type) {
		case attribution.Scorer, exact.Scorer, flow.Scorer, baseline.Activation, baseline.Random:
			return Scored
		}
	}
	return Model
}

// Finder is what finds circuits on drawings.
type Finder struct {
	Experiment *patch.Experiment
	Algorithm  discover.Algorithm
	Seed       uint64
	// Rebind makes the experiment of examples, by number, that were drawn, for
	// algorithms whose drawings share only the model.
	Rebind  func(ctx context.Context, examples []int) (*patch.Experiment, error)
	Observe func(drawing int) // is told which drawing is done, from 0; may be nil
}

// Find finds a circuit on all examples, and one on each of some drawings.
func (f Finder) Find(ctx context.Context, drawings int) ([]Drawing, error) {
	if f.Experiment == nil || f.Algorithm == nil || drawings < 0 {
		panic("stability: Find: expected an experiment, an algorithm and a number of drawings")
	}
	shares := Shares(f.Algorithm)
	whole, err := f.Algorithm.Discover(ctx, discover.Request{Experiment: f.Experiment, Seed: f.Seed, PerExample: shares == Scored})
	if err != nil {
		return nil, err
	}
	out := []Drawing{{f.Seed, true, whole.Mask, whole.Scores}}
	f.done(0)
	if shares == Scored && whole.Examples == nil {
		return nil, fmt.Errorf("%s: expected scores of single examples, found none", f.Algorithm.Name())
	}
	rng := rngOf(f.Seed)
	for i := range drawings {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		drawn := f.draw(rng)
		var d Drawing
		switch shares {
		case Scored:
			d, err = f.fromScores(whole.Examples, drawn)
		default:
			d, err = f.again(ctx, shares, drawn)
		}
		if err != nil {
			return nil, err
		}
		d.Seed = f.Seed
		out = append(out, d)
		f.done(i + 1)
	}
	return out, nil
}

// rngOf draws the examples.
func rngOf(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x57ab)) }

func (f Finder) done(drawing int) {
	if f.Observe != nil {
		f.Observe(drawing)
	}
}

// draw draws as many examples as there are, until one is among them that the
// metric reads.
func (f Finder) draw(rng *rand.Rand) []int {
	n := f.Experiment.Runs().Examples()
	read := make([]bool, n)
	for _, r := range f.Experiment.Metric().Rows() {
		read[r.Example] = true
	}
	for {
		drawn, any := make([]int, n), false
		for i := range drawn {
			drawn[i] = rng.IntN(n)
			any = any || read[drawn[i]]
		}
		if any {
			return drawn
		}
	}
}

// fromScores chooses edges by the mean of the drawn examples' scores.
func (f Finder) fromScores(examples []circuit.Scores, drawn []int) (Drawing, error) {
	scores := make(circuit.Scores, len(examples[0]))
	for _, i := range drawn {
		for e, s := range examples[i] {
			scores[e] += s / float64(len(drawn))
		}
	}
	g := f.Experiment.Graph()
	mask, err := f.Algorithm.(discover.Selected).Selection.Choose(g, scores)
	if err == nil {
		g.Prune(mask, f.Experiment.Runs().Ablation() == ablate.Resample)
	}
	return Drawing{Mask: mask, Scores: scores}, err
}

// again runs the algorithm on the drawn examples.
func (f Finder) again(ctx context.Context, shares Sharing, drawn []int) (Drawing, error) {
	e, err := f.bound(ctx, shares, drawn)
	if err != nil {
		return Drawing{}, err
	}
	found, err := f.Algorithm.Discover(ctx, discover.Request{Experiment: e, Seed: f.Seed})
	if err != nil {
		return Drawing{}, err
	}
	return Drawing{Mask: found.Mask, Scores: found.Scores}, nil
}

// bound is the experiment on the drawn examples.
func (f Finder) bound(ctx context.Context, shares Sharing, drawn []int) (*patch.Experiment, error) {
	if shares == Runs {
		times := make([]int, f.Experiment.Runs().Examples())
		for _, i := range drawn {
			times[i]++
		}
		return f.Experiment.Resampled(times)
	}
	if f.Rebind == nil {
		panic("stability: Find: expected Rebind, since the drawings of " + f.Algorithm.Name() + " share only the model")
	}
	return f.Rebind(ctx, drawn)
}
