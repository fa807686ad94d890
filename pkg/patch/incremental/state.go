package incremental

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/seed-2c350065/acdc/internal/floats"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// State is the patched run of a mask, kept so that a change of the mask costs
// only what it reaches. It is not safe for concurrent use; it uses the
// experiment's threads itself.
//
// What it holds is a function of the mask alone, bit for bit, whatever changes
// led to it: inputs are summed from the corrupted run up, over the senders in
// order. While a turn is open, the cuts of that turn are taken out of its
// receiver's input in the order in which they were made.
type State struct {
	e         *subject
	mask      circuit.Mask
	values    []slot    // by sender: z [rows,K] of a head, else [rows,D]
	sides     []slot    // by layer, side and head: queries, keys or values [rows,K]
	inputs    []slot    // by layer, side and head: their inputs [rows,D]
	mlpIn     []slot    // by layer: the MLP's input [rows,D]
	out       slot      // the final residual stream [rows,D]
	rowVals   []float64 // the metric, row by row
	pool      pool
	chunks    []chunk
	widest    [2]int // the most rows of a chunk: atMetric, anywhere
	workers   []*worker
	readout   *patch.Readout
	near      bool      // rows are measured by the workers, as they come
	stack     []float32 // final residual streams of the cuts tried together
	stackRows []int     // the metric's rows that they are of
	stackVals []float64 // their metric
	cost      circuit.Cost
	open      *Turn // the turn that is open
}

// slot holds one value: the clean run's, shared, where nothing before it was
// cut, or the state's own.
type slot struct {
	stored
	own *memory // its memory if it is the state's own, else nil
}

// memory holds a value that is the same in one slot or several.
type memory struct {
	data  []float32
	slots int
}

// ErrRoom says that a batch leaves too little room for what a state would keep.
// The state is then of no use.
var ErrRoom = errors.New("the values of a state: expected fewer examples at a time, for which there is room")

// New returns the patched run of a mask of a batch, or ErrRoom.
func New(ctx context.Context, b *patch.Bound, mask circuit.Mask) (*State, error) {
	e := newSubject(b)
	if len(mask) != e.graph.NumEdges() {
		return nil, fmt.Errorf("mask: expected %d edges, found %d", e.graph.NumEdges(), len(mask))
	}
	s := &State{e: e, mask: mask.Clone(), values: make([]slot, len(e.senders)), chunks: e.rows.chunks(), readout: patch.NewReadout(b)}
	s.near = s.readout.Near()
	s.pool.most = -1
	if room := b.Room(); room >= 0 {
		s.pool.most = room / 4
	}
	c := e.model.Config
	s.sides, s.inputs, s.mlpIn = make([]slot, c.Layers*3*c.Heads), make([]slot, c.Layers*3*c.Heads), make([]slot, c.Layers)
	for i := range s.chunks {
		s.widest[0] = max(s.widest[0], s.chunks[i].count(atMetric))
		s.widest[1] = max(s.widest[1], s.chunks[i].count(anywhere))
	}
	for range min(e.threads, len(s.chunks)) {
		s.workers = append(s.workers, newWorker(e, s.widest[1], len(s.workers)))
	}
	s.setClean()
	return s, s.refresh(ctx, nil)
}

// setClean makes every value the clean run's.
func (s *State) setClean() {
	e, c := s.e, s.e.model.Config
	for i := range s.values {
		s.values[i].stored = stored{e.senders[i].Value(e.clean), everyRow}
	}
	for l := range c.Layers {
		for side := range 3 {
			for h := range c.Heads {
				i := s.sideIndex(l, side, h)
				s.sides[i].stored = stored{e.side(e.clean, l, side, h), everyRow}
				s.inputs[i].stored = stored{e.clean.Layers[l].AttnIn.Matrix(), everyRow}
			}
		}
		if !c.AttnOnly {
			s.mlpIn[l].stored = stored{e.clean.Layers[l].MLPIn.Matrix(), everyRow}
		}
	}
	s.out.stored = stored{e.clean.Out.Matrix(), everyRow}
	s.rowVals = append([]float64(nil), e.bound.CleanRows...)
}

