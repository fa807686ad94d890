package plotstyle

import (
	"bytes"
	"image/color"
	"image/png"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// contrast is that of a colour with white by WCAG 2.
func contrast(c color.RGBA) float64 {
	linear := func(x uint8) float64 {
		v := float64(x) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 1.05 / (0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B) + 0.05)
}

// Every colour is seen on white, and no two of many methods share colour,
// dash and mark.
func TestStylesDiffer(t *testing.T) {
	for _, c := range Palette {
		assert.Greater(t, contrast(c), 2.0, c)
	}
	type style struct {
		color color.Color
		dash  int
		glyph any
	}
	seen := map[style]bool{}
	for i := range 28 {
		l, g := LineStyle(i, 28), GlyphStyle(i, 28)
		s := style{l.Color, len(l.Dashes), g.Shape}
		if len(l.Dashes) == 2 {
			s.dash = int(l.Dashes[0])
		}
		assert.False(t, seen[s], i)
		seen[s] = true
		assert.Equal(t, l.Color, g.Color)
		assert.Greater(t, g.Radius, l.Width/2)
	}
}

// A picture has its size in both formats, is white where nothing is painted, and
// what painting says is what Write says.
func TestWrite(t *testing.T) {
	paint := func(c draw.Canvas) error {
		c.FillText(TextStyle(1), vg.Point{X: 10, Y: 10}, "a < b")
		return nil
	}
	var b, again bytes.Buffer
	require.NoError(t, Write(&b, SVG, 144, 72, paint))
	require.NoError(t, Write(&again, SVG, 144, 72, paint))
	assert.Equal(t, b.String(), again.String())
	assert.Contains(t, b.String(), `width="144pt" height="72pt"`)
	assert.Contains(t, b.String(), "'Liberation Sans',Arial")
	assert.Contains(t, b.String(), "a &lt; b")
	b.Reset()
	require.NoError(t, Write(&b, PNG, 144, 72, paint))
	img, err := png.Decode(&b)
	require.NoError(t, err)
	assert.Equal(t, 2*Resolution, img.Bounds().Dx())
	assert.Equal(t, color.RGBA{255, 255, 255, 255}, color.RGBAModel.Convert(img.At(1, 1)))
	b.Reset()
	again.Reset()
	require.NoError(t, Write(&b, PDF, 144, 72, paint))
	require.NoError(t, Write(&again, PDF, 144, 72, paint))
	assert.Equal(t, b.String(), again.String())
	assert.Contains(t, b.String(), "/MediaBox [0 0 144.00 72.00]")
	for _, f := range Formats() {
		assert.ErrorIs(t, Write(&b, f, 10, 10, func(draw.Canvas) error { return assert.AnError }), assert.AnError)
	}
}

// What is faded keeps its hue and is seen on white, less than what is not.
func TestFaded(t *testing.T) {
	assert.Equal(t, color.RGBA{255 - 76, 255 - 76, 255 - 76, 255}, Faded(color.RGBA{0, 0, 0, 255}))
	for _, c := range Palette {
		f := Faded(c)
		assert.Less(t, contrast(f), contrast(c))
		assert.Greater(t, contrast(f), 1.15, c)
		assert.Equal(t, c.R > c.B, f.R > f.B)
	}
}
