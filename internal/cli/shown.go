package cli

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed-2c350065/acdc/pkg/task"
)

// shownTokens are tokens and their texts.
type shownTokens struct {
	IDs   []int    `json:"ids"`
	Texts []string `json:"texts,omitempty"` // none without a tokenizer
}

// shownPair is a pair of prompts.
type shownPair struct {
	Prompt  int          `json:"prompt"` // from 1
	Padding int          `json:"padding"`
	Clean   shownTokens  `json:"clean"` // without padding
	Corrupt *shownTokens `json:"corrupt,omitempty"`
	Differ  []int        `json:"differ"`            // positions, from 0, without padding
	Counted []int        `json:"counted,omitempty"` // positions that the metric counts, if the data say so
	Correct *shownTokens `json:"correct,omitempty"`
	Wrong   *shownTokens `json:"wrong,omitempty"`
}

// shownData is what acdc data show prints.
type shownData struct {
	Source  string      `json:"source"`
	Prompts int         `json:"prompts"`
	Tokens  [2]int      `json:"tokens"`        // of the shortest and the longest prompt
	BOS     string      `json:"bos,omitempty"` // the token that all prompts begin with, if it is the one for that
	Corrupt bool        `json:"corrupt"`
	Differ  []int       `json:"differ"` // positions in which any pair differs
	Pairs   []shownPair `json:"pairs"`

	named bool // tokens have texts
}

