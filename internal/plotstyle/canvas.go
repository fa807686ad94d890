package plotstyle

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"

	"github.com/seed-2c350065/acdc/internal/pdf"
)

// canvas draws plots on the page of a PDF. Where gonum's own (vg/vgpdf) has the
// letters of Windows' code page 1252 alone, and puts the date into every file, it
// has all that the font has, and none.
type canvas struct {
	page   *pdf.Page
	height float64
	state  state
	stack  []state
	err    error
}

// state is what Push saves and Pop brings back.
type state struct {
	m     [6]float64 // x′ = m0·x + m2·y + m4, y′ = m1·x + m3·y + m5, in points upwards
	width float64
	dash  []float64
	color color.Color
}

// sans is the name of the one font in a PDF.
const sans = "sans"

// newCanvas makes a canvas of a size.
func newCanvas(width, height vg.Length) (*canvas, error) {
	var ttf bytes.Buffer
	face := font.DefaultCache.Lookup(Sans(1), FontSize)
	if _, err := face.Face.WriteSourceTo(nil, &ttf); err != nil {
		return nil, fmt.Errorf("built-in font: %w", err)
	}
	page, err := pdf.New(width.Points(), height.Points(), pdf.Font{Name: sans, TTF: ttf.Bytes()})
	if err != nil {
		return nil, err
	}
	return &canvas{page: page, height: height.Points(), state: state{m: [6]float64{1, 0, 0, 1, 0, 0}, width: 1, color: color.Black}}, nil
}

func (c *canvas) SetLineWidth(w vg.Length) { c.state.width = w.Points() }

// SetLineDash takes the lengths of dashes and gaps; all begin at their first.
func (c *canvas) SetLineDash(pattern []vg.Length, _ vg.Length) {
	c.state.dash = nil
	for _, x := range pattern {
		c.state.dash = append(c.state.dash, x.Points())
	}
}

func (c *canvas) SetColor(to color.Color) {
	if to == nil {
		to = color.Black
	}
	c.state.color = to
}

func (c *canvas) transform(by [6]float64) {
	m := c.state.m
	c.state.m = [6]float64{
		m[0]*by[0] + m[2]*by[1], m[1]*by[0] + m[3]*by[1],
		m[0]*by[2] + m[2]*by[3], m[1]*by[2] + m[3]*by[3],
		m[0]*by[4] + m[2]*by[5] + m[4], m[1]*by[4] + m[3]*by[5] + m[5],
	}
}

func (c *canvas) Rotate(angle float64) {
	sin, cos := math.Sincos(angle)
	c.transform([6]float64{cos, sin, -sin, cos, 0, 0})
}

func (c *canvas) Translate(p vg.Point) {
	c.transform([6]float64{1, 0, 0, 1, p.X.Points(), p.Y.Points()})
}

func (c *canvas) Scale(x, y float64) { c.transform([6]float64{x, 0, 0, y, 0, 0}) }

func (c *canvas) Push() { c.stack = append(c.stack, c.state) }

func (c *canvas) Pop() {
	c.state = c.stack[len(c.stack)-1]
	c.stack = c.stack[:len(c.stack)-1]
}

// scale is how much longer lines become.
func (c *canvas) scale() float64 {
	m := c.state.m
	return math.Sqrt(math.Abs(m[0]*m[3] - m[1]*m[2]))
}

// at is where a place is on the page.
func (c *canvas) at(x, y float64) pdf.Point {
	m := c.state.m
	return pdf.Point{X: m[0]*x + m[2]*y + m[4], Y: c.height - (m[1]*x + m[3]*y + m[5])}
}

func (c *canvas) point(p vg.Point) pdf.Point { return c.at(p.X.Points(), p.Y.Points()) }

func (c *canvas) Stroke(p vg.Path) {
	scale := c.scale()
	var dash []float64
	for _, x := range c.state.dash {
		dash = append(dash, x*scale)
	}
	c.page.Outline(c.outline(p), pdf.Pen{Stroke: c.state.color, Width: c.state.width * scale, Dash: dash})
}

func (c *canvas) Fill(p vg.Path) { c.page.Outline(c.outline(p), pdf.Pen{Fill: c.state.color}) }

func (c *canvas) outline(p vg.Path) []pdf.Step {
	var out []pdf.Step
	for _, part := range p {
		switch part.Type {
		case vg.MoveComp:
			out = append(out, pdf.Step{Op: 'M', Points: []pdf.Point{c.point(part.Pos)}})
		case vg.LineComp:
			out = append(out, pdf.Step{Op: 'L', Points: []pdf.Point{c.point(part.Pos)}})
		case vg.ArcComp:
			out = append(out, c.arc(part, len(out) == 0)...)
		case vg.CurveComp:
			out = append(out, c.curve(part, out))
		case vg.CloseComp:
			out = append(out, pdf.Step{Op: 'Z'})
		default:
			panic(fmt.Sprintf("plotstyle: part of a path of type %d", part.Type))
		}
	}
	return out
}

// curve is a cubic one, or a quadratic one as a cubic one.
func (c *canvas) curve(part vg.PathComp, before []pdf.Step) pdf.Step {
	end := c.point(part.Pos)
	first := c.point(part.Control[0])
	if len(part.Control) == 2 {
		return pdf.Step{Op: 'C', Points: []pdf.Point{first, c.point(part.Control[1]), end}}
	}
	last := before[len(before)-1].Points
	start := last[len(last)-1]
	third := func(from pdf.Point) pdf.Point {
		return pdf.Point{X: from.X + 2*(first.X-from.X)/3, Y: from.Y + 2*(first.Y-from.Y)/3}
	}
	return pdf.Step{Op: 'C', Points: []pdf.Point{third(start), third(end), end}}
}

// arc is one of a circle in curves of at most an eighth of it, whose error is below a
// millionth of the radius.
func (c *canvas) arc(part vg.PathComp, isFirst bool) []pdf.Step {
	r, x, y := part.Radius.Points(), part.Pos.X.Points(), part.Pos.Y.Points()
	on := func(angle, out, along float64) pdf.Point {
		sin, cos := math.Sincos(angle)
		return c.at(x+r*(cos*out-sin*along), y+r*(sin*out+cos*along))
	}
	begin := pdf.Step{Op: 'L', Points: []pdf.Point{on(part.Start, 1, 0)}}
	if isFirst {
		begin.Op = 'M'
	}
	steps := []pdf.Step{begin}
	n := max(1, int(math.Ceil(math.Abs(part.Angle)/(math.Pi/4)-1e-9)))
	each := part.Angle / float64(n)
	reach := 4.0 / 3 * math.Tan(each/4)
	for i := range n {
		a, b := part.Start+float64(i)*each, part.Start+float64(i+1)*each
		steps = append(steps, pdf.Step{Op: 'C', Points: []pdf.Point{on(a, 1, reach), on(b, 1, -reach), on(b, 1, 0)}})
	}
	return steps
}

func (c *canvas) FillString(f font.Face, p vg.Point, text string) {
	m := c.state.m
	c.page.Text(pdf.Line{At: c.point(p), Font: sans, Size: f.Font.Size.Points() * c.scale(), Angle: math.Atan2(m[1], m[0]), Color: c.state.color, Text: text})
}

// DrawImage is part of the interface; no plot has images.
func (c *canvas) DrawImage(vg.Rectangle, image.Image) {
	c.err = fmt.Errorf("an image in a PDF: expected outlines and text")
}
