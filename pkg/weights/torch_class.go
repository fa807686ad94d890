package weights

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// storageClasses are the typed storages of package torch.
var storageClasses = map[string]DType{
	"DoubleStorage": F64, "FloatStorage": F32, "HalfStorage": F16, "BFloat16Storage": BF16,
	"LongStorage": I64, "IntStorage": I32, "ShortStorage": I16, "CharStorage": I8,
	"ByteStorage": U8, "BoolStorage": Bool, "ComplexFloatStorage": C64, "UntypedStorage": U8,
	"Float8_e5m2Storage": F8E5M2, "Float8_e4m3fnStorage": F8E4M3,
}

// torchTypes are the dtypes of package torch.
var torchTypes = map[string]DType{
	"float64": F64, "float32": F32, "float16": F16, "bfloat16": BF16, "complex64": C64,
	"int64": I64, "int32": I32, "int16": I16, "int8": I8,
	"uint64": U64, "uint32": U32, "uint16": U16, "uint8": U8, "bool": Bool,
	"float8_e5m2": F8E5M2, "float8_e4m3fn": F8E4M3, "float8_e8m0fnu": F8E8M0,
	"float8_e4m3fnuz": F8E4FNUZ, "float8_e5m2fnuz": F8E5FNUZ,
}

// torchGlobals are all functions and classes that a pickle may ask for besides
// storages and dtypes. What they return is made here, of plain data.
var torchGlobals = map[string]func(m *machine, args tuple) (any, error){
	"collections.OrderedDict":                    newOrderedDict,
	"torch._utils._rebuild_tensor":               rebuildTensor,
	"torch._utils._rebuild_tensor_v2":            rebuildTensor,
	"torch._utils._rebuild_tensor_v3":            rebuildTensorV3,
	"torch._utils._rebuild_parameter":            rebuildParameter,
	"torch._utils._rebuild_parameter_with_state": rebuildParameter,
	"torch.Size":   newSize,
	"torch.device": plain("a device"),
	// Numbers of NumPy, and the bytes of protocol 2, lie next to tensors in
	// training checkpoints.
	"numpy.dtype":                   plain(numpyDType),
	"numpy.core.multiarray.scalar":  plain("a NumPy number"),
	"numpy._core.multiarray.scalar": plain("a NumPy number"),
	"_codecs.encode":                plain("bytes"),
	"__builtin__.set":               plain("a set"),
	"builtins.set":                  plain("a set"),
	"__builtin__.frozenset":         plain("a set"),
	"builtins.frozenset":            plain("a set"),
}

const numpyDType = "a NumPy dtype"

func plain(kind opaque) func(*machine, tuple) (any, error) {
	return func(*machine, tuple) (any, error) { return kind, nil }
}

// global finds what a pickle names, or refuses it.
func global(module, name string) (any, error) {
	full := module + "." + name
	if call, ok := torchGlobals[full]; ok {
		return &function{full, call}, nil
	}
	switch module {
	case "torch":
		if d, ok := torchTypes[name]; ok {
			return d, nil
		}
		fallthrough
	case "torch.cuda", "torch.storage":
		if d, ok := storageClasses[strings.TrimPrefix(name, "_")]; ok {
			return storageClass{full, d}, nil
		}
	}
	return nil, refusal(plainName(full))
}

// plainName shows a dotted name, quoted if it holds anything unusual.
func plainName(s string) string {
	if q := strconv.Quote(s); q != `"`+s+`"` || strings.ContainsAny(s, " ") {
		return oneline.Quote(s)
	}
	return oneline.Shorten(s)
}

func opGlobal(m *machine) error {
	module, err := m.line()
	if err != nil {
		return err
	}
	name, err := m.line()
	if err != nil {
		return err
	}
	v, err := m.global(module, name)
	if err != nil {
		return err
	}
	return m.push(v)
}

func opStackGlobal(m *machine) error {
	names, err := m.pop(2)
	if err != nil {
		return err
	}
	module, ok := names[0].(string)
	name, ok2 := names[1].(string)
	if !ok || !ok2 {
		return fmt.Errorf("two texts expected, found %s and %s", kindOf(names[0]), kindOf(names[1]))
	}
	v, err := m.global(module, name)
	if err != nil {
		return err
	}
	return m.push(v)
}

