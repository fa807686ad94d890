package weights

import (
	"encoding/binary"
	"math"
	"unsafe"
)

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// float32From16 widens an IEEE half, 1 sign, 5 exponent, 10 fraction bits:
// (-1)^s · 2^(e-15) · (1 + f/1024), and (-1)^s · 2^-14 · f/1024 for e = 0.
// It is exact; Inf, NaN and the sign of zero survive.
func float32From16(bits uint16) float32 {
	sign := uint32(bits&0x8000) << 16
	exponent := uint32(bits>>10) & 0x1f
	fraction := uint32(bits & 0x3ff)
	switch exponent {
	case 0:
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 0x1f:
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// float32FromB16 widens a bfloat16, the upper half of a float32.
func float32FromB16(bits uint16) float32 { return math.Float32frombits(uint32(bits) << 16) }

// floatReader returns what reads one element of a float type, nil for others.
func floatReader(d DType) func(b []byte) float64 {
	le := binary.LittleEndian
	switch d {
	case F32:
		return func(b []byte) float64 { return float64(math.Float32frombits(le.Uint32(b))) }
	case F16:
		return func(b []byte) float64 { return float64(float32From16(le.Uint16(b))) }
	case BF16:
		return func(b []byte) float64 { return float64(float32FromB16(le.Uint16(b))) }
	case F64:
		return func(b []byte) float64 { return math.Float64frombits(le.Uint64(b)) }
	}
	return nil
}

// integerReader returns what reads one element of an integer type, nil for
// others. A U64 from 2^63 on comes out negative.
func integerReader(d DType) func(b []byte) int64 {
	le := binary.LittleEndian
	switch d {
	case Bool:
		return func(b []byte) int64 {
			if b[0] != 0 {
				return 1
			}
			return 0
		}
	case U8:
		return func(b []byte) int64 { return int64(b[0]) }
	case I8:
		return func(b []byte) int64 { return int64(int8(b[0])) }
	case U16:
		return func(b []byte) int64 { return int64(le.Uint16(b)) }
	case I16:
		return func(b []byte) int64 { return int64(int16(le.Uint16(b))) }
	case U32:
		return func(b []byte) int64 { return int64(le.Uint32(b)) }
	case I32:
		return func(b []byte) int64 { return int64(int32(le.Uint32(b))) }
	case U64, I64:
		return func(b []byte) int64 { return int64(le.Uint64(b)) }
	}
	return nil
}

// viewFloat32 looks at bytes as float32 without copying; false where the bytes
// are not aligned or the machine is big-endian.
func viewFloat32(b []byte) ([]float32, bool) {
	if len(b) == 0 {
		return []float32{}, true
	}
	p := unsafe.Pointer(unsafe.SliceData(b))
	if !littleEndian || uintptr(p)%unsafe.Alignof(float32(0)) != 0 {
		return nil, false
	}
	return unsafe.Slice((*float32)(p), len(b)/4), true
}

// viewBytes is the inverse of viewFloat32; on a big-endian machine it copies.
func viewBytes(x []float32) []byte {
	if len(x) == 0 {
		return nil
	}
	if littleEndian {
		return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
	}
	b := make([]byte, 0, 4*len(x))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}
