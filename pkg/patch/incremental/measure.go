package incremental

import (
	"context"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// A circuit is measured by what it reaches where it is sparse, so that its state
// is small, and where a plain pass is dear.
const (
	sparse = 4       // its edges are at most one in so many of the graph's
	dear   = 1 << 34 // FLOP of a forward pass
)

// Metric is the metric with only a mask's edges present: the mean of Rows.
func Metric(ctx context.Context, e *patch.Experiment, mask circuit.Mask) (float64, error) {
	return metricOf(ctx, e, mask, dear)
}

func metricOf(ctx context.Context, e *patch.Experiment, mask circuit.Mask, dear int64) (float64, error) {
	values, err := rowsOf(ctx, e, mask, dear)
	if err != nil {
		return 0, err
	}
	return e.Metric().Mean(values), nil
}

// Rows is the metric's value of each of its rows with only a mask's edges
// present: those of the plain pass, or, where the circuit is sparse and the pass
// is dear, those of a State, which computes only what the circuit reaches and is
// held to the other. They are a function of data and of the edges that carry
// something, to the bit.
func Rows(ctx context.Context, e *patch.Experiment, mask circuit.Mask) ([]float64, error) {
	return rowsOf(ctx, e, mask, dear)
}

func rowsOf(ctx context.Context, e *patch.Experiment, mask circuit.Mask, dear int64) ([]float64, error) {
	mask = mask.Clone()
	e.Graph().Prune(mask, e.Runs().Ablation() == ablate.Resample)
	if mask.Count()*sparse > e.Graph().NumEdges() || e.ForwardFLOP() < dear {
		return e.Plain(ctx, mask.Gates())
	}
	values := make([]float64, len(e.Metric().Rows()))
	for b, err := range e.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		s, err := New(ctx, b, mask)
		if err != nil {
			return nil, err
		}
		copy(values[b.Rows[0]:b.Rows[1]], s.Rows())
	}
	return values, nil
}
