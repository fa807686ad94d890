package render

import (
	"context"
	"fmt"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"

	"github.com/seed-2c350065/acdc/internal/pdf"
)

// regular and bold are the fonts of a PDF, those of the PNG.
const regular, bold = "regular", "bold"

// pages paints a drawing on a page.
type pages struct {
	*pdf.Page
	scale float64 // points of the page a point
}

// paintPDF returns the PDF of an SVG of Graphviz's.
func paintPDF(ctx context.Context, svg []byte) ([]byte, error) {
	d, err := readSVG(svg)
	if err != nil {
		return nil, err
	}
	if !(d.width > 0 && d.height > 0) {
		return nil, fmt.Errorf("graphviz's SVG: size %g by %g points", d.width, d.height)
	}
	scale := min(1, pdf.MaxSide/max(d.width, d.height))
	page, err := pdf.New(d.width*scale, d.height*scale, pdf.Font{Name: regular, TTF: goregular.TTF}, pdf.Font{Name: bold, TTF: gobold.TTF})
	if err != nil {
		return nil, err
	}
	p := &pages{page, scale}
	if err := d.putOn(ctx, p); err != nil {
		return nil, err
	}
	return page.Bytes()
}

func (p *pages) at(d *drawing, pt point) pdf.Point {
	return pdf.Point{X: (pt.x + d.dx) * p.scale, Y: (pt.y + d.dy) * p.scale}
}

func (p *pages) shape(d *drawing, s shape) {
	var path []pdf.Step
	for _, st := range s.path {
		step := pdf.Step{Op: st.op}
		for _, pt := range st.points {
			step.Points = append(step.Points, p.at(d, pt))
		}
		path = append(path, step)
	}
	var dash []float64
	for _, x := range s.dash {
		dash = append(dash, x*p.scale)
	}
	p.Outline(path, pdf.Pen{Fill: s.fill, Stroke: s.stroke, Width: s.strokeWidth * p.scale, Dash: dash})
}

// text writes a line where the PNG has it.
func (p *pages) text(d *drawing, s shape) {
	t := s.text
	name := regular
	if t.isBold {
		name = bold
	}
	size := t.size * p.scale
	middle, size := placed(t, size, p.Width(name, size, t.text))
	at := p.at(d, t.at)
	at.X += middle - p.Width(name, size, t.text)/2
	p.Text(pdf.Line{At: at, Font: name, Size: size, Color: s.fill, Text: t.text})
}
