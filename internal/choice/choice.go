// Package choice is about typed names of which one is chosen: reading one, and
// listing them for errors and help.
package choice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// Parse reads one of the valid names of a kind of thing; another is an error
// that lists them.
func Parse[T ~string](what, s string, valid []T) (T, error) {
	if slices.Contains(valid, T(s)) {
		return T(s), nil
	}
	return "", fmt.Errorf("unknown %s %s: expected one of %s", what, oneline.Quote(s), List(valid))
}

// Find returns the entry whose name is s; another name is an error that lists
// those of all entries.
func Find[E any](what, s string, entries []E, name func(E) string) (E, error) {
	for _, e := range entries {
		if name(e) == s {
			return e, nil
		}
	}
	var none E
	return none, fmt.Errorf("unknown %s %s: expected one of %s", what, oneline.Quote(s), List(Names(entries, name)))
}

// Names lists the names of entries.
func Names[E any](entries []E, name func(E) string) []string {
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = name(e)
	}
	return out
}

// Texts turns typed names into plain ones.
func Texts[T ~string](names []T) []string {
	return Names(names, func(n T) string { return string(n) })
}

// List joins names: a, b, c.
func List[T ~string](names []T) string { return strings.Join(Texts(names), ", ") }

// Quoted joins names as JSON has them, the empty one being null: "a", "b", null.
func Quoted[T ~string](names []T) string {
	return strings.Join(Names(names, func(n T) string {
		if n == "" {
			return "null"
		}
		return fmt.Sprintf("%q", string(n))
	}), ", ")
}
