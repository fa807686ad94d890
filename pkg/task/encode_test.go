package task

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakeWords is a tokenizer of words with the space before them, six letters at
// most, and of pairs of digits. It numbers tokens as it meets them; token 0 is
// the beginning.
type fakeWords struct {
	list  []string
	ids   map[string]int
	noBOS bool
}

func newFakeWords() *fakeWords {
	return &fakeWords{list: []string{"<s>"}, ids: map[string]int{"<s>": 0}}
}

var wordPattern = regexp.MustCompile(`<s>| ?\pL{1,6}|[0-9]{1,2}|(?s:.)`)

func (w *fakeWords) Encode(text string) []int {
	var out []int
	for _, s := range wordPattern.FindAllString(text, -1) {
		if _, ok := w.ids[s]; !ok {
			w.ids[s] = len(w.list)
			w.list = append(w.list, s)
		}
		out = append(out, w.ids[s])
	}
	return out
}

func (w *fakeWords) Decode(ids []int) string {
	var b strings.Builder
	for _, id := range ids {
		b.WriteString(w.Token(id))
	}
	return b.String()
}

func (w *fakeWords) Token(id int) string {
	if id < 0 || id >= len(w.list) {
		return fmt.Sprintf("[%d]", id)
	}
	return w.list[id]
}

func (w *fakeWords) Vocab() int { return len(w.list) }

func (w *fakeWords) BOS() (int, bool) { return 0, !w.noBOS }

func TestEncode(t *testing.T) {
	tok := newFakeWords()
	pairs := []Pair{
		{Clean: asText("Ann met Bob"), Corrupt: asText("Ann met Cy"), Correct: asTexts(" Bob", " Cy"), Wrong: asTexts(" Ann")},
		{Clean: asText("Bob met Bob"), Corrupt: asText("Ann met Bob"), Correct: asTexts(" Cy"), Wrong: asTexts(" Bob", " Cy")},
	}
	d, err := Encode(t.Context(), pairs, tok, EncodeOptions{})
	require.NoError(t, err)
	require.NoError(t, d.Check())
	assert.Equal(t, Data{
		Clean:   [][]int{{1, 2, 3}, {6, 2, 3}},
		Corrupt: [][]int{{1, 2, 4}, {1, 2, 3}},
		Correct: [][]int{{3, 4}, {4}},
		Wrong:   [][]int{{5}, {3, 4}},
	}, d)
	assert.Equal(t, "Bob met Bob", tok.Decode(d.Clean[1]))
}

func TestEncodeBOS(t *testing.T) {
	pairs := []Pair{
		{Clean: asText("Ann met"), Corrupt: asText("<s>Bob met")},
		{Clean: asIDs(5, 6), Corrupt: asIDs(0, 7, 8)},
	}
	d, err := Encode(t.Context(), pairs, newFakeWords(), EncodeOptions{BOS: true})
	require.NoError(t, err)
	assert.Equal(t, Data{Clean: [][]int{{0, 1, 2}, {0, 5, 6}}, Corrupt: [][]int{{0, 3, 2}, {0, 7, 8}}}, d)
	_, err = Encode(t.Context(), pairs, nil, EncodeOptions{BOS: true, Name: "d.json"})
	assert.EqualError(t, err, "d.json: expected a tokenizer that knows the token for the beginning, found no tokenizer")
	_, err = Encode(t.Context(), pairs, &fakeWords{noBOS: true}, EncodeOptions{BOS: true})
	assert.EqualError(t, err, "expected a tokenizer with a token for the beginning (BOS), found one without")
}

