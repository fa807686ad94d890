package weights_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/weights"
	"github.com/seed-2c350065/acdc/pkg/weights/weightstest"
)

// arrays have every shape: a matrix, a vector, a single number, none at all.
var arrays = map[string]weights.Array{
	"h.0.w":  {Shape: []int{2, 3}, Values: []float32{1, -2, 3, 0.5, 100, 7}},
	"h.0.b":  {Shape: []int{3}, Values: []float32{0, 1, 2}},
	"scalar": {Shape: []int{}, Values: []float32{-7}},
	"none":   {Shape: []int{0, 7}, Values: []float32{}},
	"deep":   {Shape: []int{1, 2, 1, 2}, Values: []float32{4, 3, 2, 1}},
}

// containers write a state dict of arrays.
var containers = []struct {
	name  string
	write func(io.Writer, map[string]weights.Array, weights.DType) error
}{
	{"zip", weightstest.TorchZip}, {"legacy", weightstest.TorchLegacy}, {"safetensors", weightstest.Safetensors}, {"npz", weightstest.NPZ},
}

var numbers = []weights.DType{weights.F32, weights.F16, weights.BF16, weights.F64,
	weights.I64, weights.I32, weights.I16, weights.I8, weights.U8, weights.Bool}

// rounded is what a value becomes in a type, for the values of arrays.
func rounded(v float32, d weights.DType) float32 {
	switch d {
	case weights.F32, weights.F64, weights.F16, weights.BF16:
		return v
	case weights.U8:
		return float32(uint8(int64(v)))
	case weights.Bool:
		if v != 0 {
			return 1
		}
		return 0
	}
	return float32(int64(v))
}

// Every type in every container comes back with its values and shapes.
func TestRoundTripOfEveryContainer(t *testing.T) {
	for _, c := range containers {
		for _, d := range numbers {
			t.Run(c.name+"/"+string(d), func(t *testing.T) {
				if c.name == "npz" && d == weights.BF16 {
					t.Skip("NumPy has no such type")
				}
				var b bytes.Buffer
				require.NoError(t, c.write(&b, arrays, d))
				f, err := weights.DecodeFile(t.Context(), "m", b.Bytes())
				require.NoError(t, err)
				require.Equal(t, "m", f.Name())
				require.Equal(t, weights.FromMap("", arrays).Names(), f.Names())
				for name, a := range arrays {
					checkArray(t, f, name, d, a)
				}
				_, ok := f.Shape("absent")
				require.False(t, ok)
				require.NoError(t, f.Close())
			})
		}
	}
}

func checkArray(t *testing.T, f *weights.File, name string, d weights.DType, a weights.Array) {
	t.Helper()
	e, ok := f.Entry(name)
	require.True(t, ok)
	require.Equal(t, d, e.DType)
	shape, ok := f.Shape(name)
	require.True(t, ok)
	require.Equal(t, fmt.Sprint(a.Shape), fmt.Sprint(shape))
	want := make([]float32, len(a.Values))
	for i, v := range a.Values {
		want[i] = rounded(v, d)
	}
	switch d {
	case weights.F32, weights.F64, weights.F16, weights.BF16:
		got, err := f.Float32Shape(t.Context(), name, a.Shape...)
		require.NoError(t, err)
		require.Equal(t, want, got)
		return
	}
	ints, _, err := f.Ints(t.Context(), name)
	require.NoError(t, err)
	got := make([]float32, len(ints))
	for i, v := range ints {
		got[i] = float32(v)
	}
	require.Equal(t, want, got)
	bools, _, err := f.Bools(t.Context(), name)
	require.NoError(t, err)
	require.Len(t, bools, len(want))
}

// build writes a state dict of views in both formats of PyTorch and reads it.
func build(t testing.TB, storages []weightstest.Storage, views []weightstest.View) (zip, legacy *weights.File, zipErr, legacyErr error) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, weightstest.ZipFile(&b, weightstest.NewPickle().State(storages, views).Stop(), storages))
	zip, zipErr = weights.DecodeFile(t.Context(), "m", b.Bytes())
	old := weightstest.Legacy(storages)
	var l bytes.Buffer
	require.NoError(t, weightstest.LegacyFile(&l, weightstest.NewPickle().State(old, views).Stop(), old))
	legacy, legacyErr = weights.DecodeFile(t.Context(), "m", l.Bytes())
	return zip, legacy, zipErr, legacyErr
}

func storage(t testing.TB, key string, values ...float32) weightstest.Storage {
	t.Helper()
	s, err := weightstest.NewStorage(key, weights.F32, values...)
	require.NoError(t, err)
	return s
}

