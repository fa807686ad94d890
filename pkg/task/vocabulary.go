package task

import (
	"fmt"
	"strings"
)

// lists are the word lists with the forms that prompts have their words in: a
// space standing before a word or not.
var lists = []struct {
	name   string
	before []string
}{
	{"names", []string{" "}}, {"places", []string{" "}}, {"objects", []string{" "}}, {"events", []string{" "}},
	{"parameters", []string{" "}}, {"descriptions", []string{" ", ""}},
}

// Vocabulary lists texts that between them have every word and mark of the text
// tasks' prompts and answers, list by list: what a vocabulary for them must
// have.
func Vocabulary() [][]string {
	var years, centuries []string
	for n := range 100 {
		years = append(years, two(n))
	}
	for c := firstCentury; c <= lastCentury; c++ {
		centuries = append(centuries, fmt.Sprintf(" %d", c))
	}
	w, d := wordList("parameters"), wordList("descriptions")[:1]
	code := script{name: w[0], summary: d, asked: w[1:3], told: w[1:2], details: [][]string{d}}
	frames := append(ioiTemplates(), greaterThanForm, code.prompt().Text)
	for i, f := range frames {
		frames[i] = strings.NewReplacer(" {1}", "", " {2}", "", " {S}", "", " {place}", "", " {object}", "", " %s", "", "%s", "", " %d", "").Replace(f)
	}
	out := [][]string{years, centuries, frames}
	for _, l := range lists {
		var words []string
		for _, before := range l.before {
			for _, w := range wordList(l.name) {
				words = append(words, before+w)
			}
		}
		out = append(out, words)
	}
	return out
}
