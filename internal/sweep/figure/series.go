package figure

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/sweep"
)

// panel is what was found for a task.
type panel struct {
	title   string
	measure string // what the vertical axis is
	series  []series
}

// series are the circuits of a method under one ablation, metric and seed.
type series struct {
	name                string
	frontier, dominated []point // by edges
}

// point is a circuit.
type point struct{ edges, kl float64 }

// panelsOf sorts rows, in the order in which they come. Divergence is that on
// the test prompts, or, where a row of a panel has none, that on those that
// circuits were found on. A row without a finite one is left out.
func panelsOf(rows []sweep.Row) []panel {
	var titles []string
	byTitle := map[string][]sweep.Row{}
	for _, r := range rows {
		title := cmp.Or(r.Task, r.Data)
		if r.Model != r.Task {
			title += ", " + r.Model
		}
		if byTitle[title] == nil {
			titles = append(titles, title)
		}
		byTitle[title] = append(byTitle[title], r)
	}
	var out []panel
	for _, title := range titles {
		out = append(out, newPanel(title, byTitle[title]))
	}
	return out
}

func newPanel(title string, rows []sweep.Row) panel {
	p := panel{title: title, measure: "KL divergence on test prompts, in nats"}
	kl := func(r sweep.Row) *float64 { return r.TestKL }
	if slices.ContainsFunc(rows, func(r sweep.Row) bool { return r.TestKL == nil }) {
		p.measure, kl = "KL divergence, in nats", func(r sweep.Row) *float64 { return r.KL }
	}
	name := naming(rows)
	var names []string
	points := map[string][]point{}
	for _, r := range rows {
		if kl(r) == nil {
			continue
		}
		n := name(r)
		if points[n] == nil {
			names = append(names, n)
		}
		points[n] = append(points[n], point{float64(r.Edges), max(0, *kl(r))})
	}
	for _, n := range names {
		s := series{name: n}
		s.frontier, s.dominated = pareto(points[n])
		p.series = append(p.series, s)
	}
	return p
}

// naming calls a row by its algorithm and whatever else differs among the rows.
func naming(rows []sweep.Row) func(sweep.Row) string {
	parts := []func(sweep.Row) string{
		func(r sweep.Row) string { return r.Algorithm },
		func(r sweep.Row) string { return r.Ablation },
		func(r sweep.Row) string { return r.Metric },
		func(r sweep.Row) string { return fmt.Sprintf("seed %d", r.Seed) },
		func(r sweep.Row) string { return string(r.Definition) },
		func(r sweep.Row) string { return fmt.Sprintf("%.7s", r.WeightsSHA256) },
		func(r sweep.Row) string { return r.Variant },
	}
	shown := parts[:1:1]
	for _, part := range parts[1:] {
		if slices.ContainsFunc(rows, func(r sweep.Row) bool { return part(r) != part(rows[0]) }) {
			shown = append(shown, part)
		}
	}
	return func(r sweep.Row) string {
		var words []string
		for _, part := range shown {
			words = append(words, part(r))
		}
		return strings.Join(words, ", ")
	}
}

// pareto parts points into those that no other one dominates, which has no more
// of both and less of one, and the rest. Of equal ones one is kept.
func pareto(points []point) (frontier, dominated []point) {
	points = slices.Clone(points)
	slices.SortFunc(points, func(a, b point) int { return cmp.Or(cmp.Compare(a.edges, b.edges), cmp.Compare(a.kl, b.kl)) })
	for i, p := range points {
		switch {
		case i > 0 && p == points[i-1]:
			continue
		case len(frontier) > 0 && frontier[len(frontier)-1].kl <= p.kl:
			dominated = append(dominated, p)
		default:
			frontier = append(frontier, p)
		}
	}
	return frontier, dominated
}

// stairs are the corners of the line above which what is dominated lies.
func stairs(frontier []point) []point {
	var out []point
	for i, p := range frontier {
		if i > 0 {
			out = append(out, point{p.edges, frontier[i-1].kl})
		}
		out = append(out, p)
	}
	return out
}
