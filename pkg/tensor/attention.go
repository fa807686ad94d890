package tensor

import "github.com/seed-2c350065/acdc/pkg/tensor/internal/kernel"

// Attention sets z [T,V] = softmax(q·(scale·k)ᵀ)·v for one head of one example,
// from q and k [T,K] and v [T,V] (Vaswani et al. 2017, equation 1). With causal,
// row t sees only the first t+1 rows of k and v. z must not overlap the others.
//
// The bits are those of MulNT, Softmax of each row (of its first t+1 elements,
// and 0 beyond) and MulNN, but that a causal row never reads rows of v after
// its own.
func Attention(z, q, k, v Matrix, scale float32, causal bool) {
	checkAttention(z, q, k, v)
	t := q.Rows
	if t == 0 || v.Cols == 0 {
		return
	}
	// Rows whole vectors apart: a masked store of one row that reaches into
	// the next would hold up the next row's loads.
	stride := (t + 15) &^ 15
	buf := kernel.Borrow(t * stride)
	scores := Matrix{Data: *buf, Rows: t, Cols: t, Stride: stride}
	if causal {
		kernel.CausalScores(scores.Data, stride, q.Data, q.Stride, k.Data, k.Stride, t, q.Cols, scale)
		CausalSoftmax(scores, 1)
		kernel.CausalMix(z.Data, z.Stride, scores.Data, stride, v.Data, v.Stride, t, v.Cols)
	} else {
		kernel.MulNT(scores.Data, stride, q.Data, q.Stride, k.Data, k.Stride, t, t, q.Cols, scale)
		for i := range t {
			Softmax(scores.Row(i))
		}
		kernel.MulNN(z.Data, z.Stride, scores.Data, stride, v.Data, v.Stride, t, v.Cols, t)
	}
	kernel.Return(buf)
}

func checkAttention(z, q, k, v Matrix) {
	z.check("Attention", "z")
	q.check("Attention", "q")
	k.check("Attention", "k")
	v.check("Attention", "v")
	if k.Rows != q.Rows || v.Rows != q.Rows || z.Rows != q.Rows || k.Cols != q.Cols || z.Cols != v.Cols {
		panic(shapeError("Attention: z [%d,%d] of q [%d,%d], k [%d,%d], v [%d,%d]",
			z.Rows, z.Cols, q.Rows, q.Cols, k.Rows, k.Cols, v.Rows, v.Cols))
	}
}