func TestViewsOfAStorage(t *testing.T) {
	s := []weightstest.Storage{storage(t, "0", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)}
	views := []weightstest.View{
		{Name: "whole", Shape: []int{3, 4}, Strides: []int{4, 1}},
		{Name: "parameter", Shape: []int{3, 4}, Strides: []int{4, 1}, Parameter: true},
		{Name: "transposed", Shape: []int{4, 3}, Strides: []int{1, 4}},
		{Name: "rows", Offset: 4, Shape: []int{2, 4}, Strides: []int{4, 1}},
		{Name: "column", Offset: 2, Shape: []int{3}, Strides: []int{4}},
		{Name: "corner", Offset: 1, Shape: []int{2, 2}, Strides: []int{4, 1}},
		{Name: "permuted", Shape: []int{2, 3, 2}, Strides: []int{1, 4, 2}},
		{Name: "one", Offset: 11, Shape: []int{}, Strides: []int{}},
		{Name: "ones", Offset: 5, Shape: []int{1, 1}, Strides: []int{99, 1 << 30}},
		{Name: "empty", Offset: 12, Shape: []int{0, 5}, Strides: []int{5, 1}},
		{Name: "repeated", Offset: 3, Shape: []int{2, 3}, Strides: []int{0, 1}},
		{Name: "windows", Shape: []int{3, 4}, Strides: []int{1, 1}},
	}
	want := map[string][]float32{
		"whole": {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, "parameter": {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
		"transposed": {0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}, "rows": {4, 5, 6, 7, 8, 9, 10, 11}, "column": {2, 6, 10},
		"corner": {1, 2, 5, 6}, "permuted": {0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11}, "one": {11}, "ones": {5}, "empty": {},
		"repeated": {3, 4, 5, 3, 4, 5}, "windows": {0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5},
	}
	zip, legacy, err, err2 := build(t, s, views)
	require.NoError(t, err)
	require.NoError(t, err2)
	for _, f := range []*weights.File{zip, legacy} {
		require.Len(t, f.Names(), len(want))
		for _, v := range views {
			got, err := f.Float32Shape(t.Context(), v.Name, v.Shape...)
			require.NoError(t, err, v.Name)
			require.Equal(t, want[v.Name], got, v.Name)
		}
	}
	// Tied tensors share their bytes.
	a, _, err := zip.Float32(t.Context(), "whole")
	require.NoError(t, err)
	b, _, err := zip.Float32(t.Context(), "parameter")
	require.NoError(t, err)
	require.Same(t, unsafe.SliceData(a), unsafe.SliceData(b))
}

// The bytes of a mapped zip file are not copied.
func TestZipStoragesAreViews(t *testing.T) {
	values := make([]float32, 1<<20)
	values[1<<19] = 3
	path := filepath.Join(t.TempDir(), "pytorch_model.bin")
	write(t, path, weightstest.TorchZip, map[string]weights.Array{"w": {Shape: []int{1 << 20}, Values: values}}, weights.F32)
	f, err := weights.OpenFile(t.Context(), path)
	require.NoError(t, err)
	defer f.Close()
	allocated := testing.AllocsPerRun(10, func() {
		got, _, err := f.Float32(t.Context(), "w")
		if err != nil || got[1<<19] != 3 {
			t.Error("wrong values")
		}
	})
	require.LessOrEqual(t, allocated, 2.0)
	got, _, err := f.Float32(t.Context(), "w")
	require.NoError(t, err)
	require.Zero(t, uintptr(unsafe.Pointer(&got[0]))%64, "aligned as torch aligns")
}

func write(t testing.TB, path string, to func(io.Writer, map[string]weights.Array, weights.DType) error, arrays map[string]weights.Array, d weights.DType) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, to(&b, arrays, d))
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644))
}

// skipNarrow skips what needs numbers beyond 32 bits.
func skipNarrow(t *testing.T) {
	if strconv.IntSize < 64 {
		t.Skip("int has 32 bits")
	}
}

