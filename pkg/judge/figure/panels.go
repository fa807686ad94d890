package figure

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/seed-2c350065/acdc/internal/plotstyle"
	"github.com/seed-2c350065/acdc/pkg/judge"
)

// gray is the line that others are compared with.
var gray = draw.LineStyle{Color: color.Gray{150}, Width: 0.7, Dashes: []vg.Length{1, 2}}

// addLine adds a line through points.
func addLine(p *plot.Plot, style draw.LineStyle, points ...plotter.XY) error {
	l, err := plotter.NewLine(plotter.XYs(points))
	if err != nil {
		return err
	}
	l.LineStyle = style
	p.Add(l)
	return nil
}

// addMarks adds marks at points.
func addMarks(p *plot.Plot, style draw.GlyphStyle, points []plotter.XY) error {
	s, err := plotter.NewScatter(plotter.XYs(points))
	if err != nil {
		return err
	}
	s.GlyphStyle = style
	p.Add(s)
	return nil
}

// mark is the style of kind i of n of points; the first are larger, so that all
// are seen where they cover each other.
func mark(i, n int) draw.GlyphStyle { return plotstyle.GlyphStyle(i, n) }

// completeness is the panel of the knock-outs.
func completeness(f *judge.File) panel {
	texts := map[judge.Kind]string{judge.None: "nothing knocked out", judge.Single: "a node", judge.Group: "a group", judge.Chance: "nodes by chance", judge.Greedy: "the greedy search's"}
	kinds := []judge.Kind{judge.None, judge.Single, judge.Group, judge.Chance, judge.Greedy}
	out := panel{title: "completeness", x: f.Run.Metric + " of the model under knock-outs", y: f.Run.Metric + " of the circuit"}
	for i := range kinds {
		style := mark(i, len(kinds))
		out.legend = append(out.legend, key{text: texts[kinds[i]], glyph: &style})
	}
	out.fill = func(p *plot.Plot) error {
		var ends []float64
		points := map[judge.Kind][]plotter.XY{}
		for _, k := range f.Completeness.KnockOuts {
			points[k.Kind] = append(points[k.Kind], plotter.XY{X: k.Model, Y: k.Circuit})
			ends = append(ends, k.Model, k.Circuit)
		}
		if len(ends) == 0 {
			return nil
		}
		lo, hi := slices.Min(ends), slices.Max(ends)
		if err := addLine(p, gray, plotter.XY{X: lo, Y: lo}, plotter.XY{X: hi, Y: hi}); err != nil {
			return err
		}
		for i, k := range kinds {
			if len(points[k]) == 0 {
				continue
			}
			if err := addMarks(p, mark(i, len(kinds)), points[k]); err != nil {
				return err
			}
		}
		return nil
	}
	return out
}

// minimality is the panel of the parts.
func minimality(f *judge.File) panel {
	what := "edges"
	if f.Options.Nodes {
		what = "nodes"
	}
	own, most := mark(0, 1), mark(1, 8)
	out := panel{title: "minimality", x: what + ", by what they add", y: f.Run.Metric + ", without it less with it",
		legend: []key{{text: "in the circuit", glyph: &own}, {text: "the most, in size, under knock-outs by chance", glyph: &most}}}
	out.fill = func(p *plot.Plot) error {
		parts := slices.Clone(f.Minimality)
		slices.SortStableFunc(parts, func(a, b judge.Part) int { return cmp.Compare(a.Effect, b.Effect) })
		if len(parts) == 0 {
			return nil
		}
		var effects, mosts []plotter.XY
		for i, part := range parts {
			effects = append(effects, plotter.XY{X: float64(i + 1), Y: part.Effect})
			mosts = append(mosts, plotter.XY{X: float64(i + 1), Y: part.Most})
		}
		if err := addLine(p, gray, plotter.XY{X: 1, Y: 0}, plotter.XY{X: float64(len(parts)), Y: 0}); err != nil {
			return err
		}
		if err := addMarks(p, most, mosts); err != nil {
			return err
		}
		return addMarks(p, own, effects)
	}
	return out
}

// chance is the panel of the random circuits.
func chance(f *judge.File) panel {
	out := panel{title: "chance", x: "mean squared difference of scores from the model", y: "share of random circuits that is nearer"}
	texts := map[judge.TestName]string{judge.Sufficiency: "the circuit", judge.Necessity: "the model without it"}
	var shown []judge.Test
	for _, t := range f.Tests {
		if texts[t.Name] != "" && t.Observed != nil && len(t.Sample) > 0 {
			line := plotstyle.LineStyle(len(shown), len(shown)+1)
			glyph := mark(len(shown), 4)
			out.legend = append(out.legend, key{text: fmt.Sprintf("random circuits for %s (%s)", texts[t.Name], t.Name), line: &line}, key{text: texts[t.Name], glyph: &glyph})
			shown = append(shown, t)
		}
	}
	out.fill = func(p *plot.Plot) error {
		for i, t := range shown {
			sorted := slices.Sorted(slices.Values(t.Sample))
			points := []plotter.XY{{X: min(0, sorted[0]), Y: 0}}
			for k, x := range sorted {
				y := float64(k) / float64(len(sorted))
				points = append(points, plotter.XY{X: x, Y: y}, plotter.XY{X: x, Y: y + 1/float64(len(sorted))})
			}
			if err := addLine(p, plotstyle.LineStyle(i, i+1), points...); err != nil {
				return err
			}
			nearer := 0
			for _, x := range sorted {
				if x < *t.Observed {
					nearer++
				}
			}
			if err := addMarks(p, mark(i, 4), []plotter.XY{{X: *t.Observed, Y: float64(nearer) / float64(len(sorted))}}); err != nil {
				return err
			}
		}
		return nil
	}
	return out
}