func (s *State) sideIndex(layer, side, head int) int {
	return (layer*3+side)*s.e.model.Config.Heads + head
}

// made is the state itself; it panics if New did not make it.
func (s *State) made() *State {
	if s == nil || s.e == nil {
		panic("incremental: a state that New did not make")
	}
	return s
}

// Mask returns the edges that are present. The caller must not change it.
func (s *State) Mask() circuit.Mask { return s.made().mask }

// Metric is the metric of the patched run, over the batch's examples.
func (s *State) Metric() float64 { return s.made().e.bound.Mean(s.rowVals) }

// Rows returns the metric's value of each of its rows. The caller must not
// change it.
func (s *State) Rows() []float64 { return s.made().rowVals }

// Cost returns what the state has computed so far, beyond what Bind did.
func (s *State) Cost() circuit.Cost {
	cost := s.made().cost
	cost.ForwardPasses = float64(cost.FLOP) / float64(s.e.bound.ForwardFLOP())
	return cost
}

// Drop cuts all edges into a receiver that nothing present leaves. It returns
// how many it cut and costs nothing, since no path leads on; it panics if one
// does.
func (s *State) Drop(r circuit.Node) int {
	s.checkNoTurn("Drop", r)
	if s.e.graph.HasOutgoing(s.mask, r) {
		panic(fmt.Sprintf("incremental: Drop(%v): edges leave it", r))
	}
	lo, hi := s.e.graph.Incoming(r)
	n := s.mask[lo:hi].Count()
	clear(s.mask[lo:hi])
	s.release(r)
	return n
}

// Ready returns ErrRoom if there is too little room for a turn.
func (s *State) Ready() error {
	if !s.made().pool.has(s.e.rows.count(anywhere)*s.e.model.Config.DModel, 2) {
		return ErrRoom
	}
	return nil
}

// checkNoTurn panics while a turn is open.
func (s *State) checkNoTurn(what string, r circuit.Node) {
	if s.made().open != nil {
		panic(fmt.Sprintf("incremental: %s(%v): the turn of %v is open", what, r, s.open.receiver))
	}
}

// release gives back the memory of a receiver that nothing reads any more.
func (s *State) release(r circuit.Node) {
	side, ok := r.Letter()
	switch {
	case ok && r.Kind <= circuit.VInput:
		s.inputs[s.sideIndex(r.Layer, side, r.Head)].drop(&s.pool)
		if s.e.graph.Config().Definition != circuit.ACDC {
			s.release(circuit.Node{Kind: circuit.Q + circuit.Kind(side), Layer: r.Layer, Head: r.Head})
		}
	case ok:
		i := s.sideIndex(r.Layer, side, r.Head)
		s.sides[i].drop(&s.pool)
		s.inputs[i].drop(&s.pool)
		s.values[s.e.graph.SenderIndex(circuit.Node{Kind: circuit.Head, Layer: r.Layer, Head: r.Head})].drop(&s.pool)
	case r.Kind == circuit.MLPIn:
		s.mlpIn[r.Layer].drop(&s.pool)
		s.values[s.e.graph.SenderIndex(circuit.Node{Kind: circuit.MLP, Layer: r.Layer})].drop(&s.pool)
	}
}

// drop forgets a value of the state's own.
func (v *slot) drop(p *pool) {
	if v.own == nil {
		return
	}
	if v.own.slots--; v.own.slots == 0 {
		p.put(v.own)
	}
	v.own, v.stored = nil, stored{}
}

// claim gives the slot memory that no other has, for the rows that are needed,
// and reports whether there was room for it.
func (v *slot) claim(s *State, n need, cols int) bool {
	size := s.e.rows.count(n) * cols
	if v.own == nil || len(v.own.data) != size || v.own.slots > 1 {
		v.drop(&s.pool)
		if !s.pool.has(size, 1) {
			return false
		}
		v.own = s.pool.get(size)
	}
	v.stored = stored{view(v.own.data, s.e.rows.count(n), cols), extentOf(n)}
	return true
}

