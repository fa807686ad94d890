package cli

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/task"
)

// shownText is what people read, in lines at most so many characters wide, 0 being no
// limit. What differs goes through mark.
func shownText(s *study.Shown, mark func(string) string, width int) string {
	var b bytes.Buffer
	for _, p := range s.Pairs {
		b.WriteString(hanging("", fmt.Sprintf("prompt %d of %d: %s", p.Prompt, s.Prompts, pairHeading(p)), width))
		writePair(p, &b, mark, width)
		if len(p.Counted) > 0 {
			b.WriteString(hanging("  counted  ", ranges(p.Counted), width))
		}
		for _, a := range []struct {
			name string
			list *study.Spelled
		}{{"correct", p.Correct}, {"wrong  ", p.Wrong}} {
			if a.list != nil {
				writeAnswers(a.list, &b, "  "+a.name+"  ", width)
			}
		}
		b.WriteByte('\n')
	}
	return b.String() + hanging("", shownSummary(s), width)
}

func pairHeading(p study.ShownPair) string {
	text := counted(len(p.Clean.IDs), "token")
	if p.Padding > 0 {
		text += fmt.Sprintf(" after %d of padding", p.Padding)
	}
	if p.Corrupt != nil {
		text += fmt.Sprintf(", %d differ", len(p.Differ))
	}
	return text
}

// shownSummary is the line about all prompts.
func shownSummary(s *study.Shown) string {
	text := fmt.Sprintf("%s of %s", counted(s.Prompts, "prompt"), counted(s.Tokens[1], "token"))
	if s.Tokens[0] != s.Tokens[1] {
		text = fmt.Sprintf("%s of %d to %d tokens, padded on the left", counted(s.Prompts, "prompt"), s.Tokens[0], s.Tokens[1])
	}
	switch {
	case s.BOS != "":
		text += ", beginning with " + s.BOS
	case s.Named:
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
func ranges(list []int) string { return oneline.Ranges(list, ", ") }

// shownAnswers is how many of many answers are shown.
const shownAnswers = 5

// writeAnswers lists the first few answers and says how many there are.
func writeAnswers(l *study.Spelled, b *bytes.Buffer, lead string, width int) {
	shown := slices.Clone(words(l)[:min(len(l.IDs), shownAnswers)])
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
func words(l *study.Spelled) []string {
	if l.Texts != nil {
		return l.Texts
	}
	return task.Spell(nil, l.IDs)
}

// shownWidth is how long lines of tokens may become where no width is given.
const shownWidth = 100

// shownLead is what stands before them.
const shownLead = "  corrupt  "

// writePair writes the prompts below each other, token by token, in as many
// blocks of lines as they need, with ^ under what differs.
func writePair(p study.ShownPair, b *bytes.Buffer, mark func(string) string, limit int) {
	room := shownWidth
	if limit > 0 {
		room = min(room, limit-len(shownLead))
	}
	rows := [][]string{words(&p.Clean)}
	if p.Corrupt != nil {
		rows = append(rows, words(p.Corrupt))
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
