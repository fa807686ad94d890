package transformer

import (
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Reverse goes backward through the parts of one batch's runs, each part on
// several threads, with memory of its own. Matrices have a row a position of
// each example, n = B·T, unless it says otherwise. Model.Backward is made of it,
// and so can be the way backward through a run whose receivers have inputs of
// their own: what flows between parts is the caller's.
//
// With Grads it also adds up the gradients of the weights that it passes. Where
// that needs more than the way backward itself, the argument says so.
//
// It is for one goroutine at a time.
type Reverse struct {
	Rules Rules
	Grads *Params // where gradients of weights are added; nil for none

	m       *Model
	checked *Params // the Grads that are known to be the model's
	b, t    int
	pad     Padding
	ids     []int // [n] positions, as embeddings count them
	threads int
	normed  []float32    // [rows,D] normalized rows again, for gradients of weights
	hidden  [2][]float32 // [rows,F] before and behind the activation function
	rows    Standardized // of an MLP's input
	scratch [][]float32  // by thread
	behind  postNorm     // memory for norms behind attention and MLPs
	grouped []float32    // [n,G·K] gradients of what groups of heads share
	raw     []float32    // [n,H·K] queries or keys before their norm
}

// Reverse makes the way backward for b examples of t tokens.
func (m *Model) Reverse(b, t int, pad Padding, threads int) *Reverse {
	m.checkOpen()
	if b < 1 || t < 1 {
		panic(fmt.Sprintf("transformer: Reverse of %d examples of %d tokens", b, t))
	}
	if err := pad.Check(b, t); err != nil {
		panic(fmt.Sprintf("transformer: Reverse: %v", err))
	}
	return &Reverse{m: m, b: b, t: t, pad: pad, ids: pad.Positions(b, t), threads: max(threads, 1)}
}

// reverseRows is how many rows of an MLP's hidden layer are held at a time. It
// is a multiple of the rows that a product adds up at a time, so that gradients
// of weights do not depend on it.
const reverseRows = 1024

// blockRows is how many rows go through several steps at a time, in the cache.
const blockRows = 96

// model is the model, whose layers' gradients there is room for. It panics if
// Model.Reverse did not make the way backward, or Grads are of another model.
func (r *Reverse) model() *Model {
	if r.m == nil {
		panic("transformer: a way backward that Model.Reverse did not make")
	}
	r.m.checkOpen()
	if r.Grads != nil && r.Grads != r.checked {
		if err := r.Grads.Check(r.m.Config); err != nil {
			panic(fmt.Sprintf("transformer: Reverse.Grads: %v", err))
		}
		r.checked = r.Grads
	}
	return r.m
}

// n is the number of rows.
func (r *Reverse) n() int { return r.b * r.t }

// parallel runs f on ranges of n rows.
func (r *Reverse) parallel(n int, f func(lo, hi int)) { tensor.Parallel(n, r.threads, f) }

// blocks runs f on ranges of n rows, of at most blockRows.
func (r *Reverse) blocks(n int, f func(lo, hi int)) {
	r.parallel(n, func(lo, hi int) {
		for ; lo < hi; lo += blockRows {
			f(lo, min(lo+blockRows, hi))
		}
	})
}

// Standardize is Model.Standardize of many rows.
func (r *Reverse) Standardize(s Standardized, x tensor.Matrix) {
	m := r.model()
	r.parallel(x.Rows, func(lo, hi int) { m.Standardize(s.Slice(lo, hi), x.Slice(lo, hi)) })
}

// HeadsOut goes from dy [n,D], the gradient of attn_out, to dz [n,H·K]. z is
// needed with Grads, and with a norm behind attention, only.
func (r *Reverse) HeadsOut(layer int, dz, dy, z tensor.Matrix) {
	m := r.model()
	m.block(layer)
	if m.Config.PostNorm {
		dy = r.attnPost(layer, dy, z)
	}
	r.parallel(dy.Rows, func(lo, hi int) { m.HeadsOutBackward(layer, dz.Slice(lo, hi), dy.Slice(lo, hi)) })
	if r.Grads == nil {
		return
	}
	g := &r.Grads.Blocks[layer]
	tensor.MulTNAdd(r.threads, z, tensor.Product{Dst: g.WO.Reshape(z.Cols, dy.Cols).Matrix(), B: dy})
	tensor.AddColumnSums(g.BO, dy, r.threads)
}

// Attend goes from dz to d, the gradients of each head's queries, keys and values
// as attention takes them, all [n,H·K]. Of qkv, what groups of heads share may be
// [n,G·K].
func (r *Reverse) Attend(layer int, d [3]tensor.Matrix, dz tensor.Matrix, qkv [3]tensor.Matrix) {
	m := r.model()
	h, t := m.Config.Heads, r.t
	part := func(x tensor.Matrix, side, b, j int) tensor.Matrix {
		from, to := m.Config.SideColumns(side, j, x.Cols)
		return x.Slice(b*t, (b+1)*t).Columns(from, to)
	}
	parts := min(r.threads, r.b*h)
	r.grow(parts, AttendScratch(t))
	r.parallel(parts, func(first, last int) {
		for thread := first; thread < last; thread++ {
			for i := thread * r.b * h / parts; i < (thread+1)*r.b*h/parts; i++ {
				b, j := i/h, i%h
				var own, in [3]tensor.Matrix
				for side := range own {
					own[side], in[side] = part(d[side], side, b, j), part(qkv[side], side, b, j)
				}
				m.AttendBackward(layer, own, part(dz, 0, b, j), in, r.pad.Of(b), r.scratch[thread], r.Rules)
			}
		}
	})
}

// grow makes sure of scratch memory for a number of threads.
func (r *Reverse) grow(threads, floats int) {
	for len(r.scratch) < threads {
		r.scratch = append(r.scratch, nil)
	}
	for i := range r.scratch {
		r.scratch[i] = tensor.Grown(r.scratch[i], floats)
	}
}

// view makes a matrix [rows,cols] of scratch memory.
func view(data []float32, rows, cols int) tensor.Matrix {
	return tensor.Matrix{Data: data[:rows*cols], Rows: rows, Cols: cols, Stride: cols}
}

// HeadInput goes from dy [n,K], the gradient of one head's queries, keys or
// values (side 0, 1, 2) before rotary positions, to dx [n,D], that of their own
// input, rows s of a residual stream.
func (r *Reverse) HeadInput(layer, side, head int, dx, dy tensor.Matrix, s Standardized) {
	m := r.model()
	checkSide(side)
	m.headOf(layer, head)
	if r.Grads == nil {
		r.blocks(dy.Rows, func(lo, hi int) {
			r.headRows(layer, side, head, dx.Slice(lo, hi), dy.Slice(lo, hi), s.Slice(lo, hi))
		})
		return
	}
	r.parallel(dy.Rows, func(lo, hi int) { m.HeadBackward(layer, side, head, dx.Slice(lo, hi), dy.Slice(lo, hi)) })
	r.positionGradients(side, dx)
	g := &r.Grads.Blocks[layer]
	from, to := m.Config.SideColumns(side, head, -1)
	tensor.AddColumnSums(g.B[side][from:to], dy, r.threads)
	tensor.MulTNAdd(r.threads, r.normed1(layer, side, s), tensor.Product{Dst: headOf(g.W[side], m.Config.SideHead(side, head)), B: dy})
	r.normGradients(g.LN1W, g.LN1B, dx, s)
	r.parallel(dy.Rows, func(lo, hi int) {
		m.Norm1Backward(layer, dx.Slice(lo, hi), dx.Slice(lo, hi), s.Slice(lo, hi), r.Rules)
	})
}

// headRows is HeadInput of some rows, without gradients of weights.
func (r *Reverse) headRows(layer, side, head int, dx, dy tensor.Matrix, s Standardized) {
	r.m.HeadBackward(layer, side, head, dx, dy)
	r.m.Norm1Backward(layer, dx, dx, s, r.Rules)
}

// HeadsInput goes from d, the gradients of all heads' queries, keys and values
// [n,H·K] before rotary positions, to dx [n,D], that of the stream s that they
// share. A side whose matrix has no rows is left out.
func (r *Reverse) HeadsInput(layer int, dx tensor.Matrix, d [3]tensor.Matrix, s Standardized) {
	m := r.model()
	m.block(layer)
	dx.Zero()
	for side := range d {
		d[side] = r.shared(side, d[side])
		dy := d[side]
		r.parallel(dy.Rows, func(lo, hi int) { m.AddHeadsBackward(layer, side, dx.Slice(lo, hi), dy.Slice(lo, hi)) })
		if side == 1 && r.Grads != nil {
			r.positionGradients(side, dx) // of queries and keys together
		}
	}
	if r.Grads != nil {
		r.headsGradients(layer, d, s)
		g := &r.Grads.Blocks[layer]
		r.normGradients(g.LN1W, g.LN1B, dx, s)
	}
	r.blocks(dx.Rows, func(lo, hi int) {
		m.Norm1Backward(layer, dx.Slice(lo, hi), dx.Slice(lo, hi), s.Slice(lo, hi), r.Rules)
	})
}

// Stream is what an MLP's way backward needs to know of its run.
type Stream struct {
	In  tensor.Matrix // its input, the residual stream [n,D]
	Pre tensor.Matrix // what goes into the activation function [n,F], of a gated MLP [n,2F]; recomputed if it has no rows
}

// MLP goes from dy [n,D], the gradient of an MLP's output, to dx [n,D], that of
// its input. See, where it is not nil, is shown the gradients of mlp.hook_post
// and mlp.hook_pre [n,F] and may change them.
func (r *Reverse) MLP(layer int, dx, dy tensor.Matrix, in Stream, see func(p Point, g tensor.Matrix)) {
	r.model().mlp(layer)
	step := reverseRows
	if see != nil {
		step = dy.Rows
	}
	for lo := 0; lo < dy.Rows; lo += step {
		hi := min(lo+step, dy.Rows)
		part := Stream{In: in.In.Slice(lo, hi)}
		if in.Pre.Rows > 0 {
			part.Pre = in.Pre.Slice(lo, hi)
		}
		r.mlpRows(layer, dx.Slice(lo, hi), dy.Slice(lo, hi), part, see)
	}
}

// mlpRows is MLP of some rows.
func (r *Reverse) mlpRows(layer int, dx, dy tensor.Matrix, in Stream, see func(p Point, g tensor.Matrix)) {
	m, n, f, w := r.m, dy.Rows, r.m.Config.DMLP, r.m.Config.MLPWidth()
	s := r.stream(n)
	r.hidden[1], r.normed = tensor.Grown(r.hidden[1], n*w), tensor.Grown(r.normed, n*m.Config.DModel)
	normed, pre, hidden := view(r.normed, n, m.Config.DModel), in.Pre, view(r.hidden[1], n, w)
	known, own := in.Pre.Rows > 0, r.Grads != nil
	if !known || own {
		r.hidden[0] = tensor.Grown(r.hidden[0], n*w)
		pre = view(r.hidden[0], n, w)
	}
	r.blocks(n, func(lo, hi int) {
		m.Standardize(s.Slice(lo, hi), in.In.Slice(lo, hi))
		if !known || own {
			m.Norm2(layer, normed.Slice(lo, hi), in.In.Slice(lo, hi))
		}
	})
	r.parallel(n, func(lo, hi int) {
		if !known {
			m.MLPPre(layer, pre.Slice(lo, hi), normed.Slice(lo, hi))
		} else if own {
			copyRows(pre.Slice(lo, hi), in.Pre.Slice(lo, hi))
		}
	})
	if m.Config.PostNorm {
		dy = r.mlpPost(layer, dy, pre)
	}
	post := hidden.Columns(0, f)
	r.parallel(n, func(lo, hi int) { m.MLPOutBackward(layer, post.Slice(lo, hi), dy.Slice(lo, hi)) })
	r.show(see, HookMLPPost, post)
	r.activate(hidden, pre)
	r.show(see, HookMLPPre, hidden)
	r.parallel(n, func(lo, hi int) { m.MLPPreBackward(layer, dx.Slice(lo, hi), hidden.Slice(lo, hi)) })
	if r.Grads != nil {
		r.mlpGradients(layer, dx, dy, normed, pre, hidden, s)
	}
	r.blocks(n, func(lo, hi int) {
		m.Norm2Backward(layer, dx.Slice(lo, hi), dx.Slice(lo, hi), s.Slice(lo, hi), r.Rules)
	})
}

// show shows a gradient to whoever wants to see it.
func (r *Reverse) show(see func(p Point, g tensor.Matrix), p Point, g tensor.Matrix) {
	if see != nil {
		see(p, g)
	}
}

// activate goes backward through the activation function.
func (r *Reverse) activate(d, pre tensor.Matrix) {
	parts := min(r.threads, d.Rows)
	r.grow(parts, d.Cols)
	r.parallel(parts, func(first, last int) {
		for thread := first; thread < last; thread++ {
			lo, hi := thread*d.Rows/parts, (thread+1)*d.Rows/parts
			r.m.MLPPostBackward(d.Slice(lo, hi), pre.Slice(lo, hi), r.scratch[thread], r.Rules)
		}
	})
}

// stream is memory for n rows that a norm sees.
func (r *Reverse) stream(n int) Standardized {
	if r.rows.X.Rows < n {
		r.rows = r.m.NewStandardized(n)
	}
	return r.rows.Slice(0, n)
}
