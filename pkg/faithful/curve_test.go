package faithful_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/faithful"
)

// toy is a head and nothing else, four of whose edges have scores. What a circuit
// is worth is looked up, so that areas can be computed by hand.
func toy(t *testing.T) (faithful.Space, circuit.Scores) {
	t.Helper()
	g, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: 1, Heads: 1, AttnOnly: true})
	require.NoError(t, err)
	require.Equal(t, 5, g.NumEdges())
	scores := make(circuit.Scores, 5)
	for name, score := range map[string]float64{
		"input->a0.h0<v>": 4, "a0.h0->logits": 3, "input->logits": 2, "input->a0.h0<q>": -1, "input->a0.h0<k>": math.NaN(),
	} {
		i, err := g.ParseEdge(name)
		require.NoError(t, err)
		scores[i] = score
	}
	losses := map[int]float64{0: 10, 2: 6, 3: 3, 4: 1} // by the number of edges that are left
	measure := func(_ context.Context, m circuit.Mask) (float64, error) {
		loss, ok := losses[m.Count()]
		require.True(t, ok, "%v is no circuit that is to be measured", m)
		return loss, nil
	}
	return faithful.Space{Graph: g, Orphans: true, Metric: measure, Model: 2}, scores
}

// The curve of the full ranking, by hand: the head's value edge alone leads
// nowhere; the losses 10, 6, 3 and 1 lie 0, 4, 7 and 9 eighths of the way from
// the empty circuit's 10 to the model's 2.
func TestFullRankingByHand(t *testing.T) {
	space, scores := toy(t)
	c, err := faithful.Along(t.Context(), space, scores, faithful.Options{Parts: []float64{.2, .4, .6, .8, 1}})
	require.NoError(t, err)
	assert.Equal(t, &faithful.Curve{Rule: circuit.Top, Edges: 5, Model: 2, Empty: 10, Points: []faithful.Point{
		{Part: .2, Chosen: 1, Kept: 0, Metric: 10, Faithfulness: 0},
		{Part: .4, Chosen: 2, Kept: 2, Metric: 6, Faithfulness: .5},
		{Part: .6, Chosen: 3, Kept: 3, Metric: 3, Faithfulness: .875},
		{Part: .8, Chosen: 4, Kept: 4, Metric: 1, Faithfulness: 1.125},
		{Part: 1, Chosen: 4, Kept: 4, Metric: 1, Faithfulness: 1.125}, // the fifth edge has no score
	}}, c)
	assert.InDelta(t, .2*(.25+.6875+1+1.125), c.CPR(), 1e-15)
	assert.InDelta(t, .2*(.75+.3125+.125+.125), c.CMD(), 1e-15)
	assert.InDelta(t, 3.625/5, c.Mean(), 1e-15)
}

// MIB's own limits: of a curve that is 1, and of one that is 0 but for the model.
func TestAreasOfConstantCurves(t *testing.T) {
	flat, last := faithful.Curve{}, faithful.Curve{}
	for _, p := range circuit.MIBSizes() {
		flat.Points = append(flat.Points, faithful.Point{Part: p, Faithfulness: 1})
		last.Points = append(last.Points, faithful.Point{Part: p})
	}
	last.Points[len(last.Points)-1].Faithfulness = 1
	for _, c := range []struct {
		curve    faithful.Curve
		cpr, cmd float64
	}{{flat, .999, 0}, {last, .25, .749}} {
		assert.InDelta(t, c.cpr, c.curve.CPR(), 1e-12)
		assert.InDelta(t, c.cmd, c.curve.CMD(), 1e-12)
	}
}

// Whatever the metric, the ablation and the graph: no edge is 0, all are 1.
func TestEndsOfEveryCurve(t *testing.T) {
	for _, metric := range []string{"kl_div", "logit_diff", "nll"} {
		for _, ablation := range []string{"resample", "zero", "mean"} {
			for _, d := range circuit.Definitions() {
				e := experiment(t, metric, ablation, d)
				scores := make(circuit.Scores, e.Graph().NumEdges())
				for i := range scores {
					scores[i] = float64(i)
				}
				c, err := faithful.Measure(t.Context(), e, scores, faithful.Options{Parts: []float64{0, 1}, Rule: circuit.Greedy})
				require.NoError(t, err)
				assert.Equal(t, 262, c.Edges) // direct edges come with others
				assert.Equal(t, []float64{0, 1}, []float64{c.Points[0].Faithfulness, c.Points[1].Faithfulness}, "%s, %s, %s", metric, ablation, d)
				assert.Equal(t, []int{0, 262}, []int{c.Points[0].Kept, c.Points[1].Kept})
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	space, scores := toy(t)
	same, broken := space, space
	same.Model = 10
	broken.Metric = func(context.Context, circuit.Mask) (float64, error) { return 0, errors.New("broken") }
	for _, c := range []struct {
		space  faithful.Space
		scores circuit.Scores
		o      faithful.Options
		want   string
	}{
		{same, scores, faithful.Options{}, "faithfulness: expected a model whose metric differs from that of the circuit without edges, found 10 and 10"},
		{broken, scores, faithful.Options{}, "broken"},
		{space, scores[:2], faithful.Options{}, "scores: expected one for each of 5 edges, found 2"},
		{space, scores, faithful.Options{Parts: []float64{.5, .5}}, "parts: expected growing numbers from 0 to 1, found 0.5 at place 1"},
		{space, scores, faithful.Options{Parts: []float64{1.5}}, "parts: expected growing numbers from 0 to 1, found 1.5 at place 0"},
		{space, scores, faithful.Options{Parts: []float64{math.NaN()}}, "parts: expected growing numbers from 0 to 1, found NaN at place 0"},
		{space, scores, faithful.Options{Rule: circuit.Threshold}, "rule: expected one that takes a number of edges, found threshold"},
		{space, scores, faithful.Options{Rule: "best"}, `unknown rule "best"`},
	} {
		_, err := faithful.Along(t.Context(), c.space, c.scores, c.o)
		assert.ErrorContains(t, err, c.want)
	}
}
