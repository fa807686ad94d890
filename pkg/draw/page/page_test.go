package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/draw"
)

// small is a page of a graph with the named edges, each with the score given.
func small(t testing.TB, cfg circuit.Config, edges map[string]float64, o Options) *Data {
	t.Helper()
	g, err := circuit.New(cfg)
	require.NoError(t, err)
	m, s := g.Empty(), make(circuit.Scores, g.NumEdges())
	for i := range s {
		s[i] = math.NaN()
	}
	for name, score := range edges {
		i, err := g.ParseEdge(name)
		require.NoError(t, err)
		m[i], s[i] = true, score
	}
	d, err := New(g, m, s, o)
	require.NoError(t, err)
	return d
}

var twoLayers = circuit.Config{Definition: circuit.ACDC, Layers: 2, Heads: 3}

var fewEdges = map[string]float64{"input->a0.h1<v>": 2, "a0.h1<v>": 2, "a0.h1->m1": -1, "m1->logits": 0.5, "a0.h1->a1.h2<k>": math.NaN()}

// text is a page as it is written.
func text(t testing.TB, d *Data) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Write(t.Context(), &b, d))
	return b.String()
}

func TestNodesAndEdgesAreTheCircuits(t *testing.T) {
	d := small(t, twoLayers, fewEdges, Options{})
	assert.Len(t, d.Nodes, 1+2*4+1)
	name := func(i int) string {
		n := d.Nodes[i]
		return circuit.Node{Kind: n.Kind, Layer: n.Layer, Head: n.Head}.String()
	}
	got := map[string]string{}
	for _, e := range d.Edges {
		effect := "none"
		if e.Effect != nil {
			effect = fmt.Sprint(*e.Effect)
		}
		got[fmt.Sprintf("%s %s %d %v", name(e.From), name(e.To), e.Port, e.Direct)] = effect
	}
	assert.Equal(t, map[string]string{"input a0.h1 2 false": "2", "a0.h1 a0.h1 2 true": "2", "a0.h1 m1 -1 false": "-1", "m1 logits -1 false": "0.5", "a0.h1 a1.h2 1 false": "none"}, got)
	var in []string
	for i, n := range d.Nodes {
		if n.In {
			in = append(in, name(i))
		}
	}
	assert.Equal(t, []string{"input", "a0.h1", "a1.h2", "m1", "logits"}, in)
	all := small(t, twoLayers, fewEdges, Options{All: true})
	assert.Len(t, all.Edges, all.EdgesTotal)
}

// Every arrow of the grid points down, or aside within a parallel block.
func TestGridPointsDown(t *testing.T) {
	for _, cfg := range []circuit.Config{twoLayers, {Definition: circuit.EAP, Layers: 3, Heads: 5, SplitEmbed: true}, {Definition: circuit.EAP, Layers: 2, Heads: 2, ParallelAttnMLP: true},
		{Definition: circuit.ACDC, Layers: 2, Heads: 1, AttnOnly: true}} {
		d := small(t, cfg, nil, Options{All: true})
		places := map[[2]float64]bool{}
		for _, at := range d.Grid.At {
			assert.False(t, places[*at], "two nodes at %v", *at)
			places[*at] = true
			assert.True(t, at[0]-nodeWidth/2 > 0 && at[0]+nodeWidth/2 < d.Grid.Width && at[1] > 0 && at[1] < d.Grid.Height, "%v", *at)
		}
		for _, e := range d.Edges {
			if !e.Direct {
				assert.Less(t, d.Grid.At[e.From][1], d.Grid.At[e.To][1], "%+v", e)
			}
		}
	}
}

// The hashes of the policy are those of the only script and the only style.
func TestPolicyAllowsWhatIsThere(t *testing.T) {
	d := small(t, twoLayers, fewEdges, Options{Caption: draw.Caption{Title: "a <b> & \"c\""}})
	page := text(t, d)
	assert.Contains(t, page, "<title>a &lt;b&gt; &amp; &#34;c&#34;</title>")
	assert.NotContains(t, strings.ToLower(script()), "</script", "the script would end there")
	assert.NotContains(t, strings.ToLower(file("page.css")), "</style")
	assert.Contains(t, page, "connect-src &#39;none&#39;")
	assert.Equal(t, 1, strings.Count(page, `<script type="module">`))
	d.Live = json.RawMessage(`{"token":"x"}`)
	assert.Contains(t, text(t, d), "connect-src &#39;self&#39;")
}

func TestBundleIsWhatItsFolderSays(t *testing.T) {
	var want string
	_, err := fmt.Sscanf(vendored(t, "d3/SHA256"), "%s d3.js", &want)
	require.NoError(t, err)
	assert.Equal(t, want, fmt.Sprintf("%x", sha256.Sum256([]byte(vendored(t, "d3/d3.js")))))
}

func TestNumbersThatAreNoneAreAnError(t *testing.T) {
	d := small(t, twoLayers, fewEdges, Options{})
	nan := math.NaN()
	d.Measured = &Measured{Metric: "kl_div", Full: &nan}
	assert.ErrorContains(t, Write(t.Context(), &bytes.Buffer{}, d), "page: json: unsupported value: NaN")
}

// vendored is a file of the package's folder.
func vendored(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(name))
	require.NoError(t, err)
	return string(data)
}
