package transformer

import (
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// LogitGradient is the gradient of what is minimised with respect to logits.
type LogitGradient struct {
	Rows   []int             // by row of Grad, the row of all B·T; nil for all, in order
	Tokens func(i int) []int // the tokens whose logits row i of Grad has, if not all; a token that is listed twice counts twice
	Grad   tensor.Matrix     // [rows,V], or as many columns as there are Tokens
}

// check panics where the rows do not fit a batch of n, or tokens are not of v.
func (g LogitGradient) check(n, v int) {
	for _, row := range g.Rows {
		if row < 0 || row >= n {
			panic(fmt.Sprintf("transformer: gradient of logits: no row %d of %d", row, n))
		}
	}
	if g.Rows != nil {
		n = len(g.Rows)
	}
	if g.Grad.Rows != n {
		panic(fmt.Sprintf("transformer: gradient of logits: expected %d rows, found %d", n, g.Grad.Rows))
	}
	if g.Tokens == nil {
		return
	}
	for i := range n {
		ids := g.Tokens(i)
		if len(ids) != g.Grad.Cols {
			panic(fmt.Sprintf("transformer: gradient of logits: expected %d tokens in row %d, found %d", g.Grad.Cols, i, len(ids)))
		}
		for _, id := range ids {
			if id < 0 || id >= v {
				panic(fmt.Sprintf("transformer: gradient of logits: no token %d of %d", id, v))
			}
		}
	}
}

// Output goes from the gradient of logits to dx [n,D], that of the final
// residual stream out [n,D], hook_resid_post of the last layer.
func (r *Reverse) Output(dx tensor.Matrix, g LogitGradient, out tensor.Matrix) {
	m := r.model()
	g.check(out.Rows, m.Config.VocabOut)
	x, d := out, dx
	if g.Rows != nil {
		x, d = tensor.New(len(g.Rows), out.Cols).Matrix(), tensor.New(len(g.Rows), out.Cols).Matrix()
		for i, row := range g.Rows {
			copy(x.Row(i), out.Row(row))
		}
	}
	s := m.NewStandardized(x.Rows)
	r.Standardize(s, x)
	if m.Config.LogitCap != 0 {
		g.Grad = r.uncapped(g, x)
	}
	if g.Tokens == nil {
		r.parallel(x.Rows, func(lo, hi int) { m.UnembedBackward(d.Slice(lo, hi), g.Grad.Slice(lo, hi)) })
	} else {
		r.parallel(x.Rows, func(lo, hi int) { r.unembedTokens(d, g, lo, hi) })
	}
	if r.Grads != nil {
		r.outputGradients(d, g, x, s)
	}
	r.blocks(x.Rows, func(lo, hi int) {
		m.NormFinalBackward(d.Slice(lo, hi), d.Slice(lo, hi), s.Slice(lo, hi), r.Rules)
	})
	if g.Rows != nil {
		dx.Zero()
		tensor.ScatterAdd(dx, g.Rows, d, r.threads)
	}
}

// unembedTokens is UnembedBackward where only some logits have a gradient.
func (r *Reverse) unembedTokens(d tensor.Matrix, g LogitGradient, lo, hi int) {
	w, v := r.m.Params.Unembed.Data, r.m.Config.VocabOut
	for i := lo; i < hi; i++ {
		row := d.Row(i)
		clear(row)
		for k, id := range g.Tokens(i) {
			each := g.Grad.Row(i)[k]
			for j := range row {
				row[j] += each * w[j*v+id]
			}
		}
	}
}

// uncapped is the gradient of logits before their soft cap, x being the rows of
// the final residual stream that they are of.
func (r *Reverse) uncapped(g LogitGradient, x tensor.Matrix) tensor.Matrix {
	m, out := r.m, tensor.New(g.Grad.Rows, g.Grad.Cols).Matrix()
	w, v := m.Params.Unembed.Data, m.Config.VocabOut
	r.parallel(x.Rows, func(lo, hi int) {
		normed, logits, slopes := tensor.New(1, x.Cols).Matrix(), make([]float32, out.Cols), make([]float32, out.Cols)
		for i := lo; i < hi; i++ {
			m.NormFinal(normed, x.Slice(i, i+1))
			if g.Tokens == nil {
				tensor.MatMulBias(tensor.Matrix{Data: logits, Rows: 1, Cols: v, Stride: v}, normed, m.unembed.get(), m.Params.UnembedB)
			} else {
				for k, id := range g.Tokens(i) {
					logits[k] = m.Params.UnembedB[id]
					for j, a := range normed.Row(0) {
						logits[k] += a * w[j*v+id]
					}
				}
			}
			m.capRow(slopes, logits, m.Config.LogitCap, r.Rules)
			tensor.MulTo(out.Row(i), g.Grad.Row(i), slopes)
		}
	})
	return out
}
