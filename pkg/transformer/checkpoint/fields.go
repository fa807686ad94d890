package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// fate says what becomes of a field of a configuration.
type fate uint8

const (
	computed fate = iota // read, and computed, or refused by what reads it
	refused              // with another value than those listed the numbers would be others
	harmless             // no number of a forward pass depends on it
)

// field is what is known of a field of a configuration.
type field struct {
	fate fate
	only []string // of a refused one: the values that are computed, as JSON; null is one of them
	why  string   // of a refused one: what is not computed
}

// dialect is a kind of configuration: all fields that its own program knows.
type dialect struct {
	name   string
	fields map[string]field
}

// newDialect puts tables of fields together.
func newDialect(name string, tables ...map[string]field) dialect {
	d := dialect{name, map[string]field{}}
	for _, t := range tables {
		maps.Copy(d.fields, t)
	}
	return d
}

// all makes a table of names, separated by spaces, of one fate.
func all(f fate, names string) map[string]field {
	out := map[string]field{}
	for _, name := range strings.Fields(names) {
		out[name] = field{fate: f}
	}
	return out
}

// only makes a table of names that are refused with other values than those
// given, as JSON.
func only(why, names string, values ...string) map[string]field {
	out := map[string]field{}
	for _, name := range strings.Fields(names) {
		out[name] = field{refused, values, why}
	}
	return out
}

// maxWarnings bounds the unknown fields that are named.
const maxWarnings = 8

// check refuses fields that are not computed, and returns those that are. A
// field that the dialect does not know is left out, and is a warning unless its
// value says that something is absent.
func (d dialect) check(raw map[string]json.RawMessage) (known map[string]json.RawMessage, warnings []string, err error) {
	known = map[string]json.RawMessage{}
	unknown := 0
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		f, ok := d.fields[name]
		switch value := raw[name]; {
		case !ok && !absent(value):
			if unknown++; unknown <= maxWarnings {
				warnings = append(warnings, fmt.Sprintf("field %s is not known of %s configurations, and is ignored: found %s", oneline.Quote(name), d.name, shown(value)))
			}
		case !ok:
		case f.fate == computed:
			known[name] = value
		case f.fate == refused && !f.allows(value):
			return nil, nil, fmt.Errorf("field %q: expected %s, found %s: %s", name, cmp.Or(strings.Join(f.only, " or "), "null"), shown(value), f.why)
		}
	}
	if more := unknown - maxWarnings; more > 0 {
		warnings = append(warnings, fmt.Sprintf("%d more fields are not known of %s configurations, and are ignored", more, d.name))
	}
	return known, warnings, nil
}

// allows reports whether a value is one of those that are computed.
func (f field) allows(value json.RawMessage) bool {
	found := decoded(value)
	return found == nil || slices.ContainsFunc(f.only, func(text string) bool { return reflect.DeepEqual(found, decoded(json.RawMessage(text))) })
}

// isNull reports whether a field is missing, or null.
func isNull(value json.RawMessage) bool { return value == nil || decoded(value) == nil }

// absent reports whether a value says that there is nothing: null, false, or
// something empty.
func absent(value json.RawMessage) bool {
	switch v := decoded(value).(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

func decoded(value json.RawMessage) (v any) {
	if json.Unmarshal(value, &v) != nil {
		return string(value) // a number beyond float64
	}
	return v
}

// shown is a value on one line, shortened.
func shown(value json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, value) != nil {
		return "no JSON"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, oneline.Shorten(b.String()))
}
