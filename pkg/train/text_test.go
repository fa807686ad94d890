package train

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/tokenizer"
)

var mixture = TextData{Shares: []Share{{"ioi", 2}, {"greaterthan", 1}, {"docstring", 3}, {lists, 2}, {numbers, 1}, {phrases, 1}}, Prose: 0.1, HeldOut: 5}

func mixed(t *testing.T) *textCorpus {
	t.Helper()
	c, err := newTextCorpus(mixture)
	require.NoError(t, err)
	return c
}

// chunksOf draws chunks of one source.
func chunksOf(c *textCorpus, source string, n int) []Batch {
	var out []Batch
	for number := 0; len(out) < n; number++ {
		if c.turns[number%len(c.turns)] == source {
			out = append(out, c.chunk(stream(8, number), number))
		}
	}
	return out
}

func TestTurnsAreSpread(t *testing.T) {
	c := mixed(t)
	assert.Equal(t, []string{"docstring", "ioi", lists, "greaterthan", "docstring", numbers, phrases, "ioi", lists, "docstring"}, c.turns)
	one := TextData{Shares: []Share{{"ioi", 3}}}
	assert.Equal(t, []string{"ioi", "ioi", "ioi"}, one.turns())
}

// Of each list about one word in five is held out, whatever the seed.
func TestHeldOutWords(t *testing.T) {
	c := mixed(t)
	for _, list := range []string{"names", "years", "parameters"} {
		var held, all int
		for _, w := range wordsOf(c, list) {
			all++
			if c.held(list, strings.TrimSpace(w)) {
				held++
			}
		}
		assert.InDelta(t, 0.2, float64(held)/float64(all), 0.1, list)
	}
	assert.False(t, c.held("places", "store"))
	assert.False(t, c.held("events", "war"))
}

// wordsOf are the texts of a list's tokens.
func wordsOf(c *textCorpus, list string) (out []string) {
	index := map[string]int{"years": 0, "names": 3, "parameters": 7}[list]
	for _, id := range c.lists[index] {
		out = append(out, c.tok.Token(id))
	}
	return out
}

// heldTokens are the tokens of the held-out words of a list.
func heldTokens(c *textCorpus, list string) map[int]bool {
	out := map[int]bool{}
	for _, w := range wordsOf(c, list) {
		if c.held(list, strings.TrimSpace(w)) {
			out[c.tok.Encode(w)[0]] = true
		}
	}
	return out
}

// Held-out words stand in no training prompt of the task that they are held out
// of, years as beginnings; in lists and among numbers they do.
func TestHeldOutWordsAreInNoPrompt(t *testing.T) {
	c := mixed(t)
	for source, list := range map[string]string{"ioi": "names", "docstring": "parameters", "greaterthan": "years"} {
		held := heldTokens(c, list)
		require.NotEmpty(t, held)
		for _, b := range chunksOf(c, source, 200) {
			for i, row := range b.Tokens { // of a year's prompt the answer is no token
				for at, id := range row {
					require.False(t, held[id] && (at > 0 || b.Weights[i][at] > 0), "%s: %q", source, c.tok.Decode(row))
				}
				if source != "greaterthan" {
					for at, id := range b.Targets[i] {
						require.False(t, held[id] && b.Weights[i][at] > 0)
					}
				}
			}
		}
		elsewhere := lists
		if list == "years" {
			elsewhere = numbers
		}
		seen := map[int]bool{}
		for _, b := range chunksOf(c, elsewhere, 400) {
			for _, row := range append(b.Tokens, b.Targets...) {
				for _, id := range row {
					seen[id] = true
				}
			}
		}
		for id := range held {
			assert.True(t, seen[id], "%q is in no text", c.tok.Token(id))
		}
	}
}

