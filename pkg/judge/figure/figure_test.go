package figure

import (
	"bytes"
	"context"
	"image/png"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/ending"
	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/internal/misuse"
	"github.com/seed-2c350065/acdc/internal/plotstyle"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/judge"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// sample judges a random circuit, or the empty one.
func sample(t testing.TB, empty bool) *judge.File {
	t.Helper()
	e, err := patch.Bind(t.Context(), golden.Bound(t, golden.Model(t, "tracr-reverse"), "tracr-reverse", golden.Run{Metric: "l2", Ablation: "zero"}, 2))
	require.NoError(t, err)
	rng, m := rand.New(rand.NewPCG(1, 1)), e.Graph().Empty()
	for i := range m {
		m[i] = !empty && rng.IntN(2) == 0
	}
	f := &judge.File{Options: judge.Default(), Judged: "data", Run: circuit.Run{Task: "a <b> & \x1b[31m", Metric: "l2", Ablation: "zero"}}
	f.Options.Samples, f.Options.KnockOuts = 5, 2
	f.SetCircuit(e.Graph(), m)
	measured, err := judge.Measure(t.Context(), e, m)
	require.NoError(t, err)
	measured.Data = "data"
	f.Measurements = []judge.Measurement{*measured}
	v, err := judge.Judge(t.Context(), e, m, f.Options, nil)
	require.NoError(t, err)
	f.Verdict = *v
	return f
}

func drawn(t testing.TB, f *judge.File, format plotstyle.Format) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Write(t.Context(), &b, f, format))
	return b.Bytes()
}

// All panels, their axes and legends are there, foreign text as text; the same
// judgement gives the same bytes.
func TestPanels(t *testing.T) {
	f := sample(t, false)
	svg := drawn(t, f, plotstyle.SVG)
	for _, text := range []string{"runs", "completeness", "minimality", "chance", "full model", "complement", "edges, by what they add", "l2 of the circuit",
		"the greedy search&#39;s", "random circuits for the circuit (sufficiency)", "a &lt;b&gt; &amp;", "data: 5, 25, 50, 75, 95 % of the examples, + the mean"} {
		assert.Contains(t, string(svg), text)
	}
	assert.NotContains(t, string(svg), "\x1b")
	assert.Equal(t, svg, drawn(t, f, plotstyle.SVG))
	f.Options.Nodes = true
	assert.Contains(t, string(drawn(t, f, plotstyle.SVG)), "nodes, by what they add")
	img, err := png.Decode(bytes.NewReader(drawn(t, f, plotstyle.PNG)))
	require.NoError(t, err)
	assert.Greater(t, img.Bounds().Dx(), 1500)
}

// An edge more is a mark more, in both of its kinds.
func TestEveryPartIsMarked(t *testing.T) {
	f := sample(t, false)
	count := func() int { return strings.Count(string(drawn(t, f, plotstyle.SVG)), "<path") }
	before := count()
	f.Minimality = append(f.Minimality, judge.Part{Name: "x", Effect: 0.1, Most: 0.2})
	assert.Equal(t, before+2, count())
}

// Also what has nothing to show is drawn.
func TestEmpty(t *testing.T) {
	assert.Contains(t, string(drawn(t, sample(t, true), plotstyle.SVG)), "0 of 106 edges")
}

func TestRefused(t *testing.T) {
	assert.ErrorContains(t, Write(t.Context(), io.Discard, sample(t, true), "gif"), `unknown format of pictures "gif"`)
	assert.ErrorContains(t, Write(t.Context(), io.Discard, &judge.File{}, plotstyle.SVG), `figure: field "graph": `)
	f := sample(t, false)
	ending.Everywhere(t, 4, func(ctx context.Context) error { return Write(ctx, io.Discard, f, plotstyle.PNG) })
}

// Nothing that is used wrongly ends in a panic that does not say so.
func TestEveryMisuse(t *testing.T) {
	misuse.Walk(t, misuse.Package{
		Funcs:     []any{Write},
		Arguments: []any{io.Discard, &judge.File{}, sample(t, true), plotstyle.SVG, plotstyle.Format("gif")},
	})
}
