package stability

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/ending"
	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/internal/misuse"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/discover/baseline"
	"github.com/seed-2c350065/acdc/pkg/discover/exact"
	"github.com/seed-2c350065/acdc/pkg/discover/hisp"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// finder finds circuits of a golden model with random weights, whose examples
// differ.
func finder(t testing.TB, a discover.Algorithm) (Finder, patch.Config) {
	t.Helper()
	c := golden.Bound(t, golden.Model(t, "gpt3l-random"), "gpt3l-random", golden.Run{Metric: "kl_div", Ablation: "resample"}, 2)
	c.Data = c.Data.Take(5)
	e, err := patch.Bind(t.Context(), c)
	require.NoError(t, err)
	return Finder{Experiment: e, Algorithm: a, Seed: 3, Rebind: func(ctx context.Context, examples []int) (*patch.Experiment, error) {
		own := c
		own.Data = c.Data.Pick(examples)
		return patch.Bind(ctx, own)
	}}, c
}

// selected chooses edges by a method's scores.
func selected(s discover.Scorer) discover.Selected {
	return discover.Selected{Scorer: s, Selection: circuit.Selection{Rule: circuit.Top, Edges: 30}}
}

// What the drawings of an algorithm share changes no circuit: each is that of the
// algorithm on the examples drawn.
func TestDrawingsAreThoseOfTheDrawnExamples(t *testing.T) {
	differ := 0
	for _, a := range []discover.Algorithm{acdc.Algorithm{Threshold: 0.002}, selected(exact.Scorer{}), selected(hisp.Scorer{}),
		acdc.Algorithm{Threshold: 0.002, Screen: &acdc.Screen{By: baseline.Activation{}, Edges: 60}}} {
		f, c := finder(t, a)
		found, err := f.Find(t.Context(), 3)
		require.NoError(t, err)
		require.Len(t, found, 4)
		rng := rngOf(f.Seed)
		for i, d := range found {
			drawn := []int{0, 1, 2, 3, 4}
			if i > 0 {
				drawn = f.draw(rng)
			}
			own := c
			own.Data = c.Data.Pick(drawn)
			e, err := patch.Bind(t.Context(), own)
			require.NoError(t, err)
			want, err := a.Discover(t.Context(), discover.Request{Experiment: e, Seed: f.Seed})
			require.NoError(t, err)
			assert.Equal(t, want.Mask, d.Mask, "%s, drawing %d", a.Name(), i)
			assert.Equal(t, i == 0, d.Whole)
			for k, s := range want.Scores {
				if math.IsNaN(s) {
					assert.True(t, math.IsNaN(d.Scores[k]))
					continue
				}
				assert.InDelta(t, s, d.Scores[k], 1e-5*max(1, math.Abs(s)), "%s, drawing %d", a.Name(), i)
			}
			if i > 0 && !slices.Equal(d.Mask, found[0].Mask) {
				differ++
			}
		}
	}
	assert.Greater(t, differ, 3, "drawings that differ from the whole")
}

func TestShares(t *testing.T) {
	assert.Equal(t, Runs, Shares(acdc.Algorithm{}))
	assert.Equal(t, Model, Shares(acdc.Algorithm{Screen: &acdc.Screen{}}))
	assert.Equal(t, Scored, Shares(selected(exact.Scorer{})))
	assert.Equal(t, Model, Shares(selected(hisp.Scorer{})))
}

