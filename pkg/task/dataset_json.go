package task

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
)

// object is a JSON object of a data set.
type object struct {
	where  string // as errors name it
	fields map[string]json.RawMessage
}

// newObject reads an object.
func newObject(where string, raw []byte) (object, error) {
	if raw := bytes.TrimSpace(raw); len(raw) == 0 || raw[0] != '{' {
		return object{}, fmt.Errorf("%s: expected an object, found %s", where, describe(raw))
	}
	o := object{where: where}
	return o, json.Unmarshal(raw, &o.fields) // which is JSON: it was cleaned before
}

// get returns a field, which must be there.
func (o object) get(name string) (json.RawMessage, error) {
	raw, ok := o.fields[name]
	if !ok {
		return nil, fmt.Errorf("%s: %q is missing", o.where, name)
	}
	return raw, nil
}

// object returns an object inside.
func (o object) object(name string) (object, error) {
	raw, err := o.get(name)
	if err != nil {
		return object{}, err
	}
	return newObject(fmt.Sprintf("%s: %q", o.where, name), raw)
}

// text returns a text that is not empty.
func (o object) text(name string) (string, error) {
	raw, err := o.get(name)
	if err != nil {
		return "", err
	}
	var s string
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil || s == "" {
		return "", o.unexpected(name, "text", raw)
	}
	return s, nil
}

// prompt returns a text or a list of token numbers.
func (o object) prompt(name string) (Prompt, error) {
	raw, err := o.get(name)
	if err != nil {
		return Prompt{}, err
	}
	if raw[0] != '[' {
		var s string
		if raw[0] != '"' || json.Unmarshal(raw, &s) != nil || s == "" {
			return Prompt{}, o.unexpected(name, "text or a list of token numbers", raw)
		}
		return Prompt{Text: s}, nil
	}
	list := listOf(raw)
	if len(list) == 0 {
		return Prompt{}, o.unexpected(name, "at least one token number", raw)
	}
	ids := make([]int, len(list))
	for i, x := range list {
		if ids[i], err = tokenNumber(string(x)); err != nil {
			return Prompt{}, fmt.Errorf("%s: %q: %w", o.where, name, err)
		}
	}
	return Prompt{IDs: ids}, nil
}

// answers returns a list of texts or token numbers, nil if it is empty.
func (o object) answers(name string) ([]Prompt, error) {
	raw, err := o.get(name)
	if err != nil {
		return nil, err
	}
	if raw[0] != '[' {
		return nil, o.unexpected(name, "a list", raw)
	}
	var out []Prompt
	for _, x := range listOf(raw) {
		var s string
		if x[0] == '"' && json.Unmarshal(x, &s) == nil && s != "" {
			out = append(out, Prompt{Text: s})
			continue
		}
		id, err := tokenNumber(string(x))
		if err != nil {
			return nil, o.unexpected(name, "texts or token numbers", x)
		}
		out = append(out, Prompt{IDs: []int{id}})
	}
	return out, nil
}

// listOf returns the entries of a list.
func listOf(raw []byte) []json.RawMessage {
	var list []json.RawMessage
	_ = json.Unmarshal(raw, &list) // which is a list: its bracket was seen, and it was cleaned before
	return list
}

func (o object) unexpected(name, expected string, raw []byte) error {
	return fmt.Errorf("%s: %q: expected %s, found %s", o.where, name, expected, describe(raw))
}

// tokenNumber reads the number of a token.
func tokenNumber(s string) (int, error) {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("expected token numbers from 0 to 2^31-1, found %s", describe([]byte(s)))
	}
	return int(n), nil
}

// describe names a JSON value for an error text.
func describe(raw []byte) string {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0:
		return "nothing"
	case raw[0] == '[' && len(bytes.TrimSpace(bytes.Trim(raw, "[]"))) == 0:
		return "an empty list"
	}
	return jsonfile.Describe(raw)
}
