package task

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
)

// decodeRows reads objects, one a line or in one array, each of which a
// function makes a pair of. Empty lines are skipped.
func decodeRows(data []byte, pair func(object) (Pair, error)) ([]Pair, error) {
	if text := bytes.TrimLeft(data, " \t\r\n"); text[0] == '[' {
		return decodeArray(text, pair)
	}
	var pairs []Pair
	for n := 1; len(data) > 0; n++ {
		end := lineEnd(data)
		line := bytes.TrimSpace(data[:end])
		data = data[min(end+1, len(data)):]
		if len(line) == 0 {
			continue
		}
		p, err := rowPair(fmt.Sprintf("line %d", n), line, pair)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

// decodeArray reads the rows of an array.
func decodeArray(text []byte, pair func(object) (Pair, error)) ([]Pair, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	if _, err := dec.Token(); err != nil {
		return nil, notJSON(dec, text, err)
	}
	var pairs []Pair
	for dec.More() {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, notJSON(dec, text, err)
		}
		p, err := rowPair(fmt.Sprintf("row %d", len(pairs)+1), raw, pair)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
	return pairs, closed(dec, text)
}

func rowPair(where string, raw []byte, pair func(object) (Pair, error)) (Pair, error) {
	if len(raw) > maxLine {
		return Pair{}, fmt.Errorf("%s: expected at most %d bytes, found %d", where, maxLine, len(raw))
	}
	o, err := newObject(where, raw)
	if err != nil {
		return Pair{}, err
	}
	if _, err := jsonfile.Clean(raw, jsonfile.Options{}); err != nil {
		return Pair{}, fmt.Errorf("%s: %w", where, err)
	}
	return pair(o)
}

// closed reads the bracket that ends a document, and that nothing follows it.
func closed(dec *json.Decoder, text []byte) error {
	if _, err := dec.Token(); err != nil {
		return notJSON(dec, text, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		at := min(int(dec.InputOffset()), len(text))
		return fmt.Errorf("line %d: expected the end of the file after the JSON value, found more", lineOf(text, at))
	}
	return nil
}
