package jsonfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"unicode/utf8"
)

// maxDepth bounds the brackets around a value. Real files have some ten.
const maxDepth = 1000

// mark is the byte-order mark that some editors put in front of a text.
var mark = []byte("\ufeff")

// Clean checks a text as [Decode] does, and returns it as plain JSON.
func Clean(data []byte, o Options) ([]byte, error) {
	data = bytes.TrimPrefix(data, mark)
	if at := invalidUTF8(data); at >= 0 {
		return nil, fmt.Errorf("line %d: expected UTF-8 text, found byte %#02x at byte %d", lineOf(data, at), data[at], at)
	}
	if err := checkDepth(data); err != nil {
		return nil, err
	}
	if o.NonFinite {
		data = finite(data)
	}
	if !json.Valid(data) {
		return nil, syntaxError(data)
	}
	w := walker{data: data, strict: true, wanted: -1}
	return data, w.value()
}

// syntaxError says why a text is not one JSON value.
func syntaxError(data []byte) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("expected JSON, found nothing")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	var value json.RawMessage
	err := dec.Decode(&value)
	at := int(dec.InputOffset())
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		at += len(data[at:]) - len(bytes.TrimLeft(data[at:], " \t\r\n"))
		return fmt.Errorf("line %d: expected the end of the text after the JSON value, found more", lineOf(data, at))
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("line %d: expected JSON, found an end in the middle of it", lineOf(data, len(data)))
	case errors.As(err, &syntax):
		at = min(int(syntax.Offset), len(data))
	}
	return fmt.Errorf("line %d: expected JSON, found %w", lineOf(data, at), err)
}

// invalidUTF8 returns where the first bytes stand that are no UTF-8, or -1.
func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; ; {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
}

// lineOf returns in which line a byte of a text stands.
func lineOf(text []byte, at int) int { return 1 + bytes.Count(text[:at], []byte("\n")) }

// outside goes through the bytes that are in no string.
func outside(data []byte) iter.Seq2[int, byte] {
	return func(yield func(int, byte) bool) {
		quoted := false
		for i := 0; i < len(data); i++ {
			switch c := data[i]; {
			case c == '"':
				quoted = !quoted
			case quoted && c == '\\':
				i++
			case !quoted && !yield(i, c):
				return
			}
		}
	}
}

// checkDepth comes before everything that takes memory for each bracket.
func checkDepth(data []byte) error {
	depth := 0
	for _, c := range outside(data) {
		switch c {
		case '{', '[':
			if depth++; depth > maxDepth {
				return fmt.Errorf("expected at most %d brackets one in another, found more", maxDepth)
			}
		case '}', ']':
			depth--
		}
	}
	return nil
}

// finite writes null for the bare numbers that JSON does not have.
func finite(data []byte) []byte {
	var out []byte
	done := 0
	for i := range outside(data) {
		for _, word := range []string{"NaN", "-Infinity", "Infinity"} {
			if i >= done && bytes.HasPrefix(data[i:], []byte(word)) {
				out = append(append(out, data[done:i]...), "null"...)
				done = i + len(word)
			}
		}
	}
	if done == 0 {
		return data
	}
	return append(out, data[done:]...)
}
