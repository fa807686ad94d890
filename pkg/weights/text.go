package weights

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// maxShown bounds what an error text repeats of a file's own words, in runes.
const maxShown = 120

func shorten(s string) string {
	shown := 0
	for i := range s {
		if shown == maxShown {
			return s[:i] + "…"
		}
		shown++
	}
	return s
}

// quote makes a name of a file fit for one line.
func quote(s string) string { return strconv.Quote(shorten(s)) }

// describe names a JSON token for an error text.
func describe(t json.Token) string {
	switch t := t.(type) {
	case nil:
		return "null"
	case json.Delim:
		if t == '{' {
			return "an object"
		}
		return "an array"
	case string:
		return quote(t)
	case json.Number:
		return shorten(t.String())
	}
	return fmt.Sprint(t)
}

// start shows the first bytes of a text that is not what it should be.
func start(text []byte) string {
	if len(text) == 0 {
		return "nothing"
	}
	return strconv.Quote(string(text[:min(len(text), 16)]))
}
