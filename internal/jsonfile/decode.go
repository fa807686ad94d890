// Package jsonfile reads JSON that others wrote: files and standard input, within
// a stated size and until a context ends, and the text in them, with errors in
// the user's words.
package jsonfile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// Options say what is allowed beyond JSON.
type Options struct {
	NonFinite bool // a number may be a bare NaN or Infinity, as Python writes it; it is read as null
	Line      bool // the text is a line of a larger one, and errors do not count lines in it
}

// Decode reads the one JSON value of a text; name is what errors call it. A
// byte-order mark is skipped. Refused are other text than UTF-8, escapes of lone
// surrogates, a key twice in one object, more than 1000 levels, and more text
// after the value; also a key that differs by case alone from the name of a field.
// Where the context ends, its error is returned.
func Decode(ctx context.Context, name string, data []byte, into any) error {
	return DecodeWith(ctx, name, data, into, Options{})
}

// DecodeWith is [Decode] with options.
func DecodeWith(ctx context.Context, name string, data []byte, into any, o Options) error {
	data, err := Clean(ctx, data, o)
	if err == nil {
		err = Unmarshal(ctx, data, into)
	}
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Unmarshal reads a part of a text that [Clean] has returned.
func Unmarshal(ctx context.Context, data []byte, into any) error {
	v := reflect.ValueOf(into).Elem()
	if err := checkNames(ctx, data, v.Type()); err != nil {
		return err
	}
	err := (&filler{ctx, data}).fill(0, len(data), v)
	var wrong *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &wrong):
		return typeError(ctx, data, wrong)
	case errors.As(err, &syntax):
		return syntaxError(ctx, data, Options{})
	}
	return err
}

// typeError is an error of the decoder without the names of Go's types.
func typeError(ctx context.Context, data []byte, wrong *json.UnmarshalTypeError) error {
	path, value := located(ctx, data, wrong)
	text := fmt.Sprintf("expected %s, found %s", expected(wrong), value)
	if path == "" {
		return errors.New(text)
	}
	return fmt.Errorf("field %s: %s", path, text)
}

// located returns where a value of the wrong type stands, and what it is. A type
// that reads itself counts offsets from its own beginning, so that the value
// there may be another one; then the decoder's word has to do.
func located(ctx context.Context, data []byte, wrong *json.UnmarshalTypeError) (path, value string) {
	w := walker{ctx: ctx, data: data, wanted: int(wrong.Offset)}
	if w.value() == nil && w.found != nil && kindOf(w.found) == strings.Fields(wrong.Value)[0] && w.passes(wrong.Field) {
		return w.where, Describe(w.found)
	}
	if wrong.Field != "" {
		path = strconv.Quote(strings.ReplaceAll(wrong.Field, ".", `"."`))
		path = strings.ReplaceAll(path, `\"`, `"`)
	}
	return path, kindWords[strings.Fields(wrong.Value)[0]]
}

// kindWords are the decoder's kinds of values in the words of errors.
var kindWords = map[string]string{"string": "a text", "bool": "true or false", "array": "a list", "object": "an object", "number": "a number"}

// kindOf is what the decoder calls a value.
func kindOf(value []byte) string {
	switch value[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "bool"
	}
	return "number"
}

// expected names what a field takes.
func expected(wrong *json.UnmarshalTypeError) string {
	number, isNumber := strings.CutPrefix(wrong.Value, "number")
	switch wrong.Type.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Float32, reflect.Float64:
		if isNumber {
			return "a finite number"
		}
		return "a number"
	case reflect.Interface:
		return "another value"
	}
	if isNumber && !strings.ContainsAny(number, ".eE") {
		return "a whole number in range"
	}
	return "a whole number"
}

// Describe names a JSON value.
func Describe(value []byte) string {
	switch kindOf(value) {
	case "object":
		return "an object"
	case "array":
		return "a list"
	case "string":
		var s string
		if json.Unmarshal(value, &s) == nil {
			return oneline.Quote(s)
		}
	}
	return oneline.Shorten(string(value))
}
