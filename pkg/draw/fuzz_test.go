package draw

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	parser "gonum.org/v1/gonum/graph/formats/dot"
	"gonum.org/v1/gonum/graph/formats/dot/ast"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// attributes are those that package draw writes, of nodes, edges and graphs.
var attributes = strings.Fields("label tooltip fontsize fontcolor fontname color bgcolor penwidth arrowsize arrowhead style weight rank rankdir newrank outputorder " +
	"splines nodesep ranksep pad labelloc labeljust shape peripheries margin width height constraint")

// elements are those of labels, with their attributes.
var elements = map[string]string{"TABLE": "BORDER CELLBORDER CELLSPACING CELLPADDING COLOR", "TR": "", "TD": "PORT BORDER COLOR BGCOLOR CELLPADDING COLSPAN",
	"FONT": "POINT-SIZE COLOR", "B": "", "BR": ""}

// outlineOf parses DOT text and says what it has, but for the texts.
func outlineOf(t testing.TB, text []byte) (nodes, edges, graphs int) {
	t.Helper()
	// The parser refuses the sign for what is no text, as if it were none itself.
	f, err := parser.ParseBytes(bytes.ReplaceAll(text, []byte("\uFFFD"), []byte("?")))
	require.NoError(t, err)
	require.Len(t, f.Graphs, 1)
	attrs := func(list []*ast.Attr) {
		for _, a := range list {
			require.Contains(t, attributes, a.Key)
			if strings.HasPrefix(a.Val, "<") {
				label(t, a.Val)
			}
		}
	}
	var walk func(list []ast.Stmt)
	walk = func(list []ast.Stmt) {
		for _, s := range list {
			switch s := s.(type) {
			case *ast.NodeStmt:
				nodes++
				attrs(s.Attrs)
			case *ast.EdgeStmt:
				edges++
				attrs(s.Attrs)
			case *ast.AttrStmt:
				attrs(s.Attrs)
			case *ast.Attr:
				require.Contains(t, attributes, s.Key)
			case *ast.Subgraph:
				graphs++
				walk(s.Stmts)
			default:
				require.Fail(t, "a statement of no known kind")
			}
		}
	}
	walk(f.Graphs[0].Stmts)
	return nodes, edges, graphs
}

// label checks that an HTML-like label has known elements alone.
func label(t testing.TB, s string) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(s[1 : len(s)-1]))
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return
		}
		require.NoError(t, err)
		if x, ok := token.(xml.StartElement); ok {
			known, ok := elements[x.Name.Local]
			require.True(t, ok, "element %q", x.Name.Local)
			for _, a := range x.Attr {
				require.Contains(t, strings.Fields(known), a.Name.Local)
			}
		}
	}
}

// Foreign texts, wherever a picture has them, change nothing but texts, which are
// of bounded length.
func FuzzDOT(f *testing.F) {
	for _, s := range []string{"</script>", `"]; x -> y [label="`, "<<TABLE>>", `\N\"`, "&amp;&#0;&lt;", "\x00\x1b", "\u202eevil", "]]>", "", "a\nb", "\xff", "𝒳中", strings.Repeat("W", 5000)} {
		f.Add(s, true, false)
		f.Add(s, false, true)
	}
	head := circuit.Node{Kind: circuit.Head}
	g, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: 1, Heads: 1, AttnOnly: true})
	require.NoError(f, err)
	plain := map[[2]bool][3]int{} // what there is without foreign texts
	seen := map[string]bool{}
	f.Fuzz(func(t *testing.T, s string, isCollapsed, isDirect bool) {
		shape := fmt.Sprint(isCollapsed, isDirect) + golden.Shape(oneline.Plain(s))
		if seen[shape] {
			return
		}
		seen[shape] = true
		text := func(s string) []byte {
			o := Options{Caption: Caption{Title: s, Lines: []string{s}}, Parts: []Part{{Name: s, Edges: g.Full()}}, Groups: map[circuit.Node]Group{head: {Name: s}},
				Direct: isDirect && !isCollapsed}
			if isCollapsed {
				o.Collapse = CollapseGroups
			}
			var b bytes.Buffer
			require.NoError(t, WriteDOT(&b, g, g.Full(), nil, o))
			return b.Bytes()
		}
		out := text(s)
		require.Less(t, len(out), 48<<10)
		for _, c := range string(out) {
			require.True(t, c >= ' ' || c == '\n' || c == '\t', "%q", c)
		}
		nodes, edges, graphs := outlineOf(t, out)
		kind := [2]bool{isCollapsed, isDirect}
		if _, ok := plain[kind]; !ok {
			n, e, sub := outlineOf(t, text("x"))
			plain[kind] = [3]int{n, e, sub}
		}
		require.Equal(t, plain[kind], [3]int{nodes, edges, graphs})
	})
}
