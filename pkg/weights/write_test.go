package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// decodeTensors writes tensors and reads them back.
func decodeTensors(t testing.TB, tensors ...Tensor) (*File, error) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Write(&b, tensors, nil))
	return Decode(t.Context(), "m", b.Bytes())
}

// wide makes ints of numbers that are constants too large for some machines.
func wide(values ...int64) []int {
	out := make([]int, len(values))
	for i, v := range values {
		out[i] = int(v)
	}
	return out
}

func skipNarrow(t *testing.T) {
	if strconv.IntSize < 64 {
		t.Skip("int has 32 bits")
	}
}

func TestWriteBytes(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Write(&b, []Tensor{
		Float32s("w", []float32{1, -2}, 2, 1),
		Mask("a<b", []bool{true}),
	}, map[string]string{"z": "last", "a": "\"first\"\n"}))
	header := `{"__metadata__":{"a":"\"first\"\n","z":"last"},` +
		`"w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},` +
		`"a\u003cb":{"dtype":"BOOL","shape":[],"data_offsets":[8,9]}}`
	for len(header)%8 != 0 {
		header += " "
	}
	want := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	want = append(want, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 1)
	require.Equal(t, string(want), b.String())
}

func TestWriteNothing(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Write(&b, nil, nil))
	require.Equal(t, "\x08\x00\x00\x00\x00\x00\x00\x00{}      ", b.String())
}

func TestRoundTripEveryType(t *testing.T) {
	skipNarrow(t)
	// Eight elements of each type; the bytes are small numbers in any of them.
	raw := func(d DType) Tensor {
		data := make([]byte, d.Bits())
		for i := range data {
			data[i] = byte(i % 2)
		}
		return Tensor{Name: string(d), DType: d, Shape: []int{2, 4}, Data: data}
	}
	var tensors []Tensor
	for _, d := range []DType{F64, I64, U64, C64, F32, I32, U32, F16, BF16, I16, U16, Bool, U8, I8,
		F8E5M2, F8E4M3, F8E8M0, F8E4FNUZ, F8E5FNUZ, F6E2M3, F6E3M2, F4} {
		tensors = append(tensors, raw(d))
	}
	f, err := decodeTensors(t, tensors...)
	require.NoError(t, err)
	for _, want := range tensors {
		e, data, err := f.tensor(t.Context(), want.Name)
		require.NoError(t, err)
		require.Equal(t, want, Tensor{Name: e.Name, DType: e.DType, Shape: e.Shape, Data: data})
		readAll(t, f, e)
	}
	// Element by element: bytes 0 1 0 1 … are the number 1+2^16·… of that width.
	for d, v := range map[DType]int64{I64: 0x0100010001000100, U64: 0x0100010001000100, I32: 0x01000100, U32: 0x01000100, I16: 0x0100, U16: 0x0100} {
		got, _, err := f.Ints(t.Context(), string(d))
		require.NoError(t, err)
		require.Equal(t, wide(v, v, v, v, v, v, v, v), got, d)
	}
	for _, d := range []DType{Bool, U8, I8} {
		got, _, err := f.Ints(t.Context(), string(d))
		require.NoError(t, err)
		require.Equal(t, []int{0, 1, 0, 1, 0, 1, 0, 1}, got, d)
	}
}

func TestRoundTripValues(t *testing.T) {
	skipNarrow(t)
	floats := []float32{0, 1, -1.5, math.MaxFloat32, 0x1p-149, float32(math.Inf(-1))}
	f, err := decodeTensors(t,
		Int64s("i64", []int64{math.MinInt64, -1, 0, math.MaxInt64}, 4),
		Float32s("f32", floats, 3, 2),
		Tensor{Name: "i8", DType: I8, Shape: []int{3}, Data: []byte{0x80, 0xff, 0x7f}},
		Tensor{Name: "i16", DType: I16, Shape: []int{1}, Data: []byte{0, 0x80}},
		Tensor{Name: "i32", DType: I32, Shape: []int{1}, Data: []byte{0, 0, 0, 0x80}},
		Float32s("scalar", []float32{7}),
		Float32s("empty", nil, 3, 0),
		Mask("mask", []bool{false, true, true}, 3),
		Float32s("Ünïcode \"\\\n", []float32{3}, 1),
	)
	require.NoError(t, err)
	for name, want := range map[string][]int{
		"i64": wide(math.MinInt64, -1, 0, math.MaxInt64), "i8": {-128, -1, 127}, "i16": {-32768}, "i32": {math.MinInt32}, "mask": {0, 1, 1},
	} {
		got, _, err := f.Ints(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, want, got, name)
	}
	for name, want := range map[string]Array{
		"f32": {[]int{3, 2}, floats}, "scalar": {nil, []float32{7}}, "empty": {[]int{3, 0}, []float32{}}, "Ünïcode \"\\\n": {[]int{1}, []float32{3}},
	} {
		got, err := f.Float32Shape(t.Context(), name, want.Shape...)
		require.NoError(t, err)
		require.Equal(t, want.Values, got, name)
	}
}

