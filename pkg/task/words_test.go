package task

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/tokenizer"
)

// cutter is a tokenizer whose vocabulary is whatever the expression matches.
type cutter struct {
	cut *regexp.Regexp
	ids map[string]int
}

func newCutter(expression string) cutter {
	return cutter{regexp.MustCompile(expression), map[string]int{}}
}

func (c cutter) Encode(text string) []int {
	var out []int
	for _, s := range c.cut.FindAllString(text, -1) {
		if _, ok := c.ids[s]; !ok {
			c.ids[s] = len(c.ids)
		}
		out = append(out, c.ids[s])
	}
	return out
}

// letters splits everything, neoX as the tokenizer of attn-only-4l splits
// Python: its digits are one token each.
func letters() cutter { return newCutter(`(?s).`) }
func neoX() cutter    { return newCutter(`\n+   | ?[A-Za-z]+|[0-9]| ?[^\sA-Za-z0-9]+|\s`) }

func TestWordLists(t *testing.T) {
	enc := tokenizer.GPT2()
	for list, least := range map[string]int{
		"names": 160, "places": 25, "objects": 25, "events": 90, "parameters": 180, "descriptions": 130,
	} {
		words := wordList(list)
		assert.GreaterOrEqual(t, len(words), least, list)
		assert.Len(t, slices.Compact(slices.Sorted(slices.Values(words))), len(words), "%s: a word stands twice", list)
		for _, w := range words {
			assert.True(t, whole(enc, " "+w), "%s: %q is %d tokens", list, w, len(enc.Encode(" "+w)))
			if list == "objects" {
				assert.NotContains(t, "aeiou", w[:1], "%q wants the article an", w)
			}
			if list == "descriptions" {
				assert.True(t, whole(enc, w), "%q without a space is %d tokens", w, len(enc.Encode(w)))
				assert.NotContains(t, wordList("parameters"), w)
			}
		}
	}
	assert.Panics(t, func() { wordList("none") })
}

func TestSampleIsOfDifferentWords(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	words := []string{"a", "b", "c", "d"}
	firsts := map[string]int{}
	for range 4000 {
		got := sample(rng, words, 4)
		firsts[got[0]]++
		assert.Equal(t, words, slices.Sorted(slices.Values(got)))
	}
	for _, w := range words {
		assert.InDelta(t, 1000, firsts[w], 150, w)
	}
}

// eachVariant runs f on all variants of all generators.
func eachVariant(t *testing.T, f func(t *testing.T, g Generator, variant string, enc Encoder)) {
	enc := tokenizer.GPT2()
	for _, g := range Generators() {
		for _, v := range g.Variants {
			t.Run(g.Name+"/"+v.Name, func(t *testing.T) { f(t, g, v.Name, enc) })
		}
	}
}

func TestGeneratorsDescribeThemselves(t *testing.T) {
	names := map[string]bool{}
	streams := map[uint64]bool{}
	for _, g := range Generators() {
		names[g.Name], streams[g.stream] = true, true
		assert.NotContains(t, g.Description, "\n")
		assert.Equal(t, "kl_div", g.Metric)
		assert.Equal(t, "resample", g.Ablation)
		assert.Greater(t, g.Threshold, 0.0)
		assert.Equal(t, g.Model == "attn-only-4l", g.BOS)
	}
	assert.Equal(t, map[string]bool{"ioi": true, "greaterthan": true, "docstring": true}, names)
	assert.Len(t, streams, 3)
	assert.Equal(t, []Half{Validation, Test}, Halves())
}

func TestPairsAreSeeded(t *testing.T) {
	eachVariant(t, func(t *testing.T, g Generator, variant string, enc Encoder) {
		pairs := func(seed uint64, n int, half Half) []Pair {
			p, err := g.Pairs(t.Context(), Draw{Seed: seed, Examples: n, Half: half, Variant: variant}, enc)
			require.NoError(t, err)
			require.Len(t, p, n)
			return p
		}
		first := pairs(1, 20, Validation)
		assert.Equal(t, first, pairs(1, 20, Validation))
		assert.Equal(t, first, pairs(1, 20, ""))
		assert.NotEqual(t, first, pairs(2, 20, Validation))
		both := pairs(1, 40, Validation)
		assert.Equal(t, both[:20], first, "more examples begin with the fewer")
		assert.Equal(t, both[20:], pairs(1, 20, Test), "the halves are one sequence")
	})
}

func TestPairsAreSound(t *testing.T) {
	eachVariant(t, func(t *testing.T, g Generator, variant string, enc Encoder) {
		seen, lengths := map[string]bool{}, map[int]bool{}
		for _, half := range Halves() {
			pairs, err := g.Pairs(t.Context(), Draw{Seed: 7, Examples: g.Examples, Half: half, Variant: variant}, enc)
			require.NoError(t, err)
			require.Len(t, pairs, g.Examples)
			for _, p := range pairs {
				assert.False(t, seen[p.Clean.Text], "twice: %q", p.Clean.Text)
				seen[p.Clean.Text] = true
				clean, corrupt := enc.Encode(p.Clean.Text), enc.Encode(p.Corrupt.Text)
				lengths[len(clean)] = true
				assert.Len(t, corrupt, len(clean))
				assert.NotEqual(t, clean, corrupt)
				assert.NotEmpty(t, p.Correct)
				assert.NotEmpty(t, p.Wrong)
				for _, a := range slices.Concat(p.Correct, p.Wrong) {
					assert.Len(t, enc.Encode(a.Text), 1, "%q", a.Text)
				}
				for _, a := range p.Correct {
					assert.NotContains(t, p.Wrong, a)
				}
			}
		}
		if variant == ioiMixed {
			assert.Greater(t, len(lengths), 1)
		} else {
			assert.Len(t, lengths, 1, "all prompts have as many tokens")
		}
	})
}

