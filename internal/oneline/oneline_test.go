package oneline

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTextsFitOneLine(t *testing.T) {
	assert.Equal(t, `"a\nb\x1b\xff"`, Quote("a\nb\x1b\xff"))
	exact, long := strings.Repeat("é", most), strings.Repeat("é", most+1)
	assert.Equal(t, exact, Shorten(exact))
	assert.Equal(t, exact+"…", Shorten(long))
	assert.Equal(t, `"`+exact+`…"`, Quote(long))
}

func TestTokens(t *testing.T) {
	for text, want := range map[string]string{"null": "null", "{}": "an object", "[]": "an array", `"x"`: `"x"`, "1e9": "1e9", "true": "true"} {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		tok, err := d.Token()
		assert.NoError(t, err)
		assert.Equal(t, want, Token(tok))
	}
}

func TestShownTextsArePlain(t *testing.T) {
	for in, want := range map[string]string{
		"\x1b[31mred\x1b[0m": "[31mred[0m", "a\nb\tc\u2028d": "a b c d", "\x00\u0085\x7f": " ", "x\u202etxt": "xtxt", "\ufeffé\xff": "é\uFFFD", "é §": "é §",
	} {
		assert.Equal(t, want, Plain(in), "%q", in)
	}
	long := strings.Repeat("é", 50_000) + "." + strings.Repeat("ü", 50_000)
	assert.Equal(t, strings.Repeat("é", 60)+"…"+strings.Repeat("ü", 59), Shown(long))
	assert.Equal(t, "abcd", Middle("abcd", 4))
	assert.Equal(t, "ab…e", Middle("abcde", 4))
	assert.Equal(t, "a…e", Middle("abcde", 3))
}

func TestBase(t *testing.T) {
	for in, want := range map[string]string{"": "", "a": "a", "/x/y.json": "y.json", "x/y/": "y", `C:\x\y.json`: "y.json", "/": "", "o/gpt2@main": "gpt2@main"} {
		assert.Equal(t, want, Base(in), in)
	}
}

func TestJSONIsPlainToo(t *testing.T) {
	const text = "a\u0085b\u009b\x7f\u202e\U000e0001é\n"
	var b bytes.Buffer
	assert.NoError(t, json.NewEncoder(&b).Encode(text))
	escaped := JSON(b.Bytes())
	assert.Equal(t, `"a\u0085b\u009b\u007f\u202e\udb40\udc01é\n"`+"\n", string(escaped))
	var back string
	assert.NoError(t, json.Unmarshal(escaped, &back))
	assert.Equal(t, text, back)
	assert.Equal(t, "[\n1]", string(JSON([]byte("[\n1]"))))
}
