package jsonfile

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"

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

// Finite is a number as files have it, nil for one that JSON has not.
func Finite(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// Checked is a value that knows whether it is sound.
type Checked interface{ Check() error }

// WriteChecked writes a value that is sound as indented JSON; what is what errors
// call it.
func WriteChecked(w io.Writer, what string, x Checked) error {
	if err := x.Check(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	text, err := Encode(x, " ")
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	_, err = w.Write(text)
	return err
}

// DecodeChecked reads JSON as Decode does, and refuses what is not sound.
func DecodeChecked[T any, P interface {
	*T
	Checked
}](ctx context.Context, name string, data []byte) (P, error) {
	x := P(new(T))
	if err := Decode(ctx, name, data, x); err != nil {
		return nil, err
	}
	if err := x.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return x, nil
}
