package weights

import (
	"context"
	"errors"
	"fmt"
)

// newObject is the opcode that makes an instance of a class.
const newObject = 0x81

// The objects of a pickle of plain data, besides those of any pickle.
type (
	allowedClass string // a class whose instances may be made
	object       struct {
		class string
		state any
	}
	rawBytes []byte
)

// Object is an instance of a class that may be in a pickle: its name and its
// attributes. Nothing of the class is known or run.
type Object struct {
	Class string // with its module
	State any    // usually []Pair
}

// Pair is a key of a dict and its value.
type Pair struct{ Key, Value any }

// DecodePickle reads a pickle of plain data, by itself or as the only object of what
// torch.save writes: nil, bool, int64, float64 and string, tuples and lists as []any,
// dicts as []Pair in their order but for keys that are texts, which come first, a tensor
// of one number as float64, and an Object of each class that allowed knows by its name
// with its module. Slices are nil. Whatever else a pickle asks for is refused by name;
// nothing in it is looked up, imported or called. name is what errors call it.
func DecodePickle(ctx context.Context, name string, data []byte, allowed func(class string) bool) (any, error) {
	if allowed == nil {
		panic("weights: DecodePickle: no function that allows classes")
	}
	text := data
	if isZip(data) {
		a, err := openArchive(ctx, data)
		var prefix string
		if err == nil {
			prefix, err = a.torchPrefix(ctx)
		}
		if err == nil {
			text, err = a.text(ctx, prefix+"data.pkl")
		}
		if err != nil {
			return nil, failed(ctx, name, err)
		}
	}
	m := newMachine(ctx, text)
	m.plain, m.nested = allowed, loadStorage
	root, err := m.load()
	if err == nil && m.pos < len(text) {
		err = fmt.Errorf("pickle: the end expected after its STOP, found more at byte %d", m.pos)
	}
	var out any
	if err == nil {
		out, err = (&exporter{seen: map[any]any{}}).value(root, 0)
	}
	if err != nil {
		return nil, failed(ctx, name, err)
	}
	return out, nil
}

// global finds what a pickle names: in one of plain data also classes that are
// allowed, slices, and the numbers of tensors.
func (m *machine) global(module, name string) (any, error) {
	if full := module + "." + name; m.plain != nil {
		switch {
		case m.plain(full):
			return allowedClass(full), nil
		case full == "builtins.slice" || full == "__builtin__.slice":
			return &function{full, plain("a slice")}, nil
		case full == "torch.storage._load_from_bytes":
			return &function{full, m.nested}, nil
		}
	}
	return global(module, name)
}

// opNewObject makes an instance of a class that is allowed, without attributes yet.
func opNewObject(m *machine) error {
	top, err := m.pop(2)
	if err != nil {
		return err
	}
	class, ok := top[0].(allowedClass)
	if !ok {
		return fmt.Errorf("a class expected, found %s", kindOf(top[0]))
	}
	if args, ok := top[1].(tuple); !ok || len(args) > 0 {
		return fmt.Errorf("%s: no arguments expected, found some", class)
	}
	return m.push(&object{class: string(class)})
}

// loadStorage reads the storage in bytes that torch.save wrote in its older format,
// as a tensor is pickled by itself.
func loadStorage(m *machine, args tuple) (any, error) {
	if err := args.arity(1, 1); err != nil {
		return nil, err
	}
	b, ok := args[0].(rawBytes)
	if !ok {
		return nil, fmt.Errorf("bytes expected, found %s", kindOf(args[0]))
	}
	if err := m.spend(len(b) / 64); err != nil { // its pickles take some steps too
		return nil, err
	}
	inner := newMachine(m.ctx, b)
	if err := inner.legacyHead(); err != nil {
		return nil, err
	}
	root, err := inner.load()
	if err != nil {
		return nil, err
	}
	s, ok := root.(*storage)
	if !ok {
		return nil, fmt.Errorf("a storage expected, found %s", kindOf(root))
	}
	keys, err := inner.load()
	if err != nil {
		return nil, err
	}
	if err := inner.legacyStorages(keys); err != nil {
		return nil, err
	}
	s.bytes = b
	return s, nil
}

// scalar is the number of a tensor that has one and its storage with it.
func (t *pickledTensor) scalar() (any, error) {
	read, width := floatReader(t.dtype), int64(t.dtype.width())
	for _, n := range t.shape {
		if n != 1 {
			return nil, fmt.Errorf("a tensor of one number expected, found shape %v", t.shape)
		}
	}
	w := t.storage.where
	if read == nil || t.storage.bytes == nil || t.offset > (w.size-width)/width || w.size < width {
		return nil, errors.New("a tensor of one float with its number beside it expected, found another")
	}
	return read(t.storage.bytes[w.start+t.offset*width:]), nil
}

// exporter makes the objects of a pickle those of its users. What is there several
// times is made once, so that no small file becomes a large object.
type exporter struct {
	seen map[any]any
	made int
}

// mostDeep bounds how deep objects are in each other.
const mostDeep = 32

func (x *exporter) value(v any, depth int) (any, error) {
	if depth > mostDeep {
		return nil, fmt.Errorf("pickle: objects at most %d deep in each other expected, found more", mostDeep)
	}
	if x.made++; x.made > maxSteps {
		return nil, fmt.Errorf("pickle: at most %d objects expected, found more", maxSteps)
	}
	switch v := v.(type) {
	case nil, bool, int64, float64, string:
		return v, nil
	case tuple:
		return x.values(v, depth)
	case *list:
		return x.once(v, func() (any, error) { return x.values(v.items, depth) })
	case *dict:
		return x.once(v, func() (any, error) {
			pairs := make([]Pair, 0, len(v.entries)+len(v.others))
			for _, e := range v.entries {
				pairs = append(pairs, Pair{e.key, e.value})
			}
			pairs = append(pairs, v.others...)
			for i, p := range pairs {
				key, err := x.value(p.Key, depth+1)
				if err != nil {
					return nil, err
				}
				value, err := x.value(p.Value, depth+1)
				if err != nil {
					return nil, err
				}
				pairs[i] = Pair{key, value}
			}
			return pairs, nil
		})
	case *object:
		return x.once(v, func() (any, error) {
			state, err := x.value(v.state, depth+1)
			return Object{v.class, state}, err
		})
	case *pickledTensor:
		return v.scalar()
	case opaque:
		return nil, nil
	}
	return nil, fmt.Errorf("pickle: plain data expected, found %s", kindOf(v))
}

// once makes an object the first time, and finds it later. One that is in itself is
// refused by its depth.
func (x *exporter) once(v any, make func() (any, error)) (any, error) {
	if out, ok := x.seen[v]; ok {
		return out, nil
	}
	out, err := make()
	if err == nil {
		x.seen[v] = out
	}
	return out, err
}

func (x *exporter) values(items []any, depth int) (any, error) {
	out := make([]any, len(items))
	for i, item := range items {
		var err error
		if out[i], err = x.value(item, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}
