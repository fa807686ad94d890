package weights

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// Source is what a model loader reads: float32 tensors by name. [File],
// [Sharded] and [Memory] are sources.
type Source interface {
	// Name says where the weights come from, as errors show it.
	Name() string
	// Names returns the names of all tensors, sorted.
	Names() []string
	// Has tells whether there is a tensor of this name.
	Has(name string) bool
	// Shape returns the shape of the tensor of this name, empty for a single
	// number; false if there is none.
	Shape(name string) ([]int, bool)
	// Float32Shape returns the values of a tensor in row-major order. A missing
	// tensor, another shape and a type that is no float are errors that name the
	// source and the tensor. The values must not be written to.
	Float32Shape(ctx context.Context, name string, shape ...int) ([]float32, error)
}

// Checkpoint is a source that lies in files. Slices that it handed out must not
// be touched after Close.
type Checkpoint interface {
	Source
	// Files returns the paths of its files.
	Files() []string
	Close() error
}

var (
	_ Checkpoint = (*File)(nil)
	_ Checkpoint = (*Sharded)(nil)
	_ Source     = (*Memory)(nil)
)

// Array is a tensor in memory.
type Array struct {
	Shape  []int
	Values []float32 // in row-major order
}

// Memory is a source of weights built in code.
type Memory struct {
	name   string
	arrays map[string]Array
}

// FromMap makes a source of tensors in memory, which it keeps without copying
// their values. The name appears in errors only. Values that do not fit their
// shape are reported when they are asked for.
func FromMap(name string, arrays map[string]Array) *Memory {
	return &Memory{name: name, arrays: maps.Clone(arrays)}
}

// Name returns the name given to [FromMap].
func (m *Memory) Name() string { return m.name }

// Names returns the names of all tensors, sorted.
func (m *Memory) Names() []string { return slices.Sorted(maps.Keys(m.arrays)) }

// Has tells whether there is a tensor of this name.
func (m *Memory) Has(name string) bool {
	_, ok := m.arrays[name]
	return ok
}

// Shape returns the shape of the tensor of this name.
func (m *Memory) Shape(name string) ([]int, bool) {
	a, ok := m.arrays[name]
	return slices.Clone(a.Shape), ok
}

// Float32Shape returns the values of a tensor, not copied.
func (m *Memory) Float32Shape(_ context.Context, name string, shape ...int) ([]float32, error) {
	a, ok := m.arrays[name]
	if !ok {
		return nil, missing(m.name, name)
	}
	if !slices.Equal(a.Shape, shape) {
		return nil, wrongShape(m.name, name, shape, a.Shape)
	}
	size, err := byteSize(F32, a.Shape)
	if err != nil {
		return nil, fmt.Errorf("%s: tensor %s: %w", m.name, oneline.Quote(name), err)
	}
	if size != 4*int64(len(a.Values)) {
		return nil, fmt.Errorf("%s: tensor %s: %d values expected for shape %d, found %d",
			m.name, oneline.Quote(name), size/4, a.Shape, len(a.Values))
	}
	return a.Values, nil
}

func missing(source, name string) error {
	return fmt.Errorf("%s: tensor %s is missing", source, oneline.Quote(name))
}

func wrongShape(source, name string, want, found []int) error {
	return fmt.Errorf("%s: tensor %s: shape %d expected, found %d", source, oneline.Quote(name), want, found)
}
