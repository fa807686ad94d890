package weights

import "fmt"

// The objects that a pickle can build are these, and bool, int64, float64,
// string and nil.
type (
	// tuple is a Python tuple or torch.Size.
	tuple []any
	// list is a Python list.
	list struct{ items []any }
	// dict is a Python dict of any kind. Keys that are no strings are dropped.
	dict struct {
		entries []dictEntry // in the order of the pickle, doubles too
		tensors int         // among the values
		all     bool        // of a pickle of plain data: the others are kept too
		others  []Pair      // whose keys are no strings
	}
	dictEntry struct {
		key   string
		value any
	}
	// bigInt is a number beyond 64 bits, in the bytes of its pickle.
	bigInt string
	// opaque is an object of which only the kind matters.
	opaque string
	// function is one of the functions and classes of torchGlobals.
	function struct {
		name string
		call func(m *machine, args tuple) (any, error)
	}
	// storageClass is a class such as torch.FloatStorage; untyped ones are bytes.
	storageClass struct {
		name  string
		dtype DType
	}
	// storage is a run of numbers that tensors look at.
	storage struct {
		key      string
		class    storageClass
		elements int64  // of the class's type
		where    member // set by the container
		bytes    []byte // it lies in, where a pickle of plain data has it in itself
	}
	// pickledTensor is a view of a storage. All counts are in its own elements.
	pickledTensor struct {
		storage *storage
		dtype   DType
		offset  int64
		shape   []int
		strides []int64
	}
)

// set stores keys and values that alternate.
func (d *dict) set(items []any) error {
	if len(items)%2 != 0 {
		return fmt.Errorf("a value for every key expected, found %d objects", len(items))
	}
	for i := 0; i < len(items); i += 2 {
		key, ok := items[i].(string)
		if !ok {
			if d.all {
				d.others = append(d.others, Pair{items[i], items[i+1]})
			}
			continue
		}
		d.entries = append(d.entries, dictEntry{key, items[i+1]})
		if _, ok := items[i+1].(*pickledTensor); ok {
			d.tensors++
		}
	}
	return nil
}

// get returns the value of a key, the last one as in Python.
func (d *dict) get(key string) any {
	for i := len(d.entries) - 1; i >= 0; i-- {
		if d.entries[i].key == key {
			return d.entries[i].value
		}
	}
	return nil
}

// kindOf names an object for an error text, without its contents.
func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "a bool"
	case int64, bigInt:
		return "a whole number"
	case float64:
		return "a float"
	case string:
		return "a text"
	case tuple:
		return "a tuple"
	case *list:
		return "a list"
	case *dict:
		return "a dict"
	case *function:
		return v.name
	case storageClass:
		return v.name
	case DType:
		return "a dtype"
	case *storage:
		return "a storage"
	case *pickledTensor:
		return "a tensor"
	case opaque:
		return string(v)
	case rawBytes:
		return "bytes"
	case *object:
		return v.class
	case allowedClass:
		return string(v)
	}
	return "another object"
}
