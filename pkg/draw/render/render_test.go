package render

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// golden reads DOT text as package draw writes it.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", name+".dot"))
	require.NoError(t, err)
	return data
}

func render(t testing.TB, f Format, dot []byte) []byte {
	t.Helper()
	forget()
	var b bytes.Buffer
	require.NoError(t, Write(context.Background(), &b, f, dot))
	return b.Bytes()
}

// forget has the next picture laid out even if it is the last again.
func forget() {
	d := <-turn
	d.dot, d.svg = nil, nil
	turn <- d
}

// inspect checks that XML is well formed and returns its text and the titles
// of its links, which browsers show as tooltips.
func inspect(t *testing.T, svg []byte) (texts, tips []string) {
	t.Helper()
	dec := xml.NewDecoder(bytes.NewReader(svg))
	inText := false
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return texts, tips
		}
		require.NoError(t, err)
		switch x := token.(type) {
		case xml.StartElement:
			inText = x.Name.Local == "text"
			for _, a := range x.Attr {
				if x.Name.Local == "a" && a.Name.Local == "title" {
					tips = append(tips, a.Value)
				}
			}
		case xml.CharData:
			if inText {
				texts = append(texts, string(x))
			}
		case xml.EndElement:
			inText = false
		}
	}
}

func TestSVG(t *testing.T) {
	svg := render(t, SVG, golden(t, "induction-60"))
	texts, tips := inspect(t, svg)
	for _, want := range []string{"embed", "output", "a0.4", "a1.3", "q", "layer 1", "induction in attn-only-2l", "acdc · resample ablation · τ = 0.01", "60 of 193 edges (31 %), 23 direct edges not drawn"} {
		assert.Contains(t, texts, want)
	}
	assert.Contains(t, strings.Join(tips, "\n"), "a0.4 → a1.1_k")
	assert.NotContains(t, texts, "row 0", "rows without a name show none")
	assert.True(t, bytes.Equal(svg, render(t, SVG, golden(t, "induction-60"))), "the same bytes again")
}

// The text is as package draw escapes it.
func TestHostileTextArrivesUnchanged(t *testing.T) {
	svg := render(t, SVG, []byte(`digraph { label=<&amp;amp;\\G>
		a [label=<<TABLE><TR><TD>&lt;b&gt;&amp;amp;&#34;\\N ]]&gt; τ &#39;</TD></TR></TABLE>> tooltip="q&#34; \\\\N \\\\n &amp;lt; &lt;x&gt;"]}`))
	texts, tips := inspect(t, svg)
	assert.Contains(t, texts, `<b>&amp;"\N ]]> τ '`)
	assert.Contains(t, texts, `&amp;\G`)
	assert.Equal(t, []string{`q" \N \n &lt; <x>`}, tips)
}

func TestPNG(t *testing.T) {
	data := render(t, PNG, golden(t, "induction-60"))
	img, err := png.Decode(bytes.NewReader(data))
	require.NoError(t, err)
	size := img.Bounds().Size()
	assert.InDelta(t, 940, size.X, 200)
	assert.InDelta(t, 970, size.Y, 200)
	// The wide blue, red and green lines, and dark text.
	count := map[color.Color]int{}
	for y := range size.Y {
		for x := range size.X {
			count[img.At(x, y)]++
		}
	}
	white := count[color.RGBA{255, 255, 255, 255}]
	assert.Greater(t, white, size.X*size.Y/2)
	assert.Greater(t, len(count), 200, "lines of several colours with smooth edges")
	assert.True(t, bytes.Equal(data, render(t, PNG, golden(t, "induction-60"))), "the same bytes again")
}

// A PDF is a page of the picture's size, and the same again.
func TestPDF(t *testing.T) {
	data := render(t, PDF, golden(t, "induction-9"))
	assert.True(t, bytes.HasPrefix(data, []byte("%PDF-1.")))
	d, err := readSVG(render(t, SVG, golden(t, "induction-9")))
	require.NoError(t, err)
	assert.Contains(t, string(data), fmt.Sprintf("/MediaBox [0 0 %.2f %.2f]", d.width, d.height))
	assert.NotContains(t, string(data), "Date (D:20")
	assert.True(t, bytes.Equal(data, render(t, PDF, golden(t, "induction-9"))), "the same bytes again")
}

// Every drawn thing of the SVG is in the PNG: nothing is skipped in reading.
func TestPaintReadsEverything(t *testing.T) {
	svg := render(t, SVG, golden(t, "signs-62"))
	d, err := readSVG(svg)
	require.NoError(t, err)
	lines, closed, curves := 0, 0, 0
	for _, s := range d.shapes {
		switch {
		case s.text != nil:
			lines++
			assert.NotEmpty(t, s.text.text)
			assert.Positive(t, s.text.size)
		case s.path[len(s.path)-1].op == 'Z':
			closed++
		default:
			curves++
			assert.NotNil(t, s.stroke)
		}
	}
	assert.Equal(t, bytes.Count(svg, []byte("<text ")), lines)
	assert.Equal(t, bytes.Count(svg, []byte("<polygon ")), closed)
	assert.Equal(t, bytes.Count(svg, []byte("<path ")), curves)
	assert.Equal(t, bytes.Count(svg, []byte("<g id=\"edge")), curves)
}

