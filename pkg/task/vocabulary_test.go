package task

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/tokenizer"
)

// wordLevel is the tokenizer of the tasks' own words.
func wordLevel(t *testing.T) *tokenizer.Tokenizer {
	t.Helper()
	file, err := tokenizer.WordLevel(slices.Concat(Vocabulary()...))
	require.NoError(t, err)
	tok, err := tokenizer.Read(t.Context(), "words", file)
	require.NoError(t, err)
	return tok
}

// Every prompt and answer of every task is made of words of the vocabulary, and
// none of them is cut for want of it.
func TestVocabularyHasEveryWord(t *testing.T) {
	tok := wordLevel(t)
	unknown := tok.Encode(" zzz")
	require.Len(t, unknown, 1)
	used := map[int]bool{}
	for _, g := range Generators() {
		for _, v := range g.Variants {
			pairs, err := g.Pairs(t.Context(), Draw{Seed: 3, Examples: 1200, Variant: v.Name}, tok)
			require.NoError(t, err)
			for _, p := range pairs {
				for _, x := range slices.Concat([]Prompt{p.Clean, p.Corrupt}, p.Correct, p.Wrong) {
					ids := tok.Encode(x.Text)
					assert.NotContains(t, ids, unknown[0], "%q", x.Text)
					assert.Equal(t, x.Text, tok.Decode(ids))
					for _, id := range ids {
						used[id] = true
					}
				}
			}
		}
	}
	for id := 2; id < tok.Vocab(); id++ { // behind the start and the unknown token
		assert.True(t, used[id], "%q is used by no prompt", tok.Token(id))
	}
}

// The word-level tokenizer allows every word of every list.
func TestVocabularyHoldsTheLists(t *testing.T) {
	tok := wordLevel(t)
	for _, l := range lists {
		words, err := lexicon{"x", tok, nil}.words(l.name, 1, l.before...)
		require.NoError(t, err)
		assert.Equal(t, wordList(l.name), words)
	}
}

// Words keeps words out of prompts, by list.
func TestWordsLimitPrompts(t *testing.T) {
	tok := wordLevel(t)
	for _, g := range Generators() {
		v := g.Variants[len(g.Variants)-1].Name
		asked := map[string]bool{}
		half := func(list, word string) bool {
			asked[list] = true
			return list == "places" || word[len(word)-1]%2 == 0
		}
		pairs, err := g.Pairs(t.Context(), Draw{Seed: 1, Examples: 60, Variant: v, Words: half}, tok)
		require.NoError(t, err)
		all, err := g.Pairs(t.Context(), Draw{Seed: 1, Examples: 60, Variant: v}, tok)
		require.NoError(t, err)
		count := func(pairs []Pair, keep bool) (n int) {
			for _, l := range []string{"names", "objects", "events", "parameters", "descriptions"} {
				if !asked[l] {
					continue
				}
				for _, w := range wordList(l) {
					if half(l, w) == keep {
						for _, p := range pairs {
							n += len(wordsIn(p, " "+w, tok))
						}
					}
				}
			}
			return n
		}
		assert.Zero(t, count(pairs, false), g.Name)
		assert.Positive(t, count(pairs, true), g.Name)
		assert.Positive(t, count(all, false), g.Name)
		for _, p := range pairs {
			if g.Name == "greaterthan" {
				ids := tok.Encode(p.Clean.Text)
				year := tok.Token(ids[7])
				assert.Len(t, year, 2)
				assert.Zero(t, year[1]%2, year)
			}
		}
		_, err = g.Pairs(t.Context(), Draw{Examples: 1, Words: func(string, string) bool { return false }}, tok)
		assert.ErrorContains(t, err, "found 0", g.Name)
	}
}

// wordsIn finds a word's token in a pair.
func wordsIn(p Pair, word string, tok *tokenizer.Tokenizer) (at []int) {
	id := tok.Encode(word)[0]
	for i, x := range append(tok.Encode(p.Clean.Text), tok.Encode(p.Corrupt.Text)...) {
		if x == id {
			at = append(at, i)
		}
	}
	return at
}

func TestMixedDocstring(t *testing.T) {
	tok := wordLevel(t)
	pairs, err := docstring.Pairs(t.Context(), Draw{Seed: 2, Examples: 400, Variant: docstringMixed}, tok)
	require.NoError(t, err)
	colon, param := tok.Encode(":")[0], tok.Encode("param")[0]
	lengths, places := map[int]bool{}, map[int]bool{}
	for _, p := range pairs {
		ids := tok.Encode(p.Clean.Text)
		require.Equal(t, param, ids[len(ids)-1])
		lengths[len(ids)] = true
		answer := tok.Encode(p.Correct[0].Text)[0]
		at := slices.Index(ids, answer)
		require.Positive(t, at)
		assert.Negative(t, slices.Index(ids[at+1:], answer), "the answer stands once, in the definition")
		places[at] = true
		last := ids[len(ids)-3-slices.Index(reversed(ids[:len(ids)-3]), param)]
		require.Equal(t, colon, ids[slices.Index(ids[at:], last)+at+1], "what was told last has a description")
		before := slices.Index(ids, last)
		assert.Equal(t, before+2, at, "the answer follows what was told last: %q", p.Clean.Text)
		assert.NotContains(t, tok.Encode(p.Corrupt.Text), answer)
	}
	assert.Greater(t, len(lengths), 15)
	assert.Greater(t, len(places), 5)
}

func reversed(x []int) []int {
	out := slices.Clone(x)
	slices.Reverse(out)
	return out
}
