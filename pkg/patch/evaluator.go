package patch

import "github.com/seed-2c350065/acdc/pkg/circuit"

// Evaluator keeps the patched run of a mask while edges are taken out of it,
// one receiver at a time. State is the usual one; where an experiment is bound
// in slices, Sliced works through its examples some at a time. All give the
// same bits.
type Evaluator interface {
	// Mask returns the edges that are present. The caller must not change it.
	Mask() circuit.Mask
	// Metric is the metric of the patched run.
	Metric() (float64, error)
	// Cost is what has been computed so far, beyond what Bind did.
	Cost() circuit.Cost
	// Drop cuts all edges into a receiver that nothing present leaves.
	Drop(r circuit.Node) int
	// Begin starts the turn of a receiver from which a present edge leads on.
	Begin(r circuit.Node) Trials
}

// Trials is a receiver's turn. See Turn.
type Trials interface {
	// Most is how many cuts to try at a time within limit bytes.
	Most(limit int) int
	// Try returns the metric after the first, the first two, … of edges.
	Try(edges []int) ([]float64, error)
	// Metric is the metric without the cuts accepted so far.
	Metric() (float64, error)
	// Accept removes the first n of the edges tried last for good.
	Accept(n int)
	// Replay removes edges for good without trying them: what Try and Accept
	// did in an earlier run.
	Replay(edges []int)
	// End closes the turn.
	End() error
}

// NewEvaluator returns the patched run of a mask.
func (e *Experiment) NewEvaluator(mask circuit.Mask) (Evaluator, error) {
	if e.slices != nil {
		return e.newSliced(mask)
	}
	return e.NewState(mask)
}
