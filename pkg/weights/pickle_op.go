package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// opcode is an instruction of the machine; one without run is refused by name.
type opcode struct {
	name string
	run  func(*machine) error
}

// opcodes are those of CPython's pickletools. Python objects of other classes
// (INST, OBJ, NEWOBJ, EXT), and protocol 0's strings of persistent ids, are what
// PyTorch does not write for tensors.
var opcodes = [256]opcode{
	'(':       {"MARK", func(m *machine) error { m.marks = append(m.marks, len(m.stack)); return nil }},
	'0':       {"POP", opPop},
	'1':       {"POP_MARK", func(m *machine) error { _, err := m.popMark(); return err }},
	'2':       {"DUP", opDup},
	'F':       {"FLOAT", opFloat},
	'I':       {"INT", opInt},
	'J':       {"BININT", opBinInt},
	'K':       {"BININT1", opUnsigned(1)},
	'L':       {"LONG", opLong},
	'M':       {"BININT2", opUnsigned(2)},
	'N':       {"NONE", opConstant(nil)},
	'P':       {"PERSID", nil},
	'Q':       {"BINPERSID", opPersistent},
	'R':       {"REDUCE", opReduce},
	'S':       {"STRING", opQuoted},
	'T':       {"BINSTRING", opText(4)},
	'U':       {"SHORT_BINSTRING", opText(1)},
	'V':       {"UNICODE", opUnicode},
	'X':       {"BINUNICODE", opText(4)},
	'a':       {"APPEND", func(m *machine) error { return opAppend(m, m.taker(1)) }},
	'b':       {"BUILD", opBuild},
	'c':       {"GLOBAL", opGlobal},
	'd':       {"DICT", opDict},
	'}':       {"EMPTY_DICT", func(m *machine) error { return m.push(&dict{all: m.plain != nil}) }},
	'e':       {"APPENDS", func(m *machine) error { return opAppend(m, m.popMark) }},
	'g':       {"GET", func(m *machine) error { return withNumber(m.lineNumber, m.get) }},
	'h':       {"BINGET", func(m *machine) error { return withNumber(m.wide(1), m.get) }},
	'i':       {"INST", opInst},
	'j':       {"LONG_BINGET", func(m *machine) error { return withNumber(m.wide(4), m.get) }},
	'l':       {"LIST", opList},
	']':       {"EMPTY_LIST", func(m *machine) error { return m.push(&list{}) }},
	'o':       {"OBJ", nil},
	'p':       {"PUT", func(m *machine) error { return withNumber(m.lineNumber, m.put) }},
	'q':       {"BINPUT", func(m *machine) error { return withNumber(m.wide(1), m.put) }},
	'r':       {"LONG_BINPUT", func(m *machine) error { return withNumber(m.wide(4), m.put) }},
	's':       {"SETITEM", func(m *machine) error { return opSetItems(m, m.taker(2)) }},
	't':       {"TUPLE", func(m *machine) error { return opTuple(m, m.popMark) }},
	')':       {"EMPTY_TUPLE", opConstant(tuple(nil))},
	'u':       {"SETITEMS", func(m *machine) error { return opSetItems(m, m.popMark) }},
	'G':       {"BINFLOAT", opBinFloat},
	0x80:      {"PROTO", opProto},
	newObject: {"NEWOBJ", opNewObject},
	0x82:      {"EXT1", nil},
	0x83:      {"EXT2", nil},
	0x84:      {"EXT4", nil},
	0x85:      {"TUPLE1", func(m *machine) error { return opTuple(m, m.taker(1)) }},
	0x86:      {"TUPLE2", func(m *machine) error { return opTuple(m, m.taker(2)) }},
	0x87:      {"TUPLE3", func(m *machine) error { return opTuple(m, m.taker(3)) }},
	0x88:      {"NEWTRUE", opConstant(true)},
	0x89:      {"NEWFALSE", opConstant(false)},
	0x8a:      {"LONG1", opCountedLong(1)},
	0x8b:      {"LONG4", opCountedLong(4)},
	'B':       {"BINBYTES", opBytes(4)},
	'C':       {"SHORT_BINBYTES", opBytes(1)},
	0x8c:      {"SHORT_BINUNICODE", opText(1)},
	0x8d:      {"BINUNICODE8", opText(8)},
	0x8e:      {"BINBYTES8", opBytes(8)},
	0x8f:      {"EMPTY_SET", opConstant(opaque("a set"))},
	0x90:      {"ADDITEMS", opAddItems},
	0x91:      {"FROZENSET", opFrozenSet},
	0x92:      {"NEWOBJ_EX", nil},
	0x93:      {"STACK_GLOBAL", opStackGlobal},
	0x94:      {"MEMOIZE", func(m *machine) error { return m.put(uint64(len(m.memo))) }},
	0x95:      {"FRAME", opFrame},
	0x96:      {"BYTEARRAY8", opBytes(8)},
	0x97:      {"NEXT_BUFFER", nil},
	0x98:      {"READONLY_BUFFER", nil},
}

// taker and wide defer what an opcode reads.
func (m *machine) taker(n int) func() ([]any, error) {
	return func() ([]any, error) { return m.pop(n) }
}

func (m *machine) wide(width int) func() (uint64, error) {
	return func() (uint64, error) { return m.number(width) }
}

func withNumber(read func() (uint64, error), run func(uint64) error) error {
	n, err := read()
	if err != nil {
		return err
	}
	return run(n)
}

func opConstant(v any) func(*machine) error {
	return func(m *machine) error { return m.push(v) }
}

