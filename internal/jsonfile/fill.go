package jsonfile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"reflect"
)

// filler reads a text into a value. The decoder of the standard library looks at
// no context, so large values are handed to it in runs of their members.
type filler struct {
	ctx  context.Context
	data []byte
}

// fill reads data[lo:hi], one value, into v.
func (f *filler) fill(lo, hi int, v reflect.Value) error {
	if err := f.ctx.Err(); err != nil {
		return err
	}
	text := f.data[lo:hi]
	if hi-lo <= chunk {
		return f.decode(text, lo, v)
	}
	switch kind := v.Kind(); {
	case v.Type() == reflect.TypeFor[json.RawMessage]():
		v.SetBytes(bytes.Clone(text))
		return nil
	case kind == reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		return f.fill(lo, hi, v.Elem())
	case readsItself(v.Type()):
	case kind == reflect.String && text[0] == '"' && bytes.IndexByte(text, '\\') < 0:
		v.SetString(string(text[1 : len(text)-1]))
		return nil
	case kind == reflect.Interface && v.NumMethod() == 0 && (text[0] == '{' || text[0] == '['):
		made := reflect.New(reflect.TypeFor[[]any]()).Elem()
		if text[0] == '{' {
			made = reflect.New(reflect.TypeFor[map[string]any]()).Elem()
		}
		err := f.fill(lo, hi, made)
		v.Set(made)
		return err
	case text[0] == '{' && (kind == reflect.Struct || kind == reflect.Map && v.Type().Key().Kind() == reflect.String), text[0] == '[' && kind == reflect.Slice:
		return f.members(lo, v)
	}
	return f.decode(text, lo, v)
}

// decode reads a text that stands at byte at.
func (f *filler) decode(text []byte, at int, v reflect.Value) error {
	err := json.Unmarshal(text, v.Addr().Interface())
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		wrong.Offset += int64(at)
	}
	return err
}

// members reads an object or a list that begins at lo, in runs of its members.
func (f *filler) members(lo int, v reflect.Value) error {
	object := f.data[lo] == '{'
	switch {
	case v.Kind() == reflect.Slice:
		v.SetLen(0)
	case v.Kind() == reflect.Map && v.IsNil():
		v.Set(reflect.MakeMap(v.Type()))
	}
	w := walker{ctx: f.ctx, data: f.data, pos: lo + 1, wanted: -1}
	start, end := -1, 0 // of the run
	flush := func() error {
		if start < 0 {
			return nil
		}
		err := f.run(object, start, end, v)
		start = -1
		return err
	}
	for n := 0; ; n++ {
		key, more, err := w.next(n, object, nil)
		if err != nil {
			return err
		}
		if !more {
			return flush()
		}
		begin := w.member
		w.space()
		from := w.pos
		if err := w.value(); err != nil {
			return err
		}
		large := w.pos-from > chunk
		if large || start >= 0 && w.pos-start > chunk {
			if err := flush(); err != nil {
				return err
			}
		}
		switch {
		case large:
			if err := f.member(key, from, w.pos, v); err != nil {
				return err
			}
		case start < 0:
			start = begin
		}
		end = w.pos
	}
}

// run reads data[start:end], some members of an object or a list.
func (f *filler) run(object bool, start, end int, v reflect.Value) error {
	if err := f.ctx.Err(); err != nil {
		return err
	}
	brackets := "[]"
	if object {
		brackets = "{}"
	}
	text := append(append(append(make([]byte, 0, end-start+2), brackets[0]), f.data[start:end]...), brackets[1])
	if v.Kind() != reflect.Slice {
		return f.decode(text, start-1, v)
	}
	some := reflect.New(v.Type()).Elem()
	err := f.decode(text, start-1, some)
	v.Set(reflect.AppendSlice(v, some))
	return err
}

// member reads data[from:to], a large value, into its place in v.
func (f *filler) member(key string, from, to int, v reflect.Value) error {
	if v.Kind() == reflect.Struct {
		at, found := findField(v.Type(), key)
		if !found {
			return nil
		}
		return f.fill(from, to, v.FieldByIndex(at.index))
	}
	one := reflect.New(v.Type().Elem()).Elem()
	err := f.fill(from, to, one)
	if v.Kind() == reflect.Map {
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), one)
	} else {
		v.Set(reflect.Append(v, one))
	}
	return err
}
