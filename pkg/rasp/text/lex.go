package text

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/rasp"
)

// symbols, the long ones first.
var symbols = []string{"->", "==", "!=", "<=", ">=", "<", ">", "=", "+", "-", "*", "/", "%", "(", ")", ","}

type tokenKind uint8

const (
	end tokenKind = iota
	word
	literal
	symbol
)

// token is a word, a literal or a symbol of a file.
type token struct {
	kind  tokenKind
	text  string     // as it stands there
	value rasp.Value // of a literal
	at    Pos
}

// String is the token in errors.
func (t token) String() string {
	if t.kind == end {
		return "the end of the file"
	}
	return oneline.Quote(t.text)
}

// lexer is a file on its way to tokens.
type lexer struct {
	file string
	rest string
	at   Pos
}

// lex cuts a file into tokens, the last of which is its end.
func lex(file, source string) ([]token, error) {
	x := &lexer{file, source, Pos{1, 1}}
	var out []token
	for {
		x.skipSpace()
		t, err := x.next()
		if err != nil {
			return nil, err
		}
		out = append(out, t)
		if t.kind == end {
			return out, nil
		}
	}
}

// take moves on by n bytes and returns them.
func (x *lexer) take(n int) string {
	text := x.rest[:n]
	x.rest = x.rest[n:]
	for _, r := range text {
		x.at.Column++
		if r == '\n' {
			x.at = Pos{x.at.Line + 1, 1}
		}
	}
	return text
}

func (x *lexer) skipSpace() {
	for {
		x.take(len(x.rest) - len(strings.TrimLeft(x.rest, " \t\r\n")))
		if !strings.HasPrefix(x.rest, "#") {
			return
		}
		line, _, _ := strings.Cut(x.rest, "\n")
		x.take(len(line))
	}
}

func (x *lexer) next() (token, error) {
	at := x.at
	if x.rest == "" {
		return token{at: at}, nil
	}
	r, _ := utf8.DecodeRuneInString(x.rest)
	switch {
	case isLetter(r):
		n := strings.IndexFunc(x.rest, func(r rune) bool { return !isLetter(r) && !isDigit(r) })
		return token{kind: word, text: x.take(orAll(n, x.rest)), at: at}, nil
	case isDigit(r):
		return x.number(at)
	case r == '"':
		return x.quoted(at)
	}
	for _, s := range symbols {
		if strings.HasPrefix(x.rest, s) {
			return token{kind: symbol, text: x.take(len(s)), at: at}, nil
		}
	}
	return token{}, errorAt(x.file, at, "expected a word, a number, a string or a sign, found %s", strconv.QuoteRune(r))
}

func isLetter(r rune) bool { return r == '_' || unicode.IsLetter(r) }

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// orAll is an index, or all of a text where there is none.
func orAll(n int, s string) int {
	if n < 0 {
		return len(s)
	}
	return n
}

// number reads digits with a point and an exponent.
func (x *lexer) number(at Pos) (token, error) {
	n := digits(x.rest)
	if strings.HasPrefix(x.rest[n:], ".") {
		n += 1 + digits(x.rest[n+1:])
	}
	if e := strings.TrimLeft(x.rest[n:], "eE"); len(x.rest[n:])-len(e) == 1 {
		sign := len(e) - len(strings.TrimLeft(e, "+-"))
		if d := digits(e[min(sign, 1):]); sign <= 1 && d > 0 {
			n += 1 + sign + d
		}
	}
	text := x.take(n)
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return token{}, errorAt(x.file, at, "expected a number of 64 bits, found %s", oneline.Quote(text))
	}
	return token{kind: literal, text: text, value: rasp.Number(value), at: at}, nil
}

func digits(s string) int {
	return orAll(strings.IndexFunc(s, func(r rune) bool { return !isDigit(r) }), s)
}

// quoted reads a string in quotes, with the escapes of Go.
func (x *lexer) quoted(at Pos) (token, error) {
	text, err := strconv.QuotedPrefix(x.rest)
	if err != nil {
		line, _, _ := strings.Cut(x.rest, "\n")
		return token{}, errorAt(x.file, at, "expected a string that ends in \" on its line, found %s", oneline.Quote(line))
	}
	value, err := strconv.Unquote(text)
	if err != nil || !utf8.ValidString(value) {
		return token{}, errorAt(x.file, at, "expected a string of Unicode text, found %s", oneline.Quote(text))
	}
	return token{kind: literal, text: x.take(len(text)), value: rasp.String(value), at: at}, nil
}
