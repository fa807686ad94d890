package render

import (
	"bytes"
	"context"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"strconv"

	"github.com/fogleman/gg"
	"github.com/golang/freetype/truetype"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
)

const (
	// resolution is that of a PNG, in dots an inch, as long as the picture
	// stays below maxPixels.
	resolution = 192
	maxPixels  = 12e6
	// bigPicture, in pixels, is where compression takes longer than painting.
	bigPicture = 8_000_000
)

// paintColor is a color, or nil for none.
type paintColor = color.Color

// readColor reads the colours that Graphviz writes.
func readColor(s, opacity, absent string) paintColor {
	if s == "" {
		s = absent
	}
	named := map[string]string{"black": "#000000", "white": "#ffffff"}
	if hex, ok := named[s]; ok {
		s = hex
	}
	if len(s) != 7 || s[0] != '#' {
		return nil // "none", "transparent"
	}
	rgb, err := strconv.ParseUint(s[1:], 16, 24)
	if err != nil {
		return nil
	}
	alpha := 1.0
	if opacity != "" {
		alpha = float(opacity)
	}
	return color.NRGBA{uint8(rgb >> 16), uint8(rgb >> 8), uint8(rgb), uint8(alpha*255 + 0.5)}
}

// painter paints a drawing.
type painter struct {
	*gg.Context
	scale float64 // pixels a point
	faces map[faceKey]font.Face
	fonts [2]*truetype.Font // regular, bold
}

type faceKey struct {
	size   float64
	isBold bool
}

// paint returns the PNG of an SVG of Graphviz's.
func paint(ctx context.Context, svg []byte) ([]byte, error) {
	d, err := readSVG(svg)
	if err != nil {
		return nil, err
	}
	p, err := newPainter(d)
	if err != nil {
		return nil, err
	}
	if err := d.putOn(ctx, p); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := png.Encoder{}
	if p.Width()*p.Height() > bigPicture {
		enc.CompressionLevel = png.BestSpeed
	}
	err = enc.Encode(&b, p.Image())
	return b.Bytes(), err
}

// newPainter makes a white canvas for a drawing.
func newPainter(d *drawing) (*painter, error) {
	scale := resolution / 72.0
	if area := d.width * d.height * scale * scale; area > maxPixels {
		scale *= math.Sqrt(maxPixels / area)
	}
	w, h := int(math.Ceil(d.width*scale)), int(math.Ceil(d.height*scale))
	if w < 1 || h < 1 {
		return nil, fmt.Errorf("graphviz's SVG: size %g by %g points", d.width, d.height)
	}
	p := &painter{Context: gg.NewContext(w, h), scale: scale, faces: map[faceKey]font.Face{}}
	for i, data := range [][]byte{goregular.TTF, gobold.TTF} {
		f, err := truetype.Parse(data)
		if err != nil {
			return nil, fmt.Errorf("built-in font: %w", err)
		}
		p.fonts[i] = f
	}
	p.SetColor(color.White)
	p.Clear()
	p.SetLineCapButt()
	return p, nil
}

func (p *painter) at(d *drawing, pt point) (x, y float64) {
	return (pt.x + d.dx) * p.scale, (pt.y + d.dy) * p.scale
}

func (p *painter) shape(d *drawing, s shape) {
	for _, st := range s.path {
		switch st.op {
		case 'M':
			p.MoveTo(p.at(d, st.points[0]))
		case 'L':
			p.LineTo(p.at(d, st.points[0]))
		case 'C':
			x1, y1 := p.at(d, st.points[0])
			x2, y2 := p.at(d, st.points[1])
			x3, y3 := p.at(d, st.points[2])
			p.CubicTo(x1, y1, x2, y2, x3, y3)
		case 'Z':
			p.ClosePath()
		}
	}
	if s.fill != nil {
		p.SetColor(s.fill)
		p.FillPreserve()
	}
	if s.stroke != nil && s.strokeWidth > 0 {
		p.SetColor(s.stroke)
		p.SetLineWidth(s.strokeWidth * p.scale)
		var dash []float64
		for _, x := range s.dash {
			dash = append(dash, x*p.scale)
		}
		p.SetDash(dash...)
		p.StrokePreserve()
	}
	p.ClearPath()
}

