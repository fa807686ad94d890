package weights

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/seed-2c350065/acdc/internal/floats"
	"github.com/seed-2c350065/acdc/internal/oneline"
)

// tensor looks up an entry and its bytes.
func (f *File) tensor(ctx context.Context, name string) (Entry, []byte, error) {
	e, ok := f.entries[name]
	if err := ctx.Err(); err != nil {
		return e, nil, err
	}
	if !ok {
		return e, nil, missing(f.name, name)
	}
	if f.closed {
		return e, nil, f.tensorError(name, "an open file expected, found it closed")
	}
	p, ok := f.places[name]
	if !ok {
		return e, f.data[e.Offset : e.Offset+e.Size : e.Offset+e.Size], nil
	}
	b, err := p.read(ctx, f.data, e)
	if ended := ctx.Err(); ended != nil {
		return e, nil, ended
	}
	if err != nil {
		return e, nil, f.tensorError(name, "%v", err)
	}
	return e, b, nil
}

func (f *File) tensorError(name, format string, args ...any) error {
	return fmt.Errorf("%s: tensor %s: %s", f.name, oneline.Quote(name), fmt.Sprintf(format, args...))
}

// Float32 returns the values of an F32, F16, BF16 or F64 tensor in row-major
// order, and its shape. An F32 tensor is not copied where its bytes are aligned
// (they are in most files): its values must not be written to, and are valid
// until Close. F16 and BF16 are widened exactly, F64 is rounded; a finite F64
// beyond the range of F32 is an error.
func (f *File) Float32(ctx context.Context, name string) ([]float32, []int, error) {
	e, b, err := f.tensor(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	if !e.DType.isFloat() {
		return nil, nil, f.tensorError(name, "dtype %s expected, found %s", oneOf(floatTypes), e.DType)
	}
	shape := slices.Clone(e.Shape)
	if e.DType == F32 {
		if view, ok := viewFloat32(b); ok {
			return view, shape, nil
		}
	}
	out, width := floats.Make(len(b)/e.DType.width()), e.DType.width()
	err = inParts(ctx, len(out), func(lo, hi int) error {
		if e.DType == F64 {
			return f.roundF64(name, out[lo:hi], b[lo*width:], lo)
		}
		widen(out[lo:hi], e.DType, b[lo*width:])
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return out, shape, nil
}

// part is how many elements are converted between two looks at the context.
const part = 1 << 17

// inParts calls do on consecutive ranges that cover [0, n), until an error or the
// end of the context.
func inParts(ctx context.Context, n int, do func(lo, hi int) error) error {
	for lo := 0; lo < n; lo += part {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := do(lo, min(lo+part, n)); err != nil {
			return err
		}
	}
	return nil
}

// widen fills out from F32, F16 or BF16 bytes.
func widen(out []float32, d DType, b []byte) {
	switch d {
	case F32:
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
	case F16:
		for i := range out {
			out[i] = float32From16(binary.LittleEndian.Uint16(b[2*i:]))
		}
	case BF16:
		for i := range out {
			out[i] = float32FromB16(binary.LittleEndian.Uint16(b[2*i:]))
		}
	}
}

// roundF64 fills out from F64 bytes, of which the first is value number from.
func (f *File) roundF64(name string, out []float32, b []byte, from int) error {
	for i := range out {
		v := math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
		out[i] = float32(v)
		if math.IsInf(float64(out[i]), 0) && !math.IsInf(v, 0) {
			return f.tensorError(name, "values in the range of F32 expected, found %g at index %d", v, from+i)
		}
	}
	return nil
}

// Float32Shape is [File.Float32] for a tensor whose shape is known: another
// shape is an error.
func (f *File) Float32Shape(ctx context.Context, name string, shape ...int) ([]float32, error) {
	if e, ok := f.entries[name]; ok && !slices.Equal(e.Shape, shape) {
		return nil, wrongShape(f.name, name, shape, e.Shape)
	}
	values, _, err := f.Float32(ctx, name)
	return values, err
}

// Ints returns the values of an integer or BOOL tensor (false 0, true 1) in
// row-major order, and its shape. A value that does not fit an int is an error.
func (f *File) Ints(ctx context.Context, name string) ([]int, []int, error) {
	e, b, err := f.tensor(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	read := integerReader(e.DType)
	if read == nil {
		return nil, nil, f.tensorError(name, "dtype %s expected, found %s", oneOf(integerTypes), e.DType)
	}
	width := e.DType.width()
	out := make([]int, len(b)/width)
	err = inParts(ctx, len(out), func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			v := read(b[i*width:])
			if e.DType == U64 && v < 0 {
				return f.tensorError(name, "values below 2^63 expected, found %d at index %d", uint64(v), i)
			}
			out[i] = int(v)
			if int64(out[i]) != v {
				return f.tensorError(name, "values that fit this machine expected, found %d at index %d", v, i)
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return out, slices.Clone(e.Shape), nil
}

// Bools returns a mask in row-major order, and its shape: BOOL, integers or
// floats, of which all but zero are true. A NaN is an error.
func (f *File) Bools(ctx context.Context, name string) ([]bool, []int, error) {
	e, b, err := f.tensor(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	isTrue := truth(e.DType)
	if isTrue == nil {
		types := slices.Concat([]DType{Bool}, integerTypes[:len(integerTypes)-1], floatTypes)
		return nil, nil, f.tensorError(name, "dtype %s expected, found %s", oneOf(types), e.DType)
	}
	width := e.DType.width()
	out := make([]bool, len(b)/width)
	err = inParts(ctx, len(out), func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			var ok bool
			if out[i], ok = isTrue(b[i*width:]); !ok {
				return f.tensorError(name, "a mask of numbers expected, found NaN at index %d", i)
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return out, slices.Clone(e.Shape), nil
}

// truth returns what reads one element of a mask, not ok for NaN.
func truth(d DType) func(b []byte) (value, ok bool) {
	if read := integerReader(d); read != nil {
		return func(b []byte) (bool, bool) { return read(b) != 0, true }
	}
	if read := floatReader(d); read != nil {
		return func(b []byte) (bool, bool) {
			v := read(b)
			return v != 0, !math.IsNaN(v)
		}
	}
	return nil
}
