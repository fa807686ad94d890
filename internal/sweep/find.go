package sweep

import (
	"bytes"
	"context"
	"fmt"

	"github.com/seed-2c350065/acdc/internal/track"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
)

// Result is what a run found.
type Result struct {
	Planned Planned       `json:"planned"`
	Row     Row           `json:"row"`
	Circuit *circuit.File `json:"circuit"`

	raw  []byte // the circuit, of a result that was read
	path string // from where
}

// File is the result's circuit, which is decoded when it is asked for.
func (r *Result) File(ctx context.Context) (*circuit.File, error) {
	if r.Circuit != nil {
		return r.Circuit, nil
	}
	f, err := circuit.Decode(ctx, r.path+": field \"circuit\"", bytes.NewReader(r.raw))
	return f, err
}

// Make returns a run's result, from its file if there is one; made reports
// whether it had to be made.
func (l *Lab) Make(ctx context.Context, p Planned) (r *Result, made bool, err error) {
	if r, err = l.Folder.load(ctx, p); r != nil || err != nil {
		return r, false, err
	}
	if err := p.checkOrigin(l.Origin); err != nil {
		return nil, false, err
	}
	b, err := l.at(ctx, p)
	if err != nil {
		return nil, false, err
	}
	method, err := p.Method.Resolve(b.pair.found.Task, b.found.Graph())
	if err != nil {
		return nil, false, err
	}
	if selected, scores := method.(discover.Selected); scores {
		if r, err = l.choose(ctx, p, b, selected); err != nil {
			return nil, false, err
		}
		return r, true, l.Folder.save(ctx, r)
	}
	err = l.Folder.alone(p.ID, func(progress discover.Progress) error {
		if r, err = l.Folder.load(ctx, p); r != nil || err != nil { // by now
			return err
		}
		made = true
		if r, err = b.find(ctx, p, method, progress); err != nil {
			return err
		}
		return l.Folder.save(ctx, r)
	})
	return r, made, err
}

// choose finds a circuit by scores, which are made once for all sizes.
func (l *Lab) choose(ctx context.Context, p Planned, b *bench, method discover.Selected) (*Result, error) {
	scored, err := l.scores(ctx, p, b, method)
	if err != nil {
		return nil, err
	}
	of := method
	of.Scorer = known{method.Scorer, &scored.Scored}
	return b.find(ctx, p, of, discover.Progress{})
}

// learned are scores, and the steps by which masks came to them.
type learned struct {
	discover.Scored
	steps []discover.Learned
}

// scores are those of a run, the last ones, of a file, or made now.
func (l *Lab) scores(ctx context.Context, p Planned, b *bench, method discover.Selected) (*learned, error) {
	name := p.scoresName()
	return l.scored.get(name, func() (scored *learned, err error) {
		g := b.found.Graph()
		if scored, err = l.Folder.loadScores(ctx, name, g.NumEdges()); scored != nil || err != nil {
			return scored, err
		}
		err = l.Folder.alone(name, func(progress discover.Progress) error {
			if scored, err = l.Folder.loadScores(ctx, name, g.NumEdges()); scored != nil || err != nil { // by now
				return err
			}
			scored = &learned{}
			r := discover.Request{Experiment: b.found, Seed: p.Run.Seed, Progress: progress, Observe: func(ev discover.Event) {
				if ev.Learned != nil {
					scored.steps = append(scored.steps, *ev.Learned)
				}
			}}
			made, err := method.Scorer.Score(ctx, r)
			if err != nil {
				return err
			}
			scored.Scored = *made
			if l.Folder == "" && l.Track {
				if l.steps == nil {
					l.steps = map[string][]discover.Learned{}
				}
				l.steps[name] = scored.steps
			}
			return l.Folder.saveScores(ctx, name, scored)
		})
		return scored, err
	})
}

// Steps lists the steps of all runs of a plan that learn masks and are made, each
// learning once, in the plan's order. A lab without a folder has those of the runs
// that it made, if it has Track.
func (l *Lab) Steps(ctx context.Context, plan []Planned) ([]track.Step, error) {
	var out []track.Step
	seen := map[string]bool{}
	for _, p := range plan {
		name := p.scoresName()
		if !p.Method.Learns() || seen[name] {
			continue
		}
		seen[name] = true
		steps := l.steps[name]
		if l.Folder != "" {
			scored, err := l.Folder.loadScores(ctx, name, -1)
			if err != nil {
				return nil, err
			}
			if scored == nil {
				if l.Folder.Has(p) {
					return nil, fmt.Errorf("%s: expected the scores and steps of run %s, found no file", l.Folder.scores(name), p.ID)
				}
				continue
			}
			if steps = scored.steps; len(steps) == 0 {
				return nil, fmt.Errorf("%s: field \"steps\": expected one entry a step, found none", l.Folder.scores(name))
			}
		}
		out = append(out, track.Learned(p.Run, steps)...)
	}
	return out, nil
}

// known is a scorer whose scores are there.
type known struct {
	discover.Scorer
	scored *discover.Scored
}

// Score returns them, the warnings in a slice of their own.
func (k known) Score(context.Context, discover.Request) (*discover.Scored, error) {
	s := *k.scored
	s.Warnings = append([]string(nil), s.Warnings...)
	return &s, nil
}

// find runs a method and measures its circuit on both data.
func (b *bench) find(ctx context.Context, p Planned, method discover.Algorithm, progress discover.Progress) (*Result, error) {
	found, err := method.Discover(ctx, discover.Request{Experiment: b.found, Seed: p.Run.Seed, Progress: progress})
	if err != nil {
		return nil, err
	}
	f := &circuit.File{Run: b.pair.found.Run(b.found)}
	f.Metric = p.Run.Metric
	f.Algorithm, f.Order, f.Threshold, f.AbsoluteValue = p.Run.Algorithm, p.Run.Order, p.Run.Threshold, p.Run.AbsoluteValue
	f.Options, f.Selection = p.Run.Options, p.Run.Selection
	f.WeightsDigest, f.PromptsDigest = p.Run.WeightsDigest, p.Run.PromptsDigest
	final, err := incremental.Metric(ctx, b.found, found.Mask)
	if err != nil {
		return nil, err
	}
	doubts, err := b.pair.found.Doubts(ctx, b.kl)
	if err != nil {
		return nil, err
	}
	f.Measured = circuit.Measured{Initial: found.MetricInitial, Final: final, Corrupted: b.found.CorruptedMetric(), Cost: &found.Cost,
		Chosen: found.Chosen, Screened: found.Screened, Warnings: append(doubts, found.Warnings...)}
	f.SetCircuit(b.found.Graph(), found.Mask, found.Scores, false)
	row, err := b.row(ctx, p, f, found.Mask)
	return &Result{Planned: p, Row: row, Circuit: f}, err
}
