package weights

import (
	"encoding/binary"
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// small computes a float of the given widths by its definition, in float64.
func small(bits uint16, exponentBits, fractionBits int) float64 {
	sign := 1.0
	if bits>>15 == 1 {
		sign = -1
	}
	bias := 1<<(exponentBits-1) - 1
	exponent := int(bits>>fractionBits) & (1<<exponentBits - 1)
	fraction := float64(bits&(1<<fractionBits-1)) / math.Pow(2, float64(fractionBits))
	switch {
	case exponent == 1<<exponentBits-1 && fraction != 0:
		return math.NaN()
	case exponent == 1<<exponentBits-1:
		return sign * math.Inf(1)
	case exponent == 0:
		return sign * fraction * math.Pow(2, float64(1-bias))
	}
	return sign * (1 + fraction) * math.Pow(2, float64(exponent-bias))
}

func TestHalfPrecisionExhaustively(t *testing.T) {
	for _, c := range []struct {
		dtype              DType
		exponent, fraction int
	}{{F16, 5, 10}, {BF16, 8, 7}} {
		var data []byte
		for bits := range 1 << 16 {
			data = binary.LittleEndian.AppendUint16(data, uint16(bits))
		}
		f, err := decodeTensors(t, Tensor{Name: "x", DType: c.dtype, Shape: []int{256, 256}, Data: data})
		require.NoError(t, err)
		values, err := f.Float32Shape(t.Context(), "x", 256, 256)
		require.NoError(t, err)
		for bits, got := range values {
			want := small(uint16(bits), c.exponent, c.fraction)
			same := float64(got) == want && math.Signbit(float64(got)) == math.Signbit(want)
			if !same && !(math.IsNaN(want) && got != got) {
				t.Fatalf("%s %#04x: %g expected, found %g", c.dtype, bits, want, got)
			}
		}
	}
}

func TestHalfPrecisionKnownValues(t *testing.T) {
	for bits, want := range map[uint16]float32{
		0x0001: 0x1p-24, 0x03ff: 1023 * 0x1p-24, 0x0400: 0x1p-14, 0x3c00: 1, 0x3555: 0.333251953125, 0x7bff: 65504, 0xc000: -2,
	} {
		require.Equal(t, want, float32From16(bits))
	}
	require.Equal(t, uint32(0x80000000), math.Float32bits(float32From16(0x8000)), "-0")
	require.Equal(t, float32(3.140625), float32FromB16(0x4049))
}

func TestIntsRange(t *testing.T) {
	data := binary.LittleEndian.AppendUint64(nil, 5)
	data = binary.LittleEndian.AppendUint64(data, 1<<63)
	f, err := decodeTensors(t, Tensor{Name: "u", DType: U64, Shape: []int{2}, Data: data})
	require.NoError(t, err)
	_, _, err = f.Ints(t.Context(), "u")
	require.EqualError(t, err, `m: tensor "u": values below 2^63 expected, found 9223372036854775808 at index 1`)
	mask, _, err := f.Bools(t.Context(), "u")
	require.NoError(t, err)
	require.Equal(t, []bool{true, true}, mask)
}

func TestNarrowMachine(t *testing.T) {
	if strconv.IntSize == 64 {
		t.Skip("int has 64 bits")
	}
	f, err := decodeTensors(t, Int64s("i", []int64{-5, 1 << 31}, 2))
	require.NoError(t, err)
	_, _, err = f.Ints(t.Context(), "i")
	require.EqualError(t, err, `m: tensor "i": values that fit this machine expected, found 2147483648 at index 1`)
	_, err = Decode(t.Context(), "m", one(`"dtype":"U8","shape":[4294967296,0],"data_offsets":[0,0]`, 0))
	require.EqualError(t, err, `m: tensor "x": shape: dimensions that fit this machine expected, found 4294967296`)
}

func TestFloat64Range(t *testing.T) {
	wide := func(name string, values ...float64) Tensor {
		var data []byte
		for _, v := range values {
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
		}
		return Tensor{Name: name, DType: F64, Shape: []int{len(values)}, Data: data}
	}
	f, err := decodeTensors(t, wide("ok", 0.1, math.Inf(-1), 1e-300, math.Copysign(0, -1)), wide("large", 1, -1e39))
	require.NoError(t, err)
	values, _, err := f.Float32(t.Context(), "ok")
	require.NoError(t, err)
	require.Equal(t, []float32{0.1, float32(math.Inf(-1)), 0, float32(math.Copysign(0, -1))}, values)
	values, _, err = f.Float32(t.Context(), "large")
	require.EqualError(t, err, `m: tensor "large": values in the range of F32 expected, found -1e+39 at index 1`)
	require.Nil(t, values)
	mask, _, err := f.Bools(t.Context(), "ok")
	require.NoError(t, err)
	require.Equal(t, []bool{true, true, true, false}, mask, "1e-300 is not zero")
}

func TestBools(t *testing.T) {
	nan := float32(math.NaN())
	f, err := decodeTensors(t,
		Float32s("f", []float32{0, -1, float32(math.Copysign(0, -1)), 0x1p-149}, 2, 2),
		Float32s("nan", []float32{0, 1, nan}, 3),
		Int64s("i", []int64{0, -7, 1 << 40}, 3),
		Tensor{Name: "u", DType: U8, Shape: []int{3}, Data: []byte{0, 255, 1}},
		Mask("b", []bool{true, false}, 2, 1),
	)
	require.NoError(t, err)
	for name, want := range map[string][]bool{
		"f": {false, true, false, true}, "i": {false, true, true}, "u": {false, true, true}, "b": {true, false},
	} {
		got, shape, err := f.Bools(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, want, got, name)
		e, _ := f.Entry(name)
		require.Equal(t, e.Shape, shape)
	}
	_, _, err = f.Bools(t.Context(), "nan")
	require.EqualError(t, err, `m: tensor "nan": a mask of numbers expected, found NaN at index 2`)
}

// F32 is not copied where it is aligned, and copied rightly at every other place.
func TestFloat32Alignment(t *testing.T) {
	want := []float32{1, -2.5, float32(math.Inf(1)), 0x1p-149}
	views := 0
	for shift := range 4 {
		f, err := decodeTensors(t, Tensor{Name: "a", DType: U8, Shape: []int{shift}, Data: make([]byte, shift)}, Float32s("x", want, 4))
		require.NoError(t, err)
		got, err := f.Float32Shape(t.Context(), "x", 4)
		require.NoError(t, err)
		require.Equal(t, want, got)
		e, _ := f.Entry("x")
		view, aligned := viewFloat32(f.data[e.Offset:])
		if aligned {
			require.Same(t, &view[0], &got[0])
			views++
		}
		require.LessOrEqual(t, cap(got), 4, "an append must not run into the next tensor")
	}
	require.Equal(t, littleEndian, views == 1, "one of four places is aligned")
}
