package circuit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
)

func keysOf(name string, data []byte) (map[string]json.RawMessage, error) {
	var keys map[string]json.RawMessage
	return keys, decodeLenientJSON(name, data, &keys)
}

func decodeJSON(name string, data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("%s: not a circuit file: expected JSON with \"graph\" and \"edges\": %w", name, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("%s: not a circuit file: text after the end of the JSON", name)
	}
	return nil
}

var bareNumber = regexp.MustCompile(`: *(NaN|-?Infinity)`)

func decodeLenientJSON(name string, data []byte, into any) error {
	return decodeJSON(name, bareNumber.ReplaceAll(data, []byte(": null")), into)
}