func TestArrowheadGrowsByHalfALine(t *testing.T) {
	path, err := readPoints("0,0 10,0 10,10 0,10 0,0", true)
	require.NoError(t, err)
	ink := color.NRGBA{1, 2, 3, 255}
	for name, p := range map[string][]step{"one way": path, "the other": {path[0], path[3], path[2], path[1], path[4], path[5]}} {
		out := outset(shape{path: p, fill: ink, stroke: ink, strokeWidth: 2})
		require.NotNil(t, out, name)
		var corners []point
		for _, s := range out.path[:4] {
			corners = append(corners, s.points[0])
		}
		assert.ElementsMatch(t, []point{{-1, -1}, {11, -1}, {11, 11}, {-1, 11}}, corners, name)
	}
	assert.Nil(t, outset(shape{path: path, fill: ink, stroke: color.Black, strokeWidth: 2}))
}

func TestBadDOTIsAnError(t *testing.T) {
	for _, dot := range []string{"", "hello", "digraph {", "digraph { a [label=<<TABLE>] }"} {
		var b bytes.Buffer
		err := Write(context.Background(), &b, SVG, []byte(dot))
		assert.ErrorContains(t, err, "graphviz: ", "%q", dot)
		assert.Zero(t, b.Len())
	}
	err := Write(context.Background(), io.Discard, "gif", golden(t, "empty"))
	assert.EqualError(t, err, `picture format "gif" is unknown: expected one of svg, png, pdf`)
	render(t, SVG, golden(t, "empty")) // and it still works
}

func TestFiftyRendersInARow(t *testing.T) {
	dot := golden(t, "induction-60")
	first := render(t, SVG, dot)
	for range 50 {
		require.True(t, bytes.Equal(first, render(t, SVG, dot)))
	}
}

func TestGoroutinesTakeTurns(t *testing.T) {
	want := map[string][]byte{}
	for _, name := range []string{"induction-9", "eap-split", "empty"} {
		want[name] = render(t, SVG, golden(t, name))
	}
	var group sync.WaitGroup
	for range 5 {
		for name := range want {
			group.Go(func() { assert.True(t, bytes.Equal(want[name], render(t, SVG, golden(t, name)))) })
		}
	}
	group.Wait()
}

// The same picture in another format is not laid out again.
func TestThePictureIsLaidOutOnce(t *testing.T) {
	dot := golden(t, "induction-60")
	first, err := layOut(context.Background(), dot)
	require.NoError(t, err)
	again, err := layOut(context.Background(), bytes.Clone(dot))
	require.NoError(t, err)
	assert.Same(t, &first[0], &again[0])
	other, err := layOut(context.Background(), golden(t, "empty"))
	require.NoError(t, err)
	assert.NotEqual(t, first, other)
	_, err = layOut(context.Background(), []byte("no graph"))
	require.Error(t, err)
	fresh, err := layOut(context.Background(), dot)
	require.NoError(t, err)
	assert.NotSame(t, &first[0], &fresh[0])
	assert.True(t, bytes.Equal(first, fresh))
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, f := range Formats() {
		assert.ErrorIs(t, Write(ctx, io.Discard, f, golden(t, "empty")), context.Canceled)
	}
	// While another picture is laid out, the end of ctx is heeded.
	held := <-turn
	ctx, cancel = context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	assert.ErrorIs(t, Write(ctx, io.Discard, SVG, golden(t, "empty")), context.DeadlineExceeded)
	assert.Less(t, time.Since(start), time.Second)
	turn <- held
	render(t, SVG, golden(t, "empty"))
}

// complete is a picture of all edges among n nodes, which takes Graphviz long.
func complete(n int) []byte {
	var b bytes.Buffer
	b.WriteString("digraph {\n")
	for i := range n {
		for j := range i {
			b.WriteString("n" + string(rune('a'+j/26)) + string(rune('a'+j%26)) + " -> n" + string(rune('a'+i/26)) + string(rune('a'+i%26)) + "\n")
		}
	}
	b.WriteString("}\n")
	return b.Bytes()
}

func TestCancelledWhileGraphvizWorks(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	var b bytes.Buffer
	err := Write(ctx, &b, SVG, complete(26))
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, time.Since(start), time.Second)
	assert.Zero(t, b.Len())
	render(t, SVG, golden(t, "empty")) // waits for the other
}

func BenchmarkWrite(b *testing.B) {
	for _, name := range []string{"induction-9", "induction-60"} {
		for _, f := range Formats() {
			b.Run(name+"/"+string(f), func(b *testing.B) {
				dot := golden(b, name)
				for b.Loop() {
					render(b, f, dot)
				}
			})
		}
	}
}