// The defaults become data of one length without padding, with a start token
// where the model wants one.
func TestPairsBecomeData(t *testing.T) {
	for _, c := range []struct {
		g      Generator
		tokens int
	}{{ioi, 15}, {greaterThan, 10}} {
		pairs, err := c.g.Pairs(t.Context(), Draw{Seed: 1, Examples: c.g.Examples}, tokenizer.GPT2())
		require.NoError(t, err)
		d, err := Encode(t.Context(), pairs, tokenizer.GPT2(), EncodeOptions{Name: c.g.Name, BOS: c.g.BOS})
		require.NoError(t, err)
		require.NoError(t, d.Check())
		assert.Len(t, d.Clean, c.g.Examples)
		assert.Len(t, d.Clean[0], c.tokens)
		assert.Nil(t, d.Pad)
		assert.Equal(t, len(pairs[0].Correct), len(d.Correct[0]))
		assert.Equal(t, len(pairs[0].Wrong), len(d.Wrong[0]))
	}
}

func TestPairsRefuse(t *testing.T) {
	enc := tokenizer.GPT2()
	for _, c := range []struct {
		g    Generator
		d    Draw
		enc  Encoder
		want string
	}{
		{ioi, Draw{}, enc, "ioi: expected at least one example, found 0"},
		{ioi, Draw{Examples: 2}, nil, "ioi: expected a tokenizer, found none"},
		{ioi, Draw{Examples: 2, Half: "third"}, enc, `ioi: unknown half "third": expected one of validation, test`},
		{ioi, Draw{Examples: 2, Variant: "abc"}, enc, `ioi: unknown variant "abc": expected one of abba, baba, mixed`},
		{ioi, Draw{Examples: 2}, letters(), `ioi: list "names": expected at least 5 words of one token each, found 0 of 165 under this tokenizer`},
		{greaterThan, Draw{Examples: 2}, letters(), `greaterthan: answer "00": expected one token, found 2 under this tokenizer`},
		{greaterThan, Draw{Examples: 2}, neoX(), `greaterthan: answer "00": expected one token, found 2 under this tokenizer`},
		{greaterThan, Draw{Examples: 2}, newCutter(` ?[A-Za-z]+| ?[0-9]+`), `greaterthan: expected years of two tokens, such as " 1741", found none under this tokenizer`},
		{greaterThan, Draw{Examples: 2}, newCutter(`[0-9]{2}|.`), `greaterthan: list "events": expected at least 1 words of one token each, found 0 of 91 under this tokenizer`},
		{docstring, Draw{Examples: 2}, letters(), `docstring: list "parameters": expected at least 15 words of one token each, found 0 of 181 under this tokenizer`},
	} {
		_, err := c.g.Pairs(t.Context(), c.d, c.enc)
		assert.EqualError(t, err, c.want)
	}
}

func TestListsRefuseOneByOne(t *testing.T) {
	for _, list := range []string{"places", "objects", "descriptions"} {
		g, n := ioi, 1
		if list == "descriptions" {
			g, n = docstring, 7
		}
		split := newCutter(`\w`)
		enc := encoderFunc(func(text string) []int {
			if slices.Contains(wordList(list), strings.TrimSpace(text)) {
				return append(split.Encode("ab"), split.Encode(text)...)
			}
			return []int{1}
		})
		_, err := g.Pairs(t.Context(), Draw{Examples: 2}, enc)
		assert.ErrorContains(t, err, fmt.Sprintf("%s: list %q: expected at least %d words", g.Name, list, n))
	}
}

// encoderFunc is a function as an Encoder.
type encoderFunc func(string) []int

func (f encoderFunc) Encode(text string) []int { return f(text) }

func TestPairsSayWhenPromptsRunOut(t *testing.T) {
	g := Generator{
		Name: "toy", Variants: []Variant{{Name: "only"}},
		prepare: func(string, lexicon) (func(*rand.Rand) Pair, error) {
			return func(rng *rand.Rand) Pair {
				return Pair{Clean: texts("", fmt.Sprint(rng.IntN(8)))[0], Corrupt: Prompt{Text: "8"}}
			}, nil
		},
	}
	pairs, err := g.Pairs(t.Context(), Draw{Examples: 4, Half: Test}, letters())
	require.NoError(t, err)
	assert.Len(t, pairs, 4)
	_, err = g.Pairs(t.Context(), Draw{Examples: 5, Half: Test}, letters())
	assert.EqualError(t, err, "toy: expected 10 different prompts, found 8 under this tokenizer")

	g.prepare = func(string, lexicon) (func(*rand.Rand) Pair, error) {
		return func(*rand.Rand) Pair { return Pair{Clean: Prompt{Text: "a"}, Corrupt: Prompt{Text: "bc"}} }, nil
	}
	_, err = g.Pairs(t.Context(), Draw{Examples: 1}, letters())
	assert.EqualError(t, err, `toy: expected the 1 tokens of "a" in its corrupt prompt, found 2 in "bc"`)

	g.prepare = func(string, lexicon) (func(*rand.Rand) Pair, error) { return nil, errors.New("no words") }
	_, err = g.Pairs(t.Context(), Draw{Examples: 1}, letters())
	assert.EqualError(t, err, "no words")
}
