package train

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/misuse"
)

// eachField calls f with every field of a recipe, by its path of names.
func eachField(path []string, typ reflect.Type, f func(path []string, typ reflect.Type)) {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if len(path) > 0 {
		f(path, typ)
	}
	if typ.Kind() != reflect.Struct {
		return
	}
	for _, field := range reflect.VisibleFields(typ) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" {
			eachField(append(path[:len(path):len(path)], name), field.Type, f)
		}
	}
}

// A value of another JSON type than a recipe's field is refused by that field's
// name, the empty ones too.
func TestOtherTypesAreRefused(t *testing.T) {
	text := builtinRecipe(t)
	tried := 0
	eachField(nil, reflect.TypeFor[Recipe](), func(path []string, typ reflect.Type) {
		values := misuse.OtherJSON(typ)
		if misuse.IsRaw(typ) {
			values = misuse.OtherThan("object")
		}
		for _, value := range values {
			_, err := ParseRecipe(t.Context(), "r.json", misuse.ReplacedAt(t, text, path, value))
			tried++
			if assert.Error(t, err, "%v: %s", path, value) {
				assert.Contains(t, err.Error(), `r.json: field "`+strings.Join(path, `"."`)+`": `)
				assert.Contains(t, err.Error(), "expected ")
			}
		}
	})
	assert.Greater(t, tried, 200)
}

// What a recipe says is shown shortened in errors.
func TestLongValuesAreShortened(t *testing.T) {
	text, long := builtinRecipe(t), strings.Repeat("a", 5000)
	refused := 0
	eachField(nil, reflect.TypeFor[Recipe](), func(path []string, typ reflect.Type) {
		for _, value := range []string{`"` + long + `"`, `["` + long + `"]`, `{"` + long + `":1}`, strings.Repeat("9", 5000)} {
			if _, err := ParseRecipe(t.Context(), "r.json", misuse.ReplacedAt(t, text, path, value)); err != nil {
				refused++
				assert.Less(t, len(err.Error()), 500, "%v", path)
			}
		}
	})
	assert.Greater(t, refused, 80)
	for _, share := range []string{`"source":"` + long + `"`, `"` + long + `":1`} {
		_, err := ParseRecipe(t.Context(), "r.json", misuse.ReplacedAt(t, text, []string{"data", "text", "shares"}, `[{`+share+`}]`))
		require.Error(t, err)
		assert.Less(t, len(err.Error()), 500)
	}
}

func builtinRecipe(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../zoo/builtin/mini/recipe.json")
	require.NoError(t, err)
	return text
}
