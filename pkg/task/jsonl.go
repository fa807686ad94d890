package task

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
)

// decodeRows reads objects, one a line or in one array, each of which a
// function makes a pair of. Empty lines are skipped.
func decodeRows(ctx context.Context, data []byte, pair func(object) (Pair, error)) ([]Pair, error) {
	if text := bytes.TrimLeft(data, " \t\r\n"); text[0] == '[' {
		return decodeArray(ctx, text, pair)
	}
	var pairs []Pair
	for n := 1; len(data) > 0; n++ {
		end := lineEnd(data)
		line := bytes.TrimSpace(data[:end])
		data = data[min(end+1, len(data)):]
		if len(line) == 0 {
			continue
		}
		where := fmt.Sprintf("line %d", n)
		line, err := jsonfile.Clean(ctx, line, jsonfile.Options{Line: true})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		p, err := rowPair(ctx, where, line, pair)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

// decodeArray reads the rows of an array.
func decodeArray(ctx context.Context, text []byte, pair func(object) (Pair, error)) ([]Pair, error) {
	text, err := jsonfile.Clean(ctx, text, jsonfile.Options{})
	if err != nil {
		return nil, err
	}
	return decodeList(ctx, text, "row", pair)
}

// decodeList makes pairs of the objects of a list, which errors count from 1.
func decodeList(ctx context.Context, list []byte, each string, pair func(object) (Pair, error)) ([]Pair, error) {
	var rows []json.RawMessage
	if err := jsonfile.Unmarshal(ctx, list, &rows); err != nil {
		return nil, err
	}
	var pairs []Pair
	for i, raw := range rows {
		p, err := rowPair(ctx, fmt.Sprintf("%s %d", each, i+1), raw, pair)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

func rowPair(ctx context.Context, where string, raw []byte, pair func(object) (Pair, error)) (Pair, error) {
	if err := ctx.Err(); err != nil {
		return Pair{}, err
	}
	if len(raw) > maxLine {
		return Pair{}, fmt.Errorf("%s: expected at most %d bytes, found %d", where, maxLine, len(raw))
	}
	o, err := newObject(where, raw)
	if err != nil {
		return Pair{}, err
	}
	return pair(o)
}
