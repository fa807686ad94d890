// Package figure draws curves of faithfulness over the size of circuits (package
// faithful) as SVG, PNG or PDF: a line for each curve with a mark at each circuit, the
// model's faithfulness, 1, and that of the circuit without edges, 0, as lines behind
// them, and a legend with the areas. The axis of sizes is logarithmic, since those of
// MIB are, with a place for zero at its lower end; CPR and CMD are areas over a linear
// one.
//
// The package stands apart because the library for plots adds some 7 MB to a
// program. The same curves give the same bytes.
package figure

import (
	"cmp"
	"context"
	"fmt"
	"image/color"
	"io"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/internal/plotstyle"
	"github.com/seed-2c350065/acdc/pkg/faithful"
)

// The measures of a picture.
const (
	width       = 14 * vg.Centimeter
	height      = 9.5 * vg.Centimeter
	gap         = 0.6 * vg.Centimeter // around and between
	lineHeight  = 0.46 * vg.Centimeter
	sampleWidth = 0.9 * vg.Centimeter
	nameAt      = 1.1 * vg.Centimeter
	nameRunes   = 40
	titleRunes  = 72
	mostCurves  = 60
)

// columns are the legend's numbers, by where they end.
var columns = []struct {
	head string
	end  vg.Length
	of   func(faithful.Areas) float64
}{
	{"CPR", 10 * vg.Centimeter, func(a faithful.Areas) float64 { return a.CPR }},
	{"CMD", 12 * vg.Centimeter, func(a faithful.Areas) float64 { return a.CMD }},
	{"mean", width, func(a faithful.Areas) float64 { return a.Mean }},
}

// series is a curve with its name.
type series struct {
	name string
	faithful.Areas
}

// seriesOf names every curve by its circuit, and by its selection where there are
// several.
func seriesOf(f *faithful.File) []series {
	var out []series
	by := map[string]bool{}
	for _, c := range f.Circuits {
		for _, a := range c.Curves {
			by[a.By] = true
			out = append(out, series{oneline.Plain(oneline.Base(c.Name)), a})
		}
	}
	for i := range out {
		if out[i].name = oneline.Middle(out[i].name, nameRunes); len(by) > 1 {
			out[i].name += ", " + out[i].By
		}
	}
	return out
}

// Write draws curves. It panics without a writer or curves.
func Write(ctx context.Context, w io.Writer, f *faithful.File, format plotstyle.Format) error {
	if w == nil || f == nil {
		panic("figure: Write: expected a writer and curves")
	}
	_, err := choice.Parse("format of pictures", string(format), plotstyle.Formats())
	if err := cmp.Or(err, f.Check()); err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	all := seriesOf(f)
	if len(all) > mostCurves {
		return fmt.Errorf("figure: expected at most %d curves, found %d", mostCurves, len(all))
	}
	below := vg.Length(len(all)+1)*lineHeight + gap
	return plotstyle.Write(w, format, width+2*gap, height+below+2*gap, func(c draw.Canvas) error {
		left, top := c.Min.X+gap, c.Max.Y-gap
		at := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{Min: vg.Point{X: left, Y: top - height}, Max: vg.Point{X: left + width, Y: top}}}
		if err := drawCurves(ctx, at, titleOf(f), all); err != nil {
			return err
		}
		legend(c, left, top-height-gap, all)
		return ctx.Err()
	})
}

// titleOf says what is measured, of the first circuit.
func titleOf(f *faithful.File) string {
	r := f.Circuits[0].Run
	what := cmp.Or(r.Task, r.Model)
	if r.Half != "" {
		what += ", " + r.Half + " prompts"
	}
	return fmt.Sprintf("%s, %s, %s ablation", what, r.Metric, r.Ablation)
}

// drawCurves draws the lines.
func drawCurves(ctx context.Context, c draw.Canvas, title string, all []series) error {
	p := plot.New()
	plotstyle.Axes(p)
	p.Title.Text = oneline.Middle(oneline.Plain(title), titleRunes)
	p.X.Label.Text, p.Y.Label.Text = "edges, as a part of all", "faithfulness"
	var parts []float64
	for _, s := range all {
		for _, at := range s.Points {
			parts = append(parts, at.Part)
		}
	}
	x := plotstyle.NewLog(parts)
	for _, level := range []float64{0, 1} {
		line := plotter.NewFunction(func(float64) float64 { return level })
		line.Samples, line.LineStyle = 2, draw.LineStyle{Color: color.Gray{130}, Width: 0.8, Dashes: []vg.Length{4, 3}}
		p.Add(line)
		p.Y.Min, p.Y.Max = min(p.Y.Min, level), max(p.Y.Max, level)
	}
	for i, s := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		points := make(plotter.XYs, len(s.Points))
		for k, at := range s.Points {
			points[k] = plotter.XY{X: x.At(at.Part), Y: at.Faithfulness}
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		line.LineStyle, dots.GlyphStyle = plotstyle.LineStyle(i, len(all)), plotstyle.GlyphStyle(i, len(all))
		p.Add(line, dots)
	}
	x.Apply(&p.X)
	const slack = 0.03 // marks at the ends are whole
	room := slack * (p.Y.Max - p.Y.Min)
	p.Y.Min, p.Y.Max = p.Y.Min-room, p.Y.Max+room
	p.Draw(c)
	return nil
}

// legend lists the curves with their areas.
func legend(c draw.Canvas, left, top vg.Length, all []series) {
	text, right := plotstyle.TextStyle(1), plotstyle.TextStyle(1)
	right.XAlign = draw.XRight
	for _, col := range columns {
		c.FillText(right, vg.Point{X: left + col.end, Y: top - lineHeight/2}, col.head)
	}
	for i, s := range all {
		y := top - (vg.Length(i)+1.5)*lineHeight
		plotstyle.Sample(c, i, len(all), left, y, sampleWidth)
		c.FillText(text, vg.Point{X: left + nameAt, Y: y}, s.name)
		for _, col := range columns {
			c.FillText(right, vg.Point{X: left + col.end, Y: y}, strconv.FormatFloat(col.of(s.Areas), 'f', 3, 64))
		}
	}
}
