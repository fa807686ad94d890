package acdc

import (
	"context"
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
)

// Screen lets only the edges be tested that another method's scores take for the
// most important; the others are removed first. What it leaves out is as good
// as those scores, so the circuit may lack edges that a run without it keeps.
type Screen struct {
	By    discover.Scorer
	Edges int // that are tested, by the size of their scores; direct edges come with those into their heads
}

// screen chooses the edges that are tested: all without a screen.
func (x *run) screen(ctx context.Context) error {
	g := x.experiment.Graph()
	x.start = g.Full()
	if x.Screen == nil {
		return nil
	}
	s := circuit.Selection{Rule: circuit.Top, Edges: x.Screen.Edges, Absolute: true}
	if x.Screen.By == nil || s.Edges < 1 {
		return fmt.Errorf("screen: expected a method and a number of edges of at least 1, found %d", s.Edges)
	}
	s.Edges = min(s.Edges, g.NumEdges())
	r := x.r
	r.Observe, r.Progress, r.PerExample = nil, discover.Progress{}, false
	found, err := x.Screen.By.Score(ctx, r)
	if err != nil {
		return fmt.Errorf("screen: %w", err)
	}
	if x.start, err = s.Choose(g, found.Scores); err != nil {
		return fmt.Errorf("screen: %w", err)
	}
	x.screening = found.Cost
	x.done.Total = x.start.Count()
	x.result.Screened = g.NumEdges() - x.done.Total
	x.result.Warnings = append(x.result.Warnings, found.Warnings...)
	return nil
}
