package acdc

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
)

// judge decides the tests of a walk.
type judge interface {
	// known is told of a decision that the walk takes over from before.
	known(r circuit.Node, t discover.Test)
	// dropped is told how many edges are decided untested.
	dropped(edges int)
	// begin is told that tests of a receiver follow. last is the metric after
	// the last edge that was removed in this turn before, nil if none was.
	begin(w *walk, r circuit.Node, last *float64)
	// together is how many of the edges that follow to try at a time.
	together(edges []int) int
	// decide says whether the last of some cuts is kept, by the metric's rows.
	decide(ctx context.Context, w *walk, cuts []int, rows []float64) (kept bool, err error)
	// settle is told that the tests of one try are decided. Its error ends the
	// walk.
	settle(w *walk) error
}

// walk is the loop over one batch of examples.
type walk struct {
	order   Order
	graph   *circuit.Graph
	bound   *patch.Bound
	judge   judge
	pending []discover.Test // decisions that are known, still to be read
	read    int             // how many were read
	tested  circuit.Mask    // the edges that are tested
	start   circuit.Mask    // the mask, until there is a state
	state   *incremental.State
	rng     *rand.Rand
}

// newWalk makes a walk that takes over the decisions that are known.
func (x *run) newWalk(b *patch.Bound, known []discover.Test, j judge) *walk {
	g := x.experiment.Graph()
	return &walk{order: x.Order, graph: g, bound: b, judge: j, pending: known, tested: x.start, start: x.start.Clone(), rng: rand.New(rand.NewPCG(x.r.Seed, 0xacdc))}
}

// run walks the receivers from the output to the input.
func (w *walk) run(ctx context.Context) error {
	receivers := w.graph.Receivers()
	for i := len(receivers) - 1; i >= 0; i-- {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.receiver(ctx, receivers[i]); err != nil {
			return err
		}
	}
	if len(w.pending) > 0 {
		return w.foreign(w.pending[0])
	}
	if w.state == nil { // nothing was tested
		return w.evaluate(ctx)
	}
	return nil
}

// mask is the mask as it stands.
func (w *walk) mask() circuit.Mask {
	if w.state != nil {
		return w.state.Mask()
	}
	return w.start
}

// receiver takes one receiver's turn.
func (w *walk) receiver(ctx context.Context, r circuit.Node) error {
	lo, hi := w.graph.Incoming(r)
	if !w.graph.HasOutgoing(w.mask(), r) {
		if w.state == nil {
			clear(w.start[lo:hi])
		} else {
			w.state.Drop(r)
		}
		w.judge.dropped(w.tested[lo:hi].Count())
		return nil
	}
	edges := w.ordered(lo, hi)
	if len(edges) == 0 {
		return nil
	}
	removed, last, err := w.takeOver(r, edges)
	if err != nil {
		return err
	}
	if len(w.pending) > 0 { // the whole turn is known, and more
		for _, e := range removed {
			w.start[e] = false
		}
		return nil
	}
	edges = edges[w.read:]
	w.read = 0
	if w.state == nil {
		if err := w.evaluate(ctx); err != nil {
			return err
		}
	}
	if err := w.state.Ready(); err != nil {
		return err
	}
	turn := w.state.Begin(r)
	turn.Replay(removed)
	w.judge.begin(w, r, last)
	if err := w.test(ctx, turn, edges); err != nil {
		return err
	}
	return turn.End(ctx)
}

// evaluate makes the state of the mask so far.
func (w *walk) evaluate(ctx context.Context) error {
	s, err := incremental.New(ctx, w.bound, w.start)
	if err == nil {
		w.state = s
	}
	return err
}

// takeOver reads what is known of a turn: which edges were removed, and the
// metric after the last of them.
func (w *walk) takeOver(r circuit.Node, edges []int) (removed []int, last *float64, err error) {
	n := min(len(w.pending), len(edges))
	for i, test := range w.pending[:n] {
		if test.Edge != edges[i] {
			return nil, nil, w.foreign(test)
		}
		w.judge.known(r, test)
		if !test.Kept {
			removed, last = append(removed, test.Edge), &test.Metric
		}
	}
	w.pending, w.read = w.pending[n:], n
	return removed, last, nil
}

// speculationBytes bounds the memory for cuts that are tried together.
const speculationBytes = 64 << 20

// test tests edges.
func (w *walk) test(ctx context.Context, turn *incremental.Turn, edges []int) error {
	for most := turn.Most(speculationBytes); len(edges) > 0; {
		tried := edges[:min(len(edges), most, w.judge.together(edges))]
		if _, err := turn.Try(ctx, tried); err != nil {
			return err
		}
		accepted, tested := 0, 0
		for k := range tried {
			kept, err := w.judge.decide(ctx, w, tried[:k+1], turn.Rows(k))
			if err != nil {
				return err
			}
			if tested++; kept {
				break
			}
			accepted++
		}
		turn.Accept(accepted)
		edges = edges[tested:]
		if err := w.judge.settle(w); err != nil {
			return err
		}
	}
	return nil
}

// foreign says that a decision of an earlier run cannot be of this one.
func (w *walk) foreign(t discover.Test) error {
	return fmt.Errorf("the earlier run's test of edge %v: this run does not test it there", w.graph.Edge(t.Edge))
}
