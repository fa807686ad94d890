package tokenizer

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-2c350065/acdc/internal/misuse"
)

// A value of another JSON type than a field's is refused by that field's name,
// the empty ones too, in a tokenizer's settings and in the tokenizer itself.
func TestOtherTypesAreRefused(t *testing.T) {
	refused := func(err error, field, value string) {
		t.Helper()
		if assert.Error(t, err, "%s: %s", field, value) {
			assert.Contains(t, err.Error(), fmt.Sprintf("field %q: expected ", field), value)
			assert.Contains(t, err.Error(), ", found ", value)
		}
	}
	settingsOf := func(field, value string) error {
		_, err := parseSettings(t.Context(), fmt.Appendf(nil, `{%q:%s}`, field, value))
		return err
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[settings]()) {
		if name := f.Tag.Get("json"); name != "" {
			for _, value := range misuse.OtherJSON(f.Type) {
				refused(settingsOf(name, value), name, value)
			}
		}
	}
	for _, name := range specialFields {
		for _, value := range misuse.OtherThan("text", "object") {
			refused(settingsOf(name, value), name, value)
		}
	}
	for _, name := range moreFields {
		for _, value := range misuse.OtherThan("list", "object") {
			refused(settingsOf(name, value), name, value)
		}
	}
	const model = `"type":"BPE","vocab":{"a":0},"merges":[]`
	for _, f := range reflect.VisibleFields(reflect.TypeFor[modelFile]()) {
		if name := f.Tag.Get("json"); !misuse.IsRaw(f.Type) {
			for _, value := range misuse.OtherJSON(f.Type) {
				text := fmt.Sprintf(`{"model":{"vocab":{"a":0},"merges":[],%q:%s}}`, name, value)
				_, err := Read(t.Context(), "t", []byte(text))
				refused(err, name, value)
			}
		}
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[addedToken]()) {
		name := f.Tag.Get("json")
		for _, value := range misuse.OtherJSON(f.Type) {
			text := fmt.Sprintf(`{"model":{%s},"pre_tokenizer":{"type":"ByteLevel"},"added_tokens":[{%q:%s}]}`, model, name, value)
			_, err := Read(t.Context(), "t", []byte(text))
			refused(err, name, value)
		}
	}
	for _, part := range []string{"added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model"} {
		own := "object"
		if part == "added_tokens" {
			own = "list"
		}
		for _, value := range misuse.OtherThan(own) {
			parts := map[string]string{"model": "{" + model + "}", "pre_tokenizer": `{"type":"ByteLevel"}`}
			parts[part] = value
			text := "{"
			for name, value := range parts {
				text += fmt.Sprintf("%q:%s,", name, value)
			}
			_, err := Read(t.Context(), "t", []byte(text[:len(text)-1]+"}"))
			refused(err, part, value)
		}
	}
}

// What a tokenizer's files say is shown shortened in errors, whatever the field.
func TestLongValuesAreShortened(t *testing.T) {
	long := strings.Repeat("a", 5000)
	values := []string{`"` + long + `"`, `["` + long + `"]`, `{"` + long + `":"` + long + `"}`, `{"type":"` + long + `"}`, `{"content":"` + long + `"}`,
		`[{"content":"` + long + `","id":3}]`, strings.Repeat("9", 5000), `{"type":"Sequence","normalizers":[{"type":"` + long + `"}]}`}
	short := func(err error) {
		t.Helper()
		if err != nil {
			assert.Less(t, len(err.Error()), 500)
		}
	}
	const model = `{"type":"BPE","vocab":{"a":0,"b":1},"merges":[]}`
	tried := 0
	for _, value := range values {
		for _, f := range reflect.VisibleFields(reflect.TypeFor[settings]()) {
			_, err := parseSettings(t.Context(), fmt.Appendf(nil, `{%q:%s}`, f.Tag.Get("json"), value))
			short(err)
		}
		for _, name := range slices.Concat(specialFields, moreFields) {
			text := fmt.Sprintf(`{%q:%s}`, name, value)
			dir := folder(t, map[string]string{tokenizerName: base, configName: text, specialName: "{}"})
			_, err := Open(t.Context(), dir)
			if err != nil {
				short(errors.New(strings.Replace(err.Error(), dir, "", 1)))
			}
		}
		for _, f := range reflect.VisibleFields(reflect.TypeFor[tokenizerFile]()) {
			_, err := Read(t.Context(), "t", fmt.Appendf(nil, `{"model":%s,"pre_tokenizer":{"type":"ByteLevel"},%q:%s}`, model, f.Tag.Get("json"), value))
			short(err)
		}
		for _, f := range reflect.VisibleFields(reflect.TypeFor[modelFile]()) {
			fields := map[string]string{"type": `"BPE"`, "vocab": `{"a":0}`, "merges": "[]", f.Tag.Get("json"): value}
			var parts []string
			for name, value := range fields {
				parts = append(parts, fmt.Sprintf("%q:%s", name, value))
			}
			_, err := Read(t.Context(), "t", fmt.Appendf(nil, `{"model":{%s}}`, strings.Join(parts, ",")))
			short(err)
			tried++
		}
	}
	assert.Greater(t, tried, 50)
}