func TestViewsOutsideTheirStorage(t *testing.T) {
	skipNarrow(t)
	s := []weightstest.Storage{storage(t, "0", 1, 2, 3, 4)}
	for _, c := range []struct {
		want string
		view weightstest.View
	}{
		{`tensor "x": at most 4 elements of storage "0" expected, found offset 1, size [4], stride [1], which need 5`,
			weightstest.View{Offset: 1, Shape: []int{4}, Strides: []int{1}}},
		{`tensor "x": at most 4 elements of storage "0" expected, found offset 4, size [], stride [], which need 5`, weightstest.View{Offset: 4}},
		{`tensor "x": at most 4 elements of storage "0" expected, found offset 0, size [2 2], stride [3 1], which need 5`,
			weightstest.View{Shape: []int{2, 2}, Strides: []int{3, 1}}},
		{`tensor "x": at most 4 elements of storage "0" expected, found offset 9223372036854775806, size [], stride [], which need 9223372036854775807`,
			weightstest.View{Offset: math.MaxInt - 1}},
		{`tensor "x": stride: fewer than 2^63 elements expected, found offset 1, shape [3], stride [9223372036854775807]`,
			weightstest.View{Offset: 1, Shape: []int{3}, Strides: []int{math.MaxInt}}},
		{`tensor "x": shape: fewer than 2^63 bits expected, found [4294967296 4294967296] from dimension 1 on`,
			weightstest.View{Shape: []int{math.MaxInt>>31 + 1, math.MaxInt>>31 + 1}, Strides: []int{0, 0}}},
		{`REDUCE: torch._utils._rebuild_tensor_v2: storage_offset: a whole number from 0 expected, found -1`, weightstest.View{Offset: -1}},
		{`REDUCE: torch._utils._rebuild_tensor_v2: size: whole numbers from 0 expected, found -2`, weightstest.View{Shape: []int{-2}, Strides: []int{1}}},
		{`REDUCE: torch._utils._rebuild_tensor_v2: stride: whole numbers from 0 expected, found -1`,
			weightstest.View{Offset: 3, Shape: []int{4}, Strides: []int{-1}}},
		{`REDUCE: torch._utils._rebuild_tensor_v2: stride: 2 numbers expected, found 1`, weightstest.View{Shape: []int{2, 2}, Strides: []int{2}}},
		{`REDUCE: torch._utils._rebuild_tensor_v2: size: at most 64 numbers expected, found 65`,
			weightstest.View{Shape: make([]int, 65), Strides: make([]int, 65)}},
	} {
		c.view.Name = "x"
		zip, legacy, err, err2 := build(t, s, []weightstest.View{c.view})
		assert.Nil(t, zip)
		assert.Nil(t, legacy)
		assert.ErrorContains(t, err, c.want)
		assert.ErrorContains(t, err2, c.want)
	}
}

// A view that repeats its values to more than its storage holds is listed, so
// that others can be read, but memory is not filled with it.
func TestExpandedViewIsNotFilled(t *testing.T) {
	skipNarrow(t)
	views := []weightstest.View{{Name: "x", Shape: []int{math.MaxInt>>23 + 1}, Strides: []int{0}}, {Name: "y", Shape: []int{2}, Strides: []int{1}}}
	zip, legacy, err, err2 := build(t, []weightstest.Storage{storage(t, "0", 1, 2)}, views)
	require.NoError(t, err)
	require.NoError(t, err2)
	for _, f := range []*weights.File{zip, legacy} {
		_, _, err = f.Float32(t.Context(), "x")
		require.EqualError(t, err, `m: tensor "x": values of their own expected, found a view that repeats the 8 bytes of its storage to fill 4398046511104`)
		got, err := f.Float32Shape(t.Context(), "y", 2)
		require.NoError(t, err)
		require.Equal(t, []float32{1, 2}, got)
	}
}

// nested builds the pickle of an object around the state dict of a tensor x.
func nested(t testing.TB, build func(p *weightstest.Pickle, state func())) (*weights.File, error) {
	t.Helper()
	s := []weightstest.Storage{storage(t, "0", 1, 2)}
	p := weightstest.NewPickle()
	build(p, func() {
		p.State(s, []weightstest.View{{Name: "x", Shape: []int{2}, Strides: []int{1}}})
	})
	var b bytes.Buffer
	require.NoError(t, weightstest.ZipFile(&b, p.Stop(), s))
	return weights.DecodeFile(t.Context(), "m", b.Bytes())
}

