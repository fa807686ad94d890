package tokenizer

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the settings beside a tokenizer.json say over it, as transformers' fast
// tokenizers take it: the ids of a text with and without.
func TestSettingsOverTokenizerJSON(t *testing.T) {
	space := with(t, "model.vocab", `{"a": 0, "b": 1, "ab": 2, "\u0120": 4}`)
	spaced := `{"type": "ByteLevel", "add_prefix_space": true}`
	sequence := `{"type": "Sequence", "pretokenizers": [` + spaced + `]}`
	for what, c := range map[string]struct {
		file            []byte
		config, special string
		text            string
		before, after   []int
	}{
		"add_prefix_space":                    {space, `{"add_prefix_space": true}`, `{}`, "ab", []int{2}, []int{4, 2}},
		"add_prefix_space: false":             {replaced(t, space, "pre_tokenizer", spaced), `{"add_prefix_space": false}`, `{}`, "ab", []int{4, 2}, []int{2}},
		"add_prefix_space: null":              {replaced(t, space, "pre_tokenizer", spaced), `{"add_prefix_space": null}`, `{}`, "ab", []int{4, 2}, []int{4, 2}},
		"add_prefix_space: not said":          {replaced(t, space, "pre_tokenizer", spaced), `{}`, `{}`, "ab", []int{4, 2}, []int{4, 2}},
		"add_prefix_space: within a sequence": {replaced(t, space, "pre_tokenizer", sequence), `{"add_prefix_space": false}`, `{}`, "ab", []int{4, 2}, []int{4, 2}},
		"a new added token":                   {[]byte(base), `{"added_tokens_decoder": {"4": {"content": "<x>"}}}`, `{}`, "a<x>b", []int{0, 1}, []int{0, 4, 1}},
		"new ones in the order of ids":        {ten(t), `{"added_tokens_decoder": {"10": {"content": "<y>"}, "9": {"content": "<x>"}}}`, `{}`, "<x><y>", []int{}, []int{9, 10}},
		"one of the vocabulary":               {[]byte(base), `{"added_tokens_decoder": {"1": {"content": "b"}}}`, `{}`, "ab", []int{2}, []int{0, 1}},
		"one that has another id":             {[]byte(base), `{"added_tokens_decoder": {"9": {"content": "b"}}}`, `{}`, "ab", []int{2}, []int{0, 1}},
		"one with other flags":                {space, `{"added_tokens_decoder": {"3": {"content": "<e>", "lstrip": true, "special": true}}}`, `{}`, "a <e>", []int{0, 4, 3}, []int{0, 3}},
		"eos_token of the vocabulary":         {[]byte(base), `{"eos_token": "b"}`, `{}`, "ab", []int{2}, []int{0, 1}},
		"pad_token that is new":               {[]byte(base), `{"pad_token": {"content": "<p>", "__type": "AddedToken"}}`, `{}`, "a<p>", []int{0}, []int{0, 4}},
		"mask_token with its flags":           {space, `{"mask_token": {"content": "<m>", "lstrip": true}}`, `{}`, "a <m>", []int{0, 4}, []int{0, 5}},
		"additional_special_tokens":           {[]byte(base), `{"additional_special_tokens": ["b", {"content": "<n>"}]}`, `{}`, "ab<n>", []int{2}, []int{0, 1, 4}},
		"extra_special_tokens":                {[]byte(base), `{"extra_special_tokens": {"image": "<i>"}}`, `{}`, "a<i>", []int{0}, []int{0, 4}},
		"special_tokens_map.json":             {[]byte(base), `{}`, `{"eos_token": "b"}`, "ab", []int{2}, []int{0, 1}},
		"special_tokens_map.json, passed by":  {[]byte(base), `{"added_tokens_decoder": {}}`, `{"eos_token": "b"}`, "ab", []int{2}, []int{2}},
		"split_special_tokens":                {[]byte(base), `{"split_special_tokens": true}`, `{}`, "a<e>b", []int{0, 3, 1}, []int{0, 1}},
		"what means nothing to ids":           {[]byte(base), `{"model_max_length": 1e30, "padding_side": "left", "errors": "replace", "add_bos_token": true, "clean_up_tokenization_spaces": true}`, `{}`, "ab<e>", []int{2, 3}, []int{2, 3}},
	} {
		t.Run(what, func(t *testing.T) {
			plain, err := Read(t.Context(), "t", c.file)
			require.NoError(t, err)
			assert.Equal(t, c.before, append([]int{}, plain.Encode(c.text)...))
			tok, err := Open(t.Context(), folder(t, map[string]string{tokenizerName: string(c.file), configName: c.config, specialName: c.special}))
			require.NoError(t, err)
			assert.Equal(t, c.after, append([]int{}, tok.Encode(c.text)...))
		})
	}
}

// ten is base with added tokens up to id 8, so that two digits follow.
func ten(t *testing.T) []byte {
	return with(t, "added_tokens", `[{"id": 8, "content": "<e>", "special": true}]`)
}
