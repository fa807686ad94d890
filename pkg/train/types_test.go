package train

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/misuse"
)

// A value of another JSON type than a recipe's field is refused by that field's
// name, the empty ones too.
func TestOtherTypesAreRefused(t *testing.T) {
	text, err := os.ReadFile("../zoo/builtin/mini/recipe.json")
	require.NoError(t, err)
	tried := 0
	var walk func(path []string, typ reflect.Type)
	walk = func(path []string, typ reflect.Type) {
		for typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if len(path) > 0 && !misuse.IsRaw(typ) {
			for _, value := range misuse.OtherJSON(typ) {
				_, err := ParseRecipe(t.Context(), "r.json", withAt(t, text, path, value))
				tried++
				if assert.Error(t, err, "%v: %s", path, value) {
					assert.Contains(t, err.Error(), `r.json: field "`+strings.Join(path, `"."`)+`": expected `)
				}
			}
		}
		if typ.Kind() != reflect.Struct {
			return
		}
		for _, f := range reflect.VisibleFields(typ) {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
				walk(append(path[:len(path):len(path)], name), f.Type)
			}
		}
	}
	walk(nil, reflect.TypeFor[Recipe]())
	assert.Greater(t, tried, 200)
	for _, value := range misuse.OtherThan("object") {
		_, err := ParseRecipe(t.Context(), "r.json", withAt(t, text, []string{"model"}, value))
		assert.ErrorContains(t, err, "r.json: field \"model\": ", value)
	}
}

// withAt is a text with another value at a path of names.
func withAt(t *testing.T, text []byte, path []string, value string) []byte {
	t.Helper()
	fields := map[string]json.RawMessage{}
	if len(text) > 0 {
		require.NoError(t, json.Unmarshal(text, &fields))
	}
	own := []byte(value)
	if len(path) > 1 {
		own = withAt(t, fields[path[0]], path[1:], value)
	}
	fields[path[0]] = own
	out, err := json.Marshal(fields)
	require.NoError(t, err)
	return out
}