func TestStateDictInside(t *testing.T) {
	s := storage(t, "0", 1, 2)
	loss := weightstest.View{}
	for name, build := range map[string]func(p *weightstest.Pickle, state func()){
		"model": func(p *weightstest.Pickle, state func()) {
			p.Op("}(").Text("model")
			state()
			p.Text("step").Int(70_000_000_000).Text("loss").Float(0.5).Text("note").Text("x").Text("done").Op("\x88").Text("none").Op("Nu")
		},
		"a tensor beside it": func(p *weightstest.Pickle, state func()) {
			p.Op("}(").Text("best_loss").Tensor(s, loss).Text("state_dict")
			state()
			p.Op("u")
		},
		"an optimizer": func(p *weightstest.Pickle, state func()) {
			p.Op("}(").Text("state_dict")
			state()
			p.Text("optimizer").Op("}(").Text("state").Op("}(").Int(0).Op("}(").Text("exp_avg").Tensor(s, loss).Op("u")
			p.Op("u").Text("param_groups").Op("](}(").Text("lr").Float(1e-3).Text("params").Op("](").Int(0).Op("eueuu")
		},
		"other objects": func(p *weightstest.Pickle, state func()) {
			p.Op("}(").Text("model")
			state()
			p.Text("size").Global("torch", "Size").Ints(1, 2).Op("\x85R").Text("device").Global("torch", "device").Text("cpu").Op("\x85R")
			p.Text("dtype").Global("torch", "bfloat16").Text("list").Op("](").Int(1).Op("NeX\x03\x00\x00\x00set\x8f(K\x01\x90")
			p.Text("np").Global("numpy.core.multiarray", "scalar").Op("(").Global("numpy", "dtype").Text("f8").Op("\x89\x88\x87R(").Int(3)
			p.Text("<").Op("NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb").Global("_codecs", "encode").Text("abcdefgh").Text("latin1").Op("\x86RtRu")
		},
		"a dict of pairs": func(p *weightstest.Pickle, state func()) {
			p.Global("collections", "OrderedDict").Op("](](").Text("model")
			state()
			p.Op("ee\x85R")
		},
		"remembered": func(p *weightstest.Pickle, state func()) {
			p.Op("}(").Text("a").Op("r\x00\x00\x01\x000").Text("model").Op("q\x05")
			state()
			p.Op("q\x07u0\x7dq\x01h\x05h\x07s")
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := nested(t, build)
			require.NoError(t, err)
			require.Equal(t, []string{"x"}, f.Names())
			got, err := f.Float32Shape(t.Context(), "x", 2)
			require.NoError(t, err)
			require.Equal(t, []float32{1, 2}, got)
		})
	}
}

func TestNoStateDict(t *testing.T) {
	for want, build := range map[string]func(p *weightstest.Pickle, state func()){
		`m: a dict of tensors expected, found a list`:                  func(p *weightstest.Pickle, _ func()) { p.Op("]") },
		`m: a dict of tensors expected, found None`:                    func(p *weightstest.Pickle, _ func()) { p.Op("N") },
		`m: a dict of tensors expected, found no tensor in it`:         func(p *weightstest.Pickle, _ func()) { p.Op("}") },
		`m: a dict of tensors expected, found collections.OrderedDict`: func(p *weightstest.Pickle, _ func()) { p.Global("collections", "OrderedDict") },
		`m: one dict of tensors expected, found several: "model", "ema\n", "teacher"`: func(p *weightstest.Pickle, state func()) {
			p.Op("}(")
			for _, key := range []string{"model", "ema\n", "teacher"} {
				p.Text(key)
				state()
			}
			p.Op("u")
		},
	} {
		_, err := nested(t, build)
		require.EqualError(t, err, want)
	}
}

// Types without a storage class of their own are views of untyped bytes.
func TestUntypedStorage(t *testing.T) {
	s := weightstest.Storage{Key: "0", Class: "UntypedStorage", Elements: 8, Data: []byte{1, 0, 0xff, 0xff, 0x38, 0xb8, 0, 0}}
	p := weightstest.NewPickle().Op("}(")
	for name, c := range map[string]struct {
		dtype  string
		offset int
		n      int
	}{"u": {"uint16", 0, 2}, "f8": {"float8_e4m3fn", 4, 2}, "deep": {"uint16", 2, 2}} {
		p.Text(name).Global("torch._utils", "_rebuild_tensor_v3").Op("(").Storage(s).Int(int64(c.offset)).Ints(c.n).Ints(1).Op("\x89N")
		p.Global("torch", c.dtype).Op("tR")
	}
	var b bytes.Buffer
	require.NoError(t, weightstest.ZipFile(&b, p.Op("u").Stop(), []weightstest.Storage{s}))
	f, err := weights.DecodeFile(t.Context(), "m", b.Bytes())
	require.NoError(t, err)
	ints, _, err := f.Ints(t.Context(), "u")
	require.NoError(t, err)
	require.Equal(t, []int{1, 65535}, ints)
	ints, _, err = f.Ints(t.Context(), "deep")
	require.NoError(t, err)
	require.Equal(t, []int{0xb838, 0}, ints)
	e, _ := f.Entry("f8")
	require.Equal(t, weights.F8E4M3, e.DType)
	require.EqualValues(t, 2, e.Size)
}
