package weights

import (
	"slices"
	"strings"
)

// DType is the type of a tensor's elements, by its name in a safetensors
// header. All types are stored little-endian.
type DType string

// The types of the safetensors format.
const (
	Bool     DType = "BOOL" // one byte, 0 is false
	F4       DType = "F4"   // two values a byte
	F6E2M3   DType = "F6_E2M3"
	F6E3M2   DType = "F6_E3M2"
	U8       DType = "U8"
	I8       DType = "I8"
	F8E5M2   DType = "F8_E5M2"
	F8E4M3   DType = "F8_E4M3"
	F8E8M0   DType = "F8_E8M0"
	F8E4FNUZ DType = "F8_E4M3FNUZ"
	F8E5FNUZ DType = "F8_E5M2FNUZ"
	I16      DType = "I16"
	U16      DType = "U16"
	F16      DType = "F16"  // IEEE 754 half precision
	BF16     DType = "BF16" // the upper half of an F32
	I32      DType = "I32"
	U32      DType = "U32"
	F32      DType = "F32"
	C64      DType = "C64" // two F32
	F64      DType = "F64"
	I64      DType = "I64"
	U64      DType = "U64"
)

// Bits returns the size of one element in bits, 0 for an unknown type. All but
// the sub-byte floats are multiples of 8.
func (d DType) Bits() int {
	switch d {
	case F4:
		return 4
	case F6E2M3, F6E3M2:
		return 6
	case Bool, U8, I8, F8E5M2, F8E4M3, F8E8M0, F8E4FNUZ, F8E5FNUZ:
		return 8
	case I16, U16, F16, BF16:
		return 16
	case I32, U32, F32:
		return 32
	case C64, F64, I64, U64:
		return 64
	}
	return 0
}

// width is the size of one element in bytes; only for types of whole bytes.
func (d DType) width() int { return d.Bits() / 8 }

var (
	floatTypes   = []DType{F32, F16, BF16, F64}
	integerTypes = []DType{I64, I32, I16, I8, U64, U32, U16, U8, Bool}
)

func (d DType) isFloat() bool { return slices.Contains(floatTypes, d) }

// oneOf lists types for an error text: "F32, F16 or F64".
func oneOf(types []DType) string {
	names := make([]string, len(types))
	for i, d := range types {
		names[i] = string(d)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