// summed sums up all prompts.
func summed(d task.Data, tok task.Tokenizer) *shownData {
	longest := len(d.Clean[0])
	s := &shownData{Prompts: len(d.Clean), Tokens: [2]int{longest, 0}, Corrupt: d.Corrupt != nil, Differ: []int{}, named: tok != nil}
	bos, begins := -1, tok != nil
	if begins {
		bos, begins = tok.BOS()
	}
	differ := make([]bool, longest)
	for i, row := range d.Clean {
		pad := padding(d, i)
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

// padding is how many tokens of padding stand before a prompt.
func padding(d task.Data, i int) int {
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
	pad := padding(d, i)
	for t, id := range d.Clean[i][pad:] {
		if id != d.Corrupt[i][pad+t] {
			out = append(out, t)
		}
	}
	return out
}

// pairOf spells one pair.
func pairOf(d task.Data, tok task.Tokenizer, i int) shownPair {
	spelled := func(ids []int) shownTokens {
		if tok == nil {
			return shownTokens{IDs: ids}
		}
		return shownTokens{IDs: ids, Texts: task.Spell(tok, ids)}
	}
	pad := padding(d, i)
	p := shownPair{Prompt: i + 1, Padding: pad, Clean: spelled(d.Clean[i][pad:]), Differ: differing(d, i)}
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

// text is what people read, in lines at most so many characters wide, 0 being no
// limit. What differs goes through mark.
func (s *shownData) text(mark func(string) string, width int) string {
	var b bytes.Buffer
	for _, p := range s.Pairs {
		b.WriteString(hanging("", fmt.Sprintf("prompt %d of %d: %s", p.Prompt, s.Prompts, p.heading()), width))
		p.writeTokens(&b, mark, width)
		if len(p.Counted) > 0 {
			b.WriteString(hanging("  counted  ", ranges(p.Counted), width))
		}
		for _, a := range []struct {
			name string
			list *shownTokens
		}{{"correct", p.Correct}, {"wrong  ", p.Wrong}} {
			if a.list != nil {
				a.list.writeAnswers(&b, "  "+a.name+"  ", width)
			}
		}
		b.WriteByte('\n')
	}
	return b.String() + hanging("", s.summary(), width)
}

func (p *shownPair) heading() string {
	text := counted(len(p.Clean.IDs), "token")
	if p.Padding > 0 {
		text += fmt.Sprintf(" after %d of padding", p.Padding)
	}
	if p.Corrupt != nil {
		text += fmt.Sprintf(", %d differ", len(p.Differ))
	}
	return text
}

// summary is the line about all prompts.
func (s *shownData) summary() string {
	text := fmt.Sprintf("%s of %s", counted(s.Prompts, "prompt"), counted(s.Tokens[1], "token"))
	if s.Tokens[0] != s.Tokens[1] {
		text = fmt.Sprintf("%s of %d to %d tokens, padded on the left", counted(s.Prompts, "prompt"), s.Tokens[0], s.Tokens[1])
	}
	switch {
	case s.BOS != "":
		text += ", beginning with " + s.BOS
	case s.named:
		text += ", without BOS"
	}
	switch {
	case !s.Corrupt:
		return text + "; no corrupt prompts"
	case len(s.Differ) == 0:
		return text + "; clean and corrupt are the same"
	}
	return text + "; clean and corrupt differ at " + ranges(s.Differ)
}

// counted is a number of things.
func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return grouped(n) + " " + thing
}

// ranges writes ascending numbers, neighbours together: 2, 4-6.
func ranges(list []int) string {
	var parts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		part := strconv.Itoa(list[i])
		if j > i {
			part += "-" + strconv.Itoa(list[j])
		}
		parts = append(parts, part)
		i = j + 1
	}
	return strings.Join(parts, ", ")
}

// shownAnswers is how many of many answers are shown.
const shownAnswers = 5

// writeAnswers lists the first few answers and says how many there are.
func (l *shownTokens) writeAnswers(b *bytes.Buffer, lead string, width int) {
	shown := slices.Clone(l.words()[:min(len(l.IDs), shownAnswers)])
	if l.Texts != nil {
		for i, s := range shown {
			shown[i] = `"` + s + `"`
		}
	}
	if n := len(l.IDs) - len(shown); n > 0 {
		shown = append(shown, "and", strconv.Itoa(n), "more")
	}
	if len(shown) == 0 {
		shown = []string{"none"}
	}
	room := math.MaxInt
	if width > 0 {
		room = width - len(lead)
	}
	b.WriteString(lead + strings.Join(foldedWords(shown, room), "\n"+strings.Repeat(" ", len(lead))) + "\n")
}

// words are the texts of tokens, or their numbers.
func (l *shownTokens) words() []string {
	if l.Texts != nil {
		return l.Texts
	}
	return task.Spell(nil, l.IDs)
}

// shownWidth is how long lines of tokens may become where no width is given.
const shownWidth = 100

// shownLead is what stands before them.
const shownLead = "  corrupt  "

// writeTokens writes the prompts below each other, token by token, in as many
// blocks of lines as they need, with ^ under what differs.
func (p *shownPair) writeTokens(b *bytes.Buffer, mark func(string) string, limit int) {
	room := shownWidth
	if limit > 0 {
		room = min(room, limit-len(shownLead))
	}
	rows := [][]string{p.Clean.words()}
	if p.Corrupt != nil {
		rows = append(rows, p.Corrupt.words())
	}
	differs := make([]bool, len(rows[0]))
	for _, t := range p.Differ {
		differs[t] = true
	}
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for t, s := range row {
			width[t] = max(width[t], utf8.RuneCountInString(s))
		}
	}
	for lo := 0; lo < len(width); {
		hi, total := lo+1, width[lo]
		for hi < len(width) && total+1+width[hi] <= room {
			total += 1 + width[hi]
			hi++
		}
		for r, row := range rows {
			fmt.Fprintf(b, "  %s  %s\n", [2]string{"clean  ", "corrupt"}[r], cells(row[lo:hi], width[lo:hi], differs[lo:hi], mark))
		}
		if under := carets(width[lo:hi], differs[lo:hi]); under != "" {
			fmt.Fprintf(b, "           %s\n", under)
		}
		lo = hi
	}
}

// cells joins tokens with a bar, each as wide as its column.
func cells(row []string, width []int, differs []bool, mark func(string) string) string {
	var b strings.Builder
	for t, s := range row {
		pad := strings.Repeat(" ", width[t]-utf8.RuneCountInString(s))
		if differs[t] {
			s = mark(s)
		}
		b.WriteString(s)
		if t < len(row)-1 {
			b.WriteString(pad + "|")
		}
	}
	return b.String()
}

// carets marks the columns that differ, empty if none does.
func carets(width []int, differs []bool) string {
	var b strings.Builder
	for t, w := range width {
		b.WriteString(strings.Repeat(map[bool]string{true: "^", false: " "}[differs[t]], w) + " ")
	}
	return strings.TrimRight(b.String(), " ")
}
