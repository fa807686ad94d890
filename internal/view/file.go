package view

import (
	"context"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// File is a set of edges as a circuit file, measured, that says that it was
// edited by hand and from what: acdc run finds its numbers again, to the last
// digit.
func (s *Session) File(ctx context.Context, edges []int) (*circuit.File, error) {
	var out *circuit.File
	err := s.measured(ctx, edges, func(mask circuit.Mask, a *Answer) error {
		run := s.in.Run(s.e)
		if err := s.in.Identify(ctx, &run); err != nil {
			return err
		}
		f := *s.file
		study.Edited(&f, run, circuit.Measured{Initial: a.Full, Final: a.Value, Corrupted: a.Corrupted}, a.Cut, a.Add)
		f.SetCircuit(s.graph, mask, s.scores, f.AllEdgesIncluded)
		out = &f
		return nil
	})
	return out, err
}