// surface is what a drawing is put on.
type surface interface {
	text(*drawing, shape)
	shape(*drawing, shape)
}

// putOn paints every shape, or returns the context's error. Nothing is painted
// twice, which opacity shows.
func (d *drawing) putOn(ctx context.Context, on surface) error {
	for i, s := range d.shapes {
		if i%64 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if s.text != nil {
			on.text(d, s)
			continue
		}
		if outer := outset(s); outer != nil {
			s = *outer
		}
		on.shape(d, s)
	}
	return nil
}

// outset is a filled shape of straight sides in one colour, such as an
// arrowhead, as its outer edge, with the sharp corners that a stroke of gg's
// lacks; nil for other shapes.
func outset(s shape) *shape {
	n := len(s.path) - 2 // the last point is the first again, then comes Z
	if n < 3 || s.fill == nil || s.fill != s.stroke || s.path[n+1].op != 'Z' {
		return nil
	}
	at := func(i int) point { return s.path[(i+n)%n].points[0] }
	area := 0.0
	for i := range n {
		area += at(i).x*at(i+1).y - at(i+1).x*at(i).y
	}
	if area == 0 {
		return nil
	}
	out := shape{fill: s.fill, path: []step{{op: 'Z'}}}
	for i := n - 1; i >= 0; i-- {
		// Each corner goes out along the bisector until both sides are half a
		// line away; very sharp ones are cut off.
		a, b := normal(at(i-1), at(i), area), normal(at(i), at(i+1), area)
		k := s.strokeWidth / 2 / max(0.05, 1+a.x*b.x+a.y*b.y)
		corner := point{at(i).x + k*(a.x+b.x), at(i).y + k*(a.y+b.y)}
		op := byte('L')
		if i == 0 {
			op = 'M'
		}
		out.path = append([]step{{op, []point{corner}}}, out.path...)
	}
	return &out
}

// normal is the outward unit normal of side ab of a polygon whose signed area
// has the sign of area.
func normal(a, b point, area float64) point {
	x, y := b.y-a.y, a.x-b.x
	length := math.Copysign(max(math.Hypot(x, y), 1e-9), area)
	return point{x / length, y / length}
}

// text paints a line in the space that Graphviz has measured for it, which is
// that of Arial, somewhat narrower than the Go fonts.
func (p *painter) text(d *drawing, s shape) {
	t := s.text
	if t.text == "" || s.fill == nil {
		return
	}
	size := t.size * p.scale
	p.SetFontFace(p.face(size, t.isBold))
	actual, _ := p.MeasureString(t.text)
	middle, size := placed(t, size, actual)
	x, y := p.at(d, t.at)
	p.SetFontFace(p.face(size, t.isBold))
	p.SetColor(s.fill)
	p.DrawStringAnchored(t.text, x+middle, y, 0.5, 0)
}

// placed is how far right of its place the middle of a line of text is, and its
// size so that it fits, given its size and how wide it is at that.
func placed(t *textLine, size, actual float64) (middle, fits float64) {
	planned := arialWidth(t.text) * size
	if t.isBold {
		planned *= 1.07
	}
	switch t.anchor {
	case "start", "":
		middle = planned / 2
	case "end":
		middle = -planned / 2
	}
	if actual > planned*1.001 {
		size *= max(planned/actual, 0.8)
	}
	return middle, size
}

func (p *painter) face(size float64, isBold bool) font.Face {
	key := faceKey{size, isBold}
	if p.faces[key] == nil {
		f := p.fonts[0]
		if isBold {
			f = p.fonts[1]
		}
		p.faces[key] = truetype.NewFace(f, &truetype.Options{Size: size, DPI: 72, Hinting: font.HintingNone, SubPixelsX: 8, SubPixelsY: 8})
	}
	return p.faces[key]
}

// arialWidths are the advances of U+0020 to U+007E in thousandths of the font
// size (Adobe's metrics of Helvetica, which Arial shares).
var arialWidths = [95]uint16{
	278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
	556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
	1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
	667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
	333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
	556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
}

// arialWidth is the width that Graphviz plans for text in Arial, in font sizes:
// each byte of a character beyond ASCII counts as a space.
func arialWidth(s string) float64 {
	sum := 0
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			c = ' '
		}
		sum += int(arialWidths[c-' '])
	}
	return float64(sum) / 1000
}
