package cachedir

// The sections of a WebAssembly module that say what it offers.
const (
	sectionTypes     = 1
	sectionImports   = 2
	sectionFunctions = 3
	sectionMemory    = 5
	sectionExports   = 7
	sectionCode      = 10
)

// The kinds of things that are exported, and the types of numbers.
const (
	kindFunction = 0
	kindMemory   = 2

	typeF64 = 0x7c
	typeF32 = 0x7d
	typeI64 = 0x7e
	typeI32 = 0x7f
)

const headerSize = 8 // a module's magic number and version

// hollow returns a WebAssembly module that exports the functions and the
// memory of another, where every function does nothing and returns zeros. It
// returns nil for a module it does not understand.
//
// The functions of one type share a body, so that there is little to compile.
func hollow(module []byte) []byte {
	parts := sections(module)
	types := results(parts[sectionTypes])
	imported, ok := importedFunctions(parts[sectionImports])
	if types == nil || !ok {
		return nil
	}
	r := &reader{b: parts[sectionFunctions]}
	typeOf := make([]uint32, r.count())
	for i := range typeOf {
		typeOf[i] = r.number()
	}
	exports, used, ok := redirected(parts[sectionExports], imported, typeOf)
	if !ok || r.isBad {
		return nil
	}
	functions, code := vector(len(used)), vector(len(used))
	for _, t := range used {
		if int(t) >= len(types) {
			return nil
		}
		functions = appendNumber(functions, t)
		body := zeros(types[t])
		code = append(appendNumber(code, uint32(len(body))), body...)
	}
	out := append([]byte(nil), module[:headerSize]...)
	for _, s := range []struct {
		id   byte
		data []byte
	}{
		{sectionTypes, parts[sectionTypes]}, {sectionFunctions, functions},
		{sectionMemory, []byte{1, 0, 1}}, // one memory, of at least one page
		{sectionExports, exports}, {sectionCode, code},
	} {
		out = append(appendNumber(append(out, s.id), uint32(len(s.data))), s.data...)
	}
	return out
}

// sections splits a module; a section that comes twice, as those without a
// number may, is of no interest.
func sections(module []byte) map[byte][]byte {
	parts := map[byte][]byte{}
	r := &reader{b: module}
	r.bytes(headerSize)
	for len(r.b) > 0 {
		id := r.byte()
		parts[id] = r.bytes(int(r.number()))
	}
	if r.isBad {
		return nil
	}
	return parts
}

// results lists, for each type of function, the types of what it returns.
func results(section []byte) [][]byte {
	r := &reader{b: section}
	list := make([][]byte, r.count())
	for i := range list {
		const function = 0x60
		r.isBad = r.isBad || r.byte() != function
		r.bytes(int(r.number())) // parameters
		list[i] = r.bytes(int(r.number()))
		for _, t := range list[i] {
			r.isBad = r.isBad || t < typeF64 || t > typeI32
		}
	}
	if r.isBad {
		return nil
	}
	return list
}

// importedFunctions counts what a module imports, which come first in its
// numbering; false if it imports anything but functions.
func importedFunctions(section []byte) (uint32, bool) {
	r := &reader{b: section}
	n := r.count()
	for range n {
		r.bytes(int(r.number())) // the module's name
		r.bytes(int(r.number())) // the function's name
		r.isBad = r.isBad || r.byte() != kindFunction
		r.number()
	}
	return uint32(n), !r.isBad
}

// redirected is a section of exports where each function is the one that
// stands for its type; used is the type of each such function. What is neither
// function nor memory is left out.
func redirected(section []byte, imported uint32, typeOf []uint32) (exports []byte, used []uint32, ok bool) {
	r := &reader{b: section}
	var list []byte
	kept := 0
	stand := map[uint32]uint32{} // by type
	for range r.count() {
		name := r.bytes(int(r.number()))
		kind, index := r.byte(), r.number()
		switch {
		case kind == kindFunction && index >= imported && int(index-imported) < len(typeOf):
			t := typeOf[index-imported]
			if _, ok := stand[t]; !ok {
				stand[t] = uint32(len(used))
				used = append(used, t)
			}
			index = stand[t]
		case kind != kindMemory:
			continue
		}
		kept++
		list = append(appendNumber(list, uint32(len(name))), name...)
		list = appendNumber(append(list, kind), index)
	}
	return append(vector(kept), list...), used, !r.isBad
}

// zeros is the body of a function that returns zeros of some types.
func zeros(list []byte) []byte {
	const end = 0x0b
	body := []byte{0} // no local variables
	for _, t := range list {
		switch t { // the instruction that makes a constant, and the constant
		case typeI32:
			body = append(body, 0x41, 0)
		case typeI64:
			body = append(body, 0x42, 0)
		case typeF32:
			body = append(body, 0x43, 0, 0, 0, 0)
		case typeF64:
			body = append(body, 0x44, 0, 0, 0, 0, 0, 0, 0, 0)
		}
	}
	return append(body, end)
}

// vector begins a list of n things.
func vector(n int) []byte { return appendNumber(nil, uint32(n)) }

// appendNumber writes a number as WebAssembly does: seven bits a byte, the
// lowest first.
func appendNumber(b []byte, n uint32) []byte {
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// reader reads what appendNumber and its like write. Where the input ends too
// early it notes that and returns zeros.
type reader struct {
	b     []byte
	isBad bool
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.b, r.isBad = nil, true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte {
	if one := r.bytes(1); one != nil {
		return one[0]
	}
	return 0
}

func (r *reader) number() uint32 {
	var n uint32
	for shift := 0; ; shift += 7 {
		c := r.byte()
		n |= uint32(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
		if shift > 28 {
			r.isBad = true
			return 0
		}
	}
}

// count is the length of a list, which takes a byte a thing or more.
func (r *reader) count() int {
	n := int(r.number())
	if n > len(r.b) {
		r.b, r.isBad = nil, true
		return 0
	}
	return n
}
