package transformer

import "github.com/seed-2c350065/acdc/pkg/tensor"

// postNorm is memory for the way backward through norms behind attention and MLPs.
type postNorm struct {
	x, dy []float32 // [n,D]
	inv   []float32 // [n]
}

// attnPost goes from dy [n,D], the gradient of attn_out, to that of the sum of the
// heads' outputs and b_O, in memory that the next call uses again.
func (r *Reverse) attnPost(layer int, dy, z tensor.Matrix) tensor.Matrix {
	g := r.gradients(layer)
	return r.post(dy, r.m.Params.Blocks[layer].LN1PostW, func() []float32 { return g.LN1PostW }, func(lo, hi int, sum tensor.Matrix) {
		sum.Zero()
		r.m.AddHeadsOut(layer, sum, z.Slice(lo, hi))
		tensor.AddRows(sum, r.m.Params.Blocks[layer].BO)
	})
}

// mlpPost goes from dy [n,D], the gradient of mlp_out, to that of what W_out and
// b_out give of pre, in memory that the next call uses again.
func (r *Reverse) mlpPost(layer int, dy, pre tensor.Matrix) tensor.Matrix {
	g := r.gradients(layer)
	return r.post(dy, r.m.Params.Blocks[layer].LN2PostW, func() []float32 { return g.LN2PostW }, func(lo, hi int, sum tensor.Matrix) {
		hidden := tensor.New(hi-lo, pre.Cols).Matrix()
		copyRows(hidden, pre.Slice(lo, hi))
		r.m.mlpSum(layer, sum, r.m.MLPPost(hidden))
	})
}

// gradients are those of a layer's weights, nil if they are not wanted.
func (r *Reverse) gradients(layer int) *BlockParams {
	if r.Grads == nil {
		return nil
	}
	return &r.Grads.Blocks[layer]
}

// post goes backward through a norm behind a sum that make makes of rows [lo,hi).
func (r *Reverse) post(dy tensor.Matrix, w []float32, dw func() []float32, make func(lo, hi int, sum tensor.Matrix)) tensor.Matrix {
	n, d := dy.Rows, dy.Cols
	p := &r.behind
	p.x, p.dy, p.inv = tensor.Grown(p.x, n*d), tensor.Grown(p.dy, n*d), tensor.Grown(p.inv, n)
	x, out := view(p.x, n, d), view(p.dy, n, d)
	r.parallel(n, func(lo, hi int) {
		sum, inv := x.Slice(lo, hi), p.inv[lo:hi]
		make(lo, hi, sum)
		tensor.StandardizeRMS(sum, inv, sum, float32(r.m.Config.Eps))
		tensor.RMSNormBackward(out.Slice(lo, hi), dy.Slice(lo, hi), sum, inv, w, r.Rules.FixedNorm)
	})
	if r.Grads != nil {
		tensor.AddLayerNormGradients(dw(), nil, dy, x, r.threads)
	}
	return out
}

// shared adds up, for each group of heads, the gradients d [n,H·K] of keys or
// values that it shares, [n,G·K], in memory that the next call for the side uses
// again. It returns d itself where nothing is shared.
func (r *Reverse) shared(side int, d tensor.Matrix) tensor.Matrix {
	c := r.m.Config
	if d.Rows == 0 || c.SideHeads(side) == c.Heads {
		return d
	}
	width := c.KV() * c.DHead
	r.grouped = tensor.Grown(r.grouped, 2*d.Rows*width)
	out := view(r.grouped[(side-1)*d.Rows*width:], d.Rows, width)
	out.Zero()
	r.parallel(d.Rows, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for h := range c.Heads {
				from, to := c.SideColumns(side, h, width)
				tensor.Add(out.Row(i)[from:to], d.Row(i)[h*c.DHead:(h+1)*c.DHead])
			}
		}
	})
	return out
}

// Unturn goes backward through Model.Turn, in place: queries' and keys' gradients
// (side 0 and 1) [n,H·K] as attention takes them become those before rotary
// positions and norms. Where queries and keys have norms, raw is what these read,
// [n,H·K] or [n,G·K]; RawSide makes it of a stream that heads share. It does
// nothing for values and for models that have neither.
func (r *Reverse) Unturn(layer, side int, d, raw tensor.Matrix) {
	m := r.model()
	m.block(layer)
	checkSide(side)
	checkPositions("Unturn", r.ids, d.Rows)
	c := m.Config
	if !c.Turned(side) {
		return
	}
	r.parallel(d.Rows, func(lo, hi int) { m.RotateBackward(side, d.Slice(lo, hi), r.ids[lo:hi]) })
	if !c.QKNorm {
		return
	}
	w, inv := m.Params.Blocks[layer].QKNormW[side], make([]float32, d.Rows)
	xhat := tensor.New(d.Rows, c.DHead).Matrix()
	for h := range c.Heads {
		from, to := c.SideColumns(side, h, raw.Cols)
		own := d.Columns(h*c.DHead, (h+1)*c.DHead)
		r.parallel(d.Rows, func(lo, hi int) {
			tensor.StandardizeRMS(xhat.Slice(lo, hi), inv[lo:hi], raw.Columns(from, to).Slice(lo, hi), float32(c.Eps))
		})
		if r.Grads != nil {
			tensor.AddLayerNormGradients(r.Grads.Blocks[layer].QKNormW[side], nil, own, xhat, r.threads)
		}
		r.parallel(d.Rows, func(lo, hi int) {
			tensor.RMSNormBackward(own.Slice(lo, hi), own.Slice(lo, hi), xhat.Slice(lo, hi), inv[lo:hi], w, r.Rules.FixedNorm)
		})
	}
}

// RawSide is what Unturn needs of a layer whose heads share rows s of a residual
// stream: queries or keys before their norms, in memory that the next call uses
// again. Without norms of queries and keys it is nothing.
func (r *Reverse) RawSide(layer, side int, s Standardized) tensor.Matrix {
	m := r.model()
	m.block(layer)
	if checkSide(side); !m.Config.QKNorm || side == 2 {
		return tensor.Matrix{}
	}
	n := s.X.Rows
	width := m.Config.SideHeads(side) * m.Config.DHead
	r.raw = tensor.Grown(r.raw, n*width)
	out, x := view(r.raw, n, width), r.normed1(layer, side, s)
	r.parallel(n, func(lo, hi int) { m.Heads(layer, side, out.Slice(lo, hi), x.Slice(lo, hi)) })
	return out
}
