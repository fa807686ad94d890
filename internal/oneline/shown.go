package oneline

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Plain is a foreign text fit for terminals and pictures: on one line, without
// control characters and without those that turn the direction of writing.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case isUnseen(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// isUnseen reports whether a character is no letter or sign but an order to
// what shows it.
func isUnseen(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\uFFFE' || r == '\uFFFF'
}

// JSON is JSON text in which characters that are not to be seen, which strings
// may hold, are escaped. It says the same.
func JSON(text []byte) []byte {
	if !bytes.ContainsFunc(text, func(r rune) bool { return isUnseen(r) && r != '\n' }) {
		return text
	}
	var out []byte
	for _, r := range string(text) {
		switch {
		case r == '\n' || !isUnseen(r):
			out = utf8.AppendRune(out, r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// Shown is Plain, and short.
func Shown(s string) string { return Middle(Plain(s), most) }

// Middle cuts from the middle of a text what is more than so many runes, at
// least 3, and marks the cut.
func Middle(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	end := (most - 1) / 2
	return string(r[:most-1-end]) + "…" + string(r[len(r)-end:])
}

// Base is the last part of a path, whatever system wrote it.
func Base(path string) string {
	trimmed := strings.TrimRight(path, `/\`)
	return trimmed[strings.LastIndexAny(trimmed, `/\`)+1:]
}
