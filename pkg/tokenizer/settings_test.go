package tokenizer

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOpenSettings(t *testing.T) {
	for _, c := range []struct {
		config, special string
		bos             int
		err             string
	}{
		{`{"bos_token": "<e>"}`, `{}`, 3, ""},
		{`{"bos_token": {"content": "ab"}}`, `{"eos_token": "<e>"}`, 2, ""},
		{`{"bos_token": {"content": "ab"}}`, `{"bos_token": "<e>"}`, 3, ""},
		{`{"bos_token": "ab", "added_tokens_decoder": {}}`, `{"bos_token": "<e>"}`, 2, ""},
		{`{"bos_token": null}`, `{}`, -1, ""},
		{`{"bos_token": null}`, `{"bos_token": "<e>"}`, 3, ""},
		{`{"bos_token": "<e>"}`, `{"bos_token": null}`, -1, ""},
		{`{"bos_token": ""}`, `{}`, -1, ""},
		{`{}`, `{"bos_token": "<e>"}`, 3, ""},
		{`{}`, `{}`, -1, ""},
		{`{"bos_token": "<s>"}`, `{}`, 0, `DIR/tokenizer_config.json: field "bos_token": "<s>" is not in the vocabulary`},
		{`{}`, `{"bos_token": "<s>"}`, 0, `DIR/special_tokens_map.json: field "bos_token": "<s>" is not in the vocabulary`},
		{`{"bos_token": 7}`, `{}`, 0, `DIR/tokenizer_config.json: field "bos_token": expected a text, found 7`},
		{`{"additional_special_tokens": [7]}`, `{}`, 0, `DIR/tokenizer_config.json: field "additional_special_tokens": expected a text, found a number`},
		{`{"add_prefix_space": "yes"}`, `{}`, 0, `DIR/tokenizer_config.json: field "add_prefix_space": expected true or false, found "yes"`},
		{`{"added_tokens_decoder": {"9": {"content": "<x>"}}}`, `{}`, 0, `DIR/tokenizer_config.json: field "added_tokens_decoder": entry 9: "<x>": expected the next id, 4, for a token that tokenizer.json does not have`},
		{`{"added_tokens_decoder": {"-1": {"content": "<x>"}}}`, `{}`, 0, `DIR/tokenizer_config.json: field "added_tokens_decoder": entry -1: field "id": expected an id from 0 to 1048575, found -1`},
		{`{`, `{}`, 0, `DIR/tokenizer_config.json: line 1: expected JSON, found an end in the middle of it`},
		{`{}`, `[]`, 0, `DIR/special_tokens_map.json: expected an object, found a list`},
	} {
		dir := folder(t, map[string]string{tokenizerName: base, configName: c.config, specialName: c.special})
		tok, err := Open(t.Context(), dir)
		if c.err != "" {
			assert.EqualError(t, err, strings.Replace(c.err, "DIR", dir, 1))
			continue
		}
		require.NoError(t, err)
		id, ok := tok.BOS()
		assert.Equal(t, c.bos >= 0, ok, c)
		assert.Equal(t, max(c.bos, 0), id, c)
		assert.Equal(t, filepath.ToSlash(dir), tok.Name())
	}
}