func TestWriteErrors(t *testing.T) {
	x := Float32s("x", []float32{1}, 1)
	for _, c := range []struct {
		want     string
		tensors  []Tensor
		metadata map[string]string
	}{
		{`tensor "x": a name not yet used expected`, []Tensor{x, x}, nil},
		{`tensor "__metadata__": a name not yet used expected`, []Tensor{Float32s(metadataKey, nil, 0)}, nil},
		{`tensor "x": data: 24 bytes expected for F32 [2 3], found 4`, []Tensor{Float32s("x", []float32{1}, 2, 3)}, nil},
		{`tensor "x": data: 4 bytes expected for F32 [], found 8`, []Tensor{Float32s("x", []float32{1, 2})}, nil},
		{`tensor "x": dtype: a safetensors type such as F32 expected, found ""`, []Tensor{{Name: "x"}}, nil},
		{`tensor "x": shape: dimensions from 0 expected, found [-1]`, []Tensor{Float32s("x", nil, -1)}, nil},
		{`tensor "x": shape: fewer than 2^63 bits expected, found [1073741824 1073741824 4] from dimension 1 on`, []Tensor{Float32s("x", nil, 1<<30, 1<<30, 4)}, nil},
		{`tensor "x": shape: at most 64 numbers expected, found 65`, []Tensor{Float32s("x", nil, make([]int, 65)...)}, nil},
		{`tensor "\xff": UTF-8 text expected, found "\xff"`, []Tensor{Float32s("\xff", []float32{1}, 1)}, nil},
		{`metadata key: UTF-8 text expected, found "\xff"`, nil, map[string]string{"\xff": ""}},
		{`metadata "k": UTF-8 text expected, found "\xff"`, nil, map[string]string{"k": "\xff"}},
	} {
		var b bytes.Buffer
		require.EqualError(t, Write(&b, c.tensors, c.metadata), c.want)
		require.Zero(t, b.Len(), "nothing is written")
	}
}

// full accepts a number of bytes.
type full struct{ room int }

var errFull = errors.New("full")

func (w *full) Write(p []byte) (int, error) {
	if w.room -= len(p); w.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriteToFullDisk(t *testing.T) {
	x := []Tensor{Float32s("x", []float32{1}, 1)}
	err := Write(&full{10}, x, nil)
	require.ErrorIs(t, err, errFull)
	require.EqualError(t, err, "header: full")
	require.EqualError(t, Write(&full{66}, x, nil), `tensor "x": full`)
}

func TestMemory(t *testing.T) {
	m := FromMap("rasp", map[string]Array{
		"b":   {[]int{2}, []float32{1, 2}},
		"a":   {nil, []float32{7}},
		"bad": {[]int{2, 2}, []float32{1}},
		"neg": {[]int{-1}, nil},
	})
	require.Equal(t, "rasp", m.Name())
	require.Equal(t, []string{"a", "b", "bad", "neg"}, m.Names())
	require.True(t, m.Has("a"))
	require.False(t, m.Has("c"))
	got, err := m.Float32Shape(t.Context(), "b", 2)
	require.NoError(t, err)
	require.Equal(t, []float32{1, 2}, got)
	got, err = m.Float32Shape(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, []float32{7}, got)
	_, err = m.Float32Shape(t.Context(), "c", 2)
	require.EqualError(t, err, `rasp: tensor "c" is missing`)
	_, err = m.Float32Shape(t.Context(), "b", 1, 2)
	require.EqualError(t, err, `rasp: tensor "b": shape [1 2] expected, found [2]`)
	_, err = m.Float32Shape(t.Context(), "bad", 2, 2)
	require.EqualError(t, err, `rasp: tensor "bad": 4 values expected for shape [2 2], found 1`)
	_, err = m.Float32Shape(t.Context(), "neg", -1)
	require.EqualError(t, err, `rasp: tensor "neg": shape: dimensions from 0 expected, found [-1]`)
}

// bigFile writes 10 MB in 160 tensors, as many as GPT-2 small has.
func bigFile(b *testing.B) (path string, names []string) {
	var tensors []Tensor
	for i := range 160 {
		name := "h." + string(rune('a'+i%26)) + string(rune('a'+i/26)) + ".attn.c_attn.weight"
		tensors = append(tensors, Float32s(name, make([]float32, 1<<14), 128, 128))
		names = append(names, name)
	}
	var file bytes.Buffer
	require.NoError(b, Write(&file, tensors, nil))
	path = filepath.Join(b.TempDir(), "big.safetensors")
	require.NoError(b, os.WriteFile(path, file.Bytes(), 0o644))
	return path, names
}

func BenchmarkOpen(b *testing.B) {
	path, _ := bigFile(b)
	for b.Loop() {
		f, err := Open(b.Context(), path)
		require.NoError(b, err)
		require.NoError(b, f.Close())
	}
}

func BenchmarkOpenAndSum(b *testing.B) {
	path, names := bigFile(b)
	b.SetBytes(int64(len(names)) << 16)
	for b.Loop() {
		f, err := Open(b.Context(), path)
		require.NoError(b, err)
		var sum float32
		for _, name := range names {
			values, _, err := f.Float32(b.Context(), name)
			require.NoError(b, err)
			for _, v := range values {
				sum += v
			}
		}
		require.Zero(b, sum)
		require.NoError(b, f.Close())
	}
}

func BenchmarkFloat16(b *testing.B) {
	f, err := decodeTensors(b, Tensor{Name: "x", DType: F16, Shape: []int{1 << 20}, Data: make([]byte, 2<<20)})
	require.NoError(b, err)
	b.SetBytes(2 << 20)
	for b.Loop() {
		_, _, err := f.Float32(b.Context(), "x")
		require.NoError(b, err)
	}
}
