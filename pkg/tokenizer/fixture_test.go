package tokenizer

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/unicode"
)

// families lists the fixtures that testdata/make.mjs makes.
var families = []string{"gpt2", "neox", "llama3", "qwen2", "digits", "o200k", "odd", "lossy"}

func unzip(t testing.TB, name string) []byte {
	t.Helper()
	packed, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	r, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	data, err := io.ReadAll(r)
	require.NoError(t, err)
	return data
}

func family(t testing.TB, name string) *Tokenizer {
	t.Helper()
	tok, err := Read(t.Context(), name, unzip(t, name+".json.gz"))
	require.NoError(t, err)
	return tok
}

// The reference implementation, Hugging Face's in Rust, stated what it makes of
// the fuzzed strings, and how it decodes that.
func TestFamiliesAgreeWithReference(t *testing.T) {
	list := fuzzStrings(fixtureSeed, fixtureStrings)
	for _, name := range families {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tok, sums := family(t, name), unzip(t, name+".sums.gz")
			require.Len(t, sums, 4*len(list))
			wrongIDs, wrongText := 0, 0
			for i, s := range atMost(list) {
				ids := tok.Encode(s)
				if sumOf(idBytes(ids)) != binary.LittleEndian.Uint16(sums[4*i:]) {
					if wrongIDs++; wrongIDs <= 5 {
						t.Errorf("string %d: %q became %v, %q", i, s, ids, tokens(tok, ids))
					}
				}
				if sumOf(asReference(t, tok, ids)) != binary.LittleEndian.Uint16(sums[4*i+2:]) {
					if wrongText++; wrongText <= 5 {
						t.Errorf("string %d: %q: %v was decoded to %q", i, s, ids, tok.Decode(ids))
					}
				}
			}
			assert.Zero(t, wrongIDs, "strings with other ids")
			assert.Zero(t, wrongText, "strings that are decoded in another way")
		})
	}
}

func tokens(t *Tokenizer, ids []int) []string {
	var list []string
	for _, id := range ids {
		list = append(list, t.Token(id))
	}
	return list
}

// asReference decodes as the reference does, which differs in two ways: it puts
// U+FFFD where a text is not UTF-8, one for each cut character, and it takes an
// added token with characters of the byte alphabet for bytes, so that the "ö" of
// the token "wörd" is lost.
func asReference(t *testing.T, tok *Tokenizer, ids []int) []byte {
	var text []byte
	for _, id := range ids {
		piece := tok.Decode([]int{id})
		if a, ok := tok.normal.byContent["wörd"]; ok && a.id == id {
			piece, _ = toBytes(piece)
		}
		text = append(text, piece...)
	}
	out, err := unicode.UTF8.NewDecoder().Bytes(text)
	require.NoError(t, err)
	return out
}
