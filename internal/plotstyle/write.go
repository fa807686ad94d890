package plotstyle

import (
	"bytes"
	"image/color"
	"io"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Format is a format of pictures.
type Format string

// The formats.
const (
	SVG Format = "svg"
	PNG Format = "png"
	PDF Format = "pdf"
)

// Formats lists the formats.
func Formats() []Format { return []Format{SVG, PNG, PDF} }

// Resolution is that of a PNG, in dots an inch.
const Resolution = 192

// Write writes a picture of a size, white where paint leaves it.
func Write(w io.Writer, format Format, width, height vg.Length, paint func(draw.Canvas) error) error {
	if format == PDF {
		return writePDF(w, width, height, paint)
	}
	if format == PNG {
		c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(Resolution))}
		if err := onWhite(draw.New(c), paint); err != nil {
			return err
		}
		_, err := c.WriteTo(w)
		return err
	}
	c := vgsvg.New(width, height)
	if err := onWhite(draw.New(c), paint); err != nil {
		return err
	}
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return err
	}
	_, err := w.Write(bytes.ReplaceAll(b.Bytes(), []byte(oneFont), []byte(likeFonts)))
	return err
}

// writePDF is Write for PDF, of outlines and text that can be selected.
func writePDF(w io.Writer, width, height vg.Length, paint func(draw.Canvas) error) error {
	c, err := newCanvas(width, height)
	if err != nil {
		return err
	}
	if err := onWhite(draw.NewCanvas(c, width, height), paint); err != nil {
		return err
	}
	if c.err != nil {
		return c.err
	}
	data, err := c.page.Bytes()
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

func onWhite(c draw.Canvas, paint func(draw.Canvas) error) error {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	return paint(c)
}

// In an SVG fonts of the same widths may stand for the one that texts were
// measured in. No text has this attribute in it, since quotes are escaped there.
const (
	oneFont   = `style="font-family:Liberation Sans;`
	likeFonts = `style="font-family:'Liberation Sans',Arial,Helvetica,sans-serif;`
)
