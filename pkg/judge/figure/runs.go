package figure

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/seed-2c350065/acdc/internal/plotstyle"
	"github.com/seed-2c350065/acdc/pkg/judge"
)

// boxes are the quantiles of runs, side by side.
type boxes struct {
	of   []judge.Measurement
	ends [2]float64
}

// runs is the panel of the examples.
func runs(f *judge.File) panel {
	b := &boxes{}
	out := panel{title: "runs", y: f.Run.Metric + ", by example"}
	for _, m := range f.Measurements {
		if string(m.Metric) != f.Run.Metric {
			continue
		}
		for _, r := range m.Runs {
			if len(b.of) == 0 && r.Run == judge.Model {
				b.ends = [2]float64{r.Quantiles[1], r.Quantiles[5]}
			}
			b.ends[0], b.ends[1] = min(b.ends[0], r.Quantiles[1], r.Mean), max(b.ends[1], r.Quantiles[5], r.Mean)
		}
		line := plotstyle.LineStyle(len(b.of), len(b.of)+1)
		line.Dashes = nil
		out.legend = append(out.legend, key{text: m.Data + ": 5, 25, 50, 75, 95 % of the examples, + the mean", line: &line})
		b.of = append(b.of, m)
	}
	out.fill = func(p *plot.Plot) error {
		var names []string
		for _, n := range judge.RunNames() {
			names = append(names, string(n))
		}
		p.Add(b)
		p.NominalX(names...)
		p.X.Width, p.X.Tick.Length = 0, 0
		p.X.Min, p.X.Max = -0.5, float64(len(names))-0.5
		p.Y.Min, p.Y.Max = b.ends[0], b.ends[1]
		return nil
	}
	return out
}

// Plot draws the boxes.
func (b *boxes) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	const width = 0.7 // of the room of a run
	for i, m := range b.of {
		style := plotstyle.LineStyle(i, i+1)
		style.Dashes = nil
		each := width / float64(len(b.of))
		for k, r := range m.Runs {
			at := float64(k) - width/2 + (float64(i)+0.5)*each
			left, right, middle := x(at-0.4*each), x(at+0.4*each), x(at)
			q := func(i int) vg.Length { return y(r.Quantiles[i]) }
			c.FillPolygon(plotstyle.Faded(plotstyle.Palette[i%len(plotstyle.Palette)]), []vg.Point{{X: left, Y: q(2)}, {X: right, Y: q(2)}, {X: right, Y: q(4)}, {X: left, Y: q(4)}})
			c.StrokeLines(style, []vg.Point{{X: left, Y: q(2)}, {X: right, Y: q(2)}, {X: right, Y: q(4)}, {X: left, Y: q(4)}, {X: left, Y: q(2)}})
			c.StrokeLine2(style, left, q(3), right, q(3))
			c.StrokeLine2(style, middle, q(1), middle, q(2))
			c.StrokeLine2(style, middle, q(4), middle, q(5))
			c.DrawGlyph(draw.GlyphStyle{Color: style.Color, Radius: 3, Shape: draw.PlusGlyph{}}, vg.Point{X: middle, Y: y(r.Mean)})
		}
	}
}
