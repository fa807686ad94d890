package weights_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/weights"
)

// Every number of 16 bits is rounded to itself, and every midpoint between two
// neighbours to the even one.
func TestRounding(t *testing.T) {
	for _, d := range []weights.DType{weights.F16, weights.BF16} {
		var all []byte
		for bits := range 1 << 16 {
			all = binary.LittleEndian.AppendUint16(all, uint16(bits))
		}
		var file bytes.Buffer
		require.NoError(t, weights.Write(&file, []weights.Tensor{{Name: "x", DType: d, Shape: []int{1 << 16}, Data: all}}, nil))
		f, err := weights.Decode(t.Context(), "m", file.Bytes())
		require.NoError(t, err)
		values, _, err := f.Float32(t.Context(), "x")
		require.NoError(t, err)
		back, err := weights.Encode(values, d)
		require.NoError(t, err)
		for bits, v := range values {
			got := binary.LittleEndian.Uint16(back[2*bits:])
			if v == v {
				require.Equal(t, uint16(bits), got, "%s %g", d, v)
			}
			if bits&0x7fff == 0x7fff || v != v || math.IsInf(float64(v), 0) || math.IsInf(float64(values[bits+1]), 0) {
				continue
			}
			half := float32((float64(v) + float64(values[bits+1])) / 2)
			mid, err := weights.Encode([]float32{half}, d)
			require.NoError(t, err)
			require.Equal(t, uint16(bits+bits&1), binary.LittleEndian.Uint16(mid), "%s midpoint %g", d, half)
		}
	}
	over, err := weights.Encode([]float32{65519, 65520, -1e30, float32(math.NaN())}, weights.F16)
	require.NoError(t, err)
	require.Equal(t, []byte{0xff, 0x7b, 0x00, 0x7c, 0x00, 0xfc, 0x00, 0x7e}, over)
}
