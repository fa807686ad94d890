package jsonfile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxDepth bounds the brackets around a value. Real files have some ten.
const maxDepth = 1000

// mark is the byte-order mark that some editors put in front of a text.
var mark = []byte("\ufeff")

// Clean checks a text as [Decode] does, and returns it as plain JSON.
func Clean(ctx context.Context, data []byte, o Options) ([]byte, error) {
	data = bytes.TrimPrefix(data, mark)
	at, err := invalidUTF8(ctx, data)
	if err != nil {
		return nil, err
	}
	if at >= 0 {
		return nil, fmt.Errorf("%sexpected UTF-8 text, found byte %#02x at byte %d", o.line(data, at), data[at], at)
	}
	w := walker{ctx: ctx, data: data, strict: true, nonFinite: o.NonFinite, wanted: -1}
	if err = w.value(); err == nil {
		err = w.end()
	}
	if errors.Is(err, errSyntax) {
		err = syntaxError(ctx, data, o)
	}
	if err != nil {
		return nil, err
	}
	return w.plain(), nil
}

// syntaxError says why a text is not one JSON value.
func syntaxError(ctx context.Context, data []byte, o Options) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("expected JSON, found nothing")
	}
	dec := json.NewDecoder(NewReader(ctx, data))
	var value json.RawMessage
	err := dec.Decode(&value)
	at := int(dec.InputOffset())
	var syntax *json.SyntaxError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		at += len(data[at:]) - len(bytes.TrimLeft(data[at:], " \t\r\n"))
		return fmt.Errorf("%sexpected the end of the text after the JSON value, found more", o.line(data, at))
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%sexpected JSON, found an end in the middle of it", o.line(data, len(data)))
	case errors.As(err, &syntax):
		at = min(int(syntax.Offset), len(data))
	}
	return fmt.Errorf("%sexpected JSON, found %w", o.line(data, at), err)
}

// invalidUTF8 returns where the first bytes stand that are no UTF-8, or -1.
func invalidUTF8(ctx context.Context, data []byte) (int, error) {
	for lo := 0; lo < len(data); {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		hi := min(lo+chunk, len(data))
		for hi < len(data) && hi > lo+chunk-utf8.UTFMax && !utf8.RuneStart(data[hi]) {
			hi-- // no character is cut
		}
		if utf8.Valid(data[lo:hi]) {
			lo = hi
			continue
		}
		for {
			r, n := utf8.DecodeRune(data[lo:])
			if r == utf8.RuneError && n <= 1 {
				return lo, nil
			}
			lo += n
		}
	}
	return -1, nil
}

// line says in which line a byte of a text stands.
func (o Options) line(text []byte, at int) string {
	if o.Line {
		return ""
	}
	return fmt.Sprintf("line %d: ", 1+bytes.Count(text[:at], []byte("\n")))
}
