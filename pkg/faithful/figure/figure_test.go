package figure

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/ending"
	"github.com/seed-2c350065/acdc/internal/misuse"
	"github.com/seed-2c350065/acdc/internal/plotstyle"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/faithful"
)

// sample has circuits with a curve each, or with two.
func sample(t testing.TB, both bool, names ...string) *faithful.File {
	t.Helper()
	g, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: 1, Heads: 1, AttnOnly: true})
	require.NoError(t, err)
	f := &faithful.File{}
	for i, name := range names {
		curve := faithful.Curve{Rule: circuit.Top, Edges: g.Choosable(), Model: 2, Empty: 10, Points: []faithful.Point{
			{Part: 0, Metric: 10}, {Part: .01, Metric: 10}, {Part: .5, Chosen: 2, Kept: 2, Metric: 6 - float64(i), Faithfulness: .5 + float64(i)/8}, {Part: 1, Chosen: 5, Kept: 5, Metric: 2, Faithfulness: 1},
		}}
		c := faithful.Circuit{Name: name, Graph: g.Info(), Run: circuit.Run{Task: "a <b> & \x1b[31m", Half: "test", Metric: "nll", Ablation: "zero"}, Scored: 5, Curves: []faithful.Areas{curve.WithAreas()}}
		if curve.Absolute = true; both {
			c.Curves = append(c.Curves, curve.WithAreas())
		}
		f.Circuits = append(f.Circuits, c)
	}
	return f
}

func drawn(t testing.TB, f *faithful.File, format plotstyle.Format) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Write(t.Context(), &b, f, format))
	return b.String()
}

// Every curve has a line with its marks and a place in the legend; names say by which
// scores where both are drawn; foreign text is text.
func TestSeries(t *testing.T) {
	one := drawn(t, sample(t, false, "dir/a.json", "</text><script>"), plotstyle.SVG)
	for _, text := range []string{">a.json<", ">edges, as a part of all<", ">faithfulness<", ">CPR<", ">CMD<", ">mean<", ">0<", ">0.01<", ">1<", "a &lt;b&gt; &amp;", ", test prompts, nll, zero ablation"} {
		assert.Contains(t, one, text)
	}
	assert.NotContains(t, one, "<script>")
	assert.NotContains(t, one, "\x1b")
	assert.NotContains(t, one, ", signed<")
	two := drawn(t, sample(t, true, "dir/a.json"), plotstyle.SVG)
	assert.Contains(t, two, ">a.json, signed<")
	assert.Contains(t, two, ">a.json, absolute<")
	for i, marks := range []int{4 + 1, 0} { // the legend's among them
		c := plotstyle.Palette[i]
		assert.Equal(t, marks, strings.Count(strings.ToUpper(drawn(t, sample(t, false, "x"), plotstyle.SVG)), fmt.Sprintf("FILL:#%02X%02X%02X", c.R, c.G, c.B)), i)
	}
	f := sample(t, false, "x")
	area := fmt.Sprintf(">%.3f<", f.Circuits[0].Curves[0].CPR)
	assert.Contains(t, drawn(t, f, plotstyle.SVG), area)
}

// The same curves give the same picture, in both formats, also when nothing varies.
func TestPictures(t *testing.T) {
	f := sample(t, true, "a", "b", "c")
	assert.Equal(t, drawn(t, f, plotstyle.SVG), drawn(t, f, plotstyle.SVG))
	img, err := png.Decode(strings.NewReader(drawn(t, f, plotstyle.PNG)))
	require.NoError(t, err)
	assert.Greater(t, img.Bounds().Dx(), 1000)
	flat := sample(t, false, "flat")
	flat.Circuits[0].Curves[0].Points = flat.Circuits[0].Curves[0].Points[:1]
	flat.Circuits[0].Curves[0] = flat.Circuits[0].Curves[0].WithAreas()
	assert.Contains(t, drawn(t, flat, plotstyle.SVG), ">flat<")
}

func TestRefused(t *testing.T) {
	f := sample(t, false, "a")
	assert.ErrorContains(t, Write(t.Context(), io.Discard, f, "gif"), `unknown format of pictures "gif"`)
	assert.ErrorContains(t, Write(t.Context(), io.Discard, &faithful.File{}, plotstyle.SVG), `figure: field "circuits": `)
	many := sample(t, true, make([]string, 31)...)
	assert.EqualError(t, Write(t.Context(), io.Discard, many, plotstyle.SVG), "figure: expected at most 60 curves, found 62")
	ending.Everywhere(t, 2, func(ctx context.Context) error { return Write(ctx, io.Discard, f, plotstyle.PNG) })
}

// Nothing that is used wrongly ends in a panic that does not say so.
func TestEveryMisuse(t *testing.T) {
	misuse.Walk(t, misuse.Package{
		Funcs:     []any{Write},
		Arguments: []any{io.Discard, &faithful.File{}, sample(t, true, "a"), plotstyle.SVG, plotstyle.Format("gif")},
	})
}
