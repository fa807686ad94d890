package circuit

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/misuse"
)

// What a circuit file says is shown shortened in errors, whatever the field.
func TestLongValuesAreShortened(t *testing.T) {
	g := mustNew(t, Config{ACDC, 1, 1, false, false, false})
	f := &File{}
	f.SetCircuit(g, g.Full(), nil, false)
	var b bytes.Buffer
	require.NoError(t, f.Encode(&b))
	long, refused := strings.Repeat("a", 5000), 0
	var walk func(path []string, typ reflect.Type)
	walk = func(path []string, typ reflect.Type) {
		for typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		for _, value := range []string{`"` + long + `"`, `["` + long + `"]`, `{"` + long + `":1}`, strings.Repeat("9", 5000)} {
			if len(path) == 0 {
				break
			}
			if _, err := Decode(t.Context(), "c.json", bytes.NewReader(misuse.ReplacedAt(t, b.Bytes(), path, value))); err != nil {
				refused++
				assert.Less(t, len(err.Error()), 500, "%v", path)
			}
		}
		if typ.Kind() != reflect.Struct {
			return
		}
		for _, field := range reflect.VisibleFields(typ) {
			if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && len(field.Index) == 1 {
				walk(append(path[:len(path):len(path)], name), field.Type)
			}
		}
	}
	walk(nil, reflect.TypeFor[File]())
	for _, edge := range []string{`"sender":"` + long + `","receiver":"m0"`, `"sender":"input","receiver":"` + long + `"`, `"sender":"input","receiver":"m0","kind":"` + long + `"`} {
		_, err := Decode(t.Context(), "c.json", bytes.NewReader(misuse.ReplacedAt(t, b.Bytes(), []string{"edges"}, `[{`+edge+`,"kept":true}]`)))
		require.Error(t, err)
		assert.Less(t, len(err.Error()), 500)
	}
	assert.Greater(t, refused, 100)
}