// take makes the slot hold what another does, in the same memory.
func (v *slot) take(from *slot, p *pool) {
	if from.own != nil {
		from.own.slots++
	}
	v.drop(p)
	*v = *from
}

// pool keeps memory for reuse, by size.
type pool struct {
	free map[int][]*memory
	made int64 // floats, the free ones too
	most int64 // of them, -1 for no limit
}

// has reports whether there is room for k times n floats more. Where there is
// not, it first gives up what is free but of another size.
func (p *pool) has(n, k int) bool {
	more := int64(n) * int64(max(0, k-len(p.free[n])))
	if p.most < 0 || p.made+more <= p.most {
		return true
	}
	for size, list := range p.free {
		if size != n {
			p.made -= int64(size) * int64(len(list))
			delete(p.free, size)
		}
	}
	return p.made+more <= p.most
}

func (p *pool) get(n int) *memory {
	if list := p.free[n]; len(list) > 0 {
		p.free[n] = list[:len(list)-1]
		list[len(list)-1].slots = 1
		return list[len(list)-1]
	}
	p.made += int64(n)
	return &memory{floats.Make(n), 1}
}

func (p *pool) put(x *memory) {
	if p.free == nil {
		p.free = map[int][]*memory{}
	}
	p.free[len(x.data)] = append(p.free[len(x.data)], x)
}

// eachChunk runs f on every chunk, each goroutine with its own worker. Each has
// chunks of its own, the same ones every time, whose values its processor's cache
// may still hold; whoever is done with them takes over some of another's.
func (s *State) eachChunk(f func(w *worker, c *chunk)) {
	n, threads := len(s.chunks), len(s.workers)
	taken := make([]atomic.Int64, threads)
	tensor.Parallel(threads, threads, func(lo, hi int) {
		for t := lo; t < hi; t++ {
			for k := range threads {
				owner := (t + k) % threads
				from, to := owner*n/threads, (owner+1)*n/threads
				for i := from + int(taken[owner].Add(1)) - 1; i < to; i = from + int(taken[owner].Add(1)) - 1 {
					f(s.workers[t], &s.chunks[i])
				}
			}
		}
	})
}

// refresh computes from scratch every live value that is not the clean run's,
// or, with only, those of the receivers that it names.
func (s *State) refresh(ctx context.Context, only map[circuit.Node]bool) error {
	p := s.planRefresh(only)
	if len(p.steps) == 0 {
		return nil
	}
	for i := range p.steps {
		st := &p.steps[i]
		input, value := st.kind.cols(s.e.model.Config)
		switch {
		case st.input == nil || st.replace:
		case st.same:
			st.input.take(p.steps[i-1].input, &s.pool)
		case st.like != nil:
			st.input.take(st.like, &s.pool)
		default:
			if !st.input.claim(s, st.need, input) {
				return ErrRoom
			}
		}
		switch {
		case st.shared:
			st.value.take(p.steps[st.from].value, &s.pool)
		case st.value != nil && !st.replace && !st.value.claim(s, st.need, value):
			return ErrRoom
		}
		if st.replace {
			st.value.drop(&s.pool)
			st.value.stored = st.co
		}
	}
	values := make([]float64, len(s.e.rows.index))
	s.eachChunk(func(w *worker, c *chunk) {
		if x := w.steps(ctx, s, p, c, nil); s.near {
			w.measure(s, c, x, values[c.metric[0]:c.metric[1]])
		}
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	s.account(p, 1)
	if p.reachesOutput {
		if !s.near {
			s.readout.Measure(s.out.m, s.e.rows.index, values)
		}
		for i, v := range values {
			s.rowVals[s.e.rows.index[i]] = v
		}
	}
	return nil
}

// account adds the work of a plan, done a number of times.
func (s *State) account(p *plan, times int) {
	s.cost.Nodes += int64(times * len(p.steps))
	s.cost.FLOP += int64(times) * p.flop
}
