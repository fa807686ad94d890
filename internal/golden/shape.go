package golden

import (
	"strings"
	"unicode"
)

// Shape is a text in which letters and digits are all one letter, and what
// stands twice in a row stands once: writers that treat letters alike need not be
// tried on two texts of one shape, where trying takes milliseconds.
func Shape(s string) string {
	var b strings.Builder
	last := rune(-1)
	for _, r := range s {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			r = 'a'
		}
		if r != last {
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}
