package page

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// MostPlaced is how many edges a circuit may have whose nodes Graphviz places.
// It takes 27 seconds for 3000 edges, and nobody can read the result: more stand
// on the grid.
const MostPlaced = 500

// Place moves nodes and edges to where Graphviz draws them, if there are no
// more than MostPlaced of them. layOut returns the SVG of DOT text. Without the
// circuit's edges nothing is placed.
func (d *Data) Place(ctx context.Context, layOut func(ctx context.Context, dot []byte) ([]byte, error)) error {
	n := 0
	for _, e := range d.Edges {
		if e.Kept && !e.Direct {
			n++
		}
	}
	if n == 0 || n > MostPlaced {
		return nil
	}
	svg, err := layOut(ctx, d.dot())
	if err != nil {
		return err
	}
	l, curves, err := d.read(svg)
	if err != nil {
		return fmt.Errorf("where the nodes are: graphviz's SVG: %w", err)
	}
	d.Drawn = l
	for i, c := range curves {
		d.Edges[i].Curve = c
	}
	return nil
}

// dot is the circuit as Graphviz is to lay it out. Names are numbers: no foreign
// text is in it.
func (d *Data) dot() []byte {
	var b bytes.Buffer
	b.WriteString("digraph {\n\tgraph [rankdir=TB newrank=true splines=spline nodesep=0.12 ranksep=0.62]\n")
	fmt.Fprintf(&b, "\tnode [shape=plaintext margin=0 fontsize=1 width=0 height=0]\n\tedge [arrowhead=none]\n")
	rows := d.ranks()
	for i, row := range rows {
		fmt.Fprintf(&b, "\tsubgraph { rank=same r%d [id=r%[1]d label=\"\" width=0.01 height=0.01 shape=point]", i)
		for _, k := range row {
			fmt.Fprintf(&b, " n%d [id=n%[1]d label=<%s>]", k, box(d.Nodes[k].Kind))
		}
		b.WriteString(" }\n")
	}
	for i := 1; i < len(rows); i++ {
		fmt.Fprintf(&b, "\tr%d -> r%d [style=invis weight=20]\n", i-1, i)
	}
	for i, e := range d.Edges {
		if !e.Kept || e.Direct {
			continue
		}
		port := "n"
		if e.Port != NoPort {
			port = string(circuit.Letters[e.Port]) + ":n"
		}
		fmt.Fprintf(&b, "\tn%d:s -> n%d:%s [id=e%d]\n", e.From, e.To, port, i)
	}
	b.WriteString("}\n")
	return b.Bytes()
}

// box is a node of the size that the page gives it, a head's with its ports.
func box(k circuit.Kind) string {
	if k != circuit.Head {
		return fmt.Sprintf(`<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="0"><TR><TD FIXEDSIZE="TRUE" WIDTH="%d" HEIGHT="%d"></TD></TR></TABLE>`, nodeWidth, nodeHeight)
	}
	cells := ""
	for _, c := range circuit.Letters {
		cells += fmt.Sprintf(`<TD PORT="%c" FIXEDSIZE="TRUE" WIDTH="%d" HEIGHT="12"></TD>`, c, nodeWidth/3)
	}
	return fmt.Sprintf(`<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="0"><TR>%s</TR><TR><TD COLSPAN="3" FIXEDSIZE="TRUE" WIDTH="%d" HEIGHT="%d"></TD></TR></TABLE>`,
		cells, nodeWidth, headHeight-12)
}

// ranks are the nodes of the circuit, row by row.
func (d *Data) ranks() [][]int {
	var rows [][]int
	last := -1.0
	for i, n := range d.Nodes { // whose order is that of the grid's rows
		if !n.In {
			continue
		}
		if y := d.Grid.At[i][1]; len(rows) == 0 || y != last {
			rows, last = append(rows, nil), y
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], i)
	}
	return rows
}

var (
	translation = regexp.MustCompile(`translate\(([-\d.]+) ([-\d.]+)\)`)
	numbers     = regexp.MustCompile(`-?\d+(?:\.\d+)?`)
)

