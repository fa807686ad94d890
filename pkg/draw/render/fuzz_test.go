package render

import (
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	shapes "github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/draw"
)

// known are the elements that Graphviz writes for a picture of package draw, and
// their attributes.
var known = map[string]string{
	"svg":     "width height viewBox xmlns xlink",
	"g":       "id class transform",
	"title":   "",
	"polygon": "fill stroke stroke-width stroke-dasharray points stroke-opacity fill-opacity",
	"path":    "fill stroke stroke-width stroke-dasharray d stroke-opacity",
	"text":    "text-anchor x y font-family font-size font-weight fill",
	"a":       "title",
}

// onlyKnown fails if an SVG has more in it than what package draw asks for.
func onlyKnown(t *testing.T, svg []byte) (elements int) {
	t.Helper()
	dec := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return elements
		}
		require.NoError(t, err)
		switch x := token.(type) {
		case xml.StartElement:
			elements++
			attributes, ok := known[x.Name.Local]
			require.True(t, ok, "element %q", x.Name.Local)
			for _, a := range x.Attr {
				require.Contains(t, strings.Fields(attributes), a.Name.Local, "of %q", x.Name.Local)
			}
		case xml.CharData:
			require.True(t, utf8.Valid(x))
		}
	}
}

// small is a picture with a foreign text wherever there can be one: in boxes,
// in the legend, in tooltips and in the caption.
func small(t *testing.T, s string) []byte {
	t.Helper()
	g, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: 1, Heads: 1})
	require.NoError(t, err)
	head := circuit.Node{Kind: circuit.Head}
	m := g.Empty()
	for i := range m {
		m[i] = g.Edge(i).Sender == head
	}
	var b bytes.Buffer
	require.NoError(t, draw.WriteDOT(&b, g, m, nil, draw.Options{Caption: draw.Caption{Title: s, Lines: []string{s}},
		Collapse: draw.CollapseGroups, Groups: map[circuit.Node]draw.Group{head: {Name: s}}, Parts: []draw.Part{{Name: s, Edges: m}}}))
	return b.Bytes()
}

func svgOf(t *testing.T, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Write(context.Background(), &b, SVG, small(t, s)))
	return b.Bytes()
}

// hostile are texts that mean something to DOT, to HTML or to who shows them.
var hostile = []string{"</script><script>alert(1)</script>", `"'><svg onload="x">`, `\N\G\l`, "&amp;&#0;&lt;", "\x00\x1b[31m", "\u202eevil\u2066", "]]>--><!--",
	"", " ", "a\nb\r\n", "\xff\xfe", "(\\) Tj ET", "𝒳 日本 ▁the", strings.Repeat("W", 1<<20), "$(x)`x`", "<BR/><TABLE>"}

func FuzzSVG(f *testing.F) {
	for _, s := range hostile {
		f.Add(s[:min(len(s), 1<<12)])
	}
	seen := map[string]bool{}
	f.Fuzz(func(t *testing.T, s string) {
		shape := shapes.Shape(oneline.Plain(s))
		if seen[shape] {
			return
		}
		seen[shape] = true
		svg := svgOf(t, s)
		require.Less(t, len(svg), 64<<10)
		onlyKnown(t, svg)
	})
}

// What the fuzzing does not try for long: megabytes, and the picture as PDF.
func TestHostileTexts(t *testing.T) {
	for _, s := range hostile {
		svg := svgOf(t, s)
		require.Less(t, len(svg), 64<<10)
		onlyKnown(t, svg)
		var b bytes.Buffer
		require.NoError(t, Write(context.Background(), &b, PDF, small(t, s)))
		require.Less(t, b.Len(), 256<<10)
	}
}
