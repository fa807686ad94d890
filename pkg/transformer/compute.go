package transformer

import (
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// The parts below work on matrices of rows; a row is one position of one
// example. dst and x may be the same where the shapes are.

// Norm1 is the norm before a block's attention: ln1 of x [rows,D].
func (m *Model) Norm1(layer int, dst, x tensor.Matrix) {
	w := m.norms(layer)
	m.norm(dst, x, w.LN1W, w.LN1B)
}

// Norm2 is the norm before a block's MLP: ln2 of x [rows,D].
func (m *Model) Norm2(layer int, dst, x tensor.Matrix) {
	m.mlp(layer)
	w := m.norms(layer)
	m.norm(dst, x, w.LN2W, w.LN2B)
}

// NormFinal is ln_final of x [rows,D].
func (m *Model) NormFinal(dst, x tensor.Matrix) {
	m.checkOpen()
	m.norm(dst, x, m.Params.LNFW, m.Params.LNFB)
}

func (m *Model) norm(dst, x tensor.Matrix, w, b []float32) {
	switch m.Config.Norm {
	case LayerNorm, LNPre:
		tensor.LayerNorm(dst, x, w, b, float32(m.Config.Eps))
	case RMSNorm, RMSPre:
		tensor.RMSNorm(dst, x, w, float32(m.Config.Eps))
	default:
		copyRows(dst, x)
	}
}

func copyRows(dst, x tensor.Matrix) {
	for i := range x.Rows {
		copy(dst.Row(i), x.Row(i))
	}
}

// AddPositions adds the shortformer's position embeddings to the normalized
// inputs x [n,D] of queries and keys (side 0 and 1), row i standing at
// positions[i]; it does nothing for values and for other models.
func (m *Model) AddPositions(side int, x tensor.Matrix, positions []int) {
	m.checkOpen()
	if m.Config.Positions != Shortformer || side == 2 {
		return
	}
	checkPositions("AddPositions", positions, x.Rows)
	for i := range x.Rows {
		tensor.Add(x.Row(i), m.Params.Pos.Row(positions[i]))
	}
}

// Heads computes queries, keys or values (side 0, 1, 2) of all heads that have
// them, [rows,H·K] or [rows,G·K], from normalized inputs x [rows,D].
func (m *Model) Heads(layer, side int, dst, x tensor.Matrix) {
	checkSide(side)
	tensor.MatMulBias(dst, x, m.block(layer).qkv[side].get(), m.Params.Blocks[layer].B[side])
}

// Head computes one head's queries, keys or values (side 0, 1, 2) [rows,K]
// from normalized inputs x [rows,D]: keys and values by the weights that its group
// shares.
func (m *Model) Head(layer, side, head int, dst, x tensor.Matrix) {
	checkSide(side)
	b := m.headOf(layer, head)
	from, to := m.Config.SideColumns(side, head, -1)
	tensor.MatMulBias(dst, x, b.qkvHead[side][m.Config.SideHead(side, head)].get(), m.Params.Blocks[layer].B[side][from:to])
}

// AddHeadOut adds z W_O of one head to dst [rows,D], z being [rows,K].
func (m *Model) AddHeadOut(layer, head int, dst, z tensor.Matrix) {
	tensor.MatMulAdd(dst, z, m.headOf(layer, head).oHead[head].get())
}

// AddHeadsOut adds all heads' outputs to dst [rows,D], z being [rows,H·K];
// b_O is not added.
func (m *Model) AddHeadsOut(layer int, dst, z tensor.Matrix) {
	tensor.MatMulAdd(dst, z, m.block(layer).o.get())
}

// AttnOut turns the sum of all heads' outputs x [rows,D] into attn_out, in place:
// adds b_O and, where there is one, goes through the norm behind attention.
func (m *Model) AttnOut(layer int, x tensor.Matrix) {
	tensor.AddRows(x, m.norms(layer).BO)
	m.AttnPost(layer, x)
}

// AttnSum sets dst [rows,D] to the sum of all heads' outputs and b_O, z being
// [rows,H·K]: attn_out before a norm behind attention.
func (m *Model) AttnSum(layer int, dst, z tensor.Matrix) {
	dst.Zero()
	m.AddHeadsOut(layer, dst, z)
	tensor.AddRows(dst, m.norms(layer).BO)
}

// AttnPost is the norm behind attention, in place; nothing in models without.
func (m *Model) AttnPost(layer int, x tensor.Matrix) { m.post(x, m.norms(layer).LN1PostW) }

// AddAttnChange adds to dst [rows,D] what a change of the sum of a layer's heads'
// outputs changes of attn_out: post(sum + change) − out, post being the norm behind
// attention and out that of sum. It overwrites change. A change of zeros adds zeros.
func (m *Model) AddAttnChange(layer int, dst, sum, out, change tensor.Matrix) {
	for i := range change.Rows {
		tensor.Add(change.Row(i), sum.Row(i))
	}
	m.AttnPost(layer, change)
	for i := range change.Rows {
		tensor.Sub(change.Row(i), out.Row(i))
		tensor.Add(dst.Row(i), change.Row(i))
	}
}

// AttnPostSees makes of sums of heads' outputs and b_O, x [rows,D], what
// AttnPostForward and AttnPostBackward need, in their place; inv is as long as there are rows.
func (m *Model) AttnPostSees(x tensor.Matrix, inv []float32) Standardized {
	m.checkOpen()
	tensor.StandardizeRMS(x, inv, x, float32(m.Config.Eps))
	return Standardized{x, inv}
}

// AttnPostBackward goes backward through AttnPost at rows s: dx [rows,D] of dy,
// which may be the same.
func (m *Model) AttnPostBackward(layer int, dx, dy tensor.Matrix, s Standardized, r Rules) {
	tensor.RMSNormBackward(dx, dy, s.X, s.Inv, m.norms(layer).LN1PostW, r.FixedNorm)
}

// AttnPostForward turns changes x [rows,D] of what AttnPost reads at rows s into
// those of what it gives, to first order, in place.
func (m *Model) AttnPostForward(layer int, x tensor.Matrix, s Standardized, r Rules) {
	tensor.RMSNormForward(x, x, s.X, s.Inv, m.norms(layer).LN1PostW, r.FixedNorm)
}

// post is a norm behind attention or MLP, in place; nothing in models without.
func (m *Model) post(x tensor.Matrix, w []float32) {
	if m.Config.PostNorm {
		tensor.RMSNorm(x, x, w, float32(m.Config.Eps))
	}
}

// MLPPre computes what goes into the activation function [rows,F] from normalized
// inputs x [rows,D]: x W_in + b_in. Of a gated MLP it is x W_gate + b_gate, and
// x W_in + b_in, with which the function's values are multiplied, stands beside it
// [rows,2F].
func (m *Model) MLPPre(layer int, dst, x tensor.Matrix) {
	b, w, f := m.mlp(layer), &m.Params.Blocks[layer], m.Config.DMLP
	if m.Config.GatedMLP {
		tensor.MatMulBias(dst.Columns(0, f), x, b.gate.get(), w.BGate)
		tensor.MatMulBias(dst.Columns(f, 2*f), x, b.in.get(), w.BIn)
		return
	}
	tensor.MatMulBias(dst, x, b.in.get(), w.BIn)
}

// MLPPost turns what MLPPre gave into what MLPOut takes [rows,F], in place, and
// returns where it is.
func (m *Model) MLPPost(x tensor.Matrix) tensor.Matrix {
	m.checkOpen()
	f := m.Config.DMLP
	x = checkWidth("MLPPost", x, m.Config.MLPWidth())
	if !m.Config.GatedMLP {
		if x.Stride == x.Cols {
			m.Config.Activation.apply(x.Data[:x.Rows*x.Cols])
			return x
		}
		for i := range x.Rows {
			m.Config.Activation.apply(x.Row(i))
		}
		return x
	}
	for i := range x.Rows {
		row := x.Row(i)
		m.Config.Activation.apply(row[:f])
		tensor.MulTo(row[:f], row[:f], row[f:])
	}
	return x.Columns(0, f)
}

// checkWidth is a matrix of rows of some width; it panics if x is none.
func checkWidth(what string, x tensor.Matrix, width int) tensor.Matrix {
	if x.Cols != width {
		panic(fmt.Sprintf("transformer: %s: expected rows of %d numbers, found %d", what, width, x.Cols))
	}
	return x.Slice(0, x.Rows)
}

// Activate applies the activation function in place.
func (m *Model) Activate(x []float32) {
	m.checkOpen()
	m.Config.Activation.apply(x)
}

// MLPOut computes post W_out + b_out [rows,D] from post [rows,F], through the norm
// behind the MLP where there is one.
func (m *Model) MLPOut(layer int, dst, post tensor.Matrix) {
	m.mlpSum(layer, dst, post)
	m.post(dst, m.Params.Blocks[layer].LN2PostW)
}

// mlpSum is MLPOut before the norm behind the MLP.
func (m *Model) mlpSum(layer int, dst, post tensor.Matrix) {
	tensor.MatMulBias(dst, post, m.mlp(layer).out.get(), m.Params.Blocks[layer].BOut)
}

// Unembed computes logits [rows,V] from normalized final residuals x [rows,D].
func (m *Model) Unembed(dst, x tensor.Matrix) { m.UnembedColumns(dst, x, 0, m.Config.VocabOut) }

// UnembedColumns computes the logits of tokens [from,to), from being a multiple
// of tensor.PanelWidth, and to another or V: [rows,to-from] from x [rows,D].
func (m *Model) UnembedColumns(dst, x tensor.Matrix, from, to int) {
	m.checkOpen()
	tensor.MatMulBias(dst, x, m.unembed.get().Columns(from, to), m.Params.UnembedB[from:to])
	m.CapLogits(dst)
}

// CapLogits puts the soft cap on logits, in place; it does nothing in models
// without.
func (m *Model) CapLogits(x tensor.Matrix) {
	m.checkOpen()
	if m.Config.LogitCap == 0 {
		return
	}
	for i := range x.Rows {
		tensor.SoftCap(x.Row(i), float32(m.Config.LogitCap))
	}
}
