package oneline

import (
	"strings"
	"unicode"
)

// Plain is a foreign text fit for terminals and pictures: on one line, without
// control characters and without those that turn the direction of writing.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\uFFFE', r == '\uFFFF':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
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
