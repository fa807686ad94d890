package view

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Origin is the command line, word by word, that has the circuit to begin with.
type Origin struct {
	Find []string // prints the circuit as JSON, nil where Run reads it from a file
	Run  []string // acdc run with what the session was opened with; edits follow
}

// command is the line that makes a set of edges of the circuit to begin with, and
// prints its metric, for a shell of POSIX.
func (o Origin) command(cut, add []string) string {
	words := append([]string{}, o.Run...)
	for _, e := range cut {
		words = append(words, "--cut", e)
	}
	for _, e := range add {
		words = append(words, "--add", e)
	}
	if o.Find == nil {
		return line(words)
	}
	return line(o.Find) + " | " + line(words)
}

// line quotes words for a shell.
func line(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	return strings.Join(quoted, " ")
}

// plain is text that means itself to every shell.
var plain = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+,-]+$`)

// quote writes a word so that a shell reads it as it is. What a terminal would
// obey, or nobody see, when the line is pasted is written as the octal digits of
// its bytes, between $' and ', as POSIX has it since 2024 and bash and zsh always
// had.
func quote(word string) string {
	switch {
	case plain.MatchString(word):
		return word
	case !utf8.ValidString(word) || strings.ContainsFunc(word, hidden):
		return "$'" + escaped(word) + "'"
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// escaped is a word between $' and '.
func escaped(word string) string {
	var b strings.Builder
	for len(word) > 0 {
		r, n := utf8.DecodeRuneInString(word)
		switch {
		case r == '\'' || r == '\\':
			b.WriteString(`\` + word[:n])
		case r == utf8.RuneError && n == 1, hidden(r):
			for _, c := range []byte(word[:n]) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
		default:
			b.WriteString(word[:n])
		}
		word = word[n:]
	}
	return b.String()
}

// hidden reports whether a character is none that is seen: of control, of the
// direction of writing, or of no meaning.
func hidden(r rune) bool { return !unicode.IsPrint(r) }
