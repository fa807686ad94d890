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
	guess  guess
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
	w.guess.limit = max(1, r.Speculate)
	if r.Speculate == 0 {
		w.guess.limit = speculate
	}
	receivers := g.Receivers()
	for i := len(receivers) - 1; i >= 0; i-- {
		if err := w.receiver(ctx, receivers[i]); err != nil {
			return nil, err
		}
	}
	w.result.Mask = state.Mask().Clone()
	w.result.MetricFinal = state.Metric()
	w.result.Cost = state.Cost()
	w.result.Cost.Tests = w.done.Tests
	return w.result, nil
}

// receiver takes one receiver's turn. The next cuts are evaluated as if all of
// them were accepted; from the first that is not, the rest are done again.
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
	most := turn.Most(speculationBytes)
	for edges := w.order(lo, hi); len(edges) > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		tried := edges[:min(len(edges), most, w.guess.next())]
		accepted, decided := 0, 0
		for k, now := range turn.Try(tried) {
			test, err := w.decide(tried[:k+1], now, before)
			if err != nil {
				return err
			}
			decided++
			w.record(r, test)
			if test.Kept {
				break
			}
			accepted++
			before = now
		}
		turn.Accept(accepted)
		w.guess.saw(accepted, len(tried))
		edges = edges[decided:]
	}
	return nil
}

// speculate is how many cuts are tried together at most unless the request says
// otherwise.
const speculate = 8

// speculationBytes bounds the memory for cuts that are tried together.
const speculationBytes = 64 << 20

// decide tests the last of the cuts tried together, those before it having
// been accepted.
func (w *walk) decide(cuts []int, now, before float64) (discover.Test, error) {
	edge := cuts[len(cuts)-1]
	if math.IsNaN(now) || math.IsInf(now, 0) {
		return discover.Test{}, fmt.Errorf("metric %s: expected a finite number with edge %v cut, found %v: the model's activations overflow",
			w.r.Experiment.Metric().Name(), w.graph.Edge(edge), now)
	}
	t := discover.Test{Edge: edge, Metric: now, Effect: now - before}
	t.Kept = !w.below(t.Effect)
	return t, w.verify(cuts, now)
}

// guess says how many cuts to try together: more after each success, fewer
// after a failure, so that little work is done in vain. It looks only at
// decisions, so the work is the same in every run.
type guess struct{ n, limit int }

func (g *guess) next() int { return max(1, g.n) }

// saw tells the guess how many of the cuts tried were accepted.
func (g *guess) saw(accepted, tried int) {
	switch {
	case accepted == tried:
		g.n = min(2*max(1, g.n), g.limit)
	default:
		g.n = max(1, (g.n+accepted)/3)
	}
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

// verify holds the evaluation of the last of some cuts, if it is its turn, to a
// plain pass.
func (w *walk) verify(cuts []int, got float64) error {
	if w.r.VerifyEvery < 1 || w.done.Tests%w.r.VerifyEvery != 0 {
		return nil
	}
	mask := w.state.Mask().Clone()
	for _, edge := range cuts {
		mask[edge] = false
	}
	want, err := w.r.Experiment.PlainMetric(mask)
	if err != nil {
		return err
	}
	if math.Abs(got-want) > verifyTolerance*max(1, math.Abs(want)) {
		return fmt.Errorf("verification failed at test %d, edge %v: the plain full pass gives %s = %v, the incremental evaluation %v",
			w.done.Tests+1, w.graph.Edge(cuts[len(cuts)-1]), w.r.Experiment.Metric().Name(), want, got)
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
