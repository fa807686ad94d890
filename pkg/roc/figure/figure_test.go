package figure

import (
	"bytes"
	"context"
	"encoding/xml"
	"image"
	"image/color"
	"image/png"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/ending"
	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/internal/plotstyle"
	"github.com/seed-2c350065/acdc/pkg/roc"
)

// sample has three curves, two of them the same.
func sample() Figure {
	count := func(tp, fp int) roc.Count {
		return roc.Count{TruePositive: tp, FalsePositive: fp, TrueNegative: 10 - fp, FalseNegative: 5 - tp}
	}
	points := []roc.Point{{Threshold: 1, Edges: count(2, 0), Nodes: count(5, 0)}, {Threshold: 0.5, Edges: count(4, 5), Nodes: count(5, 5)}, {Threshold: 0.1, Edges: count(3, 6), Nodes: count(5, 6)}}
	area := 0.123
	return Figure{Title: `tracr <reverse> & "more"`, Curves: []roc.Curve{
		{Name: `</text><script>`, Points: points},
		{Name: "eap 'é'\u2060 & co", InterpBench: &area, Points: points},
		{Name: "random", Points: []roc.Point{{Threshold: 0, Edges: count(1, 2), Nodes: count(1, 2)}}},
	}}
}

// drawn is a figure as bytes.
func drawn(t testing.TB, f Figure, format Format) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, f.Write(t.Context(), &b, format))
	return b.Bytes()
}

// element is one of an SVG, with its text.
type element struct {
	name, text string
	at         map[string]string
}

// elements reads an SVG, which must be well-formed.
func elements(t testing.TB, svg []byte) []element {
	t.Helper()
	var out []element
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return out
		}
		require.NoError(t, err)
		switch x := token.(type) {
		case xml.StartElement:
			e := element{name: x.Name.Local, at: map[string]string{}}
			for _, a := range x.Attr {
				e.at[a.Name.Local] = a.Value
			}
			out = append(out, e)
		case xml.CharData:
			if len(out) > 0 {
				out[len(out)-1].text += strings.TrimSpace(string(x))
			}
		}
	}
}

func texts(t testing.TB, svg []byte) []string {
	var out []string
	for _, e := range elements(t, svg) {
		if e.name == "text" {
			out = append(out, e.text)
		}
	}
	return out
}

func TestTextsAreThere(t *testing.T) {
	f := sample()
	f.Curves[1].Name = "eap 'é' & co" // what is not to be seen is refused, see TestRefused
	svg := drawn(t, f, SVG)
	all := texts(t, svg)
	for text, times := range map[string]int{
		`tracr <reverse> & "more"`: 1, "</text><script>": 2, "eap 'é' & co": 2, "random": 2,
		"edges": 1, "nodes": 1, "false positive rate": 2, "true positive rate": 2,
		"pessimistic": 2, "trapezoid": 2, "InterpBench": 1, "0.123": 1,
		// Edges: .4 + .5·.4; from (0,.4) to (.5,.8), (.6,.6) and (1,1): .3 + .07 + .32. Random: .8·.2; .2·.1 + .8·.6.
		"0.600": 2, "0.690": 2, "0.160": 2, "0.500": 2, "1.000": 4,
	} {
		count := 0
		for _, found := range all {
			if found == text {
				count++
			}
		}
		assert.Equal(t, times, count, text)
	}
	for _, e := range elements(t, svg) {
		assert.Contains(t, []string{"svg", "g", "text", "path"}, e.name)
		if e.name == "text" {
			assert.True(t, strings.HasPrefix(e.at["style"], "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"), e.at["style"])
		}
	}
}

// The title is on one line and fits.
func TestLongTexts(t *testing.T) {
	f := sample()
	f.Curves = f.Curves[2:]
	f.Curves[0].Name = strings.Repeat("n", 64)
	f.Title = strings.Repeat("title\n\x1b[31m", 1000)
	all := texts(t, drawn(t, f, SVG))
	assert.Contains(t, all, "nnnnnnnnnnnn…nnnnnnnnnnn")
	assert.Len(t, []rune(all[0]), 96)
	assert.NotContains(t, all[0], "\n")
	f.Parts = []roc.Part{roc.Nodes}
	all = texts(t, drawn(t, f, SVG))
	assert.Len(t, []rune(all[0]), 48)
	assert.NotContains(t, all, "edges")
}

