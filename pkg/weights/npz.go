package weights

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// maxNumpyHeader bounds the text at the start of an array; NumPy writes some
// hundred bytes and reads ten thousand.
const maxNumpyHeader = 1 << 16

// numpyTypes are NumPy's type descriptions, those of one byte without order.
var numpyTypes = map[string]DType{
	"<f8": F64, "<f4": F32, "<f2": F16, "<c8": C64,
	"<i8": I64, "<i4": I32, "<i2": I16, "|i1": I8,
	"<u8": U64, "<u4": U32, "<u2": U16, "|u1": U8, "|b1": Bool,
}

// decodeNPZ reads what numpy.savez and savez_compressed write: a zip archive of
// arrays, each named after its tensor with .npy behind.
func decodeNPZ(ctx context.Context, a *archive) (*File, error) {
	var entries []Entry
	places := map[string]place{}
	for _, file := range a.names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		name, ok := strings.CutSuffix(file, ".npy")
		if !ok {
			return nil, fmt.Errorf("zip entry %s: an array with .npy behind its name expected, found another file", oneline.Quote(file))
		}
		e, p, err := decodeNPY(a.file, a.members[file])
		if err != nil {
			return nil, fmt.Errorf("tensor %s: %w", oneline.Quote(name), err)
		}
		e.Name = name
		entries = append(entries, e)
		if p != nil {
			places[name] = *p
		}
	}
	f := newFile(entries, a.file)
	f.places = places
	return f, nil
}

// decodeNPY reads the header of an array. The place is nil for a run of the
// file's bytes.
func decodeNPY(file []byte, m member) (Entry, *place, error) {
	text, dataAt, err := npyHeader(file, m)
	if err != nil {
		return Entry{}, nil, err
	}
	h, err := parseNumpy(text)
	if err != nil {
		return Entry{}, nil, fmt.Errorf("header: %w", err)
	}
	e := Entry{Shape: h.shape}
	var ok bool
	if e.DType, ok = numpyTypes[h.descr]; !ok {
		return e, nil, fmt.Errorf("descr: a little-endian number such as <f4 expected, found %s", oneline.Quote(h.descr))
	}
	if e.Size, err = byteSize(e.DType, e.Shape); err != nil {
		return e, nil, err
	}
	if e.Size != m.full-dataAt {
		return e, nil, fmt.Errorf("%d bytes expected for %s %d, found %d", e.Size, e.DType, e.Shape, m.full-dataAt)
	}
	e.Offset = m.start
	p := &place{member: m, offset: dataAt}
	if h.fortran && e.Size > 0 {
		if strides := columnMajor(h.shape); !rowMajor(h.shape, strides) {
			p.strides = strides
		}
	}
	if p.strides != nil || m.compressed {
		return e, p, nil
	}
	e.Offset += dataAt
	return e, nil, nil
}

// columnMajor returns the strides of Fortran order.
func columnMajor(shape []int) []int64 {
	strides := make([]int64, len(shape))
	step := int64(1)
	for i, n := range shape {
		strides[i] = step
		step *= int64(n)
	}
	return strides
}

// npyHeader returns the text of a header and where the numbers start.
func npyHeader(file []byte, m member) (text string, dataAt int64, err error) {
	head, err := m.prefix(file, maxNumpyHeader+12)
	if err != nil {
		return "", 0, err
	}
	if len(head) < 8 || string(head[:6]) != "\x93NUMPY" {
		return "", 0, fmt.Errorf("an array of NumPy expected, found %s", start(head))
	}
	version, width := head[6], 4
	if version == 1 {
		width = 2
	}
	if version < 1 || version > 3 {
		return "", 0, fmt.Errorf("version 1, 2 or 3 of the format expected, found %d", version)
	}
	at := 8 + width
	if len(head) < at {
		return "", 0, fmt.Errorf("truncated: %d bytes expected before the header, found %d", at, len(head))
	}
	var length [4]byte
	copy(length[:], head[8:at])
	n := binary.LittleEndian.Uint32(length[:])
	if n > maxNumpyHeader {
		return "", 0, fmt.Errorf("header: at most %d bytes expected, found %d", maxNumpyHeader, n)
	}
	if int(n) > len(head)-at {
		return "", 0, fmt.Errorf("truncated: header: %d bytes expected, found %d", n, len(head)-at)
	}
	return string(head[at : at+int(n)]), int64(at) + int64(n), nil
}

