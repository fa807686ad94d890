package task

import "cmp"

// Prompt is a text, or the token ids that stand for one.
type Prompt struct {
	Text string
	IDs  []int // taken as they are where not nil; Text is then empty
}

// Pair is a clean and a corrupt prompt that differ in what decides the answer.
type Pair struct {
	Clean   Prompt
	Corrupt Prompt   // of as many tokens as Clean; the zero Prompt where there is none
	Correct []Prompt // tokens that should come next, each a single token; any of them counts as right
	Wrong   []Prompt // tokens that should not come next
	Called  Called   // what the source calls them
}

// Called is what a source calls right and wrong answers, for errors; empty where
// it has no name for them.
type Called struct{ Correct, Wrong string }

func (c Called) correct() string { return cmp.Or(c.Correct, "correct") }

func (c Called) wrong() string { return cmp.Or(c.Wrong, "wrong") }

// IsZero reports whether there is no prompt.
func (p Prompt) IsZero() bool { return p.Text == "" && p.IDs == nil }
