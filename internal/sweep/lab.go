package sweep

import (
	"context"
	"fmt"
	"slices"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/roc"
	"github.com/seed-2c350065/acdc/pkg/task"
)

// Lab makes runs. It keeps the last of everything that the next run may share:
// the model, prompts, the clean and the corrupted runs, a metric's numbers of
// them, and an algorithm's scores.
type Lab struct {
	Origin  Origin
	Threads int
	Folder  Folder                   // none: nothing is kept
	Track   bool                     // keep the steps of masks that are learned where there is no folder
	Opened  func(*study.Study) error // hears of every model that is opened, and may refuse it; may be nil

	base   *study.Study // whose model is open
	key    string       // what it was opened by
	pair   kept[*pair]
	bound  kept[*bound]
	bench  kept[*bench]
	scored kept[*learned]
	steps  map[string][]discover.Learned // by the name of scores, with Track
}

// kept is the last of a kind, by what it is of.
type kept[T any] struct {
	key  string
	last T
}

// get is the last one, or a new one if that is of something else.
func (k *kept[T]) get(key string, make func() (T, error)) (T, error) {
	if k.key == key {
		return k.last, nil
	}
	x, err := make()
	if err == nil {
		k.key, k.last = key, x
	}
	return x, err
}

// pair is what circuits are found on and what they are tested on.
type pair struct {
	found *study.Study
	test  *study.Study // nil if there are no such data
}

// bound is a pair under an ablation, measured by KL.
type bound struct {
	kl, test *patch.Experiment
}

// bench is a pair under an ablation and a metric.
type bench struct {
	*bound
	pair        *pair
	found, test *patch.Experiment
	counts      *roc.Truth // of the full graph, so that what a circuit has of it is all that it has
}

// Close closes the model.
func (l *Lab) Close() error {
	if l.base == nil {
		return nil
	}
	err := l.base.Close()
	*l = Lab{Origin: l.Origin, Threads: l.Threads, Folder: l.Folder, Track: l.Track, Opened: l.Opened, steps: l.steps}
	return err
}

// open opens what a Spec says, whatever its metric, of the model that is open if
// that is the one.
func (l *Lab) open(ctx context.Context, s study.Spec, testData string) (*pair, error) {
	s.Metric = metric.KL
	resolved, _, err := s.Resolve()
	if err != nil {
		return nil, err
	}
	key := hash([]any{resolved.Model, s.Processing, s.Reset})
	return l.pair.get(hash([]any{s, testData}), func() (*pair, error) {
		return l.pairOf(ctx, s, testData, l.base != nil && l.key == key, key)
	})
}

// openRun opens what a run is of, and refuses it if that has changed.
func (l *Lab) openRun(ctx context.Context, p Planned) (*pair, error) {
	s, err := study.FromRun(p.Run)
	if err != nil {
		return nil, err
	}
	s.Metric = metric.KL // the runs are the same under all
	open := false
	if l.base != nil {
		is := l.base.Planned()
		open = is.Model == p.Run.Model && slices.Equal(is.Processing, p.Run.Processing) && same(is.ResetWeights, p.Run.ResetWeights)
	}
	out, err := l.pair.get(hash([]any{s, p.Test.Data}), func() (*pair, error) {
		return l.pairOf(ctx, s, p.Test.Data, open, hash([]any{s.Model, s.Processing, s.Reset}))
	})
	if err != nil {
		return nil, err
	}
	return out, out.check(ctx, p)
}

func same(a, b *uint64) bool { return a == b || a != nil && b != nil && *a == *b }

// pairOf opens a Spec and its test data; with isOpen the model is the one that
// is open.
func (l *Lab) pairOf(ctx context.Context, s study.Spec, testData string, isOpen bool, key string) (*pair, error) {
	if !isOpen {
		if err := l.Close(); err != nil {
			return nil, err
		}
		var err error
		if l.base, err = s.Open(ctx, l.Threads); err != nil {
			l.base = nil
			return nil, err
		}
		l.key = key
		if l.Opened != nil {
			if err := l.Opened(l.base); err != nil {
				return nil, err
			}
		}
		if _, _, err := l.base.Digests(ctx); err != nil {
			return nil, err
		}
	}
	out := &pair{}
	var err error
	if out.found, err = l.base.Also(ctx, s); err != nil {
		return nil, err
	}
	t := out.found.Spec
	switch {
	case t.Data == "":
		t.Half = task.Test
	case testData != "":
		t.Data, t.Examples = testData, 0
	default:
		return out, nil
	}
	out.test, err = l.base.Also(ctx, t)
	return out, err
}

// check refuses a run whose weights or prompts have changed.
func (x *pair) check(ctx context.Context, p Planned) error {
	weights, prompts, err := x.found.Digests(ctx)
	if err != nil {
		return err
	}
	test := ""
	if x.test != nil {
		if _, test, err = x.test.Digests(ctx); err != nil {
			return err
		}
	}
	for _, c := range []ChangedError{
		{"weights of " + p.Run.Model, p.Run.WeightsDigest, weights},
		{"prompts of " + x.found.Where(), p.Run.PromptsDigest, prompts},
		{"test prompts of " + x.found.Where(), p.Test.Digest, test},
	} {
		if c.Expected != c.Found {
			return &c
		}
	}
	return nil
}

// at opens a run's model and data, and makes the runs that it measures.
func (l *Lab) at(ctx context.Context, p Planned) (*bench, error) {
	pair, err := l.openRun(ctx, p)
	if err != nil {
		return nil, err
	}
	key := hash([]any{l.pair.key, p.Graph})
	b, err := l.bound.get(key, func() (*bound, error) { return bind(ctx, pair, p.Graph) })
	if err != nil {
		return nil, err
	}
	return l.bench.get(hash([]any{key, p.Run.Metric}), func() (*bench, error) { return b.measuring(ctx, pair, metric.Name(p.Run.Metric)) })
}

// bind makes the clean and the corrupted run of both data.
func bind(ctx context.Context, x *pair, g graph) (*bound, error) {
	on := func(s *study.Study) (*patch.Experiment, error) {
		c := s.Config(g.Definition, g.SplitEmbed)
		c.Metric = metric.KL
		return patch.Bind(ctx, c)
	}
	b := &bound{}
	var err error
	if b.kl, err = on(x.found); err == nil && x.test != nil {
		b.test, err = on(x.test)
	}
	return b, err
}

// measuring is the same runs under a metric.
func (b *bound) measuring(ctx context.Context, x *pair, name metric.Name) (*bench, error) {
	out := &bench{bound: b, pair: x, found: b.kl, test: b.test}
	var err error
	if name != metric.KL {
		if out.found, err = b.kl.With(ctx, name); err == nil && b.test != nil {
			out.test, err = b.test.With(ctx, name)
		}
	}
	if err != nil {
		return nil, err
	}
	g := b.kl.Graph()
	orphans := b.kl.Runs().Ablation() != ablate.Resample
	if out.counts, err = roc.NewTruth(g, g.Full(), roc.Options{Nodes: roc.PathNodes, Orphans: orphans}); err != nil {
		return nil, fmt.Errorf("%s: %w", x.found.Where(), err)
	}
	return out, nil
}
