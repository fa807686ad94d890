package page

import (
	"encoding/base64"
	"encoding/binary"
	"math"
)

// PackWhole packs whole numbers, as Trace has them.
func PackWhole(list []int) string {
	b := make([]byte, 0, 4*len(list))
	for _, x := range list {
		b = binary.LittleEndian.AppendUint32(b, uint32(int32(x)))
	}
	return base64.StdEncoding.EncodeToString(b)
}

// PackFloats packs numbers, as Trace has them, in single precision.
func PackFloats(list []float64) string {
	b := make([]byte, 0, 4*len(list))
	for _, x := range list {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(x)))
	}
	return base64.StdEncoding.EncodeToString(b)
}

// wholeWeight is a weight of 1 in Patterns.
const wholeWeight = 65535

// AppendWeights adds attention weights, from 0 to 1, as Patterns has them before
// they are base64.
func AppendWeights(b []byte, row []float32) []byte {
	for _, x := range row {
		b = binary.LittleEndian.AppendUint16(b, uint16(math.Round(float64(min(max(x, 0), 1))*wholeWeight)))
	}
	return b
}
