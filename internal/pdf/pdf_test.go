package pdf

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"image/color"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/image/font/gofont/goregular"

	"github.com/seed-2c350065/acdc/internal/golden"
)

func page(t testing.TB, width, height float64) *Page {
	t.Helper()
	p, err := New(width, height, Font{"regular", goregular.TTF})
	require.NoError(t, err)
	return p
}

// content checks that every object is where the table of a PDF says, and returns
// what the page is drawn by.
func content(t testing.TB, data []byte) string {
	t.Helper()
	require.True(t, bytes.HasPrefix(data, []byte("%PDF-")))
	for n, m := range regexp.MustCompile(`(?m)^(\d{10}) 00000 n `).FindAllSubmatch(data, -1) {
		at, err := strconv.Atoi(string(m[1]))
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(data[at:], fmt.Appendf(nil, "%d 0 obj", n+1)), "object %d", n+1)
	}
	_, rest, ok := bytes.Cut(data, []byte("/Filter /FlateDecode"))
	require.True(t, ok)
	_, rest, ok = bytes.Cut(rest, []byte("stream\n"))
	require.True(t, ok)
	r, err := zlib.NewReader(bytes.NewReader(rest))
	require.NoError(t, err)
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(text)
}

// read splits what a page is drawn by into operators and the texts that it shows.
func read(t testing.TB, content string) (operators []string, texts []string) {
	t.Helper()
	for i := 0; i < len(content); {
		switch c := content[i]; {
		case strings.IndexByte(" \n\t\r", c) >= 0:
			i++
		case c == '(':
			var raw []byte
			for i++; content[i] != ')'; i++ {
				require.NotEqual(t, byte('('), content[i], "a bracket that is not escaped")
				if content[i] == '\\' {
					i++
					if content[i] == 'r' {
						raw = append(raw, '\r')
						continue
					}
				}
				raw = append(raw, content[i])
			}
			i++
			require.Zero(t, len(raw)%2)
			var units []uint16
			for k := 0; k < len(raw); k += 2 {
				units = append(units, uint16(raw[k])<<8|uint16(raw[k+1]))
			}
			texts = append(texts, string(utf16.Decode(units)))
		default:
			word := content[i:]
			if end := strings.IndexAny(word, " \n\t\r("); end >= 0 {
				word = word[:end]
			}
			i += len(word)
			if regexp.MustCompile(`^[a-zA-Z]+\*?$`).MatchString(word) {
				operators = append(operators, word)
			}
		}
	}
	return operators, texts
}

func TestPage(t *testing.T) {
	drawn := func() []byte {
		p := page(t, 200, 100)
		ink := color.NRGBA{1, 2, 3, 128}
		p.Outline([]Step{{'M', []Point{{10, 10}}}, {'L', []Point{{20, 10}}}, {'C', []Point{{1, 2}, {3, 4}, {5, 6}}}, {'Z', nil}}, Pen{Fill: ink, Stroke: color.Black, Width: 2, Dash: []float64{3, 1}})
		p.Text(Line{At: Point{50, 60}, Font: "regular", Size: 10, Color: color.Black, Text: "τ (a\\b)"})
		p.Text(Line{At: Point{50, 60}, Font: "regular", Size: 10, Angle: math.Pi / 2, Color: color.Black, Text: "up"})
		data, err := p.Bytes()
		require.NoError(t, err)
		return data
	}
	data := drawn()
	assert.Equal(t, data, drawn(), "the same bytes again")
	assert.Contains(t, string(data), "/MediaBox [0 0 200.00 100.00]")
	assert.NotContains(t, string(data), "D:20", "no date of today")
	text := content(t, data)
	for _, want := range []string{"10.00 90.00 m", "20.00 90.00 l", "1.00000 98.00000 3.00000 96.00000 5.00000 94.00000 c", "[3.00 1.00] 0.00 d", "2.00 w", "50.00 40.00 Td", "0.00000 1.00000 -1.00000 0.00000 50.00000 40.00000 cm"} {
		assert.Contains(t, text, want)
	}
	_, texts := read(t, text)
	assert.Equal(t, []string{"τ (a\\b)", "up"}, texts)
}

func TestSizes(t *testing.T) {
	for _, side := range []float64{0, -1, MaxSide + 1, math.NaN(), math.Inf(1)} {
		_, err := New(side, 10)
		assert.ErrorContains(t, err, "expected sides of more than 0 and at most 14400")
	}
	p := page(t, 10, 10)
	assert.InDelta(t, 2*p.Width("regular", 10, "a"), p.Width("regular", 20, "a"), 1e-9)
}

// Whatever a text is, it stays one, of bounded length, and the page is whole.
func FuzzText(f *testing.F) {
	for _, s := range []string{"(\\) Tj ET Q", "\r\n\x00", "\\", "𝒳\uffff\ufffe", "\u202eevil", "\xff", "éΩ中", ")>>endobj", strings.Repeat("x", 5000)} {
		f.Add(s)
	}
	known := strings.Fields("q Q BT ET Td Tj Tf gs g rg G RG J j w")
	seen := map[string]bool{}
	f.Fuzz(func(t *testing.T, s string) {
		shape := golden.Shape(plain(s))
		if seen[shape] {
			return
		}
		seen[shape] = true
		p := page(t, 100, 100)
		p.Text(Line{At: Point{1, 1}, Font: "regular", Size: 9, Color: color.Black, Text: s})
		data, err := p.Bytes()
		require.NoError(t, err)
		operators, texts := read(t, content(t, data))
		require.Subset(t, known, operators)
		if plain(s) == "" {
			require.Empty(t, texts)
			return
		}
		require.Equal(t, []string{plain(s)}, texts)
		require.LessOrEqual(t, len([]rune(texts[0])), mostRunes)
	})
}
