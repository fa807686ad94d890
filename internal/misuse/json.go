package misuse

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

// OtherJSON lists JSON values that a field of a Go type must not take: each kind
// but its own, the empty ones too, which could pass as absent.
func OtherJSON(typ reflect.Type) []string {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	own := ""
	switch typ.Kind() {
	case reflect.String:
		own = "text"
	case reflect.Bool:
		own = "bool"
	case reflect.Slice, reflect.Array:
		own = "list"
	case reflect.Struct, reflect.Map:
		own = "object"
	case reflect.Float32, reflect.Float64:
		own = "number"
	default:
		return append(otherJSON("number"), "1.5")
	}
	return otherJSON(own)
}

// OtherThan lists JSON values that are of none of some kinds: text, bool, list,
// object, number.
func OtherThan(kinds ...string) []string { return otherJSON(kinds...) }

func otherJSON(own ...string) (out []string) {
	for _, x := range []struct{ kind, value string }{
		{"text", `""`}, {"text", `"x"`}, {"bool", "false"}, {"bool", "true"}, {"list", "[]"}, {"list", `[{"a":1}]`},
		{"object", "{}"}, {"object", `{"a":1}`}, {"number", "0"}, {"number", "3"}, {"number", "1.5"},
	} {
		taken := false
		for _, kind := range own {
			taken = taken || kind == x.kind
		}
		if !taken {
			out = append(out, x.value)
		}
	}
	return out
}

// ReplacedAt is a JSON text with another value at a path of names.
func ReplacedAt(t *testing.T, text []byte, path []string, value string) []byte {
	t.Helper()
	fields := map[string]json.RawMessage{}
	if len(text) > 0 {
		require.NoError(t, json.Unmarshal(text, &fields))
	}
	own := []byte(value)
	if len(path) > 1 {
		own = ReplacedAt(t, fields[path[0]], path[1:], value)
	}
	fields[path[0]] = own
	out, err := json.Marshal(fields)
	require.NoError(t, err)
	return out
}

// IsRaw reports whether a field takes any JSON, for others to look at.
func IsRaw(typ reflect.Type) bool { return typ == reflect.TypeFor[json.RawMessage]() }
