package figure

import (
	"context"
	"fmt"
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/internal/plotstyle"
	"github.com/seed-2c350065/acdc/pkg/roc"
)

// Format is a format of pictures.
type Format = plotstyle.Format

// The formats.
const (
	SVG = plotstyle.SVG
	PNG = plotstyle.PNG
)

// Formats lists the formats.
func Formats() []Format { return plotstyle.Formats() }

// Figure is what is drawn. A figure without parts has a panel for each.
type Figure struct {
	Title  string // one line above all; of a long one the middle is left out
	Curves []roc.Curve
	Parts  []roc.Part // what the panels count, from left to right
}

// The measures of a picture.
const (
	panelWidth = 10 * vg.Centimeter
	plotHeight = 9.4 * vg.Centimeter
	gap        = 0.6 * vg.Centimeter // around and between
	lineHeight = 0.46 * vg.Centimeter
	titleRunes = 48  // what fits over a panel
	mostCurves = 100 // of which the legend would be some half a metre
)

// Write draws the figure. It panics without a writer.
func (f Figure) Write(ctx context.Context, w io.Writer, format Format) error {
	if w == nil {
		panic("figure: Write: no writer")
	}
	if len(f.Parts) == 0 {
		f.Parts = roc.Parts()
	}
	if err := f.check(format); err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	width := gap + vg.Length(len(f.Parts))*(panelWidth+gap)
	height := plotHeight + f.legendHeight() + 3*gap
	return plotstyle.Write(w, format, width, height, func(c draw.Canvas) error { return f.draw(ctx, c) })
}

// check refuses what cannot be drawn.
func (f Figure) check(format Format) error {
	if _, err := choice.Parse("format of pictures", string(format), Formats()); err != nil {
		return err
	}
	for _, part := range f.Parts {
		if _, err := choice.Parse("part", string(part), roc.Parts()); err != nil {
			return err
		}
	}
	if len(f.Parts) > len(roc.Parts()) {
		return fmt.Errorf("expected at most %d panels, found %d", len(roc.Parts()), len(f.Parts))
	}
	if len(f.Curves) == 0 || len(f.Curves) > mostCurves {
		return fmt.Errorf("expected 1 to %d curves, found %d", mostCurves, len(f.Curves))
	}
	return (&roc.File{Curves: f.Curves}).Check()
}

// draw draws title, panels and legends.
func (f Figure) draw(ctx context.Context, c draw.Canvas) error {
	title := plotstyle.TextStyle(1.2)
	title.XAlign, title.YAlign = draw.XCenter, draw.YTop
	c.FillText(title, vg.Point{X: (c.Min.X + c.Max.X) / 2, Y: c.Max.Y - gap/2}, oneline.Middle(oneline.Plain(f.Title), titleRunes*len(f.Parts)))
	for i, part := range f.Parts {
		if err := ctx.Err(); err != nil {
			return err
		}
		left := c.Min.X + gap + vg.Length(i)*(panelWidth+gap)
		panel := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: left, Y: c.Min.Y + gap}, Max: vg.Point{X: left + panelWidth, Y: c.Max.Y - 2*gap},
		}}
		if err := f.panel(draw.Crop(panel, 0, 0, f.legendHeight(), 0), part); err != nil {
			return fmt.Errorf("figure: %w", err)
		}
		f.legend(draw.Crop(panel, 0, 0, 0, -plotHeight), part)
	}
	return nil
}

// panel draws the curves of one kind of parts.
func (f Figure) panel(c draw.Canvas, part roc.Part) error {
	p := plot.New()
	p.Title.Text = string(part)
	p.X.Label.Text, p.Y.Label.Text = "false positive rate", "true positive rate"
	plotstyle.Axes(p)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Min, axis.Max = -0.02, 1.02 // marks at the ends are whole
		axis.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 0.25, Label: "0.25"}, {Value: 0.5, Label: "0.5"}, {Value: 0.75, Label: "0.75"}, {Value: 1, Label: "1"}}
	}
	chance, err := line([]roc.Rates{{FPR: 0, TPR: 0}, {FPR: 1, TPR: 1}}, draw.LineStyle{Color: color.Gray{150}, Width: 0.7, Dashes: []vg.Length{1, 2}})
	if err != nil {
		return err
	}
	p.Add(chance)
	for i, curve := range f.Curves {
		rates := curve.Counted().Rates(part)
		stairs, err := line(stairs(rates), plotstyle.LineStyle(i, len(f.Curves)))
		if err != nil {
			return err
		}
		p.Add(stairs)
		if marked := marks(rates); len(marked) > 0 {
			dots, err := plotter.NewScatter(points(marked))
			if err != nil {
				return err
			}
			dots.GlyphStyle = plotstyle.GlyphStyle(i, len(f.Curves))
			p.Add(dots)
		}
	}
	p.Draw(c)
	return nil
}

// line makes a line through points.
func line(through []roc.Rates, style draw.LineStyle) (*plotter.Line, error) {
	l, err := plotter.NewLine(points(through))
	if err != nil {
		return nil, err
	}
	l.LineStyle = style
	return l, nil
}

// points are rates as the library has them.
func points(rates []roc.Rates) plotter.XYs {
	out := make(plotter.XYs, len(rates))
	for i, r := range rates {
		out[i] = plotter.XY{X: r.FPR, Y: r.TPR}
	}
	return out
}

// areaText is an area in the legend.
func areaText(x float64) string { return fmt.Sprintf("%.3f", x) }
