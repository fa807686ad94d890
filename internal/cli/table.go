package cli

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// table aligns rows of equally many cells, the first row being titles: columns
// of numbers to the right, others to the left. What a cell holds that a terminal
// would obey is left out.
func table(rows [][]string) string {
	for _, r := range rows {
		for c := range r {
			r[c] = oneline.Plain(r[c])
		}
	}
	last := len(rows[0]) - 1
	width, isNumber := make([]int, last+1), make([]bool, last+1)
	for c := range width {
		isNumber[c] = true
		for i, r := range rows {
			width[c] = max(width[c], utf8.RuneCountInString(r[c]))
			_, err := strconv.ParseFloat(strings.ReplaceAll(r[c], ",", ""), 64)
			isNumber[c] = isNumber[c] && (i == 0 || err == nil)
		}
	}
	var b strings.Builder
	for _, r := range rows {
		for c, text := range r {
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
				b.WriteString("  ")
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
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
