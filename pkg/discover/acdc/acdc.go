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
// comes after the first that is not is done again. Where examples are taken in
// batches, the first batch foretells the decisions, so that each batch is bound
// once for many tests (passes.go). Decisions are those of the sequential loop,
// to the bit of every metric.
package acdc

import (
	"context"
	"fmt"
	"math"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// Order is the order in which a receiver's senders are tested.
type Order string

// The orders. Within a layer the MLP comes before the heads.
const (
	Normal         Order = "normal"          // latest layer first, heads from the last to the first, embeddings at the end
	Reverse        Order = "reverse"         // exactly the other way round
	NamesReverse   Order = "names-reverse"   // earliest layer first, heads as in Normal
	IndicesReverse Order = "indices-reverse" // latest layer first, heads from the first to the last
	Random         Order = "random"          // shuffled by the request's seed
)

// Orders lists the valid orders.
func Orders() []Order { return []Order{Normal, Reverse, NamesReverse, IndicesReverse, Random} }

// ParseOrder reads an order's name; another is an error that lists the valid
// ones.
func ParseOrder(s string) (Order, error) { return choice.Parse("order", s, Orders()) }

// Algorithm is ACDC. Its score of an edge is the effect of cutting it when it
// was tested.
type Algorithm struct {
	Threshold   float64 // τ: an edge stays cut if the metric rises by less
	Absolute    bool    // compare the absolute value of an effect with the threshold
	Order       Order   // Normal if empty
	Speculate   int     // cuts evaluated together at most; 1 for one by one, 0 for 8. No decision depends on it.
	Screen      *Screen // which edges are tested; all if nil
	VerifyEvery int     // hold every n-th evaluation to a plain full pass; 0 for never
}

// Name returns "acdc".
func (Algorithm) Name() string { return "acdc" }

// check checks the options.
func (a Algorithm) check() error {
	if math.IsNaN(a.Threshold) || a.Threshold < 0 {
		return fmt.Errorf("threshold: expected a number of at least 0, found %v", a.Threshold)
	}
	_, err := ParseOrder(string(a.Order))
	return err
}

// below reports whether an effect is too small to keep its edge.
func (a Algorithm) below(effect float64) bool {
	if a.Absolute {
		effect = math.Abs(effect)
	}
	return effect < a.Threshold
}

// Discover runs the loop.
func (a Algorithm) Discover(ctx context.Context, r discover.Request) (*discover.Result, error) {
	if a.Order == "" {
		a.Order = Normal
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	run, err := newRun(a, r)
	if err != nil {
		return nil, err
	}
	if err := run.screen(ctx); err != nil {
		return nil, err
	}
	if run.experiment.InBatches() {
		err = run.inPasses(ctx)
	} else {
		err = run.whole(ctx)
	}
	if err != nil {
		return nil, err
	}
	if e := r.Experiment; e.CleanMetric() == e.CorruptedMetric() {
		run.result.Warnings = append(run.result.Warnings, fmt.Sprintf(
			"%s is %v for the clean and for the corrupted run: this metric cannot see what these data and this ablation change", e.Metric().Name(), e.CleanMetric()))
	}
	return run.result, nil
}

// run is what is decided, and what it took.
type run struct {
	Algorithm
	r          discover.Request
	experiment *patch.Experiment // the request's, with as many examples at a time as there is room for
	earlier    progress          // of an earlier run
	result     *discover.Result
	start      circuit.Mask // the edges that are tested
	screening  circuit.Cost // what it took to choose them
	decided    []discover.Test
	done       discover.Event // the last event
}

func newRun(a Algorithm, r discover.Request) (*run, error) {
	g := r.Experiment.Graph()
	x := &run{Algorithm: a, r: r, experiment: r.Experiment, result: &discover.Result{Scores: make(circuit.Scores, g.NumEdges()), MetricInitial: r.Experiment.CleanMetric()}}
	for i := range x.result.Scores {
		x.result.Scores[i] = math.NaN()
	}
	x.done.Total = g.NumEdges()
	var err error
	if x.earlier, err = readProgress(r.Progress.Done, g); err != nil {
		return nil, err
	}
	for _, t := range x.earlier.tests {
		if t.Kept == x.below(t.Effect) {
			return nil, fmt.Errorf("progress: edge %v: expected kept %t at an effect of %v and a threshold of %v, found %t", g.Edge(t.Edge), !t.Kept, t.Effect, a.Threshold, t.Kept)
		}
	}
	if x.earlier.share > 0 {
		x.experiment = r.Experiment.Reckoning(x.earlier.share)
	}
	return x, nil
}

// decide decides the test of an edge by the metrics before and after its cut.
// A metric that is no number is an error.
func (x *run) decide(edge int, before, now float64) (discover.Test, error) {
	if math.IsNaN(now) || math.IsInf(now, 0) {
		return discover.Test{}, fmt.Errorf("metric %s: expected a finite number with edge %v cut, found %v: the model's activations overflow",
			x.r.Experiment.Metric().Name(), x.r.Experiment.Graph().Edge(edge), now)
	}
	t := discover.Test{Edge: edge, Metric: now, Effect: now - before}
	t.Kept = !x.below(t.Effect)
	return t, nil
}

// record keeps a test's score and tells the observer.
func (x *run) record(r circuit.Node, t discover.Test, cost circuit.Cost) {
	x.decided = append(x.decided, t)
	x.result.Scores[t.Edge] = t.Effect
	x.done.Test, x.done.Receiver, x.done.Cost = t, r, cost
	x.done.Tests++
	x.done.Decided++
	if x.r.Observe != nil {
		x.r.Observe(x.done)
	}
}

// finish completes the result.
func (x *run) finish(m circuit.Mask, final float64, cost circuit.Cost) {
	cost.FLOP += x.screening.FLOP
	cost.Nodes += x.screening.Nodes
	x.result.Mask, x.result.MetricFinal, x.result.Cost = m.Clone(), final, x.counted(cost)
}

// counted is a cost with the tests made and in forward passes.
func (x *run) counted(cost circuit.Cost) circuit.Cost {
	cost.Tests = x.done.Tests
	cost.ForwardPasses = float64(cost.FLOP) / float64(x.r.Experiment.ForwardFLOP())
	return cost
}

// verifyTolerance is how far the incremental evaluation may be from the plain
// pass, relative where the metric is above 1.
const verifyTolerance = 1e-5

// wantsVerified reports whether test number n (from 0) is to be held to a plain
// pass.
func (x *run) wantsVerified(n int) bool { return x.VerifyEvery > 0 && n%x.VerifyEvery == 0 }

// verify holds the evaluation of a mask, that of test number n, to a plain
// pass.
func (x *run) verify(ctx context.Context, n, edge int, mask circuit.Mask, got float64) error {
	want, err := x.r.Experiment.PlainMetric(ctx, mask)
	if err != nil {
		return err
	}
	x.result.Verified++
	if math.Abs(got-want) > verifyTolerance*max(1, math.Abs(want)) {
		return fmt.Errorf("verification failed at test %d, edge %v: the plain full pass gives %s = %v, the incremental evaluation %v",
			n+1, x.r.Experiment.Graph().Edge(edge), x.r.Experiment.Metric().Name(), want, got)
	}
	return nil
}
