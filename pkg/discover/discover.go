// Package discover says what a discovery algorithm is: what it is asked
// (Request), what it answers (Result), and what it tells on the way (Event).
// It holds no algorithm; those stand in packages of their own below it.
package discover

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

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

// Order is the order in which a receiver's senders are tested.
type Order string

// The orders. Within a layer the MLP comes before the heads.
const (
	Normal         Order = "normal"          // latest layer first, heads from the last to the first, embeddings at the end
	Reverse        Order = "reverse"         // exactly the other way round
	NamesReverse   Order = "names-reverse"   // earliest layer first, heads as in Normal
	IndicesReverse Order = "indices-reverse" // latest layer first, heads from the first to the last
	Random         Order = "random"          // shuffled by the seed
)

// Orders lists the valid orders.
func Orders() []Order { return []Order{Normal, Reverse, NamesReverse, IndicesReverse, Random} }

// ParseOrder reads an order's name; another is an error that lists the valid
// ones.
func ParseOrder(s string) (Order, error) {
	if slices.Contains(Orders(), Order(s)) {
		return Order(s), nil
	}
	list := make([]string, len(Orders()))
	for i, o := range Orders() {
		list[i] = string(o)
	}
	return "", fmt.Errorf("unknown order %q: expected one of %s", s, strings.Join(list, ", "))
}

// Request is what an algorithm is asked.
type Request struct {
	Experiment  *patch.Experiment
	Threshold   float64
	Absolute    bool                 // compare the absolute value of an effect with the threshold
	Order       Order                // Normal if empty
	Seed        uint64               // of Order Random
	Speculate   int                  // cuts evaluated together at most; 1 for one by one, 0 for the algorithm's choice. No decision depends on it.
	VerifyEvery int                  // check every n-th evaluation against a plain full pass; 0 for never
	Resume      Progress             // what an earlier run of the same request did; empty to begin anew
	Save        func(Progress) error // called with what was done since the last call; may be nil
	Observe     func(Event)          // called after every test, an earlier run's included, on the algorithm's goroutine; may be nil
}

// Check checks the request's numbers and names.
func (r *Request) Check() error {
	if math.IsNaN(r.Threshold) || r.Threshold < 0 {
		return fmt.Errorf("threshold: expected a number of at least 0, found %v", r.Threshold)
	}
	if r.Order == "" {
		r.Order = Normal
	}
	_, err := ParseOrder(string(r.Order))
	return err
}

// Test is one tested edge.
type Test struct {
	Edge   int     // its number
	Metric float64 // the metric with the edge cut
	Effect float64 // Metric less the metric before
	Kept   bool
}

// Progress is a part of a run: tests in the order in which they were made, and
// where the run stood after them.
type Progress struct {
	Tests []Test
	Cost  circuit.Cost
	Guess int // the algorithm's own
}

// Event tells how far a run has come.
type Event struct {
	Test
	Tests    int // tests made, this one included
	Decided  int // edges decided, by test or because nothing reads their receiver
	Total    int // edges of the graph
	Receiver circuit.Node
}

// Result is what an algorithm found.
type Result struct {
	Mask          circuit.Mask
	Scores        circuit.Scores // by edge; NaN where an edge was never scored
	MetricInitial float64        // of the full graph
	MetricFinal   float64        // of the circuit
	Cost          circuit.Cost
	Warnings      []string // doubts about the result
}
