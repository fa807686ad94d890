// Package acdc is Automatic Circuit DisCovery, Algorithm 1 of Conmy et al.
// 2023 (arXiv:2304.14997), with the decisions of the reference implementation:
//
//  1. walk the receivers in the reverse order of computation;
//  2. a receiver that no present edge leaves loses all its incoming edges
//     untested;
//  3. otherwise cut its incoming edges one by one; an edge stays cut if the
//     metric rises by less than the threshold, else it is restored.
package acdc

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

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
	r      discover.Request
	graph  *circuit.Graph
	state  *patch.State
	rng    *rand.Rand
	result *discover.Result
	done   discover.Event // the last event
}

// Discover runs the loop.
func (Algorithm) Discover(ctx context.Context, r discover.Request) (*discover.Result, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	g := r.Experiment.Graph()
	state, err := r.Experiment.NewState(g.Full())
	if err != nil {
		return nil, err
	}
	w := &walk{r: r, graph: g, state: state, rng: rand.New(rand.NewPCG(r.Seed, 0xacdc)),
		result: &discover.Result{Scores: make(circuit.Scores, g.NumEdges()), MetricInitial: state.Metric()}}
	for i := range w.result.Scores {
		w.result.Scores[i] = math.NaN()
	}
	w.done.Total = g.NumEdges()
	receivers := g.Receivers()
	for i := len(receivers) - 1; i >= 0; i-- {
		if err := w.receiver(ctx, receivers[i]); err != nil {
			return nil, err
		}
	}
	w.result.Mask = state.Mask().Clone()
	w.result.MetricFinal = state.Metric()
	w.result.Cost = state.Cost()
	return w.result, nil
}

// receiver takes one receiver's turn.
func (w *walk) receiver(ctx context.Context, r circuit.Node) error {
	lo, hi := w.graph.Incoming(r)
	if !w.graph.HasOutgoing(w.state.Mask(), r) {
		w.state.Drop(r)
		w.done.Decided += hi - lo
		return ctx.Err()
	}
	turn := w.state.Begin(r)
	defer turn.End()
	before := turn.Metric()
	for _, e := range w.order(lo, hi) {
		if err := ctx.Err(); err != nil {
			return err
		}
		now := turn.Cut(e)
		if math.IsNaN(now) || math.IsInf(now, 0) {
			return fmt.Errorf("metric %s: expected a finite number with edge %v cut, found %v: the model's activations overflow", w.r.Experiment.Metric().Name(), w.graph.Edge(e), now)
		}
		if err := w.verify(e, now); err != nil {
			return err
		}
		t := discover.Test{Edge: e, Metric: now, Effect: now - before}
		t.Kept = !w.below(t.Effect)
		if !t.Kept {
			turn.Accept()
			before = now
		}
		w.record(r, t)
	}
	return nil
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

// verifyTolerance is how far the incremental evaluation may be from the plain
// pass, relative where the metric is above 1.
const verifyTolerance = 1e-5

// verify holds the evaluation of a cut, if it is its turn, to a plain pass.
func (w *walk) verify(edge int, got float64) error {
	if w.r.VerifyEvery < 1 || w.done.Tests%w.r.VerifyEvery != 0 {
		return nil
	}
	mask := w.state.Mask().Clone()
	mask[edge] = false
	want, err := w.r.Experiment.PlainMetric(mask)
	if err != nil {
		return err
	}
	if math.Abs(got-want) > verifyTolerance*max(1, math.Abs(want)) {
		return fmt.Errorf("verification failed at test %d, edge %v: the plain full pass gives %s = %v, the incremental evaluation %v",
			w.done.Tests+1, w.graph.Edge(edge), w.r.Experiment.Metric().Name(), want, got)
	}
	return nil
}

// order lists the edges [lo,hi) of a receiver in the order in which they are
// tested.
func (w *walk) order(lo, hi int) []int {
	if hi-lo == 1 {
		return []int{lo}
	}
	var out []int
	for _, group := range senderGroups(w.graph.Senders()[:hi-lo], w.r.Order == discover.Reverse || w.r.Order == discover.NamesReverse,
		w.r.Order == discover.Reverse || w.r.Order == discover.IndicesReverse) {
		for _, s := range group {
			out = append(out, lo+s)
		}
	}
	if w.r.Order == discover.Random {
		w.rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	return out
}

// senderGroups lists the senders by number, those of one name (a layer's
// heads, an MLP, an embedding) together: names from the latest to the
// earliest, the token embeddings before the position embeddings, heads from
// the last to the first; either turned round if asked.
func senderGroups(senders []circuit.Node, reverseNames, reverseIndices bool) [][]int {
	var embeds, groups [][]int
	for i, s := range senders {
		last := len(groups) - 1
		switch {
		case s.Kind <= circuit.PosEmbed:
			embeds = append(embeds, []int{i})
		case s.Kind == circuit.Head && s.Head > 0:
			groups[last] = append(groups[last], i)
		default:
			groups = append(groups, []int{i})
		}
	}
	slices.Reverse(groups)
	groups = append(groups, embeds...)
	if reverseNames {
		slices.Reverse(groups)
	}
	if !reverseIndices {
		for _, g := range groups {
			slices.Reverse(g)
		}
	}
	return groups
}
