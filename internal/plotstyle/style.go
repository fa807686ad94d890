// Package plotstyle is what all plots have in common: colours that the
// colour-blind tell apart, dashes and marks, one font, one grid, and how a
// picture becomes SVG, PNG or PDF. The same picture gives the same bytes. It knows
// nothing of what is plotted.
package plotstyle

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Palette are the colours of Okabe and Ito, which people of every kind of
// colour-blindness tell apart, without their yellow, which white paper hides.
var Palette = []color.RGBA{
	{0x00, 0x72, 0xB2, 0xFF}, // blue
	{0xD5, 0x5E, 0x00, 0xFF}, // vermilion
	{0x00, 0x9E, 0x73, 0xFF}, // bluish green
	{0xCC, 0x79, 0xA7, 0xFF}, // reddish purple
	{0xE6, 0x9F, 0x00, 0xFF}, // orange
	{0x56, 0xB4, 0xE9, 0xFF}, // sky blue
	{0x00, 0x00, 0x00, 0xFF}, // black
}

// dashes tell apart curves of one colour, and help where colours do not.
var dashes = [][]vg.Length{nil, {6, 2}, {2, 2}, {7, 2, 2, 2}}

// glyphs are the marks.
var glyphs = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.CrossGlyph{}, draw.PlusGlyph{}, draw.RingGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}}

// FontSize is the usual size of text.
const FontSize = 9 * vg.Length(1)

// LineStyle is that of curve i of n.
func LineStyle(i, n int) draw.LineStyle {
	return draw.LineStyle{Color: Palette[i%len(Palette)], Dashes: dashes[(i+i/len(Palette))%len(dashes)], Width: lineWidth(i, n)}
}

// lineWidth is that of curve i of n. The first are drawn first and are wider, so
// that where curves cover each other all are seen.
func lineWidth(i, n int) vg.Length { return 1.2 + 0.5*vg.Length(min(n-1-i, 6)) }

// GlyphStyle is that of the marks of curve i of n, which stand out from its line.
func GlyphStyle(i, n int) draw.GlyphStyle {
	return draw.GlyphStyle{Color: Palette[i%len(Palette)], Radius: 2 + lineWidth(i, n)/2, Shape: glyphs[i%len(glyphs)]}
}

// Sample draws a piece of curve i of n with its mark, from left on, as a legend
// shows it.
func Sample(c draw.Canvas, i, n int, left, y, width vg.Length) {
	c.StrokeLine2(LineStyle(i, n), left, y, left+width, y)
	c.DrawGlyph(GlyphStyle(i, n), vg.Point{X: left + width/2, Y: y})
}

// Sans is the font, in a multiple of its usual size.
func Sans(scale float64) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: FontSize * vg.Length(scale)}
}

// TextStyle is black text from its left end.
func TextStyle(scale float64) text.Style {
	return text.Style{Color: color.Black, Font: Sans(scale), Handler: plot.DefaultTextHandler, YAlign: draw.YCenter}
}

// Faded is a colour half way and more to white, for what matters less.
func Faded(c color.RGBA) color.RGBA {
	const left = 3 // of ten parts
	fade := func(x uint8) uint8 { return uint8(255 - (255-int(x))*left/10) }
	return color.RGBA{fade(c.R), fade(c.G), fade(c.B), c.A}
}

// Axes gives a plot the font, and a grid behind what is added later.
func Axes(p *plot.Plot) {
	p.Title.TextStyle = TextStyle(1)
	p.Title.TextStyle.XAlign, p.Title.TextStyle.YAlign = draw.XCenter, draw.YTop
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font, axis.Tick.Label.Font = Sans(1), Sans(1)
	}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{225}, color.Gray{225}
	p.Add(grid)
}
