package jsonfile

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// field is a field of a struct under its name in JSON.
type field struct {
	name  string
	index []int
	kind  reflect.Type
}

// known are the fields of the structs that were read into, as encoding/json
// keeps them.
var known sync.Map // of reflect.Type to []field

// fieldsOf returns the fields of a struct, also of those that are embedded in
// it.
func fieldsOf(t reflect.Type) []field {
	if list, ok := known.Load(t); ok {
		return list.([]field)
	}
	var list []field
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || f.Anonymous && name == "" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		same := slices.IndexFunc(list, func(o field) bool { return o.name == name })
		switch one := (field{name, f.Index, f.Type}); {
		case same < 0:
			list = append(list, one)
		case len(list[same].index) > len(f.Index):
			list[same] = one
		}
	}
	known.Store(t, list)
	return list
}

// findField returns the field that the decoder takes for a key: that of its name, else
// one that differs by case alone.
func findField(t reflect.Type, key string) (f field, found bool) {
	list := fieldsOf(t)
	for _, same := range []func(name string) bool{
		func(name string) bool { return name == key }, func(name string) bool { return strings.EqualFold(name, key) },
	} {
		if i := slices.IndexFunc(list, func(f field) bool { return same(f.name) }); i >= 0 {
			return list[i], true
		}
	}
	return f, false
}

var reads = reflect.TypeFor[json.Unmarshaler]()

// readsItself reports whether a type has its own way to read JSON.
func readsItself(t reflect.Type) bool { return reflect.PointerTo(t).Implements(reads) }

// naming is the type in whose fields, or in whose elements' fields, names are
// looked for; nil if it has none.
func naming(t reflect.Type) reflect.Type {
	for inner := t; inner != nil && !readsItself(inner); {
		switch inner.Kind() {
		case reflect.Struct:
			return t
		case reflect.Map, reflect.Slice, reflect.Array, reflect.Pointer:
			inner = inner.Elem()
		default:
			return nil
		}
	}
	return nil
}

// checkNames refuses keys that are a field's name in other letters: the decoder
// would take them for it, any other program not.
func checkNames(ctx context.Context, data []byte, t reflect.Type) error {
	if t = naming(t); t == nil {
		return nil
	}
	w := walker{ctx: ctx, data: data, wanted: -1, types: []reflect.Type{t}}
	return w.value()
}

// typed calls read for a member of the innermost value, with the type that the
// member is read into as the innermost.
func (w *walker) typed(key string, read func() error) error {
	if len(w.types) == 0 {
		return read()
	}
	t := w.types[len(w.types)-1]
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var inner reflect.Type
	switch {
	case t == nil:
	case t.Kind() != reflect.Struct:
		inner = naming(t.Elem())
	default:
		f, found := findField(t, key)
		if found && f.name != key {
			w.path = w.path[:len(w.path)-1]
			return w.fault("expected the key %s, found %s", oneline.Quote(f.name), oneline.Quote(key))
		}
		if found {
			inner = naming(f.kind)
		}
	}
	w.types = append(w.types, inner)
	err := read()
	w.types = w.types[:len(w.types)-1]
	return err
}