func TestTextChunks(t *testing.T) {
	c := mixed(t)
	bos, ok := c.tok.BOS()
	require.True(t, ok)
	for _, source := range []string{"ioi", "greaterthan", "docstring", lists, phrases, numbers} {
		begun := 0
		for _, b := range chunksOf(c, source, 50) {
			require.Len(t, b.Tokens, chunkSize)
			sum := 0.0
			for i, row := range b.Tokens {
				require.Len(t, row, len(b.Tokens[0]))
				require.Len(t, b.Targets[i], len(row))
				require.Len(t, b.Weights[i], len(row))
				assert.LessOrEqual(t, len(row), longestText)
				if row[0] == bos {
					begun++
				}
				last := 0
				for at, w := range b.Weights[i] {
					sum += float64(w)
					if w > 0 {
						last = at
					}
				}
				for at := range last { // what counts is what comes next
					assert.Equal(t, row[at+1], b.Targets[i][at])
				}
				answer, text := b.Targets[i][last], c.tok.Decode(row[:last+1])
				switch source {
				case "ioi":
					assert.Equal(t, 1, strings.Count(text, c.tok.Token(answer)), "the taker is named once: %q", text)
					assert.True(t, strings.HasSuffix(text, " to"))
				case "docstring":
					assert.True(t, strings.HasSuffix(text, "\n    :param"))
					assert.Contains(t, text[:strings.Index(text, ")")], c.tok.Token(answer))
				case "greaterthan":
					from := text[strings.Index(text, " year ")+len(" year ")+2:][:2]
					assert.Greater(t, c.tok.Token(answer), from)
				case numbers:
					assert.Greater(t, c.tok.Token(answer), c.tok.Token(row[last]))
				case phrases:
					n := 0
					for _, w := range b.Weights[i] {
						if w > 0 {
							n++
						}
					}
					n++ // the first word of the second time
					assert.LessOrEqual(t, n, mostPhrase)
					assert.Equal(t, row[last-n+1], answer)
				case lists:
					before := slices.Index(row, row[last])
					assert.Less(t, before, last)
					assert.Equal(t, answer, row[before+1])
				}
			}
			assert.InDelta(t, 1, sum, 1e-5)
		}
		assert.InDelta(t, 200, begun, 50, source)
	}
}

func TestTextDataRefuses(t *testing.T) {
	text := func(value string) []byte {
		return with(t, map[string]string{"data": `{"kind": "text", "text": ` + value + `}`, "model.d_vocab": "907", "model.d_vocab_out": "907", "model.n_ctx": "72"})
	}
	good := `{"shares": [{"source": "ioi", "turns": 1}], "prose": 0.1, "held_out": 5}`
	r, err := ParseRecipe(t.Context(), "r.json", text(good))
	require.NoError(t, err)
	run := begin(t, r, 1)
	require.NoError(t, run.Train(t.Context(), 0, func(Event) error { return nil }))
	m, err := run.Measure(t.Context(), 1)
	require.NoError(t, err)
	var names []string
	for _, x := range m {
		names = append(names, x.Name)
		assert.Less(t, x.Value, 0.7, "%s of a model that was hardly trained", x.Name)
	}
	assert.Equal(t, []string{"ioi abba: accuracy", "ioi mixed: accuracy", "greaterthan 01: accuracy", "greaterthan 01: probability of right answers",
		"docstring random_random: accuracy", "docstring mixed: accuracy"}, names)
	for value, want := range map[string]string{
		`{"prose": 0.1, "held_out": 5}`:                            `field "data.text.shares": expected at least one source, found none`,
		strings.Replace(good, "ioi", "poems", 1):                   `field "data.text.shares"[0]."source": expected one of ioi, greaterthan, docstring, lists, phrases, numbers, found "poems"`,
		strings.Replace(good, `s": 1`, `s": 0`, 1):                 `field "data.text.shares"[0]."turns": expected a whole number from 1 to 100, found 0`,
		strings.Replace(good, "0.1", "2", 1):                       `field "data.text.prose": expected a number from 0 to 1, found 2`,
		strings.Replace(good, `"held_out": 5`, `"held_out": 1`, 1): `field "data.text.held_out": expected a whole number from 2 to 100, found 1`,
		`null`: `field "data": expected the field "text" beside the kind, and no other kind's`,
	} {
		_, err := ParseRecipe(t.Context(), "r.json", text(value))
		assert.EqualError(t, err, "r.json: "+want)
	}
	_, err = ParseRecipe(t.Context(), "r.json", with(t, map[string]string{"data": `{"kind": "text", "text": ` + good + `}`}))
	assert.EqualError(t, err, `r.json: field "model.d_vocab": expected 907, the words of the tasks, found 20`)
	_, err = ParseRecipe(t.Context(), "r.json", with(t, map[string]string{"data": `{"kind": "text", "text": ` + good + `}`, "model.d_vocab": "907", "model.d_vocab_out": "907"}))
	assert.EqualError(t, err, `r.json: field "model.n_ctx": expected at least 72, the length of the longest prompt, found 14`)
}

// A saved text model has its tokenizer beside it.
func TestTextModelHasATokenizer(t *testing.T) {
	c := mixed(t)
	tok, err := tokenizer.Read(t.Context(), "x", c.tokenizer())
	require.NoError(t, err)
	for _, g := range task.Generators() {
		_, err := g.Pairs(t.Context(), task.Draw{Seed: 1, Examples: 5}, tok)
		assert.NoError(t, err, g.Name)
	}
}
