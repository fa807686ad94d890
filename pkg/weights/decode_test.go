package weights

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDecodeValid(t *testing.T) {
	skipNarrow(t)
	f, err := Decode(t.Context(), "m", valid())
	require.NoError(t, err)
	require.Equal(t, "m", f.Name())
	require.Equal(t, []string{"b", "h", "mask", "none", "one", "w"}, f.Names())
	require.Equal(t, map[string]string{"format": "pt"}, f.Metadata())
	e, ok := f.Entry("b")
	require.True(t, ok)
	require.Equal(t, Entry{Name: "b", DType: BF16, Shape: []int{2}, Offset: 28, Size: 4}, e)
	_, ok = f.Entry("c")
	require.False(t, ok)
	require.True(t, f.Has("w"))
	require.False(t, f.Has("__metadata__"))

	values, shape, err := f.Float32(t.Context(), "w")
	require.NoError(t, err)
	require.Equal(t, []int{2, 3}, shape)
	require.Equal(t, math.Float32frombits(0x17161514), values[5])
	ints, shape, err := f.Ints(t.Context(), "one")
	require.NoError(t, err)
	require.Empty(t, shape)
	require.Equal(t, wide(0x2726252423222120), ints)
	ints, shape, err = f.Ints(t.Context(), "none")
	require.NoError(t, err)
	require.Equal(t, []int{0, 7}, shape)
	require.Empty(t, ints)
}

func TestDecodeEmptyHeader(t *testing.T) {
	f, err := Decode(t.Context(), "m", fileOf("{}      ", 0))
	require.NoError(t, err)
	require.Empty(t, f.Names())
	require.Nil(t, f.Metadata())
}

