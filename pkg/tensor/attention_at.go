package tensor

import "github.com/seed-2c350065/acdc/pkg/tensor/internal/kernel"

// AttentionAt is Attention at some positions alone: row i of q, and of z, stands
// at position at[i] and sees the rows of k and v up to that one. z must not overlap
// the others.
//
// The bits are those of MulNT, Softmax of each row's first at[i]+1 elements, 0
// beyond, and MulNN.
func AttentionAt(z, q, k, v Matrix, scale float32, at []int) {
	checkAttentionAt(z, q, k, v, at)
	n, t := q.Rows, k.Rows
	if n == 0 || v.Cols == 0 {
		return
	}
	stride := (t + 15) &^ 15 // as in Attention
	buf := kernel.Borrow(n * stride)
	scores := Matrix{Data: *buf, Rows: n, Cols: t, Stride: stride}
	kernel.MulNT(scores.Data, stride, q.Data, q.Stride, k.Data, k.Stride, n, t, q.Cols, scale)
	if t <= chunk {
		kernel.SoftmaxRows(scores.Data, stride, t, at)
	} else {
		softmaxRows(scores, at)
	}
	kernel.MulNN(z.Data, z.Stride, scores.Data, stride, v.Data, v.Stride, n, v.Cols, t)
	kernel.Return(buf)
}

// softmaxRows is the softmax of the first at[i]+1 scores of each row.
func softmaxRows(scores Matrix, at []int) {
	for i, p := range at {
		row := scores.Row(i)
		Softmax(row[:p+1])
		clear(row[p+1:])
	}
}

func checkAttentionAt(z, q, k, v Matrix, at []int) {
	z.check("AttentionAt", "z")
	q.check("AttentionAt", "q")
	k.check("AttentionAt", "k")
	v.check("AttentionAt", "v")
	if z.Rows != q.Rows || len(at) != q.Rows || v.Rows != k.Rows || k.Cols != q.Cols || z.Cols != v.Cols {
		panic(shapeError("AttentionAt: z [%d,%d] of q [%d,%d], k [%d,%d], v [%d,%d] at %d positions",
			z.Rows, z.Cols, q.Rows, q.Cols, k.Rows, k.Cols, v.Rows, v.Cols, len(at)))
	}
	for _, p := range at {
		if p < 0 || p >= k.Rows {
			panic(shapeError("AttentionAt: no position %d of %d", p, k.Rows))
		}
	}
}
