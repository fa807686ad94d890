package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// table aligns rows of equally many cells, the first row being titles: columns
// of numbers to the right, others to the left. What a cell holds that a terminal
// would obey is left out. It is at most so many characters wide, 0 being no
// limit: a text in the last column is broken into lines, and where that does not
// do, each row becomes a block of lines, a cell on each behind its title.
func table(rows [][]string, limit int) string {
	width, isNumber := measureColumns(rows)
	last := len(width) - 1
	room := limit // for the last column
	for _, w := range width[:last] {
		room -= w + len(columnGap)
	}
	isBroken := limit > 0 && width[last] > room
	if isBroken && (isNumber[last] || room < max(narrowest, longestWord(rows, last))) {
		return inBlocks(rows, limit)
	}
	var b strings.Builder
	for _, r := range rows {
		texts := []string{r[last]}
		if isBroken {
			texts = folded(r[last], room)
		}
		for i, text := range texts {
			line := slices.Clone(r)
			if i > 0 {
				line = make([]string, len(r))
			}
			line[last] = text
			writeRow(&b, line, width, isNumber)
		}
	}
	return b.String()
}

// tables are several of them, with an empty line between.
func tables(list [][][]string, limit int) string {
	return strings.Join(names(list, func(rows [][]string) string { return table(rows, limit) }), "\n")
}

// longestWord is how long the longest word of a column is.
func longestWord(rows [][]string, column int) int {
	most := 0
	for _, r := range rows {
		for word := range strings.FieldsSeq(r[column]) {
			most = max(most, utf8.RuneCountInString(word))
		}
	}
	return most
}

// inBlocks writes each row behind the first as lines of titles and cells, with an
// empty line between rows. A cell without a title stands alone.
func inBlocks(rows [][]string, limit int) string {
	var out []string
	for _, r := range rows[1:] {
		var b strings.Builder
		pairs := make([][2]string, len(r))
		for c := range r {
			pairs[c] = [2]string{rows[0][c], r[c]}
		}
		if pairs[0][0] == "" {
			b.WriteString(pairs[0][1] + "\n")
			pairs = pairs[1:]
		}
		b.WriteString(pairLines(limit, pairs...))
		out = append(out, b.String())
	}
	return strings.Join(out, "\n")
}

const (
	columnGap = "  "
	narrowest = 10 // characters that are worth breaking a text for
)

// measureColumns returns the width of each column, and which are of numbers.
func measureColumns(rows [][]string) (width []int, isNumber []bool) {
	width, isNumber = make([]int, len(rows[0])), make([]bool, len(rows[0]))
	for c := range width {
		isNumber[c] = true
		for i, r := range rows {
			r[c] = oneline.Plain(r[c])
			width[c] = max(width[c], utf8.RuneCountInString(r[c]))
			_, err := strconv.ParseFloat(strings.ReplaceAll(r[c], ",", ""), 64)
			isNumber[c] = isNumber[c] && (i == 0 || err == nil)
		}
	}
	return width, isNumber
}

// writeRow writes one line of a table.
func writeRow(b *strings.Builder, cells []string, width []int, isNumber []bool) {
	last := len(cells) - 1
	for c, text := range cells {
		pad := strings.Repeat(" ", width[c]-utf8.RuneCountInString(text))
		switch {
		case isNumber[c]:
			b.WriteString(pad + text)
		case c < last:
			b.WriteString(text + pad)
		default:
			b.WriteString(text)
		}
		if c < last {
			b.WriteString(columnGap)
		}
	}
	b.WriteByte('\n')
}

// grouped writes a whole number with commas.
func grouped(n int) string {
	s := fmt.Sprint(n)
	var b strings.Builder
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 && s[i-1] != '-' {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}