var coordinates = regexp.MustCompile(`[ML]([-\d.]+),([-\d.]+)`)

// corners are those of the lines of a colour that an SVG has, those of the
// legend left out, each from its first point in rates of its panel.
func corners(t *testing.T, svg []byte, c color.RGBA) [][]roc.Rates {
	t.Helper()
	hex := strings.ToUpper("stroke:#" + strings.Join([]string{hexByte(c.R), hexByte(c.G), hexByte(c.B)}, ""))
	var out [][]roc.Rates
	for _, e := range elements(t, svg) {
		if e.name != "path" || !strings.Contains(strings.ToUpper(e.at["style"]), strings.ToUpper(hex)) || !strings.Contains(e.at["style"], "fill:none") {
			continue
		}
		var line []roc.Rates
		for _, m := range coordinates.FindAllStringSubmatch(e.at["d"], -1) {
			x, err := strconv.ParseFloat(m[1], 64)
			require.NoError(t, err)
			y, err := strconv.ParseFloat(m[2], 64)
			require.NoError(t, err)
			line = append(line, roc.Rates{FPR: x, TPR: y})
		}
		first, last := line[0], line[len(line)-1]
		if first.TPR == last.TPR {
			continue // the legend's
		}
		for i := range line {
			line[i] = roc.Rates{FPR: (line[i].FPR - first.FPR) / (last.FPR - first.FPR), TPR: (line[i].TPR - first.TPR) / (last.TPR - first.TPR)}
		}
		out = append(out, line)
	}
	return out
}

func hexByte(x uint8) string {
	s := strconv.FormatUint(uint64(x), 16)
	return strings.Repeat("0", 2-len(s)) + s
}

// The stairs are drawn where they are: from (0,0) to the right and then up.
func TestStairsAreDrawn(t *testing.T) {
	f := sample()
	f.Curves = f.Curves[2:]
	lines := corners(t, drawn(t, f, SVG), plotstyle.Palette[0])
	require.Len(t, lines, 2, "in each panel one")
	want := []roc.Rates{{FPR: 0, TPR: 0}, {FPR: 0.2, TPR: 0}, {FPR: 0.2, TPR: 0.2}, {FPR: 1, TPR: 0.2}, {FPR: 1, TPR: 1}}
	for _, line := range lines {
		require.Len(t, line, len(want))
		for i := range want {
			assert.InDelta(t, want[i].FPR, line[i].FPR, 1e-3)
			assert.InDelta(t, want[i].TPR, line[i].TPR, 1e-3)
		}
	}
}

// Points that do not count for the area below the stairs are not drawn.
func TestPointsBelowLeast(t *testing.T) {
	f := sample()
	f.Curves = f.Curves[:1]
	f.Curves[0].Least = 0.7
	one := f
	one.Curves = []roc.Curve{f.Curves[0]}
	one.Curves[0].Points = one.Curves[0].Points[:1]
	assert.Equal(t, corners(t, drawn(t, one, SVG), plotstyle.Palette[0]), corners(t, drawn(t, f, SVG), plotstyle.Palette[0]))
}

// Below the corners lies the reference's area, and no corner is there in vain.
func TestStairs(t *testing.T) {
	for _, points := range [][]roc.Rates{nil, {{FPR: 0, TPR: 0}}, {{FPR: 0, TPR: 1}}, {{FPR: 0.5, TPR: 0.5}, {FPR: 0.6, TPR: 0.4}, {FPR: 0.7, TPR: 0.5}, {FPR: 0.7, TPR: 0.9}, {FPR: 0.7, TPR: 0.95}}, {{FPR: 1, TPR: 1}, {FPR: 1, TPR: 0.5}}} {
		out, area := stairs(points), 0.0
		for i := 1; i < len(out); i++ {
			a, b := out[i-1], out[i]
			assert.True(t, (a.FPR == b.FPR) != (a.TPR == b.TPR), "%v: to the right or up", out)
			if i > 1 {
				assert.NotEqual(t, out[i-2].FPR == a.FPR, a.FPR == b.FPR, "%v: in turns", out)
			}
			area += (b.FPR - a.FPR) * a.TPR
		}
		assert.InDelta(t, roc.Pessimistic(points), area, 1e-15)
	}
}

