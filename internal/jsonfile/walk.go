package jsonfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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

// walker goes through a text that is known to be JSON.
type walker struct {
	data   []byte
	pos    int
	path   []step // to the value that is read
	strict bool   // lone surrogates and double keys are errors
	wanted int    // where the decoder stood at a value: behind a plain one, behind the bracket of another
	found  []byte // the value there
	where  string // the way to it
	keys   []string
}

func (w *walker) space() {
	for w.pos < len(w.data) && strings.IndexByte(" \t\r\n", w.data[w.pos]) >= 0 {
		w.pos++
	}
}

// value reads a value.
func (w *walker) value() error {
	w.space()
	start := w.pos
	if w.pos == len(w.data) {
		return errors.New("expected JSON, found nothing")
	}
	switch w.data[w.pos] {
	case '{', '[':
		w.pos++
		w.meet(start)
		return w.members(w.data[start] == '{')
	case '"':
		if _, err := w.text(); err != nil {
			return err
		}
	default:
		for w.pos < len(w.data) && strings.IndexByte(" \t\r\n,]}", w.data[w.pos]) < 0 {
			w.pos++
		}
	}
	w.meet(start)
	return nil
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
		w.path = w.path[:outer]
		w.space()
		switch w.data[w.pos] {
		case '}', ']':
			w.pos++
			return nil
		case ',':
			w.pos++
			w.space()
		}
		to := step{index: n}
		if object {
			key, err := w.key(seen)
			if err != nil {
				return err
			}
			to = step{key, -1}
		}
		w.path = append(w.path, to)
		if err := w.value(); err != nil {
			return err
		}
	}
}

// key reads a key with its colon.
func (w *walker) key(seen map[string]bool) (string, error) {
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
	w.space()
	w.pos++ // the colon
	return key, nil
}

// text reads a string, and returns it as it stands.
func (w *walker) text() ([]byte, error) {
	start := w.pos
	for w.pos++; w.data[w.pos] != '"'; w.pos++ {
		if w.data[w.pos] != '\\' {
			continue
		}
		w.pos++
		if w.data[w.pos] != 'u' || !w.strict {
			continue
		}
		first := unit(w.data[w.pos+1:])
		w.pos += 4
		if !utf16.IsSurrogate(first) {
			continue
		}
		if next := w.data[w.pos+1:]; bytes.HasPrefix(next, []byte(`\u`)) && utf16.DecodeRune(first, unit(next[2:])) != '\uFFFD' {
			w.pos += 6
			continue
		}
		return nil, w.fault(`expected Unicode text, found \u%04x, half of a character`, first)
	}
	w.pos++
	return w.data[start:w.pos], nil
}

// unit reads four hex digits; valid JSON has no others there.
func unit(hex []byte) rune {
	n, _ := strconv.ParseUint(string(hex[:4]), 16, 16)
	return rune(n)
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
