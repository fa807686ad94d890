package task

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/tokenizer"
)

// differing are the positions where two prompts of the same length differ.
func differing(enc Encoder, p Pair) []int {
	a, b := enc.Encode(p.Clean.Text), enc.Encode(p.Corrupt.Text)
	var out []int
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			out = append(out, i)
		}
	}
	return out
}

func TestIOIFirstTemplate(t *testing.T) {
	enc := tokenizer.GPT2()
	form := regexp.MustCompile(`^Then, (\w+) and (\w+) went to the (\w+)\. (\w+) gave a (\w+) to$`)
	for variant, giverAt := range map[string]int{ioiABBA: 2, ioiBABA: 1} {
		pairs, err := ioi.Pairs(t.Context(), Draw{Seed: 3, Examples: 500, Variant: variant}, enc)
		require.NoError(t, err)
		for _, p := range pairs {
			assert.Len(t, enc.Encode(p.Clean.Text), 15)
			assert.Equal(t, []int{2, 4, 10}, differing(enc, p), "names only")
			clean, corrupt := form.FindStringSubmatch(p.Clean.Text), form.FindStringSubmatch(p.Corrupt.Text)
			require.NotNil(t, clean)
			require.NotNil(t, corrupt)
			taker := clean[3-giverAt]
			assert.Equal(t, clean[giverAt], clean[4], "the giver comes twice")
			assert.Equal(t, []Prompt{{Text: " " + taker}}, p.Correct)
			assert.Equal(t, []Prompt{{Text: " " + clean[4]}}, p.Wrong)
			names := []string{clean[1], clean[2], corrupt[1], corrupt[2], corrupt[4]}
			assert.Len(t, slices.Compact(slices.Sorted(slices.Values(names))), 5, "%v", names)
			assert.Equal(t, clean[3], corrupt[3])
			assert.Equal(t, clean[5], corrupt[5])
		}
	}
}

func TestIOIDefaultIsTheFirstTemplateABBA(t *testing.T) {
	enc := tokenizer.GPT2()
	a, err := ioi.Pairs(t.Context(), Draw{Seed: 1, Examples: 30}, enc)
	require.NoError(t, err)
	b, err := ioi.Pairs(t.Context(), Draw{Seed: 1, Examples: 30, Variant: "abba"}, enc)
	require.NoError(t, err)
	assert.Equal(t, a, b)
}

func TestIOIMixedHasAllTemplatesInBothOrders(t *testing.T) {
	enc := tokenizer.GPT2()
	pairs, err := ioi.Pairs(t.Context(), Draw{Seed: 3, Examples: 400, Variant: ioiMixed}, enc)
	require.NoError(t, err)
	spoken := regexp.MustCompile(` ?\w+`)
	begins, giverFirst := map[string]int{}, 0
	for _, p := range pairs {
		assert.Len(t, differing(enc, p), 3)
		begins[strings.Fields(p.Clean.Text)[0]]++
		giver, taker := p.Wrong[0].Text, p.Correct[0].Text
		clean, corrupt := spoken.FindAllString(p.Clean.Text, -1), spoken.FindAllString(p.Corrupt.Text, -1)
		assert.Equal(t, 2, count(clean, giver), p.Clean.Text)
		assert.Equal(t, 1, count(clean, taker), p.Clean.Text)
		assert.Zero(t, count(corrupt, giver)+count(corrupt, taker), p.Corrupt.Text)
		assert.NotContains(t, p.Clean.Text, "{")
		if slices.Index(clean, giver) < slices.Index(clean, taker) {
			giverFirst++
		}
	}
	assert.Len(t, begins, len(ioiTemplates()))
	assert.InDelta(t, 200, giverFirst, 40)
}

// count is how often a word is among words.
func count(words []string, word string) int {
	n := 0
	for _, w := range words {
		if w == word {
			n++
		}
	}
	return n
}