func TestEncodePadsLeft(t *testing.T) {
	own := []int{9, 8, 7, 6}
	d, err := Encode(t.Context(), []Pair{
		{Clean: asIDs(1), Corrupt: asIDs(2), Correct: []Prompt{asIDs(3)}},
		{Clean: asIDs(own...), Corrupt: asIDs(5, 5, 5, 5)},
		{Clean: asIDs(1, 2, 3), Corrupt: asIDs(3, 2, 1), Correct: []Prompt{asIDs(3)}},
	}, nil, EncodeOptions{})
	require.NoError(t, err)
	require.NoError(t, d.Check())
	assert.Equal(t, Data{
		Clean:   [][]int{{0, 0, 0, 1}, {9, 8, 7, 6}, {0, 1, 2, 3}},
		Corrupt: [][]int{{0, 0, 0, 2}, {5, 5, 5, 5}, {0, 3, 2, 1}},
		Correct: [][]int{{3}, {}, {3}},
		Pad:     []int{3, 0, 1},
	}, d)
	d.Clean[1][0] = 0
	assert.Equal(t, []int{9, 8, 7, 6}, own, "the caller's own tokens are left alone")
}

// Without corrupt prompts there is only zero and mean ablation.
func TestEncodeWithoutCorrupt(t *testing.T) {
	d, err := Encode(t.Context(), []Pair{{Clean: asIDs(1, 2)}, {Clean: asIDs(3)}}, nil, EncodeOptions{})
	require.NoError(t, err)
	assert.Equal(t, Data{Clean: [][]int{{1, 2}, {0, 3}}, Pad: []int{0, 1}}, d)
	require.NoError(t, d.Check())
}

func TestEncodeErrors(t *testing.T) {
	for _, c := range []struct {
		pairs []Pair
		want  string
	}{
		{nil, `expected at least one prompt, found none`},
		{[]Pair{{}}, `prompt 1: "clean": expected a text or token numbers, found neither`},
		{[]Pair{{Clean: Prompt{IDs: []int{}}}}, `prompt 1: "clean": expected at least one token, found none`},
		{[]Pair{{Clean: asIDs(1), Corrupt: Prompt{IDs: []int{}}}}, `prompt 1: "corrupt": expected at least one token, found none`},
		{[]Pair{{Clean: asIDs(1), Corrupt: asIDs(2)}, {Clean: asIDs(1)}}, `prompt 2: "corrupt": expected one in all pairs or in none, found prompt 1 to differ`},
		{[]Pair{{Clean: asIDs(1)}, {Clean: asIDs(1), Corrupt: asIDs(2)}}, `prompt 2: "corrupt": expected one in all pairs or in none, found prompt 1 to differ`},
		{[]Pair{{Clean: asText("The war\nlasted"), Corrupt: asText("The wartime\n\nlasted")}},
			`prompt 1: "clean" and "corrupt": expected as many tokens, found 4 and 6: The| war|\n|lasted / The| wartim|e|\n|\n|lasted`},
		{[]Pair{{Clean: asIDs(1, 2), Corrupt: asIDs(70000)}}, `prompt 1: "clean" and "corrupt": expected as many tokens, found 2 and 1: [1]|[2] / [70000]`},
		{[]Pair{{Clean: asText("a"), Correct: asTexts(" Bob", " Oslo", " Hyattsville")}},
			`prompt 1: "correct": expected answers of a single token, found " Hyattsville" of 2:  Hyatts|ville`},
		{[]Pair{{Clean: asText("a"), Wrong: []Prompt{asIDs(8, 9)}}}, `prompt 1: "wrong": expected answers of a single token, found one of 2: [8]|[9]`},
		{[]Pair{{Clean: asText("a"), Wrong: []Prompt{{}}}}, `prompt 1: "wrong": expected answers of a single token, found one of none`},
	} {
		_, err := Encode(t.Context(), c.pairs, newFakeWords(), EncodeOptions{Name: "d"})
		if assert.Error(t, err, c.want) {
			assert.Contains(t, err.Error(), "d: "+c.want)
			assert.NotContains(t, err.Error(), "\n")
		}
	}
	_, err := Encode(t.Context(), []Pair{{Clean: asIDs(1), Correct: asTexts(" Bob")}}, nil, EncodeOptions{})
	assert.EqualError(t, err, `prompt 1: "correct": expected token numbers, since there is no tokenizer, found the text " Bob"`)
	_, err = Encode(t.Context(), []Pair{{Clean: asIDs(1, 2), Corrupt: asIDs(3)}}, nil, EncodeOptions{})
	assert.EqualError(t, err, `prompt 1: "clean" and "corrupt": expected as many tokens, found 2 and 1: 1|2 / 3`)
}

