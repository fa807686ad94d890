// Package figure draws what sweeps find: how far a circuit is from its model
// over how many edges it has, a panel for each task, in each a series for every
// method.
//
// The steps:
//  1. rows become panels and series (series.go); of each series the points that
//     another has no fewer edges and no less divergence than are its frontier;
//  2. the frontier is drawn whole, as stairs with a mark at each point, and what
//     is dominated faded, behind it;
//  3. both axes are logarithmic, with a place for zero at their lower end
//     (internal/plotstyle).
//
// The same rows give the same bytes.
package figure

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/internal/plotstyle"
	"github.com/seed-2c350065/acdc/internal/sweep"
)

// The measures of a picture.
const (
	panelWidth  = 12 * vg.Centimeter
	panelHeight = 9.4 * vg.Centimeter
	gap         = 0.6 * vg.Centimeter // around and between
	lineHeight  = 0.46 * vg.Centimeter
	sampleWidth = 0.9 * vg.Centimeter
	nameAt      = 1.1 * vg.Centimeter
	countAt     = panelWidth
	nameRunes   = 40
	titleRunes  = 56
	across      = 3 // panels in a row
)

// What a picture can hold.
const (
	mostPanels = 24
	mostSeries = 60
)

// Write draws rows.
func Write(ctx context.Context, w io.Writer, format plotstyle.Format, rows []sweep.Row) error {
	panels := panelsOf(rows)
	if len(panels) == 0 {
		return errors.New("a picture of a sweep: expected results, found none")
	}
	most := 0
	for _, p := range panels {
		most = max(most, len(p.series))
	}
	if len(panels) > mostPanels || most > mostSeries {
		return fmt.Errorf("a picture of a sweep: expected at most %d tasks and %d series, found %d and %d", mostPanels, mostSeries, len(panels), most)
	}
	columns := min(across, len(panels))
	lines := (len(panels) + columns - 1) / columns
	cell := panelHeight + vg.Length(most+1)*lineHeight + 2*gap
	return plotstyle.Write(w, format, gap+vg.Length(columns)*(panelWidth+gap), vg.Length(lines)*cell+gap, func(c draw.Canvas) error {
		for i, p := range panels {
			if err := ctx.Err(); err != nil {
				return err
			}
			left := c.Min.X + gap + vg.Length(i%columns)*(panelWidth+gap)
			top := c.Max.Y - gap/2 - vg.Length(i/columns)*cell
			at := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{Min: vg.Point{X: left, Y: top - panelHeight}, Max: vg.Point{X: left + panelWidth, Y: top}}}
			if err := p.draw(at); err != nil {
				return err
			}
			p.legend(c, left, top-panelHeight-gap/2)
		}
		return nil
	})
}

// draw draws a panel's series.
func (p panel) draw(c draw.Canvas) error {
	x, y := p.axes()
	out := plot.New()
	plotstyle.Axes(out)
	out.Title.Text = oneline.Middle(oneline.Plain(p.title), titleRunes)
	out.X.Label.Text, out.Y.Label.Text = "edges", p.measure
	x.Apply(&out.X)
	y.Apply(&out.Y)
	for front := range 2 { // what is dominated lies behind
		for i, s := range p.series {
			if err := s.draw(out, x, y, i, len(p.series), front == 1); err != nil {
				return err
			}
		}
	}
	out.Draw(c)
	return nil
}

// draw adds a series: its frontier, or the rest of it.
func (s series) draw(out *plot.Plot, x, y plotstyle.Log, i, n int, front bool) error {
	style := plotstyle.GlyphStyle(i, n)
	points := s.dominated
	if front {
		points = s.frontier
		line, err := plotter.NewLine(place(x, y, stairs(points)))
		if err != nil {
			return err
		}
		line.LineStyle = plotstyle.LineStyle(i, n)
		out.Add(line)
	} else {
		style.Color = plotstyle.Faded(plotstyle.Palette[i%len(plotstyle.Palette)])
	}
	if len(points) == 0 {
		return nil
	}
	dots, err := plotter.NewScatter(place(x, y, points))
	if err != nil {
		return err
	}
	dots.GlyphStyle = style
	out.Add(dots)
	return nil
}

// legend lists the series, and how many of their circuits are dominated.
func (p panel) legend(c draw.Canvas, left, top vg.Length) {
	right := plotstyle.TextStyle(1)
	right.XAlign = draw.XRight
	right.Color = color.Gray{80}
	y := func(row int) vg.Length { return top - (vg.Length(row)+0.5)*lineHeight }
	c.FillText(right, vg.Point{X: left + countAt, Y: y(0)}, "different circuits, of which dominated (faded)")
	for i, s := range p.series {
		at := y(i + 1)
		plotstyle.Sample(c, i, len(p.series), left, at, sampleWidth)
		c.FillText(plotstyle.TextStyle(1), vg.Point{X: left + nameAt, Y: at}, oneline.Middle(oneline.Plain(s.name), nameRunes))
		c.FillText(right, vg.Point{X: left + countAt, Y: at}, fmt.Sprintf("%d, %d", len(s.frontier)+len(s.dominated), len(s.dominated)))
	}
}
