package transformer

import (
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// The parts below go backward through those of the forward pass, row by row as
// they do: of y = part(x), dy is the gradient with respect to y and dx that with
// respect to x. They use one thread and may be called on ranges of rows.

// Standardized are rows of a residual stream as norms see them, and what the way
// backward needs of them.
type Standardized struct {
	X   tensor.Matrix // x̂ = (x − mean)/σ [rows,D], or x/σ of RMS norms; x itself of a model without norms
	Inv []float32     // 1/σ [rows]; nil of a model without norms
}

// NewStandardized makes room for rows.
func (m *Model) NewStandardized(rows int) Standardized {
	m.checkOpen()
	if rows < 0 {
		panic(fmt.Sprintf("transformer: NewStandardized of %d rows", rows))
	}
	s := Standardized{X: tensor.New(rows, m.Config.DModel).Matrix()}
	if m.Config.Norm != NoNorm {
		s.Inv = make([]float32, rows)
	}
	return s
}

// Slice is the part of rows [lo,hi).
func (s Standardized) Slice(lo, hi int) Standardized {
	out := Standardized{X: s.X.Slice(lo, hi)}
	if s.Inv != nil {
		if len(s.Inv) != s.X.Rows {
			panic(fmt.Sprintf("transformer: Standardized.Slice: %d rows and %d of their scales", s.X.Rows, len(s.Inv)))
		}
		out.Inv = s.Inv[lo:hi]
	}
	return out
}

// Standardize sets s to what a norm sees of rows x [rows,D].
func (m *Model) Standardize(s Standardized, x tensor.Matrix) {
	m.checkOpen()
	switch eps := float32(m.Config.Eps); {
	case m.Config.Norm == NoNorm:
		copyRows(s.X, x)
	case m.Config.Norm.Centred():
		tensor.Standardize(s.X, s.Inv, x, eps)
	default:
		tensor.StandardizeRMS(s.X, s.Inv, x, eps)
	}
}

// Norm1Backward goes backward through Norm1 at rows s: dx [rows,D] of dy, which
// may be the same.
func (m *Model) Norm1Backward(layer int, dx, dy tensor.Matrix, s Standardized, r Rules) {
	m.normBackward(dx, dy, s, m.norms(layer).LN1W, r)
}

// Norm2Backward goes backward through Norm2, as Norm1Backward.
func (m *Model) Norm2Backward(layer int, dx, dy tensor.Matrix, s Standardized, r Rules) {
	m.mlp(layer)
	m.normBackward(dx, dy, s, m.norms(layer).LN2W, r)
}

// NormFinalBackward goes backward through NormFinal, as Norm1Backward.
func (m *Model) NormFinalBackward(dx, dy tensor.Matrix, s Standardized, r Rules) {
	m.checkOpen()
	m.normBackward(dx, dy, s, m.Params.LNFW, r)
}

func (m *Model) normBackward(dx, dy tensor.Matrix, s Standardized, w []float32, r Rules) {
	switch {
	case m.Config.Norm == NoNorm:
		copyRows(dx, dy)
	case m.Config.Norm.Centred():
		tensor.LayerNormBackward(dx, dy, s.X, s.Inv, w, r.FixedNorm)
	default:
		tensor.RMSNormBackward(dx, dy, s.X, s.Inv, w, r.FixedNorm)
	}
}

// HeadBackward goes backward through Head: dx [rows,D] of normalized inputs, dy
// being [rows,K].
func (m *Model) HeadBackward(layer, side, head int, dx, dy tensor.Matrix) {
	checkSide(side)
	tensor.MatMul(dx, dy, m.headOf(layer, head).back.qkvHead[side][m.Config.SideHead(side, head)].get())
}

// AddHeadsBackward goes backward through Heads and adds to dx [rows,D], dy being
// [rows,H·K] of queries and [rows,G·K] of keys and values.
func (m *Model) AddHeadsBackward(layer, side int, dx, dy tensor.Matrix) {
	checkSide(side)
	tensor.MatMulAdd(dx, dy, m.block(layer).back.qkv[side].get())
}

// AddHeadOutBackward goes backward through AddHeadOut and adds to one head's dz
// [rows,K], dy being [rows,D].
func (m *Model) AddHeadOutBackward(layer, head int, dz, dy tensor.Matrix) {
	tensor.MatMulAdd(dz, dy, m.headOf(layer, head).back.oHead[head].get())
}

// HeadsOutBackward goes backward through AddHeadsOut: all heads' dz [rows,H·K],
// dy being [rows,D].
func (m *Model) HeadsOutBackward(layer int, dz, dy tensor.Matrix) {
	tensor.MatMul(dz, dy, m.block(layer).back.o.get())
}

// AttendScratch is how many numbers of scratch AttendBackward needs for an
// example of t positions.
func AttendScratch(t int) int { return t * ((t + 15) &^ 15) }

// AttendBackward goes backward through Attend for all positions of one example
// and head: d, the gradients of q, k and v [T,K], of dz [T,K]. The first pad
// positions are padding, whose gradients are 0.
func (m *Model) AttendBackward(layer int, d [3]tensor.Matrix, dz tensor.Matrix, qkv [3]tensor.Matrix, pad int, scratch []float32, r Rules) {
	m.block(layer)
	t := dz.Rows
	for side := range d {
		for i := range pad {
			clear(d[side].Row(i))
		}
		d[side], qkv[side] = d[side].Slice(pad, t), qkv[side].Slice(pad, t)
	}
	dz, t = dz.Slice(pad, t), t-pad
	stride := (t + 15) &^ 15
	checkScratch("AttendBackward", scratch, t*stride)
	p := tensor.Matrix{Data: scratch[:t*stride], Rows: t, Cols: t, Stride: stride}
	scale := float32(1 / m.Config.ScoreScale(layer))
	tensor.MulNT(p, qkv[0], qkv[1], scale)
	slopes := m.capScores(p, r)
	m.fullPattern(layer, p)
	if r.FixedPattern {
		tensor.MixBackward(d[2], dz, p)
		d[0].Zero()
		d[1].Zero()
		return
	}
	tensor.AttentionBackward(d[0], d[1], d[2], dz, p, slopes, qkv[0], qkv[1], qkv[2], scale)
	if r.HalfProducts {
		for side, share := range []float32{0.25, 0.25, 0.5} {
			for i := range t {
				tensor.Scale(d[side].Row(i), share)
			}
		}
	}
}

// capScores puts the soft cap on scores, in place, and returns its slopes; nothing
// in models without.
func (m *Model) capScores(scores tensor.Matrix, r Rules) tensor.Matrix {
	if m.Config.ScoreCap == 0 {
		return tensor.Matrix{}
	}
	slopes := tensor.New(scores.Rows, scores.Cols).Matrix()
	for i := range scores.Rows {
		m.capRow(slopes.Row(i), scores.Row(i), m.Config.ScoreCap, r)
	}
	return slopes
}

// capRow puts a soft cap on a row, in place, and sets slopes to its slopes.
func (m *Model) capRow(slopes, row []float32, limit float64, r Rules) {
	before := row
	if r.FixedActRatio {
		before = append([]float32(nil), row...)
	}
	tensor.SoftCap(row, float32(limit))
	for i := range slopes {
		slopes[i] = 1
	}
	if !r.FixedActRatio {
		tensor.SoftCapBackward(slopes, row, float32(limit))
		return
	}
	for i, v := range before {
		if v != 0 {
			slopes[i] = row[i] / v
		}
	}
}

// fullPattern turns the scores of all positions into attention weights, where
// none is padding.
func (m *Model) fullPattern(layer int, scores tensor.Matrix) {
	if w := m.Config.Window(layer); m.Config.Direction == Causal && (w == 0 || w >= scores.Rows) {
		tensor.CausalSoftmax(scores, 1)
		return
	}
	m.Pattern(layer, scores, 0)
}

// MLPOutBackward goes backward through MLPOut, the norm behind the MLP aside: dx
// [rows,F] of dy [rows,D].
func (m *Model) MLPOutBackward(layer int, dx, dy tensor.Matrix) {
	tensor.MatMul(dx, dy, m.mlp(layer).back.out.get())
}

// ActivateBackward goes backward through Activate, in place: dx becomes the
// gradient with respect to its input x. Scratch is as long.
func (m *Model) ActivateBackward(dx, x, scratch []float32, r Rules) {
	m.checkOpen()
	if r.FixedActRatio {
		checkScratch("ActivateBackward", scratch, len(x))
	}
	r.activateBackward(m.Config.Activation, dx, x, scratch)
}

// MLPPostBackward goes backward through MLPPost, in place: d, whose first F columns
// are the gradient of what MLPOut takes, becomes that of pre [rows,F], of a gated
// MLP [rows,2F]. Scratch is as long as a row.
func (m *Model) MLPPostBackward(d, pre tensor.Matrix, scratch []float32, r Rules) {
	m.checkOpen()
	f := m.Config.DMLP
	d, pre = checkWidth("MLPPostBackward", d, m.Config.MLPWidth()), checkWidth("MLPPostBackward", pre, m.Config.MLPWidth())
	if pre.Rows != d.Rows {
		panic(fmt.Sprintf("transformer: MLPPostBackward: gradients of %d rows, found %d", d.Rows, pre.Rows))
	}
	checkScratch("MLPPostBackward", scratch, f)
	for i := range d.Rows {
		g, x := d.Row(i)[:f], pre.Row(i)
		if m.Config.GatedMLP {
			factor, other := d.Row(i)[f:], x[f:]
			copy(factor, x[:f])
			m.Activate(factor)
			tensor.MulTo(factor, factor, g)
			tensor.MulTo(g, g, other)
			if r.HalfGates {
				tensor.Scale(d.Row(i), 0.5)
			}
		}
		m.ActivateBackward(g, x[:f], scratch[:f], r)
	}
}

// MLPPreBackward goes backward through MLPPre: dx [rows,D] of dy [rows,F], of a
// gated MLP [rows,2F].
func (m *Model) MLPPreBackward(layer int, dx, dy tensor.Matrix) {
	b, f := m.mlp(layer), m.Config.DMLP
	tensor.MatMul(dx, dy.Columns(dy.Cols-f, dy.Cols), b.back.in.get())
	if m.Config.GatedMLP {
		tensor.MatMulAdd(dx, dy.Columns(0, f), b.back.gate.get())
	}
}

// UnembedBackward goes backward through Unembed: dx [rows,D] of dy [rows,V].
func (m *Model) UnembedBackward(dx, dy tensor.Matrix) {
	m.checkOpen()
	tensor.MatMul(dx, dy, m.back.get())
}
