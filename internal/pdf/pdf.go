// Package pdf makes a PDF of one page out of outlines and lines of text, as
// vectors: text can be selected, searched and copied. The same page gives the
// same bytes; there are no dates in it. It knows nothing of what is drawn.
//
// Places are in points from the upper left corner, y downwards.
package pdf

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"codeberg.org/go-pdf/fpdf"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// Font is a TrueType font under a name of its own, which is embedded as far as it
// is used.
type Font struct {
	Name string
	TTF  []byte
}

// Point is a place on the page.
type Point struct{ X, Y float64 }

// Step moves to or draws a line to a point, draws a cubic curve by three points,
// or closes the outline.
type Step struct {
	Op     byte // 'M', 'L', 'C' or 'Z'
	Points []Point
}

// Pen is how an outline is filled and stroked; nil colours do neither.
type Pen struct {
	Fill, Stroke color.Color
	Width        float64 // of the stroke, in points
	Dash         []float64
}

// Line is a line of text from its left end, upwards if turned.
type Line struct {
	At    Point // where its base line begins
	Font  string
	Size  float64 // in points
	Angle float64 // against the clock, in radians
	Color color.Color
	Text  string
}

// MaxSide is the longest side of a page that readers show, in points.
const MaxSide = 14400

// mostRunes is how much of a line of text is written, far more than fits a page.
const mostRunes = 4000

// Page is a page that is drawn on.
type Page struct {
	doc    *fpdf.Fpdf
	height float64
}

// New makes a page of a size in points, at most MaxSide.
func New(width, height float64, fonts ...Font) (*Page, error) {
	if !(width > 0 && height > 0 && width <= MaxSide && height <= MaxSide) {
		return nil, fmt.Errorf("a page of %g by %g points: expected sides of more than 0 and at most %d", width, height, MaxSide)
	}
	doc := fpdf.NewCustom(&fpdf.InitType{OrientationStr: "P", UnitStr: "pt", Size: fpdf.SizeType{Wd: width, Ht: height}})
	doc.SetCatalogSort(true)
	doc.SetProducer("acdc", true)
	doc.SetCreationDate(time.Unix(0, 0).UTC())
	doc.SetModificationDate(time.Unix(0, 0).UTC())
	doc.SetAutoPageBreak(false, 0)
	for _, f := range fonts {
		doc.AddUTF8FontFromBytes(f.Name, "", bytes.Clone(f.TTF)) // which it may change
	}
	doc.AddPage()
	return &Page{doc: doc, height: height}, doc.Error()
}

// Outline fills and strokes an outline.
func (p *Page) Outline(path []Step, pen Pen) {
	if pen.Fill != nil {
		r, g, b, alpha := parts(pen.Fill)
		p.doc.SetFillColor(r, g, b)
		p.doc.SetAlpha(alpha, "Normal")
		p.trace(path)
		p.doc.DrawPath("F")
	}
	if pen.Stroke != nil && pen.Width > 0 {
		r, g, b, alpha := parts(pen.Stroke)
		p.doc.SetDrawColor(r, g, b)
		p.doc.SetAlpha(alpha, "Normal")
		p.doc.SetLineWidth(pen.Width)
		p.doc.SetDashPattern(append([]float64{}, pen.Dash...), 0)
		p.trace(path)
		p.doc.DrawPath("D")
	}
}

func (p *Page) trace(path []Step) {
	for _, s := range path {
		switch s.Op {
		case 'M':
			p.doc.MoveTo(s.Points[0].X, s.Points[0].Y)
		case 'L':
			p.doc.LineTo(s.Points[0].X, s.Points[0].Y)
		case 'C':
			a, b, c := s.Points[0], s.Points[1], s.Points[2]
			p.doc.CurveBezierCubicTo(a.X, a.Y, b.X, b.Y, c.X, c.Y)
		case 'Z':
			p.doc.ClosePath()
		}
	}
}

// parts are the parts of a colour, without what its opacity takes from them.
func parts(c color.Color) (r, g, b int, alpha float64) {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	return int(n.R), int(n.G), int(n.B), float64(n.A) / 255
}

// Text writes a line of text.
func (p *Page) Text(l Line) {
	s := plain(l.Text)
	if s == "" || l.Size <= 0 || l.Color == nil {
		return
	}
	r, g, b, alpha := parts(l.Color)
	p.doc.SetTextColor(r, g, b)
	p.doc.SetAlpha(alpha, "Normal")
	p.doc.SetFont(l.Font, "", l.Size)
	if l.Angle == 0 {
		p.doc.Text(l.At.X, l.At.Y, s)
		return
	}
	sin, cos := math.Sincos(l.Angle)
	p.doc.TransformBegin()
	p.doc.Transform(fpdf.TransformMatrix{A: cos, B: sin, C: -sin, D: cos, E: l.At.X, F: p.height - l.At.Y})
	p.doc.Text(0, p.height, s)
	p.doc.TransformEnd()
}

// Width is how wide a line of text is, in points.
func (p *Page) Width(font string, size float64, s string) float64 {
	p.doc.SetFont(font, "", size)
	return p.doc.GetStringWidth(plain(s))
}

// plain is text that a font of the page can be asked for: of Unicode's first
// plane, on one line.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r > 0xFFFF {
			return utf8.RuneError
		}
		return r
	}, oneline.Plain(s))
	if n := utf8.RuneCountInString(s); n > mostRunes {
		s = oneline.Middle(s, mostRunes)
	}
	return s
}

// Bytes is the page as a PDF. It is drawn on no more.
func (p *Page) Bytes() ([]byte, error) {
	var b bytes.Buffer
	err := p.doc.Output(&b)
	return b.Bytes(), err
}
