package task

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
)

// decodeAutoCircuit reads the data sets of auto-circuit, prompt by prompt.
func decodeAutoCircuit(data []byte) ([]Pair, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		return nil, notJSON(dec, data, err)
	}
	var pairs []Pair
	seen := map[string]bool{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, notJSON(dec, data, err)
		}
		name := key.(string) // between values the decoder passes nothing else
		if seen[name] {
			return nil, fmt.Errorf("expected different keys, found %s twice", oneline.Quote(name))
		}
		seen[name] = true
		if name == "prompts" {
			if pairs, err = autoCircuitPrompts(dec, data); err != nil {
				return nil, err
			}
			continue
		}
		var skipped json.RawMessage
		if err := dec.Decode(&skipped); err != nil {
			return nil, notJSON(dec, data, err)
		}
		if _, err := jsonfile.Clean(skipped, jsonfile.Options{}); err != nil {
			return nil, fmt.Errorf("%s: %w", oneline.Quote(name), err)
		}
	}
	return pairs, closed(dec, data)
}

// autoCircuitPrompts reads the list of prompts.
func autoCircuitPrompts(dec *json.Decoder, data []byte) ([]Pair, error) {
	t, err := dec.Token()
	if err != nil {
		return nil, notJSON(dec, data, err)
	}
	if t != json.Delim('[') {
		return nil, fmt.Errorf("\"prompts\": expected a list, found %s", describeToken(t))
	}
	var pairs []Pair
	for dec.More() {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, notJSON(dec, data, err)
		}
		p, err := rowPair(fmt.Sprintf("prompt %d", len(pairs)+1), raw, autoCircuitPair)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
	_, err = dec.Token()
	if err != nil {
		return nil, notJSON(dec, data, err)
	}
	return pairs, nil
}

// autoCircuitPair reads one prompt.
func autoCircuitPair(row object) (Pair, error) {
	var p Pair
	var err error
	if p.Clean, err = row.prompt("clean"); err != nil {
		return p, err
	}
	if p.Corrupt, err = row.prompt("corrupt"); err != nil {
		return p, err
	}
	if p.Correct, err = row.answers("answers"); err != nil {
		return p, err
	}
	p.Wrong, err = row.answers("wrong_answers")
	return p, err
}

// describeToken names what stands where a list should.
func describeToken(t json.Token) string {
	switch t := t.(type) {
	case nil:
		return "null"
	case json.Delim:
		return "an object"
	case string:
		return oneline.Quote(t)
	}
	return fmt.Sprint(t)
}
