package render

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// drawing is the part of SVG that Graphviz writes: shapes in the order in
// which they are painted, in points, y downwards.
type drawing struct {
	width, height float64
	dx, dy        float64 // the one translation that Graphviz uses
	shapes        []shape
}

// shape is an outline or a line of text.
type shape struct {
	path        []step
	fill        paintColor
	stroke      paintColor
	strokeWidth float64
	dash        []float64
	text        *textLine
}

// step moves, draws a line (1 point) or a cubic curve (3 points).
type step struct {
	op     byte // 'M', 'L', 'C' or 'Z'
	points []point
}

type point struct{ x, y float64 }

type textLine struct {
	at     point
	anchor string // start, middle, end
	size   float64
	isBold bool
	text   string
}

var translation = regexp.MustCompile(`scale\(([-\d.]+) ([-\d.]+)\) rotate\(0\) translate\(([-\d.]+) ([-\d.]+)\)`)

// readSVG reads what Graphviz wrote.
func readSVG(data []byte) (*drawing, error) {
	d := &drawing{}
	dec := xml.NewDecoder(bytes.NewReader(data))
	var line *textLine
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return d, nil
		}
		if err != nil {
			return nil, fmt.Errorf("graphviz's SVG: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			a := attributes(t)
			if err := d.element(t.Name.Local, a); err != nil {
				return nil, fmt.Errorf("graphviz's SVG: <%s>: %w", t.Name.Local, err)
			}
			if t.Name.Local == "text" {
				line = d.shapes[len(d.shapes)-1].text
			}
		case xml.CharData:
			if line != nil {
				line.text += string(t)
			}
		case xml.EndElement:
			line = nil
		}
	}
}

func attributes(t xml.StartElement) map[string]string {
	a := map[string]string{}
	for _, at := range t.Attr {
		a[at.Name.Local] = at.Value
	}
	return a
}

// element adds what an element draws.
func (d *drawing) element(name string, a map[string]string) error {
	var path []step
	var err error
	switch name {
	case "svg":
		return d.setSize(a["viewBox"])
	case "g":
		if m := translation.FindStringSubmatch(a["transform"]); m != nil {
			d.dx, d.dy = float(m[3]), float(m[4])
		}
		return nil
	case "polygon", "polyline":
		path, err = readPoints(a["points"], name == "polygon")
	case "path":
		path, err = readPath(a["d"])
	case "text":
		size := float(a["font-size"])
		d.shapes = append(d.shapes, shape{fill: readColor(a["fill"], a["fill-opacity"], "black"), text: &textLine{
			at: point{float(a["x"]), float(a["y"])}, anchor: a["text-anchor"], size: size, isBold: a["font-weight"] == "bold",
		}})
		return nil
	default:
		return nil
	}
	if err != nil {
		return err
	}
	s := shape{path: path, fill: readColor(a["fill"], a["fill-opacity"], "black"), stroke: readColor(a["stroke"], a["stroke-opacity"], "none"), strokeWidth: 1}
	if w := a["stroke-width"]; w != "" {
		s.strokeWidth = float(w)
	}
	if dash := a["stroke-dasharray"]; dash != "" {
		for _, x := range strings.Split(dash, ",") {
			s.dash = append(s.dash, float(x))
		}
	}
	d.shapes = append(d.shapes, s)
	return nil
}

func (d *drawing) setSize(viewBox string) error {
	f := strings.Fields(viewBox)
	if len(f) != 4 {
		return fmt.Errorf("viewBox %q: expected four numbers", viewBox)
	}
	d.width, d.height = float(f[2]), float(f[3])
	return nil
}

// float reads a number of Graphviz's; what is none counts as 0.
func float(s string) float64 {
	x, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(s), "pt"), 64)
	return x
}

func readPoint(s string) (point, error) {
	x, y, ok := strings.Cut(s, ",")
	if !ok {
		return point{}, fmt.Errorf("point %q: expected x,y", s)
	}
	return point{float(x), float(y)}, nil
}

func readPoints(s string, isClosed bool) ([]step, error) {
	var path []step
	for i, f := range strings.Fields(s) {
		p, err := readPoint(f)
		if err != nil {
			return nil, err
		}
		op := byte('L')
		if i == 0 {
			op = 'M'
		}
		path = append(path, step{op, []point{p}})
	}
	if isClosed {
		path = append(path, step{op: 'Z'})
	}
	return path, nil
}

// readPath reads the form that Graphviz writes: one M, then Cs of three points
// each.
func readPath(s string) ([]step, error) {
	move, curves, ok := strings.Cut(strings.TrimPrefix(s, "M"), "C")
	if !ok {
		return nil, fmt.Errorf("path %q: expected M…C…", s)
	}
	start, err := readPoint(strings.TrimSpace(move))
	if err != nil {
		return nil, err
	}
	path := []step{{'M', []point{start}}}
	var points []point
	for _, f := range strings.Fields(curves) {
		p, err := readPoint(f)
		if err != nil {
			return nil, err
		}
		if points = append(points, p); len(points) == 3 {
			path, points = append(path, step{'C', points}), nil
		}
	}
	return path, nil
}
