// Package figure draws what was found out about a circuit (package judge) as SVG,
// PNG or PDF, in four panels:
//
//  1. runs: the metric of each run over the examples, a box from the lower to the
//     upper quartile with the median in it, whiskers from 5 to 95 % (runs.go);
//  2. completeness: the circuit over the model under the same knock-outs, those on
//     the diagonal being the same;
//  3. minimality: what each part adds, the least first, with the most that it adds
//     under knock-outs;
//  4. chance: how far random circuits are from the model, as the share that is
//     nearer, with the circuit's own distance (panels.go).
//
// The package stands apart because the library for plots adds some 7 MB to a
// program. The same judgement gives the same bytes.
package figure

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/internal/plotstyle"
	"github.com/seed-2c350065/acdc/pkg/judge"
)

// The measures of a picture.
const (
	panelWidth = 10 * vg.Centimeter
	plotHeight = 8 * vg.Centimeter
	gap        = 0.6 * vg.Centimeter // around and between
	lineHeight = 0.46 * vg.Centimeter
	titleRunes = 96
	entries    = 5 // lines of a legend
	inARow     = 2 // panels
)

// key is a line of a legend.
type key struct {
	text  string
	glyph *draw.GlyphStyle
	line  *draw.LineStyle
}

// panel is one plot with its legend.
type panel struct {
	title  string
	x, y   string
	fill   func(p *plot.Plot) error
	legend []key
}

// Write draws a judgement. It panics without a writer.
func Write(ctx context.Context, w io.Writer, f *judge.File, format plotstyle.Format) error {
	if w == nil || f == nil {
		panic("figure: Write: expected a writer and a judgement")
	}
	_, err := choice.Parse("format of pictures", string(format), plotstyle.Formats())
	if err := cmp.Or(err, f.Check()); err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	panels := []panel{runs(f), completeness(f), minimality(f), chance(f)}
	cell := plotHeight + entries*lineHeight + gap
	rows := vg.Length((len(panels) + inARow - 1) / inARow)
	return plotstyle.Write(w, format, gap+inARow*(panelWidth+gap), rows*cell+2*gap, func(c draw.Canvas) error {
		title := plotstyle.TextStyle(1.2)
		title.XAlign, title.YAlign = draw.XCenter, draw.YTop
		c.FillText(title, vg.Point{X: (c.Min.X + c.Max.X) / 2, Y: c.Max.Y - gap/2}, oneline.Middle(oneline.Plain(titleOf(f)), titleRunes))
		for i, p := range panels {
			if err := ctx.Err(); err != nil {
				return err
			}
			left := c.Min.X + gap + vg.Length(i%inARow)*(panelWidth+gap)
			top := c.Max.Y - 2*gap - vg.Length(i/inARow)*cell
			if err := p.draw(c, left, top); err != nil {
				return fmt.Errorf("figure: %s: %w", p.title, err)
			}
		}
		return nil
	})
}

// titleOf says what is judged.
func titleOf(f *judge.File) string {
	what := f.Run.Task
	if what == "" {
		what = f.Run.Model
	}
	return fmt.Sprintf("%s: %d of %d edges, %s ablation", what, len(f.Circuit), f.EdgesTotal, f.Run.Ablation)
}

// draw draws a panel and, below it, its legend.
func (p panel) draw(c draw.Canvas, left, top vg.Length) error {
	plotted := plot.New()
	plotted.Title.Text = p.title
	plotted.X.Label.Text, plotted.Y.Label.Text = p.x, p.y
	plotstyle.Axes(plotted)
	if err := p.fill(plotted); err != nil {
		return err
	}
	at := func(x, y vg.Length) vg.Point { return vg.Point{X: x, Y: y} }
	plotted.Draw(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{Min: at(left, top-plotHeight), Max: at(left+panelWidth, top)}})
	const sample, text = 0.9 * vg.Centimeter, 1.1 * vg.Centimeter
	for i, k := range p.legend {
		y := top - plotHeight - (vg.Length(i)+0.5)*lineHeight
		if k.line != nil {
			c.StrokeLine2(*k.line, left, y, left+sample, y)
		}
		if k.glyph != nil {
			c.DrawGlyph(*k.glyph, at(left+sample/2, y))
		}
		c.FillText(plotstyle.TextStyle(1), at(left+text, y), oneline.Plain(k.text))
	}
	return nil
}