// numpyHeader is the text {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
type numpyHeader struct {
	descr   string
	fortran bool
	shape   []int
}

// numpyScanner reads a header: a Python literal of which only this much is
// understood.
type numpyScanner struct{ text string }

func parseNumpy(text string) (h numpyHeader, err error) {
	s := numpyScanner{text}
	if err := s.expect("{"); err != nil {
		return h, err
	}
	seen := map[string]bool{}
	for !s.accept("}") {
		if len(seen) > 0 {
			if err := s.expect(","); err != nil {
				return h, err
			}
			if s.accept("}") {
				break
			}
		}
		key, err := s.quoted()
		if err != nil {
			return h, err
		}
		if seen[key] {
			return h, fmt.Errorf("different fields expected, found %s twice", oneline.Quote(key))
		}
		seen[key] = true
		if err := s.expect(":"); err != nil {
			return h, err
		}
		if err := s.field(&h, key); err != nil {
			return h, err
		}
	}
	for _, field := range []string{"descr", "fortran_order", "shape"} {
		if !seen[field] {
			return h, fmt.Errorf("field %q is missing", field)
		}
	}
	if s.space(); s.text != "" {
		return h, fmt.Errorf("the end expected, found %s", start([]byte(s.text)))
	}
	return h, nil
}

func (s *numpyScanner) field(h *numpyHeader, key string) (err error) {
	switch key {
	case "descr":
		h.descr, err = s.quoted()
	case "fortran_order":
		if h.fortran = s.accept("True"); !h.fortran {
			err = s.expect("False")
		}
	case "shape":
		h.shape, err = s.tuple()
	default:
		return fmt.Errorf("descr, fortran_order and shape expected, found %s", oneline.Quote(key))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

func (s *numpyScanner) space() { s.text = strings.TrimLeft(s.text, " \n\t") }

func (s *numpyScanner) accept(token string) bool {
	s.space()
	rest, ok := strings.CutPrefix(s.text, token)
	s.text = rest
	return ok
}

func (s *numpyScanner) expect(token string) error {
	if !s.accept(token) {
		return fmt.Errorf("%s expected, found %s", token, start([]byte(s.text)))
	}
	return nil
}

// quoted reads a text in quotes; descriptions of structures are lists.
func (s *numpyScanner) quoted() (string, error) {
	s.space()
	if s.text == "" || s.text[0] != '\'' && s.text[0] != '"' {
		return "", fmt.Errorf("a quoted text expected, found %s", start([]byte(s.text)))
	}
	text, rest, ok := strings.Cut(s.text[1:], s.text[:1])
	if !ok || strings.Contains(text, `\`) {
		return "", errors.New("a quoted text without escapes expected, found no end of it")
	}
	s.text = rest
	return text, nil
}

// tuple reads the whole numbers of a shape, which Python 2 wrote as 3L.
func (s *numpyScanner) tuple() ([]int, error) {
	if err := s.expect("("); err != nil {
		return nil, err
	}
	out := []int{}
	for !s.accept(")") {
		if len(out) > 0 {
			if err := s.expect(","); err != nil {
				return nil, err
			}
			if s.accept(")") {
				break
			}
		}
		s.space()
		digits := len(s.text) - len(strings.TrimLeft(s.text, "0123456789"))
		n, err := strconv.ParseInt(s.text[:digits], 10, strconv.IntSize)
		if err != nil {
			return nil, fmt.Errorf("whole numbers from 0 to %d expected, found %s", math.MaxInt, start([]byte(s.text)))
		}
		if len(out) == maxRank {
			return nil, fmt.Errorf("at most %d numbers expected, found more", maxRank)
		}
		out = append(out, int(n))
		s.text = strings.TrimPrefix(s.text[digits:], "L")
	}
	return out, nil
}