// opPop takes the mark if it is on top, as Python does.
func opPop(m *machine) error {
	if n := len(m.marks); n > 0 && m.marks[n-1] == len(m.stack) {
		m.marks = m.marks[:n-1]
		return nil
	}
	_, err := m.pop(1)
	return err
}

func opDup(m *machine) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	return m.push(v)
}

func opProto(m *machine) error {
	version, err := m.byte()
	if err == nil && version > 5 {
		return fmt.Errorf("protocol 0 to 5 expected, found %d", version)
	}
	return err
}

// opFrame checks the length of a frame; frames say nothing else here.
func opFrame(m *machine) error {
	n, err := m.number(8)
	if err != nil {
		return err
	}
	at := m.pos
	_, err = m.bytes(n)
	m.pos = at
	return err
}

func opUnsigned(width int) func(*machine) error {
	return func(m *machine) error {
		return withNumber(m.wide(width), func(n uint64) error { return m.push(int64(n)) })
	}
}

func opBinInt(m *machine) error {
	return withNumber(m.wide(4), func(n uint64) error { return m.push(int64(int32(n))) })
}

// opInt reads a number of digits; 00 and 01 are false and true.
func opInt(m *machine) error {
	text, err := m.line()
	if err != nil {
		return err
	}
	switch text {
	case "00":
		return m.push(false)
	case "01":
		return m.push(true)
	}
	return m.pushDigits(text)
}

func opLong(m *machine) error {
	text, err := m.line()
	if err != nil {
		return err
	}
	return m.pushDigits(strings.TrimSuffix(text, "L"))
}

// pushDigits pushes a whole number; one beyond 64 bits stays what it says.
func (m *machine) pushDigits(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return m.push(bigInt(text))
	}
	if err != nil {
		return fmt.Errorf("a whole number expected, found %s", oneline.Quote(text))
	}
	return m.push(n)
}

// opCountedLong reads a two's complement number of any number of bytes.
func opCountedLong(width int) func(*machine) error {
	return func(m *machine) error {
		b, err := m.counted(width)
		if err != nil {
			return err
		}
		if len(b) > 8 {
			return m.push(bigInt(b))
		}
		var wide [8]byte
		copy(wide[:], b)
		if len(b) > 0 && b[len(b)-1]&0x80 != 0 {
			for i := len(b); i < 8; i++ {
				wide[i] = 0xff
			}
		}
		return m.push(int64(binary.LittleEndian.Uint64(wide[:])))
	}
}

func opFloat(m *machine) error {
	text, err := m.line()
	if err != nil {
		return err
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("a number expected, found %s", oneline.Quote(text))
	}
	return m.push(v)
}

func opBinFloat(m *machine) error {
	b, err := m.bytes(8)
	if err != nil {
		return err
	}
	return m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
}

func opText(width int) func(*machine) error {
	return func(m *machine) error {
		b, err := m.counted(width)
		if err != nil {
			return err
		}
		return m.push(string(b))
	}
}

func opBytes(width int) func(*machine) error {
	return func(m *machine) error {
		b, err := m.counted(width)
		if err != nil {
			return err
		}
		if m.plain != nil {
			return m.push(rawBytes(b))
		}
		return m.push(opaque("bytes"))
	}
}

func opQuoted(m *machine) error {
	text, err := m.line()
	if err != nil {
		return err
	}
	n := len(text)
	if n < 2 || text[0] != text[n-1] || text[0] != '\'' && text[0] != '"' || strings.Contains(text, `\`) {
		return fmt.Errorf("a quoted text without escapes expected, found %s", oneline.Quote(text))
	}
	return m.push(text[1 : n-1])
}

func opUnicode(m *machine) error {
	text, err := m.line()
	if err != nil {
		return err
	}
	if strings.Contains(text, `\`) {
		return fmt.Errorf("a text without escapes expected, found %s", oneline.Quote(text))
	}
	return m.push(text)
}

func opTuple(m *machine, take func() ([]any, error)) error {
	items, err := take()
	if err != nil {
		return err
	}
	return m.push(tuple(slices.Clone(items)))
}

func opList(m *machine) error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	return m.push(&list{slices.Clone(items)})
}

func opAppend(m *machine, take func() ([]any, error)) error {
	items, err := take()
	if err != nil {
		return err
	}
	l, err := topAs[*list](m, "a list")
	if err != nil {
		return err
	}
	l.items = append(l.items, items...)
	return nil
}

func opDict(m *machine) error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	d := &dict{all: m.plain != nil}
	if err := d.set(items); err != nil {
		return err
	}
	return m.push(d)
}

func opSetItems(m *machine, take func() ([]any, error)) error {
	items, err := take()
	if err != nil {
		return err
	}
	d, err := topAs[*dict](m, "a dict")
	if err != nil {
		return err
	}
	return d.set(items)
}

// topAs is the top of the stack, which must be of a kind.
func topAs[T any](m *machine, kind string) (x T, err error) {
	v, err := m.top()
	if err != nil {
		return x, err
	}
	x, ok := v.(T)
	if !ok {
		return x, fmt.Errorf("%s expected, found %s", kind, kindOf(v))
	}
	return x, nil
}

func opAddItems(m *machine) error {
	if _, err := m.popMark(); err != nil {
		return err
	}
	v, err := m.top()
	if err == nil && v != opaque("a set") {
		return fmt.Errorf("a set expected, found %s", kindOf(v))
	}
	return err
}

func opFrozenSet(m *machine) error {
	if _, err := m.popMark(); err != nil {
		return err
	}
	return m.push(opaque("a set"))
}
