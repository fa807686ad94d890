package figure

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// palette are the colours of Okabe and Ito, which people of every kind of
// colour-blindness tell apart, without their yellow, which white paper hides.
var palette = []color.RGBA{
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

// lineStyle is that of curve i of n.
func lineStyle(i, n int) draw.LineStyle {
	return draw.LineStyle{Color: palette[i%len(palette)], Dashes: dashes[(i+i/len(palette))%len(dashes)], Width: lineWidth(i, n)}
}

// lineWidth is that of curve i of n. The first are drawn first and are wider, so
// that where curves cover each other all are seen.
func lineWidth(i, n int) vg.Length { return 1.2 + 0.5*vg.Length(min(n-1-i, 6)) }

// glyphStyle is that of the marks of curve i of n, which stand out from its line.
func glyphStyle(i, n int) draw.GlyphStyle {
	return draw.GlyphStyle{Color: palette[i%len(palette)], Radius: 2 + lineWidth(i, n)/2, Shape: glyphs[i%len(glyphs)]}
}

// sans is the font, in a multiple of its usual size.
func sans(scale float64) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: fontSize * vg.Length(scale)}
}

// textStyle is black text from its left end.
func textStyle(scale float64) text.Style {
	return text.Style{Color: color.Black, Font: sans(scale), Handler: plot.DefaultTextHandler, YAlign: draw.YCenter}
}
