package study

import "github.com/seed-2c350065/acdc/pkg/task"

// Spelled are tokens and their texts.
type Spelled struct {
	IDs   []int    `json:"ids"`
	Texts []string `json:"texts,omitempty"` // none without a tokenizer
}

// ShownPair is a pair of prompts.
type ShownPair struct {
	Prompt  int      `json:"prompt"` // from 1
	Padding int      `json:"padding"`
	Clean   Spelled  `json:"clean"` // without padding
	Corrupt *Spelled `json:"corrupt,omitempty"`
	Differ  []int    `json:"differ"`            // positions, from 0, without padding
	Counted []int    `json:"counted,omitempty"` // positions that the metric counts, if the data say so
	Correct *Spelled `json:"correct,omitempty"`
	Wrong   *Spelled `json:"wrong,omitempty"`
}

// Shown is what acdc data show prints.
type Shown struct {
	Source  string      `json:"source"`
	Prompts int         `json:"prompts"`
	Tokens  [2]int      `json:"tokens"`        // of the shortest and the longest prompt
	BOS     string      `json:"bos,omitempty"` // the token that all prompts begin with, if it is the one for that
	Corrupt bool        `json:"corrupt"`
	Differ  []int       `json:"differ"` // positions in which any pair differs
	Pairs   []ShownPair `json:"pairs"`

	Named bool `json:"-"` // tokens have texts
}

// Show sums up all prompts.
func Show(d task.Data, tok task.Tokenizer) *Shown {
	longest := len(d.Clean[0])
	s := &Shown{Prompts: len(d.Clean), Tokens: [2]int{longest, 0}, Corrupt: d.Corrupt != nil, Differ: []int{}, Named: tok != nil}
	bos, begins := -1, tok != nil
	if begins {
		bos, begins = tok.BOS()
	}
	differ := make([]bool, longest)
	for i, row := range d.Clean {
		pad := Padding(d, i)
		s.Tokens[0], s.Tokens[1] = min(s.Tokens[0], len(row)-pad), max(s.Tokens[1], len(row)-pad)
		begins = begins && row[pad] == bos
		for _, t := range differing(d, i) {
			differ[t] = true
		}
	}
	for t, yes := range differ {
		if yes {
			s.Differ = append(s.Differ, t)
		}
	}
	if begins {
		s.BOS = tok.Token(bos)
	}
	return s
}

// Padding is how many tokens of padding stand before a prompt.
func Padding(d task.Data, i int) int {
	if d.Pad == nil {
		return 0
	}
	return d.Pad[i]
}

// differing lists the positions in which a pair differs, without padding.
func differing(d task.Data, i int) []int {
	out := []int{}
	if d.Corrupt == nil {
		return out
	}
	pad := Padding(d, i)
	for t, id := range d.Clean[i][pad:] {
		if id != d.Corrupt[i][pad+t] {
			out = append(out, t)
		}
	}
	return out
}

// PairOf spells one pair.
func PairOf(d task.Data, tok task.Tokenizer, i int) ShownPair {
	spelled := func(ids []int) Spelled {
		if tok == nil {
			return Spelled{IDs: ids}
		}
		return Spelled{IDs: ids, Texts: task.Spell(tok, ids)}
	}
	pad := Padding(d, i)
	p := ShownPair{Prompt: i + 1, Padding: pad, Clean: spelled(d.Clean[i][pad:]), Differ: differing(d, i)}
	if d.Corrupt != nil {
		corrupt := spelled(d.Corrupt[i][pad:])
		p.Corrupt = &corrupt
	}
	if d.Correct != nil {
		correct := spelled(d.Correct[i])
		p.Correct = &correct
	}
	if d.Wrong != nil {
		wrong := spelled(d.Wrong[i])
		p.Wrong = &wrong
	}
	if d.Mask != nil {
		for t, yes := range d.Mask[i][pad:] {
			if yes {
				p.Counted = append(p.Counted, t)
			}
		}
	}
	return p
}
