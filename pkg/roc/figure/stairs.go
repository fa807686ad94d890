package figure

import (
	"slices"

	"github.com/seed-2c350065/acdc/pkg/roc"
)

// mostMarks is up to how many different points a curve has marks: more would
// hide it.
const mostMarks = 40

// stairs are the corners of the line below which the reference's area lies: from
// each point of the frontier to the right, and there up to the next.
func stairs(points []roc.Rates) []roc.Rates {
	var out []roc.Rates
	add := func(p roc.Rates) {
		// A corner between two others on one line is none.
		for n := len(out); n >= 2 && (out[n-1].FPR == p.FPR && out[n-2].FPR == p.FPR || out[n-1].TPR == p.TPR && out[n-2].TPR == p.TPR); n-- {
			out = out[:n-1]
		}
		if len(out) == 0 || out[len(out)-1] != p {
			out = append(out, p)
		}
	}
	below := 0.0
	for _, p := range roc.Frontier(points) {
		add(roc.Rates{FPR: p.FPR, TPR: below})
		add(p)
		below = p.TPR
	}
	return out
}

// marks are the different points, each once, unless they are many.
func marks(points []roc.Rates) []roc.Rates {
	var out []roc.Rates
	for _, p := range points {
		if slices.Contains(out, p) {
			continue
		}
		if out = append(out, p); len(out) > mostMarks {
			return nil
		}
	}
	return out
}