// reader reads Graphviz's SVG.
type reader struct {
	d      *Data
	layout *Layout
	curves map[int]string // by edge
	dx, dy float64
	id     string     // of the group that is read
	box    [4]float64 // what its shapes span
	any    bool       // there was one
}

// read takes places and curves from Graphviz's SVG.
func (d *Data) read(svg []byte) (*Layout, map[int]string, error) {
	r := &reader{d: d, layout: &Layout{At: make([]*[2]float64, len(d.Nodes)), Rows: []Row{}}, curves: map[int]string{}}
	dec := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if err := r.element(t); err != nil {
				return nil, nil, err
			}
		case xml.EndElement:
			if t.Name.Local == "g" {
				r.finish()
			}
		}
	}
	return r.layout, r.curves, r.complete()
}

// element reads the beginning of an element.
func (r *reader) element(t xml.StartElement) error {
	a := map[string]string{}
	for _, at := range t.Attr {
		a[at.Name.Local] = at.Value
	}
	switch t.Name.Local {
	case "svg":
		f := numbers.FindAllString(a["viewBox"], -1)
		if len(f) != 4 {
			return fmt.Errorf("viewBox: expected four numbers, found %d", len(f))
		}
		r.layout.Width, r.layout.Height = float(f[2]), float(f[3])
	case "g":
		if m := translation.FindStringSubmatch(a["transform"]); m != nil {
			r.dx, r.dy = float(m[1]), float(m[2])
		}
		r.id, r.any = a["id"], false
	case "polygon", "polyline":
		r.span(a["points"])
	case "ellipse":
		r.span(a["cx"] + " " + a["cy"])
	case "path":
		if i, ok := r.number('e'); ok && i < len(r.d.Edges) {
			r.curves[i] = r.moved(a["d"])
		}
	}
	return nil
}

// number is the number in the id of a group that begins with a letter.
func (r *reader) number(letter byte) (int, bool) {
	if r.id == "" || r.id[0] != letter {
		return 0, false
	}
	n, err := strconv.Atoi(r.id[1:])
	return n, err == nil && n >= 0
}

// span widens the box of a group by points.
func (r *reader) span(points string) {
	f := numbers.FindAllString(points, -1)
	for i := 0; i+1 < len(f); i += 2 {
		x, y := float(f[i])+r.dx, float(f[i+1])+r.dy
		if !r.any {
			r.box, r.any = [4]float64{x, y, x, y}, true
		}
		r.box = [4]float64{min(r.box[0], x), min(r.box[1], y), max(r.box[2], x), max(r.box[3], y)}
	}
}

// finish keeps where a group's node or row is.
func (r *reader) finish() {
	if r.any {
		x, y := round((r.box[0]+r.box[2])/2), round((r.box[1]+r.box[3])/2)
		if i, ok := r.number('n'); ok && i < len(r.d.Nodes) {
			r.layout.At[i] = &[2]float64{x, y}
		}
	}
	r.id, r.any = "", false
}

// moved is a path in the coordinates of the layout, with a digit behind the
// point.
func (r *reader) moved(path string) string {
	odd := false
	return numbers.ReplaceAllStringFunc(path, func(s string) string {
		odd = !odd
		shift := r.dy
		if odd {
			shift = r.dx
		}
		return strconv.FormatFloat(round(float(s)+shift), 'f', -1, 64)
	})
}

// complete checks that every node of the circuit was found, and names the rows.
func (r *reader) complete() error {
	named := map[int]bool{}
	for i, n := range r.d.Nodes {
		at := r.layout.At[i]
		if n.In && at == nil {
			return fmt.Errorf("expected node %d, found none", i)
		}
		if at != nil && n.Kind > circuit.PosEmbed && n.Kind != circuit.Output && !named[n.Layer] {
			named[n.Layer] = true
			r.layout.Rows = append(r.layout.Rows, Row{"layer " + strconv.Itoa(n.Layer), at[1]})
		}
	}
	return nil
}

// float reads a number of Graphviz's; what is none counts as 0.
func float(s string) float64 {
	x, _ := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return x
}

// round is a number with one digit behind the point.
func round(x float64) float64 {
	y, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'f', 1, 64), 64)
	return y
}
