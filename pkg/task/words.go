package task

import (
	"embed"
	"fmt"
	"math/rand/v2"
	"strings"
)

// Encoder is what the text tasks ask of a tokenizer: the ids of a text, no
// start token before it.
type Encoder interface {
	Encode(text string) []int
}

// wordFiles are the word lists: lines that begin with # are remarks, all else
// is words between white space.
//
//go:embed words/*.txt
var wordFiles embed.FS

// wordList is the words of one list. It panics if there is no such list.
func wordList(name string) []string {
	text, err := wordFiles.ReadFile("words/" + name + ".txt")
	if err != nil {
		panic(fmt.Sprintf("task: word list %q: %v", name, err))
	}
	var words []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			words = append(words, strings.Fields(line)...)
		}
	}
	return words
}

// whole reports whether every one of the texts is a single token.
func whole(enc Encoder, texts ...string) bool {
	for _, s := range texts {
		if len(enc.Encode(s)) != 1 {
			return false
		}
	}
	return true
}

// lexicon is the words that a task draws from, for one tokenizer.
type lexicon struct {
	task string
	enc  Encoder
	keep Words
}

// Words says which words of a list a prompt may be made of; nil is all. The
// lists are those of the word files, and "years" from 02 to 98.
type Words func(list, word string) bool

// has reports whether a word may be used.
func (keep Words) has(list, word string) bool { return keep == nil || keep(list, word) }

// words are those of a list that are one token in every form that the prompt
// has them in, a space standing before a word or not. Fewer than least of them
// are an error.
func (l lexicon) words(list string, least int, before ...string) ([]string, error) {
	all := wordList(list)
	var out []string
	for _, w := range all {
		forms := make([]string, len(before))
		for i, b := range before {
			forms[i] = b + w
		}
		if l.keep.has(list, w) && whole(l.enc, forms...) {
			out = append(out, w)
		}
	}
	if len(out) < least {
		return nil, fmt.Errorf("%s: list %q: expected at least %d words of one token each, found %d of %d under this tokenizer",
			l.task, list, least, len(out), len(all))
	}
	return out, nil
}

// pick draws one of the words.
func pick(rng *rand.Rand, words []string) string { return words[rng.IntN(len(words))] }

// sample draws n different words, in the order drawn. There must be as many.
func sample(rng *rand.Rand, words []string, n int) []string {
	out := make([]string, 0, n)
	taken := make(map[int]bool, n)
	for len(out) < n {
		i := rng.IntN(len(words))
		if !taken[i] {
			taken[i] = true
			out = append(out, words[i])
		}
	}
	return out
}
