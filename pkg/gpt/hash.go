package gpt

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"sync"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Hash identifies a model: configuration and every weight, bit for bit. It is
// a SHA-256 in hexadecimal.
func (m *Model) Hash(threads int) string {
	parts := m.Weights.all()
	sums := make([][sha256.Size]byte, len(parts))
	tensor.Parallel(len(parts), threads, func(lo, hi int) {
		buf := hashBuffers.Get().(*[]byte)
		defer hashBuffers.Put(buf)
		for i := lo; i < hi; i++ {
			sums[i] = hashFloats(parts[i], *buf)
		}
	})
	h := sha256.New()
	fmt.Fprintf(h, "%+v\n", m.Config)
	for i := range sums {
		h.Write(sums[i][:])
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

var hashBuffers = sync.Pool{New: func() any { b := make([]byte, 1<<16); return &b }}

func hashFloats(x []float32, buf []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	for len(x) > 0 {
		n := min(len(x), len(buf)/4)
		for i, v := range x[:n] {
			binary.LittleEndian.PutUint32(buf[4*i:], math.Float32bits(v))
		}
		h.Write(buf[:4*n])
		x = x[n:]
	}
	h.Sum(sum[:0])
	return sum
}

// all lists every weight, in a fixed order.
func (w *Weights) all() [][]float32 {
	var out [][]float32
	add := func(tensors ...*tensor.Tensor) {
		for _, t := range tensors {
			if t != nil {
				out = append(out, t.Data)
			}
		}
	}
	add(w.Embed, w.Pos)
	for i := range w.Blocks {
		b := &w.Blocks[i]
		add(b.W[0], b.W[1], b.W[2], b.WO, b.WIn, b.WOut)
		out = append(out, b.LN1W, b.LN1B, b.B[0], b.B[1], b.B[2], b.BO, b.LN2W, b.LN2B, b.BIn, b.BOut)
	}
	add(w.Unembed)
	return append(out, w.LNFW, w.LNFB, w.UnembedB)
}