func TestMarks(t *testing.T) {
	a, b := roc.Rates{FPR: 0, TPR: 1}, roc.Rates{FPR: 0.5, TPR: 1}
	assert.Equal(t, []roc.Rates{a, b}, marks([]roc.Rates{a, b, b, a}))
	var many []roc.Rates
	for i := range mostMarks + 1 {
		many = append(many, roc.Rates{FPR: float64(i) / 100})
	}
	assert.Len(t, marks(many[1:]), mostMarks)
	assert.Nil(t, marks(many))
}

// A PNG has the size of the SVG, in dots, is white at its edge, and shows every
// method's colour, also where another curve covers it.
func TestPNG(t *testing.T) {
	f := sample()
	f.Curves[1].Name = "eap"
	img, err := png.Decode(bytes.NewReader(drawn(t, f, PNG)))
	require.NoError(t, err)
	svg := elements(t, drawn(t, f, SVG))[0].at
	for side, pixels := range map[string]int{"width": img.Bounds().Dx(), "height": img.Bounds().Dy()} {
		points, err := strconv.ParseFloat(strings.TrimSuffix(svg[side], "pt"), 64)
		require.NoError(t, err)
		assert.InDelta(t, points*plotstyle.Resolution/72, pixels, 1, side)
	}
	assert.Equal(t, color.RGBA{255, 255, 255, 255}, color.RGBAModel.Convert(img.At(1, 1)))
	plot := img.Bounds()
	plot.Max.Y = plot.Max.Y * 3 / 5 // above the legend
	for i := range f.Curves {
		assert.Greater(t, pixels(img, plot, plotstyle.Palette[i]), 500, f.Curves[i].Name)
	}
	assert.Zero(t, pixels(img, img.Bounds(), plotstyle.Palette[4]), "of no method")
}

// pixels counts those of a colour.
func pixels(img image.Image, in image.Rectangle, c color.RGBA) (n int) {
	for y := in.Min.Y; y < in.Max.Y; y++ {
		for x := in.Min.X; x < in.Max.X; x++ {
			if color.RGBAModel.Convert(img.At(x, y)) == c {
				n++
			}
		}
	}
	return n
}

// The same curves give the same bytes, also when figures are drawn at once.
func TestBytesAreTheSame(t *testing.T) {
	f := sample()
	f.Curves[1].Name = "eap"
	for _, format := range Formats() {
		want := drawn(t, f, format)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				var b bytes.Buffer
				assert.NoError(t, f.Write(context.Background(), &b, format))
				assert.True(t, bytes.Equal(want, b.Bytes()), format)
			})
		}
		all.Wait()
	}
}

func TestRefused(t *testing.T) {
	for want, f := range map[string]Figure{
		"figure: expected 1 to 100 curves, found 0":                  {},
		"figure: expected 1 to 100 curves, found 101":                {Curves: make([]roc.Curve, 101)},
		`figure: unknown part "faces": expected one of edges, nodes`: {Curves: make([]roc.Curve, 1), Parts: []roc.Part{"faces"}},
		"figure: expected at most 2 panels, found 3":                 {Curves: make([]roc.Curve, 1), Parts: []roc.Part{roc.Edges, roc.Nodes, roc.Edges}},
		"figure: field \"curves\"[1]: field \"name\": expected a name of 1 to 64 bytes without control characters, found \"eap 'é'\\u2060 & co\"": sample(),
	} {
		var b bytes.Buffer
		assert.EqualError(t, f.Write(t.Context(), &b, SVG), want)
		assert.Zero(t, b.Len())
	}
	f := sample()
	assert.EqualError(t, f.Write(t.Context(), io.Discard, "gif"), `figure: unknown format of pictures "gif": expected one of svg, png, pdf`)
	f.Curves = f.Curves[2:]
	ending.Everywhere(t, 2, func(ctx context.Context) error { return f.Write(ctx, io.Discard, PNG) })
}

// Curves at every threshold of a large graph stay small pictures.
func TestManyPoints(t *testing.T) {
	f := Figure{Curves: []roc.Curve{{Name: "x"}}}
	for i := range golden.Cases(50_000) {
		n := roc.Count{TruePositive: i / 1000, FalsePositive: i - i/1000, TrueNegative: 60_000 - (i - i/1000), FalseNegative: 60 - i/1000}
		f.Curves[0].Points = append(f.Curves[0].Points, roc.Point{Threshold: -float64(i), Edges: n, Nodes: n})
	}
	assert.Less(t, len(drawn(t, f, SVG)), 40_000)
}
