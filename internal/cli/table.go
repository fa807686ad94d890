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
// would obey is left out.
func table(rows [][]string) string { return tableWithin(rows, 0) }

// tableWithin is a table at most so many characters wide, if the last column,
// when it is a text, can be broken into lines that narrow; 0 is no limit.
func tableWithin(rows [][]string, limit int) string {
	width, isNumber := measureColumns(rows)
	last := len(width) - 1
	room := 0 // for the last column
	if limit > 0 && !isNumber[last] {
		room = limit
		for _, w := range width[:last] {
			room -= w + len(columnGap)
		}
	}
	var b strings.Builder
	for _, r := range rows {
		texts := []string{r[last]}
		if room >= narrowest {
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
