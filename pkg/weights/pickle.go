package weights

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// maxSteps bounds the opcodes of a pickle and the elements that they copy, and
// with them the memory of the objects built. A checkpoint of ten thousand
// tensors takes some 500 thousand.
const maxSteps = 1 << 22

// machine reads pickles of protocols 0 to 5. A pickle is a program for a stack
// machine; this one has only the opcodes and the classes that PyTorch writes
// for tensors. What it builds are the values of pickle_value.go: nothing that a
// pickle names is ever looked up, imported or called. Nested objects are built
// on a stack of its own and never walked recursively.
type machine struct {
	ctx   context.Context
	data  []byte
	pos   int
	stack []any
	marks []int // heights of the stack
	memo  map[uint32]any
	steps int

	storages map[string]*storage
	order    []*storage // as first asked for

	plain  func(class string) bool                   // of a pickle of plain data: the classes whose instances may be in it
	nested func(m *machine, args tuple) (any, error) // and what reads a storage in it
}

func newMachine(ctx context.Context, data []byte) *machine {
	return &machine{ctx: ctx, data: data, storages: map[string]*storage{}}
}

// load runs the pickle at pos to its STOP and returns the object it leaves.
func (m *machine) load() (any, error) {
	m.stack, m.marks, m.memo = nil, nil, map[uint32]any{}
	for {
		at := m.pos
		code, err := m.byte()
		if err != nil {
			return nil, err
		}
		if err := m.spend(1); err != nil {
			return nil, err
		}
		if err := m.ctx.Err(); err != nil {
			return nil, err
		}
		if code == '.' {
			return m.stop()
		}
		op := opcodes[code]
		if op.run == nil || code == newObject && m.plain == nil {
			return nil, fmt.Errorf("pickle: byte %d: an opcode that PyTorch writes expected, found %s", at, opcodeName(code))
		}
		if err := op.run(m); err != nil {
			var no refusal
			if errors.As(err, &no) || errors.Is(err, errTruncated) {
				return nil, err
			}
			return nil, fmt.Errorf("pickle: byte %d: %s: %w", at, op.name, err)
		}
	}
}

func (m *machine) stop() (any, error) {
	if len(m.marks) > 0 || len(m.stack) != 1 {
		return nil, fmt.Errorf("pickle: byte %d: STOP: one object expected on the stack, found %d", m.pos-1, len(m.stack))
	}
	return m.stack[0], nil
}

func opcodeName(code byte) string {
	if name := opcodes[code].name; name != "" {
		return name
	}
	return fmt.Sprintf("byte 0x%02x", code)
}

// refusal is the error of a pickle that asks for what is not read.
type refusal string

// Error says what was asked for.
func (r refusal) Error() string {
	return "pickle asks for " + string(r) + ": only tensors are read, nothing in a pickle is executed"
}

var errTruncated = errors.New("truncated")

func (m *machine) spend(n int) error {
	if m.steps += n; m.steps > maxSteps {
		return fmt.Errorf("pickle: at most %d steps expected, found more", maxSteps)
	}
	return nil
}

// bytes takes the next n bytes, which may be any number that the file states.
func (m *machine) bytes(n uint64) ([]byte, error) {
	rest := m.data[m.pos:]
	if n > uint64(len(rest)) {
		return nil, fmt.Errorf("pickle: %w: %d bytes expected at byte %d, found %d", errTruncated, n, m.pos, len(rest))
	}
	m.pos += int(n)
	return rest[:n], nil
}

func (m *machine) byte() (byte, error) {
	b, err := m.bytes(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

// number takes a little-endian number of 1 to 8 bytes.
func (m *machine) number(width int) (uint64, error) {
	b, err := m.bytes(uint64(width))
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	return binary.LittleEndian.Uint64(wide[:]), nil
}

// counted takes bytes whose number stands before them.
func (m *machine) counted(width int) ([]byte, error) {
	n, err := m.number(width)
	if err != nil {
		return nil, err
	}
	return m.bytes(n)
}

// line takes the text up to the next line end.
func (m *machine) line() (string, error) {
	n := bytes.IndexByte(m.data[m.pos:], '\n')
	if n < 0 {
		return "", fmt.Errorf("pickle: %w: a line expected at byte %d, found no end of it", errTruncated, m.pos)
	}
	text := string(m.data[m.pos : m.pos+n])
	m.pos += n + 1
	return text, nil
}

func (m *machine) push(v any) error {
	m.stack = append(m.stack, v)
	return nil
}

// need checks that n values lie above the last mark.
func (m *machine) need(n int) error {
	floor := 0
	if len(m.marks) > 0 {
		floor = m.marks[len(m.marks)-1]
	}
	if found := len(m.stack) - floor; found < n {
		return fmt.Errorf("%d values expected on the stack, found %d", n, found)
	}
	return nil
}

// pop takes the n topmost values, the deepest first; they are valid until the
// next push.
func (m *machine) pop(n int) ([]any, error) {
	if err := m.need(n); err != nil {
		return nil, err
	}
	top := m.stack[len(m.stack)-n:]
	m.stack = m.stack[:len(m.stack)-n]
	return top, nil
}

// popMark takes the values above the last mark, and the mark.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, errors.New("a mark expected on the stack, found none")
	}
	floor := m.marks[len(m.marks)-1]
	m.marks = m.marks[:len(m.marks)-1]
	top := m.stack[floor:]
	m.stack = m.stack[:floor]
	return top, nil
}

// top returns the topmost value without taking it.
func (m *machine) top() (any, error) {
	if err := m.need(1); err != nil {
		return nil, err
	}
	return m.stack[len(m.stack)-1], nil
}

func (m *machine) get(key uint64) error {
	v, ok := m.memo[uint32(key)]
	if !ok || key > math.MaxUint32 {
		return fmt.Errorf("a remembered object expected, found none of number %d", key)
	}
	return m.push(v)
}

func (m *machine) put(key uint64) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	if key > math.MaxUint32 {
		return fmt.Errorf("a number below 2^32 expected, found %d", key)
	}
	m.memo[uint32(key)] = v
	return nil
}

// lineNumber takes a number of digits.
func (m *machine) lineNumber() (uint64, error) {
	text, err := m.line()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("a number expected, found %s", oneline.Quote(text))
	}
	return n, nil
}
