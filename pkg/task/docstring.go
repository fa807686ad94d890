package task

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// docstring is the next parameter of a function's documentation (Heimersheim
// and Janiak 2023): the text says which parameters have been described, and the
// next is the one that follows them in the definition.
var docstring = Generator{
	Name:        "docstring",
	Description: "name the parameter to describe next in a Python docstring (Heimersheim and Janiak 2023)",
	Model:       "attn-only-4l",
	Builtin:     "mini",
	Metric:      "kl_div",
	Threshold:   0.095,
	Ablation:    "resample",
	Examples:    50,
	BOS:         true,
	Variants: []Variant{
		{"random_random", "other parameters in the definition and others again in the text"},
		{"random_doc", "other parameters in the text"},
		{"random_def", "other parameters in the definition, but for the answer"},
		{"random_def_doc", "other parameters in the definition, but for the answer, and the same in the text"},
		{"random_answer", "another parameter in place of the answer"},
		{"random_answer_doc", "another parameter in place of the answer, and others in the text"},
		{"vary_length_doc_desc", "a word of one description moves to the other"},
		{"vary_length_doc_desc_random_doc", "a word of one description moves to the other, and other parameters in the text"},
		{docstringMixed, "any number of parameters and words, corrupted as random_random; prompts of several lengths"},
	},
	stream:  0xd0c57,
	prepare: prepareDocstring,
}

// script is a function and the beginning of its documentation.
type script struct {
	name    string
	summary []string
	before  []string   // parameters that are never described
	asked   []string   // parameters of which the text is about to name the last
	after   []string   // parameters after these
	told    []string   // parameters that the text names
	details [][]string // what the text says of each of them
}

// prompt is the source text up to where the next parameter is to be named.
func (s script) prompt() Prompt {
	var b strings.Builder
	parameters := slices.Concat(s.before, s.asked, s.after)
	fmt.Fprintf(&b, "\ndef %s(self, %s):\n    \"\"\"%s\n\n", s.name, strings.Join(parameters, ", "), strings.Join(s.summary, " "))
	for i, p := range s.told {
		fmt.Fprintf(&b, "    :param %s: %s\n", p, strings.Join(s.details[i], " "))
	}
	b.WriteString("    :param")
	return Prompt{Text: b.String()}
}

// spare is what a script can be corrupted with. All variants are corrupted
// from the same, so that they share their clean prompts.
type spare struct {
	answer     string   // in place of the last asked
	asked      []string // in place of all asked, and
	askedTold  []string // of all told at the same time
	told       []string // in place of all told
	longSecond bool     // which description is the longer one
}

// docstringMixed is the variant whose prompts have no one form.
const docstringMixed = "mixed"

// docstringWords draws names of parameters and words of descriptions, so many of
// each, no two the same.
func docstringWords(l lexicon, parameters, descriptions int) (func(*rand.Rand) (w, d []string), error) {
	names, err := l.words("parameters", parameters, " ")
	if err != nil {
		return nil, err
	}
	nouns, err := l.words("descriptions", descriptions, " ", "")
	return func(rng *rand.Rand) (w, d []string) {
		w = sample(rng, names, parameters)
		return w, sample(rng, nouns, descriptions)
	}, err
}

// prepareDocstring draws functions of six parameters after self, the fifth of
// which is the answer after the third and fourth have been told. No parameter
// has the name of another, of the function, or of one in a corruption.
func prepareDocstring(variant string, l lexicon) (func(*rand.Rand) Pair, error) {
	if variant == docstringMixed {
		return prepareMixedDocstring(l)
	}
	const drawn, described = 15, 7
	draw, err := docstringWords(l, drawn, described)
	if err != nil {
		return nil, err
	}
	return func(rng *rand.Rand) Pair {
		w, d := draw(rng)
		clean := script{
			name: w[0], summary: d[:3],
			before: w[1:3], asked: w[3:6], after: w[6:7],
			told: w[3:5], details: [][]string{d[3:5], d[5:7]},
		}
		x := spare{answer: w[7], asked: w[8:11], askedTold: w[11:13], told: w[13:15], longSecond: rng.IntN(2) == 1}
		answer := w[5]
		others := slices.DeleteFunc(slices.Clone(w[1:]), func(s string) bool { return s == answer })
		return Pair{
			Clean:   clean.prompt(),
			Corrupt: clean.corrupt(variant, x).prompt(),
			Correct: texts(" ", answer),
			Wrong:   texts(" ", others...),
		}
	}, nil
}

// corrupt returns the script with what the variant names replaced. Names are
// those of the reference.
func (s script) corrupt(variant string, x spare) script {
	last := len(s.asked) - 1
	if variant == "random_random" {
		s.asked, s.told = x.asked, x.askedTold
		return s
	}
	switch variant {
	case "random_def", "random_def_doc":
		s.asked = append(slices.Clone(x.told), s.asked[last])
	case "random_answer", "random_answer_doc":
		s.asked = append(slices.Clone(s.asked[:last]), x.answer)
	case "vary_length_doc_desc", "vary_length_doc_desc_random_doc":
		s.details = uneven(s.details, x.longSecond)
	}
	if strings.HasSuffix(variant, "_doc") {
		s.told = x.told
	}
	return s
}

// uneven moves the last word of one of two descriptions to the other.
func uneven(d [][]string, longSecond bool) [][]string {
	from, to := 1, 0
	if longSecond {
		from, to = 0, 1
	}
	out := slices.Clone(d)
	n := len(d[from]) - 1
	out[to] = append(slices.Clone(d[to]), d[from][n])
	out[from] = d[from][:n]
	return out
}
