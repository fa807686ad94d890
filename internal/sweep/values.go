package sweep

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// logPrefix begins values that are evenly apart on a logarithmic scale.
const logPrefix = "log:"

// mostValues bounds what a slip of the finger asks for.
const mostValues = 10_000

// ParseValues reads numbers with commas between them, or log:FROM:TO:N for N
// numbers evenly apart on a logarithmic scale, both ends among them. They are
// returned ascending, each once; one reads a single number.
func ParseValues(s string, one func(string) (float64, error)) ([]float64, error) {
	var out []float64
	if scale, ok := strings.CutPrefix(s, logPrefix); ok {
		parts := strings.Split(scale, ":")
		if len(parts) != 3 {
			return nil, fmt.Errorf("expected log:FROM:TO:N such as log:1e-3:1:20, found %s", oneline.Quote(s))
		}
		from, errFrom := one(parts[0])
		to, errTo := one(parts[1])
		n, errN := strconv.Atoi(parts[2])
		if errFrom != nil || errTo != nil || errN != nil || !(from > 0 && from < to) || n < 2 || n > mostValues {
			return nil, fmt.Errorf("expected log:FROM:TO:N with 0 < FROM < TO and N from 2 to %d, found %s", mostValues, oneline.Quote(s))
		}
		return Log(from, to, n), nil
	}
	for part := range strings.SplitSeq(s, ",") {
		x, err := one(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	if len(out) > mostValues {
		return nil, fmt.Errorf("expected at most %d numbers, found %d", mostValues, len(out))
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// Log are n numbers from one to another, evenly apart on a logarithmic scale,
// the ends exact.
func Log(from, to float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = from * math.Pow(to/from, float64(i)/float64(n-1))
	}
	out[n-1] = to
	return out
}

// Sizes are at most n numbers of edges from 1 to all, evenly apart on a
// logarithmic scale and rounded, each once.
func Sizes(n, all int) []int {
	if n == 1 || all == 1 {
		return []int{all}
	}
	var out []int
	for _, x := range Log(1, float64(all), n) {
		out = append(out, int(math.Round(x)))
	}
	return slices.Compact(out)
}