// Of long prompts an error shows where they begin to differ.
func TestEncodeErrorOfLongPrompts(t *testing.T) {
	var clean []int
	for i := range 100 {
		clean = append(clean, i)
	}
	_, err := Encode(t.Context(), []Pair{{Clean: asIDs(clean...), Corrupt: asIDs(slices.Insert(slices.Clone(clean), 50, 500)...)}}, nil, EncodeOptions{})
	numbers := func(lo, hi int) string { return strings.Join(Spell(nil, clean[lo:hi]), "|") }
	assert.EqualError(t, err, `prompt 1: "clean" and "corrupt": expected as many tokens, found 100 and 101: `+
		"…|"+numbers(30, 90)+"|… / …|"+numbers(30, 50)+"|500|"+numbers(50, 89)+"|…")
}

// One long prompt among many short ones must not fill the memory.
func TestEncodeBoundsPadding(t *testing.T) {
	pairs := slices.Repeat([]Pair{{Clean: asIDs(1)}}, 2049)
	pairs[7].Clean.IDs = make([]int, maxTokens/2048)
	_, err := Encode(t.Context(), pairs, nil, EncodeOptions{Name: "d"})
	assert.EqualError(t, err, "d: expected at most 268435456 tokens with padding, found 2049 prompts of up to 131072 tokens")
}

func TestSpell(t *testing.T) {
	tok := newFakeWords()
	given := []string{"a", " b", " ", "  ", "\n", "\t", "é", "\u200b", "\x00", "\xe2", "\ufffd", `\`, "日", "c d", "\n  "}
	tok.list = append(tok.list[:1], given...)
	ids := make([]int, len(given))
	for i := range ids {
		ids[i] = i + 1
	}
	assert.Equal(t, []string{"a", " b", "·", "··", `\n`, `\t`, "é", `\u200b`, `\x00`, `\xe2`, "\ufffd", `\`, "日", "c·d", `\n··`}, Spell(tok, ids))
	assert.Equal(t, []string{"5", "-1"}, Spell(nil, []int{5, -1}))
}

// Whatever the texts, encoding gives consistent data that spell the texts, or
// an error of one line.
func FuzzEncode(f *testing.F) {
	f.Add("Ann met Bob", "Ann met Cy", " Bob", true)
	f.Add("The capital of Peru is", "Chad", "\n", false)
	f.Add("<s>", "<s><s>", "", true)
	f.Add("1732 to 17", "\xff\xfe", "45", false)
	f.Fuzz(func(t *testing.T, a, b, answer string, bos bool) {
		if !utf8.ValidString(a + b + answer) {
			return
		}
		tok := newFakeWords()
		pairs := []Pair{
			{Clean: asText(a), Corrupt: asText(a), Correct: asTexts(answer)},
			{Clean: asText(b), Corrupt: asText(b), Wrong: asTexts(answer)},
			{Clean: asText(a), Corrupt: asText(b)},
		}
		_, err := Encode(t.Context(), pairs, tok, EncodeOptions{Name: "d", BOS: bos})
		if err != nil {
			require.True(t, strings.HasPrefix(err.Error(), "d: prompt "), err)
			require.NotContains(t, err.Error(), "\n")
		}
		d, err := Encode(t.Context(), []Pair{{Clean: asText(a)}, {Clean: asText(b)}}, tok, EncodeOptions{BOS: bos})
		if a == "" || b == "" {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		require.NoError(t, d.Check())
		for i, want := range []string{a, b} {
			pad := 0
			if d.Pad != nil {
				pad = d.Pad[i]
			}
			got := tok.Decode(d.Clean[i][pad:])
			if bos && !strings.HasPrefix(want, "<s>") {
				want = "<s>" + want
			}
			require.Equal(t, want, got)
			require.Equal(t, make([]int, pad), d.Clean[i][:pad])
		}
	})
}
