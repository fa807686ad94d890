package figure

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/ending"
	"github.com/seed-2c350065/acdc/internal/plotstyle"
	"github.com/seed-2c350065/acdc/internal/sweep"
)

// row is one of a task and a method; without test data if test is negative.
func row(task, algorithm string, edges int, kl, test float64) sweep.Row {
	r := sweep.Row{Task: task, Model: task, Algorithm: algorithm, Ablation: "resample", Metric: "kl_div", Edges: edges, KL: &kl}
	if test >= 0 {
		r.TestKL = &test
	}
	return r
}

func drawn(t *testing.T, format plotstyle.Format, rows ...sweep.Row) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Write(t.Context(), &b, format, rows))
	return b.String()
}

// The frontier is what no other point dominates, by definition; random points
// are parted so that none is lost.
func TestPareto(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var points []point
		different := map[point]bool{}
		for range 1 + rng.IntN(12) {
			p := point{float64(rng.IntN(5)), float64(rng.IntN(5))}
			points, different[p] = append(points, p), true
		}
		frontier, dominated := pareto(points)
		assert.Len(t, different, len(frontier)+len(dominated))
		isDominated := func(p point) bool {
			for q := range different {
				if q != p && q.edges <= p.edges && q.kl <= p.kl {
					return true
				}
			}
			return false
		}
		for _, p := range frontier {
			assert.False(t, isDominated(p), "%v of %v", p, points)
		}
		for _, p := range dominated {
			assert.True(t, isDominated(p), "%v of %v", p, points)
		}
		corners := stairs(frontier)
		assert.Len(t, corners, 2*len(frontier)-1)
		for i := 1; i < len(corners); i++ {
			assert.True(t, corners[i].edges == corners[i-1].edges != (corners[i].kl == corners[i-1].kl), "to the right or down")
		}
	}
}

// Series are named by what differs, panels by the task; a panel without test
// data says so.
func TestNames(t *testing.T) {
	other := row("a", "eap", 5, 1, 2)
	other.Ablation = "zero"
	seeded := row("b", "acdc", 5, 1, -1)
	seeded.Seed = 3
	panels := panelsOf([]sweep.Row{row("a", "acdc", 3, 9, 8), row("a", "eap", 4, 1, 2), other, row("b", "acdc", 1, 1, 1), seeded})
	require.Len(t, panels, 2)
	assert.Equal(t, "a", panels[0].title)
	assert.Equal(t, "KL divergence on test prompts, in nats", panels[0].measure)
	assert.Equal(t, []string{"acdc, resample", "eap, resample", "eap, zero"}, []string{panels[0].series[0].name, panels[0].series[1].name, panels[0].series[2].name})
	assert.Equal(t, []point{{3, 8}}, panels[0].series[0].frontier, "of test prompts")
	assert.Equal(t, "KL divergence, in nats", panels[1].measure)
	assert.Equal(t, "acdc, seed 3", panels[1].series[1].name)
}

// Marks of the frontier have a method's colour, those of what is dominated the
// faded one, each as often as there are points.
func TestColours(t *testing.T) {
	svg := drawn(t, plotstyle.SVG, row("a", "acdc", 1, 5, 5), row("a", "acdc", 2, 1, 1), row("a", "acdc", 3, 2, 2), row("a", "acdc", 9, 3, 3))
	filled := func(i int, faded bool) int {
		c := plotstyle.Palette[i]
		if faded {
			c = plotstyle.Faded(c)
		}
		return strings.Count(strings.ToUpper(svg), strings.ToUpper(fmt.Sprintf("fill:#%02x%02x%02x", c.R, c.G, c.B)))
	}
	assert.Equal(t, 2+1, filled(0, false), "and the legend's")
	assert.Equal(t, 2, filled(0, true))
	assert.Zero(t, filled(1, false))
	for _, text := range []string{">edges<", ">acdc<", ">4, 2<", ">a<"} {
		assert.Contains(t, svg, text)
	}
}

// The same rows give the same picture, in both formats; foreign names stay in
// their place.
func TestPictures(t *testing.T) {
	rows := []sweep.Row{row("</text><script>", "acdc", 0, 5, 5), row("a", "eap", 2, 0, 0), row("a", "eap", 200000, 1e-9, 0)}
	svg := drawn(t, plotstyle.SVG, rows...)
	assert.Equal(t, svg, drawn(t, plotstyle.SVG, rows...))
	assert.NotContains(t, svg, "<script>")
	img, err := png.Decode(strings.NewReader(drawn(t, plotstyle.PNG, rows...)))
	require.NoError(t, err)
	assert.Greater(t, img.Bounds().Dx(), 1500, "two panels")
	assert.EqualError(t, Write(t.Context(), &bytes.Buffer{}, plotstyle.SVG, nil), "a picture of a sweep: expected results, found none")
	var many []sweep.Row
	for i := range mostPanels + 1 {
		many = append(many, row(fmt.Sprint("task ", i), "acdc", 1, 1, 1))
	}
	assert.ErrorContains(t, Write(t.Context(), &bytes.Buffer{}, plotstyle.SVG, many), "at most 24 tasks and 60 series, found 25 and 1")
	ending.Everywhere(t, 2, func(ctx context.Context) error { return Write(ctx, &bytes.Buffer{}, plotstyle.SVG, rows) })
}
