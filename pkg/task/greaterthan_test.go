package task

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/tokenizer"
)

func TestGreaterThan(t *testing.T) {
	enc := tokenizer.GPT2()
	pairs, err := greaterThan.Pairs(t.Context(), Draw{Seed: 5, Examples: 1000}, enc)
	require.NoError(t, err)
	centuries := map[int]int{}
	for _, p := range pairs {
		w := strings.Fields(p.Clean.Text)
		require.Len(t, w, 9)
		assert.Equal(t, "The "+w[1]+" lasted from the year "+w[6]+" to "+w[6][:2], p.Clean.Text)
		assert.Equal(t, strings.Replace(p.Clean.Text, w[6], w[6][:2]+"01", 1), p.Corrupt.Text)
		century, year := twoDigits(t, w[6][:2]), twoDigits(t, w[6][2:])
		centuries[century]++
		assert.Len(t, enc.Encode(p.Clean.Text), 10)
		assert.Equal(t, []int{7}, differing(enc, p), "the year's token only")
		assert.Equal(t, enc.Encode(w[6][2:])[0], enc.Encode(p.Clean.Text)[7])
		require.Len(t, p.Correct, 99-year)
		require.Len(t, p.Wrong, year+1)
		for i, a := range p.Correct {
			assert.Equal(t, year+1+i, twoDigits(t, a.Text))
		}
		for i, a := range p.Wrong {
			assert.Equal(t, i, twoDigits(t, a.Text))
		}
	}
	for c := firstCentury; c <= lastCentury; c++ {
		assert.Positive(t, centuries[c], "century %d", c)
	}
	assert.Len(t, centuries, lastCentury-firstCentury+1)
}

func twoDigits(t *testing.T, s string) int {
	n, err := strconv.Atoi(s)
	require.NoError(t, err)
	require.Len(t, s, 2)
	return n
}

// Of the 679 years, GPT-2 splits some otherwise, such as " 1114".
func TestYearSpans(t *testing.T) {
	spans := yearSpans(lexicon{enc: tokenizer.GPT2()})
	assert.Len(t, spans, 618)
	for _, s := range spans {
		assert.True(t, s.year >= 2 && s.year <= 98)
	}
	assert.Contains(t, spans, yearSpan{17, 32})
	assert.NotContains(t, spans, yearSpan{11, 14})
}
