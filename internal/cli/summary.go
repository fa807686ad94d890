package cli

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// lines prints a block of names and texts.
func lines(w io.Writer, pairs ...[2]string) {
	_, _ = io.WriteString(w, pairLines(columns(w), pairs...))
}

// pairLines is a block of names and texts, the names to the width of the longest,
// without what a terminal would obey, in lines at most so many characters wide,
// 0 being no limit.
func pairLines(limit int, pairs ...[2]string) string {
	width := 0
	for _, p := range pairs {
		width = max(width, utf8.RuneCountInString(p[0]))
	}
	var b strings.Builder
	for _, p := range pairs {
		b.WriteString(hanging(fmt.Sprintf("%-*s  ", width, oneline.Plain(p[0])), oneline.Plain(p[1]), limit))
	}
	return b.String()
}

// number writes four digits.
func number(x float64) string { return fmt.Sprintf("%.4g", x) }

// share writes n of total.
func share(n, total int) string {
	if total == 0 {
		return fmt.Sprintf("%d of %d", n, total)
	}
	return fmt.Sprintf("%d of %d (%.1f %%)", n, total, 100*float64(n)/float64(total))
}

// summarize prints what a run found and took.
func summarize(w io.Writer, f *circuit.File, verified int, took time.Duration) {
	pairs := [][2]string{
		{"edges", share(f.EdgesKept, f.EdgesTotal) + " kept" + idleEdges(f.Measured)},
		{oneline.Shown(f.Metric), fmt.Sprintf("%s -> %s (corrupted %s)", number(f.Measured.Initial), number(f.Measured.Final), number(f.Measured.Corrupted))},
	}
	if n := f.Measured.Screened; n > 0 {
		pairs = append(pairs, [2]string{"screened", grouped(n) + " of the edges were removed untested"})
	}
	work := number(f.Measured.Cost.ForwardPasses) + " forward passes"
	if n := f.Measured.Cost.Tests; n > 0 {
		pairs = append(pairs, [2]string{"tests", grouped(n)})
		work += ", where one a test would be " + grouped(n)
	}
	if verified > 0 {
		pairs = append(pairs, [2]string{"verified", fmt.Sprintf("%d evaluations against a plain pass", verified)})
	}
	pairs = append(pairs,
		[2]string{"work", work},
		[2]string{"time", fmt.Sprintf("%.2f s", took.Seconds())})
	lines(w, pairs...)
}

// idleEdges says how many edges carry nothing, or were left out for that.
func idleEdges(m circuit.Measured) string {
	switch {
	case m.DroppedIdle > 0:
		return fmt.Sprintf(", without %s that carried nothing", counted(m.DroppedIdle, "edge"))
	case m.Idle == 1:
		return ", 1 of them carries nothing"
	case m.Idle > 0:
		return fmt.Sprintf(", %s of them carry nothing", grouped(m.Idle))
	}
	return ""
}

// describeRun prints, for -v, what a run works on.
func describeRun(w io.Writer, o *study.Study, f *circuit.File) {
	what := f.Task
	if f.Data != "" {
		what = f.Data
	}
	what, metric := oneline.Shown(what), oneline.Shown(f.Metric)
	lines(w,
		[2]string{"model", oneline.Shown(f.Model) + ": " + shapeOf(o.Model.Config)},
		[2]string{"data", fmt.Sprintf("%s: %d examples of %d tokens", what, len(o.Data.Clean), len(o.Data.Clean[0]))},
		[2]string{"ablation", oneline.Shown(f.Ablation)},
		[2]string{"corrupted", metric + " " + number(f.Measured.Corrupted)},
		[2]string{"graph", fmt.Sprintf("%s, %s edges", f.Graph.Definition, grouped(f.EdgesTotal))},
		[2]string{"kernel", tensor.KernelName()})
}
