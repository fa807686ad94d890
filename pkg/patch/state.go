package patch

import (
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// State is the patched run of a mask, kept so that a change of the mask costs
// only what it reaches. It is not safe for concurrent use; it uses the
// experiment's threads itself.
//
// A value is one of three things: the clean run's, shared, where nothing before
// it was cut; the corrupted run's, shared, where a direct edge was cut; or the
// state's own.
type State struct {
	e       *Experiment
	mask    circuit.Mask
	values  []slot    // by sender: z [B·T,K] of a head, else [B·T,D]
	sides   []slot    // by layer, side and head: queries, keys or values [B·T,K]
	inputs  []slot    // by layer, side and head: their inputs [B·T,D]
	mlpIn   []slot    // by layer: the MLP's input [B·T,D]
	out     slot      // the final residual stream at the metric's rows [rows,D]
	rowVals []float64 // the metric, row by row
	trial   []float64 // the metric of the change that is being tried
	pool    pool
	chunks  []chunk
	workers []*worker
	cost    circuit.Cost
}

// slot holds one value and, while a change is being tried, what it would be.
type slot struct {
	base  tensor.Matrix // the present value
	own   []float32     // its memory if it is the state's own, else nil
	next  []float32     // memory of the tried value, nil outside a turn
	after tensor.Matrix // the tried value
}

// chunk is a run of examples that is computed at a time.
type chunk struct {
	rows    [2]int // rows [lo,hi) of all B·T
	metrics [2]int // rows [lo,hi) of the metric
}

// chunkRows is how many rows are computed at a time: enough for the matrix
// product, few enough for their activations to stay in the second-level cache.
const chunkRows = 256

// NewState returns the patched run of a mask.
func (e *Experiment) NewState(mask circuit.Mask) (*State, error) {
	if len(mask) != e.graph.NumEdges() {
		return nil, fmt.Errorf("mask: expected %d edges, found %d", e.graph.NumEdges(), len(mask))
	}
	c := e.model.Config
	s := &State{e: e, mask: mask.Clone(),
		values: make([]slot, len(e.graph.Senders())),
		sides:  make([]slot, c.Layers*3*c.Heads),
		inputs: make([]slot, c.Layers*3*c.Heads),
		mlpIn:  make([]slot, c.Layers),
	}
	s.chunks = e.split()
	perWorker := 0
	for _, k := range s.chunks {
		perWorker = max(perWorker, k.rows[1]-k.rows[0])
	}
	for range min(e.threads, len(s.chunks)) {
		s.workers = append(s.workers, newWorker(e, perWorker))
	}
	s.setClean()
	s.run(s.refresh(nil))
	return s, nil
}

// split cuts the examples into chunks, the same for any number of threads.
func (e *Experiment) split() []chunk {
	per := max(1, chunkRows/e.t)
	n := (e.b + per - 1) / per
	chunks := make([]chunk, n)
	for i := range chunks {
		lo, hi := i*e.b/n, (i+1)*e.b/n
		chunks[i] = chunk{[2]int{lo * e.t, hi * e.t}, [2]int{e.firstRow[lo], e.firstRow[hi]}}
	}
	return chunks
}

// setClean makes every value the clean run's.
func (s *State) setClean() {
	e, c := s.e, s.e.model.Config
	for i := range s.values {
		s.values[i].base = e.clean.value(e.senders[i])
	}
	for l := range c.Layers {
		for side := range 3 {
			for h := range c.Heads {
				i := s.sideIndex(l, side, h)
				s.sides[i].base = e.clean.side(l, side, h, c.DHead)
				s.inputs[i].base = e.clean.attnIn[l].Matrix()
			}
		}
		if !c.AttnOnly {
			s.mlpIn[l].base = e.clean.mlpIn[l].Matrix()
		}
	}
	s.out.base = e.cleanOut
	s.rowVals = append([]float64(nil), e.cleanRows...)
	s.trial = make([]float64, len(s.rowVals))
}

func (s *State) sideIndex(layer, side, head int) int {
	return (layer*3+side)*s.e.model.Config.Heads + head
}

// Mask returns the edges that are present. The caller must not change it.
func (s *State) Mask() circuit.Mask { return s.mask }

// Metric is the metric of the patched run.
func (s *State) Metric() float64 { return s.e.metric.Mean(s.rowVals) }

// Rows returns the metric's value of each of its rows. The caller must not
// change it.
func (s *State) Rows() []float64 { return s.rowVals }

// Cost returns what the state has computed so far, beyond what Bind did.
func (s *State) Cost() circuit.Cost {
	cost := s.cost
	cost.ForwardPasses = float64(cost.FLOP) / float64(s.e.ForwardFLOP())
	return cost
}

// Drop cuts all edges into a receiver that nothing present leaves. It returns
// how many it cut and costs nothing, since no path leads on; it panics if one
// does.
func (s *State) Drop(r circuit.Node) int {
	if s.e.graph.HasOutgoing(s.mask, r) {
		panic(fmt.Sprintf("patch: Drop(%v): edges leave it", r))
	}
	lo, hi := s.e.graph.Incoming(r)
	n := s.mask[lo:hi].Count()
	clear(s.mask[lo:hi])
	s.release(r)
	return n
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
	if v.own != nil {
		p.put(v.own)
		v.own, v.base = nil, tensor.Matrix{}
	}
}

// prepare gets memory [rows,cols] for the tried value.
func (v *slot) prepare(p *pool, rows, cols int) {
	if v.next == nil {
		v.next = p.get(rows * cols)
	}
	v.after = view(v.next, rows, cols)
}

// accept makes the tried value the present one and keeps the memory of the
// former for the next try.
func (v *slot) accept(p *pool) {
	rows, cols := v.after.Rows, v.after.Cols
	v.base, v.own, v.next = v.after, v.next, v.own
	v.prepare(p, rows, cols)
}

// finish gives back the memory of the tried value.
func (v *slot) finish(p *pool) {
	if v.next != nil {
		p.put(v.next)
		v.next, v.after = nil, tensor.Matrix{}
	}
}

// pool keeps memory for reuse, by size.
type pool struct{ free map[int][][]float32 }

func (p *pool) get(n int) []float32 {
	if list := p.free[n]; len(list) > 0 {
		p.free[n] = list[:len(list)-1]
		return list[len(list)-1]
	}
	return make([]float32, n)
}

func (p *pool) put(x []float32) {
	if p.free == nil {
		p.free = map[int][][]float32{}
	}
	p.free[len(x)] = append(p.free[len(x)], x)
}
