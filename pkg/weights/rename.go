package weights

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// renamed is a source under other names.
type renamed struct {
	Source
	old map[string]string // by new name
}

// Rename makes a source whose tensors are called otherwise. Two tensors of one
// new name are an error. Errors of reading name the tensors as the files do.
func Rename(src Source, to func(old string) string) (Source, error) {
	r := renamed{src, map[string]string{}}
	for _, name := range src.Names() {
		n := to(name)
		if other, twice := r.old[n]; twice {
			return nil, fmt.Errorf("%s: different tensors expected, found %s and %s, which are both %s",
				src.Name(), oneline.Quote(other), oneline.Quote(name), oneline.Quote(n))
		}
		r.old[n] = name
	}
	return r, nil
}

func (r renamed) Names() []string { return slices.Sorted(maps.Keys(r.old)) }

func (r renamed) Has(name string) bool {
	_, ok := r.old[name]
	return ok
}

func (r renamed) Shape(name string) ([]int, bool) {
	old, ok := r.old[name]
	if !ok {
		return nil, false
	}
	return r.Source.Shape(old)
}

func (r renamed) Float32Shape(ctx context.Context, name string, shape ...int) ([]float32, error) {
	old, ok := r.old[name]
	if !ok {
		return nil, missing(r.Name(), name)
	}
	return r.Source.Float32Shape(ctx, old, shape...)
}
