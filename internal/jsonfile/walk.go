package jsonfile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// step leads from a value to one inside.
type step struct {
	key   string
	index int // in a list; -1 of a key
}

// walker goes through a text until the context ends, and checks that it is JSON.
type walker struct {
	ctx    context.Context
	data   []byte
	pos    int
	member int            // where the member that was begun last begins, with its key
	asked  int            // where the context is asked again
	path   []step         // to the value that is read
	types  []reflect.Type // of what the values on the way are read into; nil where that has no names of its own
	strict bool           // lone surrogates and double keys are errors
	wanted int            // where the decoder stood at a value: behind a plain one, behind the bracket of another
	found  []byte         // the value there
	where  string         // the way to it
	keys   []string

	nonFinite bool     // bare NaN and Infinity are let pass
	bare      [][2]int // where they stand
}

// errSyntax says that a text is not JSON; syntaxError says why.
var errSyntax = errors.New("not JSON")

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func (w *walker) space() {
	for w.pos < len(w.data) && isSpace(w.data[w.pos]) {
		w.pos++
	}
}

// peek is the next byte, 0 at the end, where none of JSON's is.
func (w *walker) peek() byte {
	if w.pos >= len(w.data) {
		return 0
	}
	return w.data[w.pos]
}

// end checks that nothing follows.
func (w *walker) end() error {
	if w.space(); w.pos < len(w.data) {
		return errSyntax
	}
	return nil
}

// alive asks the context, once in a chunk of the text.
func (w *walker) alive() error {
	if w.pos < w.asked {
		return nil
	}
	w.asked = w.pos + chunk
	return w.ctx.Err()
}

// value reads a value.
func (w *walker) value() error {
	if err := w.alive(); err != nil {
		return err
	}
	w.space()
	start := w.pos
	var err error
	switch w.peek() {
	case '{', '[':
		if len(w.path) == maxDepth {
			return fmt.Errorf("expected at most %d brackets one in another, found more", maxDepth)
		}
		w.pos++
		w.meet(start)
		return w.members(w.data[start] == '{')
	case '"':
		_, err = w.text()
	default:
		err = w.word()
	}
	w.meet(start)
	return err
}

// word reads a number, true, false or null.
func (w *walker) word() error {
	start := w.pos
	for ; w.pos < len(w.data); w.pos++ {
		if c := w.data[w.pos]; c == ',' || c == ']' || c == '}' || isSpace(c) {
			break
		}
	}
	switch text := w.data[start:w.pos]; string(text) {
	case "true", "false", "null":
		return nil
	case "NaN", "Infinity", "-Infinity":
		if w.nonFinite {
			w.bare = append(w.bare, [2]int{start, w.pos})
			return nil
		}
		return errSyntax
	default:
		if !isNumber(text) {
			return errSyntax
		}
		return nil
	}
}

// isNumber reports whether a text is a number as JSON has it.
func isNumber(text []byte) bool {
	digits := func() bool {
		n := 0
		for n < len(text) && '0' <= text[n] && text[n] <= '9' {
			n++
		}
		text = text[n:]
		return n > 0
	}
	text = bytes.TrimPrefix(text, []byte("-"))
	if rest, zero := bytes.CutPrefix(text, []byte("0")); zero {
		text = rest
	} else if !digits() {
		return false
	}
	if rest, point := bytes.CutPrefix(text, []byte(".")); point {
		if text = rest; !digits() {
			return false
		}
	}
	if len(text) > 0 && text[0]|0x20 == 'e' {
		text = text[1:]
		if len(text) > 0 && (text[0] == '+' || text[0] == '-') {
			text = text[1:]
		}
		return digits() && len(text) == 0
	}
	return len(text) == 0
}

// plain is the text with null for the bare numbers that JSON does not have.
func (w *walker) plain() []byte {
	if len(w.bare) == 0 {
		return w.data
	}
	var out []byte
	done := 0
	for _, at := range w.bare {
		out = append(append(out, w.data[done:at[0]]...), "null"...)
		done = at[1]
	}
	return append(out, w.data[done:]...)
}

// meet keeps the value that is looked for.
func (w *walker) meet(start int) {
	if w.pos != w.wanted || w.found != nil {
		return
	}
	w.found, w.where = w.data[start:w.pos], pathText(w.path)
	for _, s := range w.path {
		if s.index < 0 {
			w.keys = append(w.keys, s.key)
		}
	}
}

