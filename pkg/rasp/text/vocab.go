package text

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/rasp"
)

// ParseVocab reads a vocabulary as a command line has it, tokens with commas
// between them: what is a number is one, so are true and false, and the rest are
// strings, with or without quotes.
func ParseVocab(s string) ([]rasp.Value, error) {
	var out []rasp.Value
	for i, part := range strings.Split(s, ",") {
		v := value(strings.TrimSpace(part))
		if v == rasp.String("") {
			return nil, fmt.Errorf("vocabulary %s: expected tokens with commas between them, found an empty one at place %d", oneline.Quote(s), i+1)
		}
		out = append(out, v)
	}
	return out, nil
}

func value(s string) rasp.Value {
	if text, err := strconv.Unquote(s); err == nil {
		return rasp.String(text)
	}
	if s == "true" || s == "false" {
		return rasp.Bool(s == "true")
	}
	if x, err := strconv.ParseFloat(s, 64); err == nil && !math.IsInf(x, 0) && !math.IsNaN(x) {
		return rasp.Number(x)
	}
	return rasp.String(s)
}
