package figure

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/internal/plotstyle"
	"github.com/seed-2c350065/acdc/pkg/roc"
)

// Where the legend's columns stand, from the panel's left.
const (
	sampleWidth = 0.9 * vg.Centimeter
	nameAt      = 1.1 * vg.Centimeter
	nameRunes   = 24
)

// columns are the ends of the columns of areas.
var columns = []struct {
	head string
	end  vg.Length
}{{"pessimistic", 6.3 * vg.Centimeter}, {"trapezoid", 8 * vg.Centimeter}, {"InterpBench", panelWidth}}

// legendHeight is that of the legend below each panel.
func (f Figure) legendHeight() vg.Length { return vg.Length(len(f.Curves)+1)*lineHeight + gap/2 }

// legend lists the methods with their areas; a third column stands where one of
// them has InterpBench's.
func (f Figure) legend(c draw.Canvas, part roc.Part) {
	y := func(row int) vg.Length { return c.Max.Y - gap/2 - (vg.Length(row)+0.5)*lineHeight }
	right := plotstyle.TextStyle(1)
	right.XAlign = draw.XRight
	cell := func(row, column int, text string) {
		c.FillText(right, vg.Point{X: c.Min.X + columns[column].end, Y: y(row)}, text)
	}
	c.FillText(plotstyle.TextStyle(1), vg.Point{X: c.Min.X + nameAt, Y: y(0)}, "area")
	hasThird := false
	for i, curve := range f.Curves {
		row := i + 1
		plotstyle.Sample(c, i, len(f.Curves), c.Min.X, y(row), sampleWidth)
		c.FillText(plotstyle.TextStyle(1), vg.Point{X: c.Min.X + nameAt, Y: y(row)}, oneline.Middle(oneline.Plain(curve.Name), nameRunes))
		cell(row, 0, areaText(curve.Pessimistic(part)))
		cell(row, 1, areaText(curve.Trapezoid(part)))
		if curve.InterpBench != nil && part == roc.Edges {
			hasThird = true
			cell(row, 2, areaText(*curve.InterpBench))
		}
	}
	for i, column := range columns {
		if i < 2 || hasThird {
			cell(0, i, column.head)
		}
	}
}
