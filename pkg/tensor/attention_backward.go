package tensor

import "github.com/seed-2c350065/acdc/pkg/tensor/internal/kernel"

// AttentionBackward goes backward through one head of one example,
// z = p·v with p = softmax(q·(scale·k)ᵀ) [T,T], p being 0 where nothing is
// seen. It sets dq, dk and dv from dz:
//
//	dv = pᵀ·dz,  dp = dz·vᵀ,  ds = p·(dp − Σ p·dp),  dq = scale·ds·k,  dk = scale·dsᵀ·q.
//
// Where p is the softmax not of the scores but of a function of each of them, slopes
// [T,T] are that function's, by which ds is multiplied; else it has no rows. None of
// dq, dk and dv may overlap another matrix.
func AttentionBackward(dq, dk, dv, dz, p, slopes, q, k, v Matrix, scale float32) {
	if slopes.Rows > 0 {
		slopes.check("AttentionBackward", "slopes")
		sameLen("AttentionBackward rows", slopes.Rows, p.Rows)
		sameLen("AttentionBackward columns", slopes.Cols, p.Cols)
	}
	checkAttention(dz, q, k, v)
	checkAttention(dv, dq, dk, v)
	MixBackward(dv, dz, p)
	t := p.Rows
	if t == 0 {
		return
	}
	stride := (t + 15) &^ 15
	buf := kernel.Borrow(2 * t * stride)
	ds := Matrix{Data: *buf, Rows: t, Cols: t, Stride: stride}
	turned := Matrix{Data: (*buf)[t*stride:], Rows: t, Cols: t, Stride: stride}
	kernel.MulNT(ds.Data, stride, dz.Data, dz.Stride, v.Data, v.Stride, t, t, v.Cols, 1)
	for i := range t {
		row := ds.Row(i)
		SoftmaxBackward(row, p.Row(i))
		if slopes.Rows > 0 {
			kernel.MulTo(row, row, slopes.Row(i))
		}
		kernel.Scale(row, scale)
	}
	MulNN(dq, ds, k)
	kernel.Transpose(turned.Data, stride, ds.Data, stride, t, t)
	MulNN(dk, turned, q)
	kernel.Return(buf)
}

// MixBackward sets dv [T,V] = pᵀ·dz: the gradient with respect to the values of
// z = p·v alone.
func MixBackward(dv, dz, p Matrix) {
	p.check("MixBackward", "p")
	if p.Rows != p.Cols || p.Rows != dz.Rows || dv.Rows != dz.Rows || dv.Cols != dz.Cols {
		panic(shapeError("MixBackward: dv [%d,%d] of p [%d,%d], dz [%d,%d]", dv.Rows, dv.Cols, p.Rows, p.Cols, dz.Rows, dz.Cols))
	}
	t := p.Rows
	if t == 0 {
		return
	}
	stride := (t + 15) &^ 15
	buf := kernel.Borrow(t * stride)
	kernel.Transpose(*buf, stride, p.Data, p.Stride, t, t)
	MulNN(dv, Matrix{Data: *buf, Rows: t, Cols: t, Stride: stride}, dz)
	kernel.Return(buf)
}