func TestDecodeDamaged(t *testing.T) {
	for _, d := range damaged {
		t.Run(d.name, func(t *testing.T) {
			f, err := Decode(t.Context(), "m", d.file)
			require.Nil(t, f)
			require.Error(t, err)
			if before, open := strings.CutSuffix(d.want, "…"); open {
				require.True(t, strings.HasPrefix(err.Error(), "m: "+before), err.Error())
			} else {
				require.EqualError(t, err, "m: "+d.want)
			}
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

// Every prefix of a valid file is an error, never a panic.
func TestDecodeEveryPrefix(t *testing.T) {
	file := valid()
	for n := range file {
		_, err := Decode(t.Context(), "m", file[:n])
		require.ErrorContains(t, err, "m: truncated: ", "%d bytes", n)
	}
}

// A header of many names is refused before they fill the memory.
func TestManyNames(t *testing.T) {
	list := func(n int, value string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"%d":%s,`, i, value)
		}
		return strings.TrimSuffix(b.String(), ",")
	}
	const empty = `{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`
	f, err := Decode(t.Context(), "m", fileOf("{"+list(maxKeys, empty)+"}", 0))
	require.NoError(t, err)
	require.Len(t, f.Names(), maxKeys)
	for header, want := range map[string]string{
		"{" + list(maxKeys+1, empty) + "}":                 `m: header: at most 131072 names expected, found more`,
		`{"x":{` + list(maxKeys+1, "0") + "}}":             `m: tensor "x": at most 131072 names expected, found more`,
		`{"__metadata__":{` + list(maxKeys+1, `""`) + "}}": `m: __metadata__: at most 131072 names expected, found more`,
	} {
		_, err := Decode(t.Context(), "m", fileOf(header, 0))
		require.EqualError(t, err, want)
	}
}

func TestErrorsStayShort(t *testing.T) {
	long := strings.Repeat("ü", 100_000)
	_, err := Decode(t.Context(), "m", fileOf(`{"`+long+`":{"`+long+`":1,"dtype":"`+long+`"}}`, 0))
	require.ErrorContains(t, err, "…")
	require.Less(t, len(err.Error()), 1000)
}

func TestTensorErrors(t *testing.T) {
	f, err := Decode(t.Context(), "model.safetensors", fileOf(`{"blocks.0.attn.W_Q":{"dtype":"F32","shape":[6,1,8],"data_offsets":[0,192]},`+
		`"f8":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[192,194]},`+
		`"i":{"dtype":"I16","shape":[1],"data_offsets":[194,196]}}`, 196))
	require.NoError(t, err)
	for _, c := range []struct {
		want string
		read func() error
	}{
		{`tensor "x" is missing`, func() error { _, _, err := f.Float32(t.Context(), "x"); return err }},
		{`tensor "x" is missing`, func() error { _, err := f.Float32Shape(t.Context(), "x", 2); return err }},
		{`tensor "x" is missing`, func() error { _, _, err := f.Ints(t.Context(), "x"); return err }},
		{`tensor "x" is missing`, func() error { _, _, err := f.Bools(t.Context(), "x"); return err }},
		{`tensor "blocks.0.attn.W_Q": shape [6 1 16] expected, found [6 1 8]`,
			func() error { _, err := f.Float32Shape(t.Context(), "blocks.0.attn.W_Q", 6, 1, 16); return err }},
		{`tensor "i": dtype F32, F16, BF16 or F64 expected, found I16`, func() error { _, err := f.Float32Shape(t.Context(), "i", 1); return err }},
		{`tensor "f8": dtype F32, F16, BF16 or F64 expected, found F8_E4M3`, func() error { _, _, err := f.Float32(t.Context(), "f8"); return err }},
		{`tensor "blocks.0.attn.W_Q": dtype I64, I32, I16, I8, U64, U32, U16, U8 or BOOL expected, found F32`,
			func() error { _, _, err := f.Ints(t.Context(), "blocks.0.attn.W_Q"); return err }},
		{`tensor "f8": dtype BOOL, I64, I32, I16, I8, U64, U32, U16, U8, F32, F16, BF16 or F64 expected, found F8_E4M3`,
			func() error { _, _, err := f.Bools(t.Context(), "f8"); return err }},
	} {
		require.EqualError(t, c.read(), "model.safetensors: "+c.want)
	}
}

func TestOpenRealFile(t *testing.T) {
	f, err := Open(t.Context(), "testdata/or_gate.safetensors")
	require.NoError(t, err)
	defer f.Close()
	require.Equal(t, map[string]string{"task": "or_gate"}, f.Metadata())
	want := map[string]Array{
		"embed.W_E":          {[]int{1, 2}, []float32{0, 0}},
		"pos_embed.W_pos":    {[]int{1, 2}, []float32{0, 0}},
		"blocks.0.attn.W_Q":  {[]int{2, 2, 1}, []float32{0, 0, 0, 0}},
		"blocks.0.attn.W_K":  {[]int{2, 2, 1}, []float32{0, 0, 0, 0}},
		"blocks.0.attn.W_V":  {[]int{2, 2, 1}, []float32{0, 0, 0, 0}},
		"blocks.0.attn.W_O":  {[]int{2, 1, 2}, []float32{1, 0, 1, 0}},
		"blocks.0.attn.b_Q":  {[]int{2, 1}, []float32{0, 0}},
		"blocks.0.attn.b_K":  {[]int{2, 1}, []float32{0, 0}},
		"blocks.0.attn.b_V":  {[]int{2, 1}, []float32{1, 1}},
		"blocks.0.attn.b_O":  {[]int{2}, []float32{0, 0}},
		"blocks.0.mlp.W_in":  {[]int{2, 1}, []float32{-1, 0}},
		"blocks.0.mlp.b_in":  {[]int{1}, []float32{1}},
		"blocks.0.mlp.W_out": {[]int{1, 2}, []float32{0, -1}},
		"blocks.0.mlp.b_out": {[]int{2}, []float32{1, 1}},
		"unembed.W_U":        {[]int{2, 1}, []float32{0, 1}},
		"unembed.b_U":        {[]int{1}, []float32{0}},
	}
	require.Equal(t, FromMap("", want).Names(), f.Names())
	for name, a := range want {
		values, shape, err := f.Float32(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, a, Array{shape, values}, name)
		values, err = f.Float32Shape(t.Context(), name, a.Shape...)
		require.NoError(t, err)
		require.Equal(t, a.Values, values, name)
	}
}

func TestOpenErrors(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "absent.safetensors")
	_, err := Open(t.Context(), path)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Equal(t, 1, strings.Count(err.Error(), path), err.Error())
	require.True(t, strings.HasPrefix(err.Error(), path+": "), err.Error())

	_, err = Open(t.Context(), folder)
	require.EqualError(t, err, folder+": a regular file expected, found a directory")

	path = filepath.Join(folder, "damaged.safetensors")
	for _, d := range damaged {
		require.NoError(t, os.WriteFile(path, d.file, 0o644))
		_, err = Open(t.Context(), path)
		require.ErrorContains(t, err, path+": "+strings.TrimSuffix(d.want, "…"))
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestClose(t *testing.T) {
	f, err := Open(t.Context(), "testdata/or_gate.safetensors")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, f.Close())
	_, _, err = f.Float32(t.Context(), "embed.W_E")
	require.EqualError(t, err, `testdata/or_gate.safetensors: tensor "embed.W_E": an open file expected, found it closed`)
	require.True(t, f.Has("embed.W_E"), "the names stay")
}

// The copy that stands in for a mapping reads the same.
func TestReadFile(t *testing.T) {
	data, release, err := readFile(t.Context(), "testdata/or_gate.safetensors")
	require.NoError(t, err)
	require.NoError(t, release())
	mapped, release, err := mapFile(t.Context(), "testdata/or_gate.safetensors")
	require.NoError(t, err)
	require.Equal(t, data, mapped)
	require.NoError(t, release())
	_, _, err = readFile(t.Context(), "testdata/absent")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, _, err = mapFile(t.Context(), "testdata/absent")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func FuzzDecode(f *testing.F) {
	f.Add(valid())
	for _, d := range damaged {
		f.Add(d.file)
	}
	real, err := os.ReadFile("testdata/or_gate.safetensors")
	require.NoError(f, err)
	f.Add(real)
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := Decode(t.Context(), "m", file)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "m: ") || strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("error text %q", err)
			}
			return
		}
		text, data, _ := split(file)
		assert.True(t, json.Valid(text))
		var total int64
		for _, name := range m.Names() {
			e, ok := m.Entry(name)
			assert.True(t, ok)
			total += e.Size
			readAll(t, m, e)
		}
		assert.Equal(t, int64(len(data)), total)
		assert.NoError(t, m.Close())
	})
}

// readAll reads a tensor in every way; what can be read has the shape's size.
func readAll(t *testing.T, m *File, e Entry) {
	size := 1
	for _, n := range e.Shape {
		size *= n
	}
	floats, shape, err := m.Float32(t.Context(), e.Name)
	if err == nil {
		assert.Len(t, floats, size)
		assert.True(t, e.DType.isFloat())
		_, err := m.Float32Shape(t.Context(), e.Name, shape...)
		assert.NoError(t, err)
	} else {
		assert.True(t, !e.DType.isFloat() || e.DType == F64)
	}
	ints, _, err := m.Ints(t.Context(), e.Name)
	if err == nil {
		assert.Len(t, ints, size)
	} else {
		assert.True(t, !slices.Contains(integerTypes, e.DType) || e.DType == U64 || strconv.IntSize < 64)
	}
	if bools, _, err := m.Bools(t.Context(), e.Name); err == nil {
		assert.Len(t, bools, size)
	} else {
		assert.NotContains(t, integerTypes, e.DType)
	}
}

// What other writers put where there is no metadata.
func TestMetadataMayBeNull(t *testing.T) {
	f, err := Decode(t.Context(), "m", fileOf(`{"__metadata__":null,"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4))
	require.NoError(t, err)
	require.Nil(t, f.Metadata())
	require.Equal(t, []string{"x"}, f.Names())
}
