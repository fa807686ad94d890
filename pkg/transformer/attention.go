package transformer

import (
	"cmp"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// rotary holds, by position and pair of components, the cosine and the sine of
// the angle position / factor / base^(2i/dim), times what its band is scaled by:
// of as many positions as were needed so far.
type rotary struct {
	mu   sync.Mutex
	made atomic.Pointer[turns]
}

// turns are the cosines and sines of the first positions.
type turns struct{ cos, sin *tensor.Tensor } // [positions,dim/2]

// upTo are those of at least n positions of a model.
func (r *rotary) upTo(c Config, n int) *turns {
	if t := r.made.Load(); t != nil && t.cos.Rows() >= n {
		return t
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.made.Load()
	if t == nil || t.cos.Rows() < n {
		rows := 256
		for rows < n {
			rows *= 2
		}
		t = newTurns(c, min(rows, max(n, c.Ctx)))
		r.made.Store(t)
	}
	return t
}

func newTurns(c Config, positions int) *turns {
	half, factor := c.RotaryDim/2, cmp.Or(c.RotaryFactor, 1)
	r := &turns{tensor.New(positions, half), tensor.New(positions, half)}
	for i := range half {
		frequency := math.Pow(c.RotaryBase, float64(2*i)/float64(c.RotaryDim))
		frequency /= c.RotaryBands.scale(1 / frequency)
		for p := range positions {
			sin, cos := math.Sincos(float64(p) / factor / frequency)
			r.cos.Data[p*half+i], r.sin.Data[p*half+i] = float32(cos), float32(sin)
		}
	}
	return r
}

// Turn makes of a head's or of several heads' queries, keys or values (side 0, 1,
// 2) x [n,heads·K] what attention takes, in place, row i standing at position
// ids[i]: norms of queries and keys, then rotary positions. It does nothing in
// models that have neither, and for values.
func (m *Model) Turn(layer, side int, x tensor.Matrix, ids []int) {
	m.block(layer)
	checkSide(side)
	if m.Config.QKNorm && side < 2 {
		for h := 0; h < x.Cols; h += m.Config.DHead {
			own := x.Columns(h, h+m.Config.DHead)
			tensor.RMSNorm(own, own, m.Params.Blocks[layer].QKNormW[side], float32(m.Config.Eps))
		}
	}
	m.Rotate(side, x, ids)
}

// Rotate turns queries or keys (side 0 and 1) x [n,heads·K] in place, row i
// standing at position ids[i]: of the first RotaryDim components of each head,
// two are a point that is turned (Su et al. 2021), j and j + RotaryDim/2 as
// GPT-NeoX computes it, or with RotaryAdjacent 2j and 2j+1. It does nothing for
// values and for other models.
func (m *Model) Rotate(side int, x tensor.Matrix, ids []int) { m.rotate(side, x, ids, 1) }

// RotateBackward goes backward through Rotate, in place: it turns gradients of
// queries or keys the other way.
func (m *Model) RotateBackward(side int, dx tensor.Matrix, ids []int) { m.rotate(side, dx, ids, -1) }

func (m *Model) rotate(side int, x tensor.Matrix, ids []int, way float32) {
	m.checkOpen()
	if m.Config.Positions != Rotary || side == 2 {
		return
	}
	k, half := m.Config.DHead, m.Config.RotaryDim/2
	checkPositions("Rotate", ids, x.Rows)
	last := -1
	for _, id := range ids {
		if id < 0 || id >= m.Config.Ctx {
			panic(fmt.Sprintf("transformer: Rotate: position %d of %d", id, m.Config.Ctx))
		}
		last = max(last, id)
	}
	t := m.turns.upTo(m.Config, last+1)
	for i := range x.Rows {
		cos, sin, row := t.cos.Row(ids[i]), t.sin.Row(ids[i]), x.Row(i)
		for h := 0; h < len(row); h += k {
			for j, c := range cos {
				a, b, s := h+j, h+j+half, way*sin[j]
				if m.Config.RotaryAdjacent {
					a, b = h+2*j, h+2*j+1
				}
				row[a], row[b] = row[a]*c-row[b]*s, row[b]*c+row[a]*s
			}
		}
	}
}

// seen is the range [lo,hi) of t positions that attention looks at from one of
// them. The first pad positions are padding, which nothing looks at.
func (m *Model) seen(layer, position, t, pad int) (lo, hi int) {
	lo, hi = pad, t
	if m.Config.Direction == Causal {
		hi = position + 1
	}
	if w := m.Config.Window(layer); w > 0 {
		lo = max(lo, position+1-w)
	}
	return min(lo, hi), hi
}

// Scores computes attention scores q kᵀ / scale of one head and example, [T,T]
// from q and k [T,K], with their soft cap if there is one. What a position may not
// see is -Inf. The first pad positions are padding.
func (m *Model) Scores(layer int, dst, q, k tensor.Matrix, pad int) {
	m.scores(layer, dst, q, k)
	for i := range dst.Rows {
		row := dst.Row(i)
		lo, hi := m.seen(layer, i, len(row), pad)
		for t := range row {
			if t < lo || t >= hi {
				row[t] = negInf
			}
		}
	}
}

// scores is Scores without regard to what a position may see.
func (m *Model) scores(layer int, dst, q, k tensor.Matrix) {
	m.block(layer)
	tensor.MulNT(dst, q, k, float32(1/m.Config.ScoreScale(layer)))
	if m.Config.ScoreCap == 0 {
		return
	}
	for i := range dst.Rows {
		tensor.SoftCap(dst.Row(i), float32(m.Config.ScoreCap))
	}
}

// Pattern turns scores [T,T] into attention weights, in place.
func (m *Model) Pattern(layer int, scores tensor.Matrix, pad int) {
	m.block(layer)
	for i := range scores.Rows {
		m.patternRow(layer, scores.Row(i), i, pad)
	}
}

// patternRow turns the scores of one position into attention weights, 0 where
// it may not look.
func (m *Model) patternRow(layer int, row []float32, position, pad int) {
	if position < 0 || position >= len(row) || pad < 0 {
		panic(fmt.Sprintf("transformer: attention at position %d of %d, %d of them padding", position, len(row), pad))
	}
	lo, hi := m.seen(layer, position, len(row), pad)
	clear(row[:lo])
	clear(row[hi:])
	tensor.Softmax(row[lo:hi])
}

// Attend computes one head's z [n,K] of one example from q [n,K], whose row i
// stands at positions[i] of T, and k, v [T,K], with scratch for n·T scores. The
// first pad positions are padding; their z is 0.
func (m *Model) Attend(layer int, z, q, k, v tensor.Matrix, positions []int, pad int, scratch []float32) {
	m.block(layer)
	scale := float32(1 / m.Config.ScoreScale(layer))
	w := m.Config.Window(layer)
	capped := m.Config.ScoreCap != 0
	if !capped && q.Rows == k.Rows && (w == 0 || w >= k.Rows) { // every position: the fused kernel
		for i := range pad {
			clear(z.Row(i))
		}
		tensor.Attention(z.Slice(pad, z.Rows), q.Slice(pad, q.Rows), k.Slice(pad, k.Rows), v.Slice(pad, v.Rows),
			scale, m.Config.Direction == Causal)
		return
	}
	if !capped && w == 0 && pad == 0 && m.Config.Direction == Causal {
		tensor.AttentionAt(z, q, k, v, scale, positions)
		return
	}
	checkPositions("Attend", positions, q.Rows)
	checkScratch("Attend", scratch, q.Rows*k.Rows)
	scores := tensor.Matrix{Data: scratch[:q.Rows*k.Rows], Rows: q.Rows, Cols: k.Rows, Stride: k.Rows}
	m.scores(layer, scores, q, k)
	for i := range scores.Rows {
		m.patternRow(layer, scores.Row(i), positions[i], pad)
	}
	tensor.MulNN(z, scores, v)
	for i, at := range positions {
		if at < pad { // as the fused kernel has it
			clear(z.Row(i))
		}
	}
}
