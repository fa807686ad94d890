package transformer

import "github.com/seed-2c350065/acdc/pkg/tensor"

// normGradients adds those of a norm's weights, dy being the gradient of what it
// gave of rows s.
func (r *Reverse) normGradients(dw, db []float32, dy tensor.Matrix, s Standardized) {
	if r.m.Config.Norm.Weighted() {
		tensor.AddLayerNormGradients(dw, db, dy, s.X, r.threads)
	}
}

// positionGradients adds those of the shortformer's position embeddings, which
// are added to normalized inputs of queries and keys, whose gradient is dy.
func (r *Reverse) positionGradients(side int, dy tensor.Matrix) {
	if r.m.Config.Positions == Shortformer && side < 2 {
		tensor.ScatterAdd(r.Grads.Pos.Matrix(), r.ids, dy, r.threads)
	}
}

// normed1 is what a side's heads read, made again of rows s [n,D].
func (r *Reverse) normed1(layer, side int, s Standardized) tensor.Matrix {
	m, w := r.m, &r.m.Params.Blocks[layer]
	r.normed = tensor.Grown(r.normed, s.X.Rows*s.X.Cols)
	x := view(r.normed, s.X.Rows, s.X.Cols)
	r.parallel(x.Rows, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row := x.Row(i)
			copy(row, s.X.Row(i))
			if m.Config.Norm.Weighted() {
				tensor.MulTo(row, row, w.LN1W)
			}
			if w.LN1B != nil {
				tensor.Add(row, w.LN1B)
			}
		}
		m.AddPositions(side, x.Slice(lo, hi), r.ids[lo:hi])
	})
	return x
}

// headsGradients adds those of W_Q, W_K, W_V and their biases, d being those of all
// heads that there are of each.
func (r *Reverse) headsGradients(layer int, d [3]tensor.Matrix, s Standardized) {
	g := &r.Grads.Blocks[layer]
	var products []tensor.Product
	for side, dy := range d {
		if dy.Rows > 0 {
			tensor.AddColumnSums(g.B[side], dy, r.threads)
			for h := range r.m.Config.SideHeads(side) {
				k := r.m.Config.DHead
				products = append(products, tensor.Product{Dst: headOf(g.W[side], h), B: dy.Columns(h*k, (h+1)*k)})
			}
		}
		if last := side == 2; last || side == 1 && r.m.Config.Positions == Shortformer { // values read another input
			tensor.MulTNAdd(r.threads, r.normed1(layer, side, s), products...)
			products = products[:0]
		}
	}
}

// mlpGradients adds those of an MLP and its norm, dn being the gradient of what
// the norm gave, dy that of what W_out gives. pre becomes what the activation
// function makes of it.
func (r *Reverse) mlpGradients(layer int, dn, dy, normed, pre, dpre tensor.Matrix, s Standardized) {
	g := &r.Grads.Blocks[layer]
	f := r.m.Config.DMLP
	r.parallel(pre.Rows, func(lo, hi int) { r.m.MLPPost(pre.Slice(lo, hi)) })
	tensor.MulTNAdd(r.threads, pre.Columns(0, f), tensor.Product{Dst: g.WOut.Matrix(), B: dy})
	tensor.AddColumnSums(g.BOut, dy, r.threads)
	in := dpre.Columns(dpre.Cols-f, dpre.Cols)
	tensor.MulTNAdd(r.threads, normed, tensor.Product{Dst: g.WIn.Matrix(), B: in})
	tensor.AddColumnSums(g.BIn, in, r.threads)
	if r.m.Config.GatedMLP {
		tensor.MulTNAdd(r.threads, normed, tensor.Product{Dst: g.WGate.Matrix(), B: dpre.Columns(0, f)})
		tensor.AddColumnSums(g.BGate, dpre.Columns(0, f), r.threads)
	}
	r.normGradients(g.LN2W, g.LN2B, dn, s)
}

// outputGradients adds those of the unembedding and ln_final, dn being the
// gradient of what ln_final gave of rows x.
func (r *Reverse) outputGradients(dn tensor.Matrix, g LogitGradient, x tensor.Matrix, s Standardized) {
	r.normGradients(r.Grads.LNFW, r.Grads.LNFB, dn, s)
	normed := tensor.New(x.Rows, x.Cols).Matrix()
	r.parallel(x.Rows, func(lo, hi int) { r.m.NormFinal(normed.Slice(lo, hi), x.Slice(lo, hi)) })
	if g.Tokens == nil {
		tensor.MulTNAdd(r.threads, normed, tensor.Product{Dst: r.Grads.Unembed.Matrix(), B: g.Grad})
		tensor.AddColumnSums(r.Grads.UnembedB, g.Grad, r.threads)
		return
	}
	v := r.m.Config.VocabOut
	for i := range x.Rows {
		for k, id := range g.Tokens(i) {
			each := g.Grad.Row(i)[k]
			r.Grads.UnembedB[id] += each
			for j, a := range normed.Row(i) {
				r.Grads.Unembed.Data[j*v+id] += each * a
			}
		}
	}
}

// embedGradients adds those of the token and position embeddings, d and pos being
// the gradients of what they add to the stream.
func (r *Reverse) embedGradients(tokens [][]int, d, pos tensor.Matrix) {
	at := make([]int, 0, r.n())
	for _, row := range tokens {
		at = append(at, row...)
	}
	if scale := r.m.Config.EmbedScale; scale != 0 {
		scaled := tensor.New(d.Rows, d.Cols).Matrix()
		copyRows(scaled, d)
		tensor.Scale(scaled.Data, float32(scale))
		tensor.ScatterAdd(r.Grads.Embed.Matrix(), at, scaled, r.threads)
	} else {
		tensor.ScatterAdd(r.Grads.Embed.Matrix(), at, d, r.threads)
	}
	if r.m.Config.Positions == Standard {
		tensor.ScatterAdd(r.Grads.Pos.Matrix(), r.ids, pos, r.threads)
	}
}
