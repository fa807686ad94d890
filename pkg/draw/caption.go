package draw

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// Caption stands under the picture. How many edges of how many are kept is
// added to it from the mask.
type Caption struct {
	Title string   // what is shown: task and model
	Lines []string // how it was found: algorithm, metric, ablation, threshold
}

// CaptionOf makes the caption of a circuit file.
func CaptionOf(f *circuit.File) Caption {
	var c Caption
	what, model := named(f.Task), named(f.Model)
	if what == "" {
		what = named(f.Data)
	}
	c.Title = join(" in ", what, model)
	if what == model { // the builtin models have the names of their tasks
		c.Title = what
	}
	metric := f.Metric
	if f.Measured.Initial != 0 || f.Measured.Final != 0 || f.Measured.Corrupted != 0 {
		metric += " " + number(f.Measured.Final)
		if f.Measured.Corrupted != 0 {
			metric += fmt.Sprintf(" (model %s, corrupted %s)", number(f.Measured.Initial), number(f.Measured.Corrupted))
		}
	}
	threshold := ""
	if f.Threshold != 0 {
		threshold = "τ = " + number(f.Threshold)
		if f.AbsoluteValue {
			threshold += ", |effect|"
		}
	}
	ablation := f.Ablation
	if ablation != "" {
		ablation += " ablation"
	}
	algorithm := f.Algorithm
	if n := f.Measured.Screened; n > 0 {
		algorithm += fmt.Sprintf(" without %d edges screened out", n)
	}
	for _, line := range []string{join(" · ", algorithm, ablation, threshold), metric} {
		if line != "" {
			c.Lines = append(c.Lines, line)
		}
	}
	return c
}

// named is a task, a model or data as a caption names it: the last part of its
// path, not too long.
func named(path string) string {
	return oneline.Middle(oneline.Plain(oneline.Base(path)), captionWidth/2)
}

// keptLines say how much of the graph is kept, and what of that is not to be
// seen.
func (p *picture) keptLines() []string {
	total := p.graph.NumEdges()
	line := fmt.Sprintf("%d of %d edges", p.kept, total)
	switch {
	case p.kept == 0:
		return []string{line + ": all were cut"}
	case p.kept*1000 < total*95:
		line += fmt.Sprintf(" (%.1f %%)", 100*float64(p.kept)/float64(total))
	default:
		line += fmt.Sprintf(" (%.0f %%)", 100*float64(p.kept)/float64(total))
	}
	more := slices.DeleteFunc([]string{p.bundledLine(), p.droppedLine()}, func(s string) bool { return s == "" })
	undrawn := join(" and ", edgeCount(p.hidden, "direct %s"), edgeCount(p.unshown, "MLP %s"))
	if undrawn != "" {
		undrawn += " not drawn"
	}
	switch p.idle {
	case 0:
		return append([]string{join(", ", line, undrawn)}, more...)
	case 1:
		line += ", 1 of them carries nothing"
	default:
		line += fmt.Sprintf(", %d of them carry nothing", p.idle)
	}
	return append(slices.DeleteFunc([]string{line, undrawn}, func(s string) bool { return s == "" }), more...)
}

// bundledLine says what arrows between boxes stand for.
func (p *picture) bundledLine() string {
	if p.collapse == CollapseNone {
		return ""
	}
	line, n := "1 arrow stands", len(p.edges)+p.dropped
	switch {
	case n == 0:
		return ""
	case n > 1:
		line = fmt.Sprintf("%d arrows stand", n)
	}
	line += " for " + edgeCount(p.bundled, "%s")
	if p.within > 0 {
		line += fmt.Sprintf(", %d more are within a box", p.within)
	}
	return line
}

// edgeCount counts edges of a kind in words, none as nothing.
func edgeCount(n int, kind string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 " + fmt.Sprintf(kind, "edge")
	}
	return fmt.Sprintf("%d "+kind, n, "edges")
}

// number writes three digits, and a true minus.
func number(x float64) string {
	s := strconv.FormatFloat(x, 'g', 3, 64)
	if a := math.Abs(x); a >= 1000 && a < 1e6 {
		s = strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strings.Replace(s, "-", "−", 1)
}

func join(sep string, parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, sep)
}

// wrap breaks a line at spaces so that a long caption does not widen a small
// picture; a word that is longer than the line is broken behind a separator, or
// where there is none at the line's end.
func wrap(s string, width int) []string {
	var lines []string
	line := []rune{}
	for _, word := range strings.Fields(s) {
		w := []rune(word)
		if len(line) > 0 && len(line)+1+len(w) > width {
			lines, line = append(lines, string(line)), nil
		}
		for len(w) > width {
			n := breakAt(w, width)
			lines, w = append(lines, string(w[:n])), w[n:]
		}
		if len(line) > 0 {
			line = append(line, ' ')
		}
		line = append(line, w...)
	}
	if len(line) > 0 {
		lines = append(lines, string(line))
	}
	return lines
}

// breakAt is how much of a word stands on a line of a width.
func breakAt(word []rune, width int) int {
	for n := width; n > width/2; n-- {
		if strings.ContainsRune("-_./\\:,;=", word[n-1]) {
			return n
		}
	}
	return width
}
