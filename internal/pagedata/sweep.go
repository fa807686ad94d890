package pagedata

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/draw"
	"github.com/seed-2c350065/acdc/pkg/draw/page"
)

// mostCircuits bounds the circuits of a page.
const mostCircuits = 400

// Sweep makes a page of several circuits, which its slider walks: sorted by what
// they were found by, and then by their threshold, the smallest first, or their
// size. Those of another graph or task than the first are left out, which the
// page says.
func Sweep(files []*circuit.File) (*page.Data, error) {
	if len(files) == 0 {
		return nil, fmt.Errorf("a page of circuits: expected at least one, found none")
	}
	first, out := files[0], 0
	var list []*circuit.File
	for _, f := range files {
		if f.Graph != first.Graph || f.Task != first.Task || f.Data != first.Data || f.Model != first.Model || len(list) == mostCircuits {
			out++
			continue
		}
		list = append(list, f)
	}
	group := groups(list)
	slices.SortStableFunc(list, func(a, b *circuit.File) int {
		return cmp.Or(cmp.Compare(group(a), group(b)), cmp.Compare(a.Threshold, b.Threshold), cmp.Compare(b.EdgesKept, a.EdgesKept))
	})
	g, union, _, err := first.Circuit()
	if err != nil {
		return nil, err
	}
	masks, scores := make([]circuit.Mask, len(list)), make([]circuit.Scores, len(list))
	for i, f := range list {
		if _, masks[i], scores[i], err = f.Circuit(); err != nil {
			return nil, err
		}
		for k, kept := range masks[i] {
			union[k] = union[k] || kept
		}
	}
	caption := draw.CaptionOf(&circuit.File{Run: circuit.Run{Task: first.Task, Data: first.Data, Model: first.Model}})
	d, err := page.New(g, union, nil, page.Options{Caption: caption})
	if err != nil {
		return nil, err
	}
	for i, f := range list {
		d.Circuits = append(d.Circuits, circuitOf(d, f, group(f), masks[i], scores[i]))
	}
	if out > 0 {
		d.Lacks = append(d.Lacks, fmt.Sprintf("%d of %d circuits: a page has those of one task, model and graph, at most %d.", out, len(files), mostCircuits))
	}
	d.Lacks = append(d.Lacks, "Prompts: discover, run and render write pages with them.", "Replay: only discover knows the course of its search.")
	return d, nil
}

// circuitOf is a circuit among others.
func circuitOf(d *page.Data, f *circuit.File, group string, m circuit.Mask, s circuit.Scores) page.Circuit {
	c := page.Circuit{Group: group, Edges: []int{}, Measured: Measured(f)}
	switch {
	case f.Selection != nil:
		c.Label = fmt.Sprintf("%s %d", f.Selection.Rule, f.Selection.Edges)
	default:
		c.Label = fmt.Sprintf("τ = %v", f.Threshold)
	}
	for at, e := range d.Edges {
		if !m[e.Number] {
			continue
		}
		c.Edges = append(c.Edges, at)
		var effect *float64
		if !math.IsNaN(s[e.Number]) {
			effect = &s[e.Number]
		}
		c.Effects = append(c.Effects, effect)
	}
	return c
}

// groups says what circuits were found by, as far as they differ in it.
func groups(list []*circuit.File) func(*circuit.File) string {
	of := []func(*circuit.File) string{
		func(f *circuit.File) string { return f.Algorithm },
		func(f *circuit.File) string { return f.Metric },
		func(f *circuit.File) string { return f.Ablation },
		func(f *circuit.File) string { return f.Order },
		func(f *circuit.File) string { return fmt.Sprintf("seed %d", f.Seed) },
		func(f *circuit.File) string { return string(f.Options) },
	}
	var differ []func(*circuit.File) string
	for _, name := range of {
		if slices.ContainsFunc(list, func(f *circuit.File) bool { return name(f) != name(list[0]) }) {
			differ = append(differ, name)
		}
	}
	return func(f *circuit.File) string {
		out := ""
		for _, name := range differ {
			if out += name(f); out != "" {
				out += " "
			}
		}
		return out
	}
}