// members reads the values of an object or a list behind its bracket.
func (w *walker) members(object bool) error {
	seen := map[string]bool{}
	outer := len(w.path)
	for n := 0; ; n++ {
		key, more, err := w.next(n, object, seen)
		if !more || err != nil {
			return err
		}
		to := step{index: n}
		if object {
			to = step{key, -1}
		}
		w.path = append(w.path, to)
		if err := w.typed(key, w.value); err != nil {
			return err
		}
		w.path = w.path[:outer]
	}
}

// next goes to member n of an object or a list, reading its key, or behind the
// bracket at the end.
func (w *walker) next(n int, object bool, seen map[string]bool) (key string, more bool, err error) {
	closing := byte(']')
	if object {
		closing = '}'
	}
	switch w.space(); {
	case w.peek() == closing:
		w.pos++
		return "", false, nil
	case n > 0 && w.peek() != ',':
		return "", false, errSyntax
	case n > 0:
		w.pos++
		w.space()
	}
	w.member = w.pos
	if object {
		key, err = w.key(seen)
	}
	return key, true, err
}

// key reads a key with its colon.
func (w *walker) key(seen map[string]bool) (string, error) {
	if w.peek() != '"' {
		return "", errSyntax
	}
	raw, err := w.text()
	if err != nil {
		return "", err
	}
	key := string(raw[1 : len(raw)-1])
	if strings.Contains(key, `\`) {
		if err := json.Unmarshal(raw, &key); err != nil {
			return "", err
		}
	}
	if w.strict && seen[key] {
		return "", w.fault("expected different keys, found %s twice", oneline.Quote(key))
	}
	if w.strict {
		seen[key] = true
	}
	if w.space(); w.peek() != ':' {
		return "", errSyntax
	}
	w.pos++
	return key, nil
}

// text reads a string, and returns it as it stands.
func (w *walker) text() ([]byte, error) {
	start := w.pos
	for w.pos++; ; w.pos++ {
		if w.pos >= w.asked {
			if err := w.alive(); err != nil {
				return nil, err
			}
		}
		switch c := w.peek(); {
		case c == '"':
			w.pos++
			return w.data[start:w.pos], nil
		case c < ' ':
			return nil, errSyntax
		case c == '\\':
			if err := w.escape(); err != nil {
				return nil, err
			}
		}
	}
}

// escape reads what a backslash begins, but for its last byte.
func (w *walker) escape() error {
	w.pos++
	if c := w.peek(); c != 'u' {
		if strings.IndexByte(`"\/bfnrt`, c) < 0 {
			return errSyntax
		}
		return nil
	}
	first, ok := unit(w.data[w.pos+1:])
	if !ok {
		return errSyntax
	}
	w.pos += 4
	if !w.strict || !utf16.IsSurrogate(first) {
		return nil
	}
	if rest, more := bytes.CutPrefix(w.data[w.pos+1:], []byte(`\u`)); more {
		if second, ok := unit(rest); !ok {
			return errSyntax
		} else if utf16.DecodeRune(first, second) != '\uFFFD' {
			w.pos += 6
			return nil
		}
	}
	return w.fault(`expected Unicode text, found \u%04x, half of a character`, first)
}

// unit reads the four hex digits of an escape.
func unit(text []byte) (rune, bool) {
	if len(text) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[:4]), 16, 16)
	return rune(n), err == nil
}

// fault is an error at the value that is read.
func (w *walker) fault(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if len(w.path) > 0 {
		text = "field " + pathText(w.path) + ": " + text
	}
	return errors.New(text)
}

// passes reports whether the way to the value goes through fields, in this order.
func (w *walker) passes(fields string) bool {
	if fields == "" {
		return true
	}
	keys := w.keys
	for _, name := range strings.Split(fields, ".") {
		i := slices.IndexFunc(keys, func(key string) bool { return strings.EqualFold(key, name) })
		if i < 0 {
			return false
		}
		keys = keys[i+1:]
	}
	return true
}

// pathText writes a way as "edges"[3]."score".
func pathText(path []step) string {
	var b strings.Builder
	for i, s := range path {
		switch {
		case s.index >= 0:
			fmt.Fprintf(&b, "[%d]", s.index)
		case i > 0:
			b.WriteString("." + oneline.Quote(s.key))
		default:
			b.WriteString(oneline.Quote(s.key))
		}
	}
	return oneline.Middle(b.String(), maxPath)
}

// maxPath bounds the way that an error repeats, in characters.
const maxPath = 240
