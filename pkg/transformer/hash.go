package transformer

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
	parts := m.Params.All(m.Config)
	sums := make([][sha256.Size]byte, len(parts))
	tensor.Parallel(len(parts), threads, func(lo, hi int) {
		buf := hashBuffers.Get().(*[]byte)
		defer hashBuffers.Put(buf)
		for i := lo; i < hi; i++ {
			sums[i] = hashFloats(parts[i].Data(), *buf)
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
