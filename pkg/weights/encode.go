package weights

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Encode returns the little-endian bytes of values in a type: floats rounded to
// nearest, ties to even; whole numbers cut off; BOOL true for all but zero.
func Encode(values []float32, d DType) ([]byte, error) {
	var out []byte
	for _, v := range values {
		switch d {
		case F32:
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
		case F64:
			out = binary.LittleEndian.AppendUint64(out, math.Float64bits(float64(v)))
		case F16:
			out = binary.LittleEndian.AppendUint16(out, half(v))
		case BF16:
			out = binary.LittleEndian.AppendUint16(out, brain(v))
		case I64, U64:
			out = binary.LittleEndian.AppendUint64(out, uint64(int64(v)))
		case I32, U32:
			out = binary.LittleEndian.AppendUint32(out, uint32(int64(v)))
		case I16, U16:
			out = binary.LittleEndian.AppendUint16(out, uint16(int64(v)))
		case I8, U8:
			out = append(out, byte(int64(v)))
		case Bool:
			out = append(out, oneIf(v))
		default:
			return nil, fmt.Errorf("a type of numbers expected, found %q", d)
		}
	}
	return out, nil
}

func oneIf(v float32) byte {
	if v != 0 {
		return 1
	}
	return 0
}

// brain rounds to bfloat16.
func brain(v float32) uint16 {
	bits := math.Float32bits(v)
	if v != v {
		return uint16(bits>>16) | 0x40
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// half rounds to an IEEE half.
func half(v float32) uint16 {
	sign := uint16(math.Float32bits(v) >> 16 & 0x8000)
	x := math.Abs(float64(v))
	switch {
	case v != v:
		return sign | 0x7e00
	case x >= 65520: // halfway from the largest half to the next power of two
		return sign | 0x7c00
	case x < 0x1p-14:
		return sign | uint16(math.RoundToEven(x*0x1p24))
	}
	fraction, exponent := math.Frexp(x) // x = fraction · 2^exponent, fraction in [½, 1)
	steps := uint16(math.RoundToEven(fraction*2048)) - 1024
	return sign | (uint16(exponent+14)<<10 + steps)
}