// Frequencies, intervals and indices are those computed by hand.
func TestNew(t *testing.T) {
	g, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: 1, Heads: 1})
	require.NoError(t, err)
	n, nan := g.NumEdges(), math.NaN() // q, k, v, the MLP's two, the output's three
	require.Equal(t, 8, n)
	drawing := func(score float64, edges ...int) Drawing {
		d := Drawing{Mask: g.Empty(), Scores: make(circuit.Scores, n)}
		for i := range d.Scores {
			d.Scores[i] = nan
		}
		for _, e := range edges {
			d.Mask[e], d.Scores[e] = true, score
		}
		return d
	}
	whole := drawing(1, 0, 1)
	whole.Whole = true
	r, err := New(g, []Drawing{whole, drawing(2, 0, 1), drawing(4, 0, 2)}, Options{Drawings: 2, Seeds: []uint64{0}, Confidence: 0.5})
	require.NoError(t, err)
	require.NoError(t, r.Check())
	require.Len(t, r.Edges, 3)
	value := func(x float64) *float64 { return &x }
	assert.Equal(t, Edge{Name: g.Edge(0).String(), Kept: true, Found: 3, Frequency: 1, Scored: 3, Effect: r.Edges[0].Effect, Low: value(1.5), High: value(3)}, r.Edges[0])
	assert.InDelta(t, 7.0/3, *r.Edges[0].Effect, 1e-12)
	assert.Equal(t, Edge{Name: g.Edge(2).String(), Found: 1, Frequency: 1.0 / 3, Scored: 1, Effect: value(4), Low: value(4), High: value(4)}, r.Edges[2])
	assert.InDelta(t, (1+1.0/3+1.0/3)/3, *r.Jaccard, 1e-12)
	assert.InDelta(t, (1+1.0/3)/2, *r.JaccardWhole, 1e-12)
	assert.Equal(t, 1.0, jaccard(bitsOf(g.Empty()), bitsOf(g.Empty())))

	one, err := New(g, []Drawing{whole}, Options{Seeds: []uint64{0}, Confidence: 0.5})
	require.NoError(t, err)
	assert.Nil(t, one.Jaccard)
	none := whole
	none.Scores = nil
	one, err = New(g, []Drawing{none}, Options{Seeds: []uint64{0}, Confidence: 0.5})
	require.NoError(t, err)
	assert.Nil(t, one.Edges[0].Effect)
	require.NoError(t, one.Check())
}

// The index over words is that over edges, whatever their number.
func TestJaccard(t *testing.T) {
	rng := rngOf(1)
	for _, n := range []int{1, 63, 64, 65, 200} {
		a, b, both, either := make(circuit.Mask, n), make(circuit.Mask, n), 0, 0
		for i := range n {
			a[i], b[i] = i == 0 || rng.IntN(2) == 0, rng.IntN(2) == 0
			if a[i] && b[i] {
				both++
			}
			if a[i] || b[i] {
				either++
			}
		}
		assert.Equal(t, float64(both)/float64(either), jaccard(bitsOf(a), bitsOf(b)), n)
	}
}

// result is one of a real algorithm.
func result(t testing.TB) *Result {
	t.Helper()
	f, _ := finder(t, selected(exact.Scorer{}))
	found, err := f.Find(t.Context(), 4)
	require.NoError(t, err)
	r, err := New(f.Experiment.Graph(), found, Options{Drawings: 4, Seeds: []uint64{3}, Confidence: 0.9})
	require.NoError(t, err)
	return r
}

func TestFileIsReadBack(t *testing.T) {
	r := result(t)
	var b, again, rows bytes.Buffer
	require.NoError(t, r.Encode(&b))
	back, err := Decode(t.Context(), "s.json", b.Bytes())
	require.NoError(t, err)
	require.NoError(t, back.Encode(&again))
	assert.Equal(t, b.String(), again.String())
	require.NoError(t, r.WriteCSV(&rows))
	table, err := csv.NewReader(&rows).ReadAll()
	require.NoError(t, err)
	assert.Len(t, table, 1+len(r.Edges))
	g, found, frequency, effect, err := back.Picture()
	require.NoError(t, err)
	assert.Equal(t, len(r.Edges), found.Count())
	for _, e := range r.Edges {
		i, err := g.ParseEdge(e.Name)
		require.NoError(t, err)
		assert.Equal(t, []float64{e.Frequency, *e.Effect}, []float64{frequency[i], effect[i]})
	}
}

