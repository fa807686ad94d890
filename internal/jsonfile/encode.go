package jsonfile

import (
	"bytes"
	"encoding/json"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// Encode is a value as JSON with a line break behind it: in one line, or with
// something to indent by. Names of edges keep their < and >; what a terminal would
// obey is escaped.
func Encode(x any, indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(x); err != nil {
		return nil, err
	}
	return oneline.JSON(b.Bytes()), nil
}
