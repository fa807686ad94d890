// Package exact is activation patching of every edge (path patching of single
// edges, Goldowsky-Dill et al. 2023, arXiv:2304.05969): an edge's score is how
// much the metric rises when it alone is cut from the whole model,
//
//	score(e) = m(all edges but e) − m(all edges),
//
// which attribution methods approximate. It is computed by package incremental,
// one sparse evaluation an edge.
package exact

import (
	"context"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
)

// Scorer is the method. It has no options.
type Scorer struct{}

// Name returns "exact".
func (Scorer) Name() string { return "exact" }

// Score cuts every edge in turn, one batch of examples after the other.
func (Scorer) Score(ctx context.Context, r discover.Request) (*discover.Scored, error) {
	e := r.Experiment
	g := e.Graph()
	x := &scoring{r: r, sum: make(circuit.Scores, g.NumEdges()), batches: len(e.Runs().Parts())}
	if r.PerExample {
		x.examples = make([]circuit.Scores, e.Runs().Examples())
		for i := range x.examples {
			x.examples[i] = make(circuit.Scores, g.NumEdges())
		}
	}
	for b, err := range e.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		if err := x.batch(ctx, b); err != nil {
			return nil, err
		}
	}
	rows := float64(len(e.Metric().Rows()))
	for i := range x.sum {
		x.sum[i] /= rows
	}
	for _, one := range x.examples {
		for i := range one {
			one[i] *= float64(len(x.examples)) / rows
		}
	}
	x.cost.Tests = g.NumEdges()
	x.cost.ForwardPasses = float64(x.cost.FLOP) / float64(e.ForwardFLOP())
	return &discover.Scored{Scores: x.sum, Examples: x.examples, Cost: x.cost}, nil
}

// scoring is one run.
type scoring struct {
	r        discover.Request
	sum      circuit.Scores   // the rise of all rows
	examples []circuit.Scores // of each example's, if they are wanted
	cost     circuit.Cost
	tried    int // edges, in all batches
	batches  int
}

// batch adds what the cuts do to the metric's rows of some examples.
func (x *scoring) batch(ctx context.Context, b *patch.Bound) error {
	g := x.r.Experiment.Graph()
	s, err := incremental.New(ctx, b, g.Full())
	if err != nil {
		return err
	}
	for _, receiver := range g.Receivers() {
		turn := s.Begin(receiver)
		lo, hi := g.Incoming(receiver)
		for edge := lo; edge < hi; edge++ {
			if _, err := turn.Try(ctx, []int{edge}); err != nil {
				return err
			}
			x.add(b, edge, turn.Rows(0))
		}
		if err := turn.End(ctx); err != nil {
			return err
		}
		x.observe(s, receiver, hi-lo)
	}
	cost := s.Cost()
	x.cost.Nodes += cost.Nodes
	x.cost.FLOP += cost.FLOP
	return nil
}

// add adds one cut's rows.
func (x *scoring) add(b *patch.Bound, edge int, rows []float64) {
	all := x.r.Experiment.Metric().Rows()
	for i, value := range rows {
		rise := value - b.CleanRows[i]
		x.sum[edge] += rise
		if x.examples != nil {
			x.examples[all[b.Rows[0]+i].Example][edge] += rise
		}
	}
}

// observe tells that a receiver is done.
func (x *scoring) observe(s *incremental.State, receiver circuit.Node, edges int) {
	x.tried += edges
	if x.r.Observe == nil {
		return
	}
	cost, total := s.Cost(), x.r.Experiment.Graph().NumEdges()
	cost.Nodes, cost.FLOP = cost.Nodes+x.cost.Nodes, cost.FLOP+x.cost.FLOP
	x.r.Observe(discover.Event{Decided: x.tried / x.batches, Total: total, Receiver: receiver, Cost: cost})
}