// What no result can be is refused, field by field.
func TestFileIsChecked(t *testing.T) {
	for want, damage := range map[string]func(*Result){
		`field "options": field "drawings": expected a whole number from 0 to 1000000, found -1`:          func(r *Result) { r.Options.Drawings = -1 },
		`field "options": field "seeds": expected 1 to 1000000, found 0`:                                  func(r *Result) { r.Options.Seeds = nil },
		`field "options": field "seeds"[1]: expected different seeds, found 3 twice`:                      func(r *Result) { r.Options.Seeds = []uint64{3, 3} },
		`field "options": field "confidence": expected a number above 0 and below 1, found 1`:             func(r *Result) { r.Options.Confidence = 1 },
		`field "circuits": expected 5, one for each seed and drawing, found 4`:                            func(r *Result) { r.Circuits = r.Circuits[1:] },
		`field "edges_total": expected 300, those of the graph, found 1`:                                  func(r *Result) { r.EdgesTotal = 1 },
		`field "edges"[0]: field "found": expected a whole number from 1 to 5, found 6`:                   func(r *Result) { r.Edges[0].Found = 6 },
		`field "edges"[0]: field "frequency": expected 0.2, found 7`:                                      func(r *Result) { r.Edges[0].Found, r.Edges[0].Frequency = 1, 7 },
		`field "edges"[0]: expected an effect with its interval where the edge was scored, and none else`: func(r *Result) { r.Edges[0].Low = nil },
		`field "edges"[0]: field "low": expected at most 1, the high end, found 2`:                        func(r *Result) { *r.Edges[0].Low, *r.Edges[0].High = 2, 1 },
	} {
		r := result(t)
		damage(r)
		err := r.Check()
		if assert.Error(t, err, want) && !assert.ObjectsAreEqual(want, err.Error()) {
			assert.Regexp(t, `^field "edges_total": expected \d+, those of the graph, found 1$`, err.Error())
			assert.Contains(t, want, "edges_total")
		}
	}
	r := result(t)
	r.Edges[1] = r.Edges[0]
	assert.ErrorContains(t, r.Check(), "expected it once, found it twice")
}

// Whatever text is read is refused, or is written as it was read.
func FuzzDecode(f *testing.F) {
	var b bytes.Buffer
	require.NoError(f, result(f).Encode(&b))
	f.Add(b.Bytes())
	f.Add([]byte(`{"graph": {"definition": "eap", "n_layers": 1, "n_heads": 1}, "edges_total": 8}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Decode(t.Context(), "x.json", text)
		if err != nil || r.EdgesTotal > 10_000 {
			return
		}
		var once, twice bytes.Buffer
		require.NoError(t, r.Encode(&once))
		again, err := Decode(t.Context(), "x.json", once.Bytes())
		require.NoError(t, err)
		require.NoError(t, again.Encode(&twice))
		require.Equal(t, once.String(), twice.String())
	})
}

func TestEnds(t *testing.T) {
	for _, a := range []discover.Algorithm{acdc.Algorithm{Threshold: 0.01}, selected(exact.Scorer{})} {
		f, _ := finder(t, a)
		ending.Everywhere(t, 4, func(ctx context.Context) error {
			_, err := f.Find(ctx, 2)
			return err
		})
	}
}

// Nothing that is used wrongly ends in a panic that does not say so.
func TestEveryMisuse(t *testing.T) {
	f, _ := finder(t, selected(exact.Scorer{}))
	other, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: 5, Heads: 7})
	require.NoError(t, err)
	r := result(t)
	good := r.Options
	misuse.Walk(t, misuse.Package{
		Types: []any{Finder{}, Options{}, &Result{}},
		Fresh: []func() any{func() any { return f }, func() any { return result(t) }, func() any { return good }},
		Funcs: []any{Shares, New, Decode},
		Arguments: []any{f.Experiment.Graph(), other, []Drawing{{Mask: other.Full()}}, []Drawing{{Mask: f.Experiment.Graph().Full()}}, good, io.Discard, []byte("{"),
			discover.Algorithm(selected(hisp.Scorer{})), acdc.Algorithm{}},
	})
}
