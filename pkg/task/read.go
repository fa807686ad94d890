package task

import (
	"context"
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/weights"
)

// Read reads a safetensors file with "clean" (integers [B,T]) and, where they
// apply, "corrupt" and "labels" [B,T], "mask" [B,T] of any type that says yes
// or no, "correct" and "wrong" [B] or [B,n], "pad" [B], "pos_permutation" [T].
// Other tensors are left alone.
func Read(ctx context.Context, path string) (Data, error) {
	f, err := weights.Open(ctx, path)
	if err != nil {
		return Data{}, err
	}
	defer f.Close()
	d, err := fromFile(ctx, f)
	if err != nil {
		return Data{}, err
	}
	if err := d.Check(); err != nil {
		return Data{}, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

// fromFile takes the fields out of a file. Nothing it returns points into it.
func fromFile(ctx context.Context, f *weights.File) (Data, error) {
	var d Data
	var err error
	if !f.Has("clean") {
		return d, fmt.Errorf("%s: tensor \"clean\" is missing: expected integers [examples, tokens]", f.Name())
	}
	if d.Clean, err = grid(ctx, f, "clean", f.Ints); err != nil {
		return d, err
	}
	if d.Corrupt, err = grid(ctx, f, "corrupt", f.Ints); err != nil {
		return d, err
	}
	if d.Labels, err = grid(ctx, f, "labels", f.Ints); err != nil {
		return d, err
	}
	if d.Mask, err = grid(ctx, f, "mask", f.Bools); err != nil {
		return d, err
	}
	if d.Correct, err = answers(ctx, f, "correct"); err != nil {
		return d, err
	}
	if d.Wrong, err = answers(ctx, f, "wrong"); err != nil {
		return d, err
	}
	if d.Pad, err = list(ctx, f, "pad"); err != nil {
		return d, err
	}
	d.PosPermutation, err = list(ctx, f, "pos_permutation")
	return d, err
}

// grid reads a tensor [B,T] if the file has it.
func grid[T any](ctx context.Context, f *weights.File, name string, read func(context.Context, string) ([]T, []int, error)) ([][]T, error) {
	if !f.Has(name) {
		return nil, nil
	}
	flat, shape, err := read(ctx, name)
	if err != nil {
		return nil, err
	}
	if len(shape) != 2 {
		return nil, fmt.Errorf("%s: tensor %q: expected two dimensions, [examples, tokens], found %v", f.Name(), name, shape)
	}
	rows := make([][]T, shape[0])
	for i := range rows {
		rows[i] = flat[i*shape[1] : (i+1)*shape[1] : (i+1)*shape[1]]
	}
	return rows, nil
}

// answers reads a tensor [B], or [B,n] for several answers an example, if the
// file has it.
func answers(ctx context.Context, f *weights.File, name string) ([][]int, error) {
	if e, ok := f.Entry(name); ok && len(e.Shape) == 2 {
		return grid(ctx, f, name, f.Ints)
	}
	flat, err := list(ctx, f, name)
	if flat == nil {
		return nil, err
	}
	out := make([][]int, len(flat))
	for i := range flat {
		out[i] = flat[i : i+1 : i+1]
	}
	return out, err
}

// list reads a tensor [B] if the file has it.
func list(ctx context.Context, f *weights.File, name string) ([]int, error) {
	if !f.Has(name) {
		return nil, nil
	}
	flat, shape, err := f.Ints(ctx, name)
	if err != nil {
		return nil, err
	}
	if len(shape) != 1 {
		return nil, fmt.Errorf("%s: tensor %q: expected one dimension, found %v", f.Name(), name, shape)
	}
	return flat, nil
}
