package tokenizer

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWordLevel(t *testing.T) {
	file, err := WordLevel([]string{"Then, Ruth went.", " Ruth", "17", "41", " 17", "\n    :param size: ", "\"\"\"moon"})
	require.NoError(t, err)
	tok, err := Read(t.Context(), "words", file)
	require.NoError(t, err)
	token := func(ids []int) (out []string) {
		for _, id := range ids {
			out = append(out, tok.Token(id))
		}
		return out
	}
	for text, want := range map[string][]string{
		"Then, Ruth went.":        {"Then", ",", " Ruth", " went", "."},
		" 1741":                   {" 17", "41"},
		"1741 17":                 {"17", "41", " 17"},
		"\n    :param size: ":     {"\n   ", " :", "param", " size", ":", " "},
		"\"\"\"moon":              {`"""`, "moon"},
		"":                        nil,
		"Then, Zelda went.":       {"Then", ",", "<unk>", " went", "."},
		" Ruthless":               {"<unk>"},
		" 1":                      {"<unk>"},
		"<|endoftext|>Then":       {"<|endoftext|>", "Then"},
		"Then\u00e9 \u4e16, Ruth": {"<unk>", "<unk>", ",", " Ruth"},
	} {
		ids := tok.Encode(text)
		assert.Equal(t, want, token(ids), "%q", text)
		for _, one := range want {
			if one == "<unk>" {
				ids = nil
			}
		}
		if ids != nil {
			assert.Equal(t, text, tok.Decode(ids))
		}
	}
	id, ok := tok.BOS()
	assert.True(t, ok)
	assert.Zero(t, id)
	assert.Equal(t, 18, tok.Vocab())
	again, err := WordLevel([]string{"Then, Ruth went.", " Ruth", "17", "41", " 17", "\n    :param size: ", "\"\"\"moon"})
	require.NoError(t, err)
	assert.Equal(t, file, again)
}
