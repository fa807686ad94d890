// Package acdc is Automatic Circuit DisCovery, Algorithm 1 of Conmy et al.
// 2023 (arXiv:2304.14997), with the decisions of the reference implementation:
//
//  1. walk the receivers in the reverse order of computation;
//  2. a receiver that no present edge leaves loses all its incoming edges
//     untested;
//  3. otherwise cut its incoming edges one by one; an edge stays cut if the
//     metric rises by less than the threshold, else it is restored.
//
// Cuts are evaluated several at a time, as if all of them were accepted; what
// comes after the first that is not is done again. Decisions are those of the
// sequential loop.
package acdc

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// Algorithm is ACDC. Its score of an edge is the effect of cutting it when it
// was tested.
type Algorithm struct{}

// Name returns "acdc".
func (Algorithm) Name() string { return "acdc" }

// walk is one run on its way.
type walk struct {
	r       discover.Request
	graph   *circuit.Graph
	start   circuit.Mask    // the mask, until there is an evaluator
	eval    patch.Evaluator // nil while decisions of an earlier run are read
	pending []discover.Test // decisions of an earlier run still to be read
	spent   circuit.Cost    // by the earlier run, less what eval spent to catch up with it
	rng     *rand.Rand
	guess   guess
	result  *discover.Result
	done    discover.Event // the last event
}

// Discover runs the loop.
func (Algorithm) Discover(ctx context.Context, r discover.Request) (*discover.Result, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	w := newWalk(r)
	receivers := w.graph.Receivers()
	for i := len(receivers) - 1; i >= 0; i-- {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := w.receiver(ctx, receivers[i]); err != nil {
			return nil, err
		}
	}
	if len(w.pending) > 0 {
		return nil, w.foreign(w.pending[0])
	}
	final, err := w.eval.Metric()
	if err != nil {
		return nil, err
	}
	w.result.Mask, w.result.MetricFinal, w.result.Cost = w.eval.Mask().Clone(), final, w.cost()
	if e := r.Experiment; e.CleanMetric() == e.CorruptedMetric() {
		w.result.Warnings = append(w.result.Warnings, fmt.Sprintf(
			"%s is %v for the clean and for the corrupted run: this metric cannot see what these data and this ablation change", e.Metric().Name(), e.CleanMetric()))
	}
	return w.result, nil
}

func newWalk(r discover.Request) *walk {
	g := r.Experiment.Graph()
	w := &walk{r: r, graph: g, start: g.Full(), pending: r.Resume.Tests, rng: rand.New(rand.NewPCG(r.Seed, 0xacdc)),
		guess:  newGuess(r.Speculate),
		result: &discover.Result{Scores: make(circuit.Scores, g.NumEdges()), MetricInitial: r.Experiment.CleanMetric()}}
	for i := range w.result.Scores {
		w.result.Scores[i] = math.NaN()
	}
	w.done.Total = g.NumEdges()
	return w
}

// mask is the mask as it stands.
func (w *walk) mask() circuit.Mask {
	if w.eval != nil {
		return w.eval.Mask()
	}
	return w.start
}

// cost is what the run has spent, in this process and before it.
func (w *walk) cost() circuit.Cost {
	now := w.eval.Cost()
	now.Nodes += w.spent.Nodes
	now.FLOP += w.spent.FLOP
	now.Tests = w.done.Tests
	now.ForwardPasses = float64(now.FLOP) / float64(w.r.Experiment.ForwardFLOP())
	return now
}

// receiver takes one receiver's turn.
func (w *walk) receiver(ctx context.Context, r circuit.Node) error {
	lo, hi := w.graph.Incoming(r)
	if !w.graph.HasOutgoing(w.mask(), r) {
		if w.eval == nil {
			clear(w.start[lo:hi])
		} else {
			w.eval.Drop(r)
		}
		w.done.Decided += hi - lo
		return nil
	}
	t := &turn{w: w, receiver: r, edges: w.order(lo, hi)}
	if err := t.read(); err != nil {
		return err
	}
	if len(w.pending) > 0 { // the whole turn is known, and more
		for _, e := range t.removed {
			w.start[e] = false
		}
		return nil
	}
	if err := t.begin(); err != nil {
		return err
	}
	if err := t.run(ctx); err != nil {
		return err
	}
	return t.trials.End()
}

// below reports whether an effect is too small to keep its edge.
func (w *walk) below(effect float64) bool {
	if w.r.Absolute {
		effect = math.Abs(effect)
	}
	return effect < w.r.Threshold
}

// record keeps a test's score and tells the observer.
func (w *walk) record(r circuit.Node, t discover.Test) {
	w.result.Scores[t.Edge] = t.Effect
	w.done.Test, w.done.Receiver = t, r
	w.done.Tests++
	w.done.Decided++
	if w.r.Observe != nil {
		w.r.Observe(w.done)
	}
}

// foreign says that a decision of an earlier run cannot be of this one.
func (w *walk) foreign(t discover.Test) error {
	return fmt.Errorf("the earlier run's test %d is of edge %v, which this run does not test there", w.done.Tests+1, w.graph.Edge(t.Edge))
}
