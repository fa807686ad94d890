package checkpoint

import (
	"context"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// norm reads a norm's weight and bias.
func (l *loader) norm(name string, d int) (weight, bias []float32) {
	return l.vector(name+".weight", d), l.vector(name+".bias", d)
}

// head reads the unembedding, which has a name of its own unless it is tied to
// the embedding.
func (l *loader) head(name string, c Config, w *draft) {
	head := w.Embed
	if !c.Tied {
		head = l.tensor(name, c.VocabOut, c.DModel)
	}
	w.Unembed, w.UnembedB = l.transposedTensor(head), make([]float32, c.VocabOut)
}

// headRows turns rows [.., D] into [heads,D,K]: head h's K rows begin at row
// h·stride + offset.
func (l *loader) headRows(rows *tensor.Tensor, heads, k, stride, offset int) *tensor.Tensor {
	if l.err != nil {
		return nil
	}
	d := rows.Cols()
	out := l.fresh(heads, d, k)
	for h := range heads {
		from := rows.Matrix().Slice(h*stride+offset, h*stride+offset+k)
		transpose(l.ctx, tensor.Matrix{Data: out.Data[h*d*k : (h+1)*d*k], Rows: d, Cols: k, Stride: k}, from, 1)
	}
	return out
}

// transposed reads a tensor [rows,cols] as [cols,rows].
func (l *loader) transposed(name string, rows, cols int) *tensor.Tensor {
	return l.transposedTensor(l.tensor(name, rows, cols))
}

func (l *loader) transposedTensor(t *tensor.Tensor) *tensor.Tensor {
	if l.err != nil {
		return nil
	}
	out := l.fresh(t.Dim(1), t.Dim(0))
	transpose(l.ctx, out.Matrix(), t.Matrix(), l.threads)
	return out
}

// fresh makes a tensor that may be written to.
func (l *loader) fresh(shape ...int) *tensor.Tensor {
	t := tensor.New(shape...)
	l.own(t)
	return t
}

// reshaped looks at a tensor in another shape.
func (l *loader) reshaped(t *tensor.Tensor, shape ...int) *tensor.Tensor {
	if l.err != nil {
		return nil
	}
	out := t.Reshape(shape...)
	if l.owned[t] {
		l.own(out)
	}
	return out
}

func (l *loader) own(t *tensor.Tensor) {
	if l.owned == nil {
		l.owned = map[*tensor.Tensor]bool{}
	}
	l.owned[t] = true
}

// transpose sets dst [n,m] to the transpose of x [m,n], tile by tile, until the
// context ends.
func transpose(ctx context.Context, dst, x tensor.Matrix, threads int) {
	const tile = 32
	tensor.Parallel((dst.Rows+tile-1)/tile, threads, func(lo, hi int) {
		for i := lo * tile; i < min(hi*tile, dst.Rows) && ctx.Err() == nil; i += tile {
			for j := 0; j < dst.Cols; j += tile {
				for r := i; r < min(i+tile, dst.Rows); r++ {
					row := dst.Row(r)
					for s := j; s < min(j+tile, dst.Cols); s++ {
						row[s] = x.Data[s*x.Stride+r]
					}
				}
			}
		}
	})
}