// opInst names what an old pickle wants to make.
func opInst(m *machine) error {
	module, err := m.line()
	if err != nil {
		return err
	}
	name, err := m.line()
	if err != nil {
		return err
	}
	return refusal("an instance of " + plainName(module+"."+name))
}

func opReduce(m *machine) error {
	top, err := m.pop(2)
	if err != nil {
		return err
	}
	f, ok := top[0].(*function)
	if !ok {
		return fmt.Errorf("a function that rebuilds tensors expected, found %s", kindOf(top[0]))
	}
	args, ok := top[1].(tuple)
	if !ok {
		return fmt.Errorf("%s: a tuple of arguments expected, found %s", f.name, kindOf(top[1]))
	}
	v, err := f.call(m, args)
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	return m.push(v)
}

// opBuild drops the attributes of dicts (_metadata of a state dict); other
// objects have none.
func opBuild(m *machine) error {
	state, err := m.pop(1)
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	if o, ok := v.(*object); ok {
		o.state = state[0]
		return nil
	}
	if _, ok := v.(*dict); !ok && v != opaque(numpyDType) {
		return fmt.Errorf("a dict expected, found %s", kindOf(v))
	}
	return nil
}

// newOrderedDict makes a dict, of pairs if there are some.
func newOrderedDict(m *machine, args tuple) (any, error) {
	d := &dict{all: m.plain != nil}
	if len(args) == 0 {
		return d, nil
	}
	pairs, ok := args[0].(*list)
	if !ok || len(args) > 1 {
		return nil, errors.New("no argument or a list of pairs expected, found others")
	}
	if err := m.spend(len(pairs.items)); err != nil {
		return nil, err
	}
	for _, p := range pairs.items {
		pair, ok := p.(tuple)
		if l, isList := p.(*list); isList {
			pair, ok = l.items, true
		}
		if !ok || len(pair) != 2 {
			return nil, errors.New("pairs of key and value expected, found others")
		}
		if err := d.set(pair); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func newSize(_ *machine, args tuple) (any, error) {
	if len(args) == 1 {
		switch v := args[0].(type) {
		case tuple:
			return v, nil
		case *list:
			return tuple(v.items), nil
		}
	}
	return nil, errors.New("one tuple expected, found others")
}

// arity refuses other numbers of arguments than least to most.
func (args tuple) arity(least, most int) error {
	if len(args) < least || len(args) > most {
		return fmt.Errorf("%d to %d arguments expected, found %d", least, most, len(args))
	}
	return nil
}

// rebuildParameter returns the tensor of (tensor, requires_grad, hooks[, state]).
func rebuildParameter(_ *machine, args tuple) (any, error) {
	if err := args.arity(3, 4); err != nil {
		return nil, err
	}
	t, ok := args[0].(*pickledTensor)
	if !ok {
		return nil, fmt.Errorf("a tensor expected, found %s", kindOf(args[0]))
	}
	return t, nil
}

// rebuildTensor reads (storage, offset, size, stride[, requires_grad, hooks[,
// metadata]]).
func rebuildTensor(_ *machine, args tuple) (any, error) {
	if err := args.arity(4, 7); err != nil {
		return nil, err
	}
	t, err := view(args, 6)
	if err != nil {
		return nil, err
	}
	t.dtype = t.storage.class.dtype
	return t, nil
}

// rebuildTensorV3 reads (storage, offset, size, stride, requires_grad, hooks,
// dtype[, metadata]) of an untyped storage.
func rebuildTensorV3(_ *machine, args tuple) (any, error) {
	if err := args.arity(7, 8); err != nil {
		return nil, err
	}
	t, err := view(args, 7)
	if err != nil {
		return nil, err
	}
	d, ok := args[6].(DType)
	if !ok {
		return nil, fmt.Errorf("a dtype expected, found %s", kindOf(args[6]))
	}
	t.dtype = d
	return t, nil
}

// noMetadata refuses tensors that are to be read negated or conjugated.
func noMetadata(v any) error {
	if d, ok := v.(*dict); v != nil && (!ok || len(d.entries) > 0) {
		return errors.New("plain values expected, found a negated or conjugated view")
	}
	return nil
}

// view reads (storage, offset, size, stride, …[, metadata]), where metadata is
// the argument of that number.
func view(args tuple, metadata int) (*pickledTensor, error) {
	t := &pickledTensor{}
	var ok bool
	if t.storage, ok = args[0].(*storage); !ok {
		return nil, fmt.Errorf("a storage expected, found %s", kindOf(args[0]))
	}
	if t.offset, ok = args[1].(int64); !ok || t.offset < 0 {
		return nil, fmt.Errorf("storage_offset: a whole number from 0 expected, found %s", shown(args[1]))
	}
	if len(args) > metadata {
		if err := noMetadata(args[metadata]); err != nil {
			return nil, err
		}
	}
	size, err := counts("size", args[2])
	if err != nil {
		return nil, err
	}
	if t.strides, err = counts("stride", args[3]); err != nil {
		return nil, err
	}
	if len(size) != len(t.strides) {
		return nil, fmt.Errorf("stride: %d numbers expected, found %d", len(size), len(t.strides))
	}
	t.shape = make([]int, len(size))
	for i, n := range size {
		if t.shape[i] = int(n); int64(t.shape[i]) != n {
			return nil, fmt.Errorf("size: dimensions that fit this machine expected, found %d", n)
		}
	}
	return t, nil
}

// counts reads a tuple of whole numbers from 0.
func counts(field string, v any) ([]int64, error) {
	items, ok := v.(tuple)
	if !ok {
		return nil, fmt.Errorf("%s: a tuple expected, found %s", field, kindOf(v))
	}
	if len(items) > maxRank {
		return nil, fmt.Errorf("%s: at most %d numbers expected, found %d", field, maxRank, len(items))
	}
	out := make([]int64, len(items))
	for i, item := range items {
		n, ok := item.(int64)
		if !ok || n < 0 {
			return nil, fmt.Errorf("%s: whole numbers from 0 expected, found %s", field, shown(item))
		}
		out[i] = n
	}
	return out, nil
}

// shown is a number, or the kind of another object.
func shown(v any) string {
	if n, ok := v.(int64); ok {
		return strconv.FormatInt(n, 10)
	}
	return kindOf(v)
}

// opPersistent reads ("storage", class, key, location, elements[, view]).
func opPersistent(m *machine) error {
	top, err := m.pop(1)
	if err != nil {
		return err
	}
	s, err := m.storage(top[0])
	if err != nil {
		return err
	}
	return m.push(s)
}

func (m *machine) storage(id any) (*storage, error) {
	t, ok := id.(tuple)
	if !ok || len(t) < 5 || len(t) > 6 || t[0] != "storage" {
		return nil, errors.New(`persistent id: ("storage", class, key, location, elements) expected, found another object`)
	}
	class, ok := t[1].(storageClass)
	if !ok {
		return nil, fmt.Errorf("persistent id: class: a torch storage expected, found %s", kindOf(t[1]))
	}
	key, ok := t[2].(string)
	if !ok {
		return nil, fmt.Errorf("persistent id: key: a text expected, found %s", kindOf(t[2]))
	}
	n, ok := t[4].(int64)
	if !ok || n < 0 {
		return nil, fmt.Errorf("persistent id: elements: a whole number from 0 expected, found %s", shown(t[4]))
	}
	if len(t) == 6 && t[5] != nil {
		return nil, errors.New("persistent id: a whole storage expected, found a view of one, as PyTorch wrote before version 0.4")
	}
	return m.remember(&storage{key: key, class: class, elements: n})
}

// remember returns the one storage of a key.
func (m *machine) remember(s *storage) (*storage, error) {
	old, ok := m.storages[s.key]
	if !ok {
		m.storages[s.key] = s
		m.order = append(m.order, s)
		return s, nil
	}
	if old.class.dtype != s.class.dtype || old.elements != s.elements {
		return nil, fmt.Errorf("storage %s: %d elements of %s expected as before, found %d of %s",
			oneline.Quote(s.key), old.elements, old.class.dtype, s.elements, s.class.dtype)
	}
	return old, nil
}
