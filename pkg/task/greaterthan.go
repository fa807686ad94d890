package task

import (
	"fmt"
	"math/rand/v2"
)

// greaterThan is the end of a span of years (Hanna et al. 2023,
// arXiv:2305.00586): it must be later than the beginning.
var greaterThan = Generator{
	Name:        "greaterthan",
	Description: "end a span of years: The war lasted from the year 1741 to 17 -> 42 or more (Hanna et al. 2023)",
	Model:       "gpt2",
	Builtin:     "mini",
	Metric:      "kl_div",
	Threshold:   0.0251,
	Ablation:    "resample",
	Examples:    100,
	Variants:    []Variant{{"01", "the corrupt prompt begins in the year 01, after which every end is later"}},
	stream:      0x67743e,
	prepare:     prepareGreaterThan,
}

// The centuries and the years within them that prompts begin in, as in the
// reference. 02 to 98 leave both right and wrong answers.
const (
	firstCentury, lastCentury = 11, 17
	firstYear, lastYear       = 2, 98
)

// greaterThanForm is a prompt of an event, a century and a year, and the century
// again.
const greaterThanForm = "The %s lasted from the year %d%s to %d"

// yearSpan is where a span of years begins.
type yearSpan struct{ century, year int }

// two writes a number in two digits.
func two(n int) string { return fmt.Sprintf("%02d", n) }

// prepareGreaterThan draws prompts that begin in the years of which a
// tokenizer makes two tokens, the century and the year.
func prepareGreaterThan(_ string, l lexicon) (func(*rand.Rand) Pair, error) {
	for n := range 100 {
		if found := len(l.enc.Encode(two(n))); found != 1 {
			return nil, fmt.Errorf("greaterthan: answer %q: expected one token, found %d under this tokenizer", two(n), found)
		}
	}
	events, err := l.words("events", 1, " ")
	if err != nil {
		return nil, err
	}
	spans := yearSpans(l)
	if len(spans) == 0 {
		return nil, fmt.Errorf("greaterthan: expected years of two tokens, such as %q, found none under this tokenizer", " 1741")
	}
	return func(rng *rand.Rand) Pair {
		event, s := pick(rng, events), spans[rng.IntN(len(spans))]
		say := func(year int) Prompt {
			return Prompt{Text: fmt.Sprintf(greaterThanForm, event, s.century, two(year), s.century)}
		}
		p := Pair{Clean: say(s.year), Corrupt: say(1)}
		for n := range 100 {
			if n > s.year {
				p.Correct = append(p.Correct, Prompt{Text: two(n)})
			} else {
				p.Wrong = append(p.Wrong, Prompt{Text: two(n)})
			}
		}
		return p
	}, nil
}

// yearSpans lists the years that are two tokens, in centuries whose year 01 is
// as well.
func yearSpans(l lexicon) []yearSpan {
	var out []yearSpan
	for c := firstCentury; c <= lastCentury; c++ {
		if !splits(l.enc, c, 1) {
			continue
		}
		for y := firstYear; y <= lastYear; y++ {
			if l.keep.has("years", two(y)) && splits(l.enc, c, y) {
				out = append(out, yearSpan{c, y})
			}
		}
	}
	return out
}

// splits reports whether a year is the token of its century and the token of
// the year within.
func splits(enc Encoder, century, year int) bool {
	c, y := enc.Encode(fmt.Sprintf(" %d", century)), enc.Encode(two(year))
	both := enc.Encode(fmt.Sprintf(" %d%s", century, two(year)))
	return len(c) == 1 && len(y) == 1 && len(both) == 2 && both[0] == c[0] && both[1] == y[0]
}
