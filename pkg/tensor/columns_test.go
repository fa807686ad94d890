package tensor

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestColumnsAreColumns(t *testing.T) {
	for _, n := range []int{32, 40, 48, 64, 100, 128} {
		a, b := New(7, 300), New(300, n)
		for i := range a.Data {
			a.Data[i] = float32(i%17) - 8
		}
		for i := range b.Data {
			b.Data[i] = float32(i%13)/7 - 1
		}
		p := Pack(b.Matrix())
		whole := New(7, n)
		MatMul(whole.Matrix(), a.Matrix(), p)
		for from := 0; from < n; from += PanelWidth {
			for to := from; to <= n; to++ {
				if to%PanelWidth != 0 && to != n {
					continue
				}
				part := New(7, to-from)
				MatMul(part.Matrix(), a.Matrix(), p.Columns(from, to))
				for i := range 7 {
					require.Equal(t, whole.Row(i)[from:to], part.Row(i))
				}
			}
		}
		assert.Panics(t, func() { p.Columns(1, n) })
		assert.Panics(t, func() { p.Columns(0, n+32) })
	}
}
