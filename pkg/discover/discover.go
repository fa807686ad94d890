// Package discover says what a discovery algorithm is: what it is asked
// (Request), what it answers (Result), and what it tells on the way (Event).
// It holds no algorithm; those stand in packages of their own below it, each a
// type whose fields are the algorithm's own options.
package discover

import (
	"context"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// Algorithm finds a circuit.
type Algorithm interface {
	// Name is what the command line calls the algorithm.
	Name() string
	// Discover runs the algorithm until it is done or ctx ends, whose error it
	// then returns.
	Discover(ctx context.Context, r Request) (*Result, error)
}

// Request is what an algorithm is asked, whichever it is.
type Request struct {
	Experiment *patch.Experiment // the runs and the metric
	Seed       uint64            // of everything that is random
	PerExample bool              // also the scores of each example, where the algorithm has them
	Observe    func(Event)       // called on the algorithm's goroutine as it goes, for what an earlier run did too; may be nil
	Progress   Progress
}

// Progress lets an algorithm go on where an earlier run of the same request
// ended. What its records say is the algorithm's own.
type Progress struct {
	Done [][]byte           // records of the earlier run, in order; empty to begin anew
	Save func([]byte) error // keeps a record; may be nil
}

// Test is one tested edge.
type Test struct {
	Edge   int     // its number
	Metric float64 // the metric with the edge cut
	Effect float64 // Metric less the metric before
	Kept   bool
}

// Learned is a step of an algorithm that learns.
type Learned struct {
	Step, Steps int
	Loss        float64 // the metric and what else is minimised
	Metric      float64 // under the gates of the step
	Sparsity    float64 // the share of edges that are absent
	Rate        float64 // the learning rate
}

// Event tells how far a run has come.
type Event struct {
	Test
	Tests    int // tests made, this one included
	Decided  int // edges decided, by test or because nothing reads their receiver
	Total    int // edges to decide: the graph's, or those that a screen left
	Receiver circuit.Node
	Learned  *Learned     // of an algorithm that learns
	Cost     circuit.Cost // so far, an earlier run's included
}

// Result is what an algorithm found.
type Result struct {
	Mask          circuit.Mask
	Scores        circuit.Scores   // by edge; NaN where an edge was never scored
	Examples      []circuit.Scores // by example, if the request asks for them and the algorithm has them
	Screened      int              // edges that were removed before the first test
	Chosen        int              // edges that were chosen by their scores, those that lead nowhere among them
	MetricInitial float64          // of the full graph
	MetricFinal   float64          // of the circuit
	Cost          circuit.Cost     // an earlier run's included
	Verified      int              // evaluations of this run that were held to a plain pass
	Warnings      []string         // doubts about the result
}
