package circuit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// bareNumber is what Python writes for numbers that JSON does not have.
var bareNumber = regexp.MustCompile(`([:\[,]\s*)(?:NaN|-?Infinity)\b`)

// decodeLenientJSON reads JSON in which a number may be a bare NaN or Infinity,
// which is read as none. Such words within strings would be changed too; no
// name of a node has a colon, comma or bracket before them.
func decodeLenientJSON(name string, data []byte, into any) error {
	return decodeJSON(name, bareNumber.ReplaceAll(data, []byte("${1}null")), into)
}

// decodeJSON reads one JSON value; errors speak of JSON alone.
func decodeJSON(name string, data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	err := dec.Decode(into)
	if err == nil {
		if _, err := dec.Token(); err != io.EOF {
			return fmt.Errorf("%s: not a circuit file: text after the end of the JSON", name)
		}
		return nil
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		path := strings.Split(wrong.Field, ".")
		return fmt.Errorf("%s: field %q: expected %s, found %s", name, path[len(path)-1], expected(wrong.Type), found(wrong.Value))
	}
	if errors.As(err, &wrong) {
		return fmt.Errorf("%s: not a circuit file: expected JSON with \"graph\" and \"edges\", found %s", name, found(wrong.Value))
	}
	return fmt.Errorf("%s: not a circuit file: expected JSON with \"graph\" and \"edges\": %w", name, err)
}

// expected names what a field takes.
func expected(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Float64:
		return "a finite number"
	}
	return "a whole number in range"
}

// found names a JSON value.
func found(value string) string {
	switch value {
	case "string":
		return "a text"
	case "bool":
		return "true or false"
	case "array":
		return "a list"
	case "object":
		return "an object"
	case "number":
		return "a number"
	}
	return oneline.Shorten(strings.TrimPrefix(value, "number "))
}

// keysOf lists the fields of a JSON object.
func keysOf(name string, data []byte) (map[string]json.RawMessage, error) {
	var keys map[string]json.RawMessage
	err := decodeLenientJSON(name, data, &keys)
	return keys, err
}
