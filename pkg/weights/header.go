package weights

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
)

const (
	metadataKey = "__metadata__"
	// maxRank and maxKeys bound the dimensions of a tensor and the names in an
	// object, as each takes several times its bytes in the header. NumPy stops at
	// 64 dimensions too; the largest checkpoints hold some ten thousand tensors.
	maxRank = 64
	maxKeys = 1 << 17
)

// header is what the JSON object at the start of a file says, not yet compared
// with the file's data.
type header struct {
	entries  []Entry // in the order of the file
	metadata map[string]string
}

// headerReader walks the tokens of a header. encoding/json's Unmarshal would
// silently keep the last of two entries with the same name.
type headerReader struct {
	dec *json.Decoder
}

func parseHeader(ctx context.Context, text []byte) (*header, error) {
	if len(text) == 0 || text[0] != '{' {
		return nil, fmt.Errorf("header: a JSON object expected, found %s", start(text))
	}
	if !utf8.Valid(text) {
		return nil, errors.New("header: UTF-8 text expected, found other bytes")
	}
	r := headerReader{json.NewDecoder(jsonfile.NewReader(ctx, text))}
	r.dec.UseNumber()
	h := &header{}
	seen := map[string]bool{}
	err := r.object("header", func(name string) error {
		if seen[name] {
			return fmt.Errorf("header: different names expected, found %s twice", oneline.Quote(name))
		}
		seen[name] = true
		if name == metadataKey {
			return r.metadata(h)
		}
		e, err := r.entry(name)
		h.entries = append(h.entries, e)
		return err
	})
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return nil, err
	}
	if _, err := jsonfile.Clean(ctx, text, jsonfile.Options{}); err != nil { // what was skipped, and halves of characters
		return nil, fmt.Errorf("header: %w", err)
	}
	return h, nil
}

// end checks that nothing follows the object.
func (r headerReader) end() error {
	if _, err := r.dec.Token(); err != io.EOF {
		return fmt.Errorf("header: the end expected after the JSON object, found more at byte %d", r.dec.InputOffset())
	}
	return nil
}

// token returns the next token; what the JSON lacks becomes an error of the
// whole header.
func (r headerReader) token() (json.Token, error) {
	t, err := r.dec.Token()
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil, errors.New("header: JSON expected, found an end in the middle of it")
	}
	if err != nil {
		return nil, fmt.Errorf("header: JSON expected, found %w near byte %d", err, r.dec.InputOffset())
	}
	return t, nil
}

// open consumes the opening delimiter of an object or array.
func (r headerReader) open(where string, delim json.Delim) error {
	t, err := r.token()
	if err != nil {
		return err
	}
	if t != delim {
		return notDelim(where, delim, t)
	}
	return nil
}

func notDelim(where string, delim json.Delim, found json.Token) error {
	kind := "an object"
	if delim == '[' {
		kind = "an array"
	}
	return fmt.Errorf("%s: %s expected, found %s", where, kind, oneline.Token(found))
}

// object calls field after each key of an object; field consumes the value.
func (r headerReader) object(where string, field func(key string) error) error {
	if err := r.open(where, '{'); err != nil {
		return err
	}
	return r.fields(where, field)
}

// fields is object behind the opening brace.
func (r headerReader) fields(where string, field func(key string) error) error {
	for n := 0; ; n++ {
		t, err := r.token()
		if err != nil {
			return err
		}
		key, isKey := t.(string)
		if !isKey { // the closing brace
			return nil
		}
		if n == maxKeys {
			return fmt.Errorf("%s: at most %d names expected, found more", where, maxKeys)
		}
		if err := field(key); err != nil {
			return err
		}
	}
}

func (r headerReader) metadata(h *header) error {
	t, err := r.token()
	if err != nil || t == nil { // null: there is none
		return err
	}
	if t != json.Delim('{') {
		return notDelim(metadataKey, '{', t)
	}
	h.metadata = map[string]string{}
	return r.fields(metadataKey, func(key string) error {
		if _, twice := h.metadata[key]; twice {
			return fmt.Errorf("%s: different names expected, found %s twice", metadataKey, oneline.Quote(key))
		}
		value, err := r.text(metadataKey + ": " + oneline.Quote(key))
		h.metadata[key] = value
		return err
	})
}

func (r headerReader) text(where string) (string, error) {
	t, err := r.token()
	if err != nil {
		return "", err
	}
	s, ok := t.(string)
	if !ok {
		return "", fmt.Errorf("%s: a string expected, found %s", where, oneline.Token(t))
	}
	return s, nil
}

// entry reads the object that describes one tensor. Fields it does not know
// are skipped, as the reference does.
func (r headerReader) entry(name string) (Entry, error) {
	e := Entry{Name: name}
	where := "tensor " + oneline.Quote(name)
	seen := map[string]bool{}
	err := r.object(where, func(field string) error {
		if seen[field] {
			return fmt.Errorf("%s: different fields expected, found %s twice", where, oneline.Quote(field))
		}
		seen[field] = true
		return r.field(&e, where, field)
	})
	if err != nil {
		return e, err
	}
	for _, field := range []string{"dtype", "shape", "data_offsets"} {
		if !seen[field] {
			return e, fmt.Errorf("%s: field %q is missing", where, field)
		}
	}
	return e, nil
}

func (r headerReader) field(e *Entry, where, field string) error {
	switch field {
	case "dtype":
		where += ": dtype"
		s, err := r.text(where)
		e.DType = DType(s)
		if err == nil && e.DType.Bits() == 0 {
			return fmt.Errorf("%s: a safetensors type such as F32 expected, found %s", where, oneline.Quote(s))
		}
		return err
	case "shape":
		where += ": shape"
		shape, err := r.integers(where, maxRank)
		for _, n := range shape {
			e.Shape = append(e.Shape, int(n))
			if int64(int(n)) != n {
				return fmt.Errorf("%s: dimensions that fit this machine expected, found %d", where, n)
			}
		}
		return err
	case "data_offsets":
		where += ": data_offsets"
		ends, err := r.integers(where, 2)
		if err != nil {
			return err
		}
		if len(ends) != 2 {
			return fmt.Errorf("%s: 2 numbers expected, found %d", where, len(ends))
		}
		if ends[1] < ends[0] {
			return fmt.Errorf("%s: start before end expected, found %d", where, ends)
		}
		e.Offset, e.Size = ends[0], ends[1]-ends[0]
		return nil
	}
	return r.skip(where, field)
}

// skip consumes the value of a field that nobody asks for.
func (r headerReader) skip(where, field string) error {
	var skipped json.RawMessage
	if err := r.dec.Decode(&skipped); err != nil {
		return fmt.Errorf("%s: %s: JSON expected, found %w", where, oneline.Quote(field), err)
	}
	return nil
}

// integers reads an array of at most limit non-negative whole numbers.
func (r headerReader) integers(where string, limit int) ([]int64, error) {
	if err := r.open(where, '['); err != nil {
		return nil, err
	}
	var out []int64
	for {
		t, err := r.token()
		if err != nil {
			return nil, err
		}
		if t == json.Delim(']') {
			return out, nil
		}
		number, ok := t.(json.Number)
		if !ok {
			return nil, fmt.Errorf("%s: a number expected, found %s", where, oneline.Token(t))
		}
		n, err := strconv.ParseInt(number.String(), 10, 64)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%s: whole numbers from 0 to 2^63-1 expected, found %s", where, oneline.Shorten(number.String()))
		}
		if len(out) == limit {
			return nil, fmt.Errorf("%s: at most %d numbers expected, found more", where, limit)
		}
		out = append(out, n)
	}
}
