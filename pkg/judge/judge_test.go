package judge

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/ending"
	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// reversing is the compiled model that reverses, under zero ablation, on its six
// prompts, each so many times.
func reversing(t testing.TB, name metric.Name, times int) (*patch.Experiment, circuit.Mask) {
	t.Helper()
	c := golden.Bound(t, golden.Model(t, "tracr-reverse"), "tracr-reverse", golden.Run{Metric: string(name), Ablation: "zero"}, 2)
	one := c.Data
	for range times - 1 {
		c.Data.Clean = append(c.Data.Clean, one.Clean...)
		c.Data.Corrupt = append(c.Data.Corrupt, one.Corrupt...)
	}
	if name == metric.NLL { // of the tokens in one order, which each prompt has in another
		for range c.Data.Clean {
			c.Data.Labels = append(c.Data.Labels, []int{0, 0, 1, 2})
			c.Data.Mask = append(c.Data.Mask, []bool{false, true, true, true})
		}
	}
	e, err := patch.Bind(t.Context(), c)
	require.NoError(t, err)
	return e, golden.TrueEdges(t, "tracr-reverse", e.Graph())
}

// chance is a random circuit of as many edges as another.
func chance(e *patch.Experiment, seed uint64, m circuit.Mask) circuit.Mask {
	return newPaths(e.Graph(), rand.New(rand.NewPCG(seed, 4))).circuit(m.Count())
}

// random is an experiment on a random model with a random circuit.
func random(t testing.TB, seed uint64, name metric.Name) (*patch.Experiment, circuit.Mask) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 31))
	c := golden.RandomConfig(rng)
	data := golden.RandomData(rng, c)
	data.Mask = golden.MaskFor(name, data.Mask)
	e, err := patch.Bind(t.Context(), patch.Config{Model: golden.RandomModel(t, c, seed), Data: data, Metric: name,
		Ablation: ablate.Ablations()[rng.IntN(3)], Definition: circuit.Definitions()[rng.IntN(2)], Threads: 2, Batch: rng.IntN(3)})
	require.NoError(t, err)
	m := e.Graph().Empty()
	for i := range m {
		m[i] = rng.IntN(2) == 0
	}
	return e, m
}

// few are options that draw little.
func few() Options {
	o := Default()
	o.Samples, o.Permutations, o.KnockOuts = 3, 20, 2
	return o
}

// The full circuit is the model: faithfulness 1 and no divergence; the empty one
// is the corrupted run: faithfulness 0. The complement of each is the other.
func TestFullAndEmpty(t *testing.T) {
	for seed := range uint64(golden.Cases(20)) {
		for _, name := range []metric.Name{metric.KL, metric.L2, metric.NLL} {
			e, _ := random(t, seed, name)
			least := 1e-5 * max(1, math.Abs(e.CorruptedMetric()))
			for is, m := range map[RunName]circuit.Mask{Model: e.Graph().Full(), Corrupted: e.Graph().Empty()} {
				found, err := Measure(t.Context(), e, m)
				require.NoError(t, err)
				of := map[RunName]Run{}
				for _, r := range found.Runs {
					of[r.Run] = r
				}
				other := map[RunName]RunName{Model: Corrupted, Corrupted: Model}[is]
				assert.InDelta(t, of[is].Mean, of[Circuit].Mean, least)
				assert.InDelta(t, of[other].Mean, of[Complement].Mean, least)
				if f := of[Circuit].Faithfulness; f != nil && math.Abs(e.CleanMetric()-e.CorruptedMetric()) > 1e-2 {
					assert.InDelta(t, map[RunName]float64{Model: 1, Corrupted: 0}[is], *f, 1e-3)
				}
				if name == metric.KL && is == Model {
					assert.InDelta(t, 0, of[Circuit].Mean, 1e-6)
				}
			}
		}
	}
	e, _ := reversing(t, metric.L2, 1)
	for want, m := range map[float64]circuit.Mask{1: e.Graph().Full(), 0: e.Graph().Empty()} {
		found, err := Measure(t.Context(), e, m)
		require.NoError(t, err)
		assert.Equal(t, want, *found.Runs[1].Faithfulness)
	}
}

// The mean and the quantiles are those of the examples, which are those of plain
// passes.
func TestExamples(t *testing.T) {
	e, m := random(t, 5, metric.KL)
	found, err := Measure(t.Context(), e, m)
	require.NoError(t, err)
	rows, err := e.Plain(t.Context(), m.Gates())
	require.NoError(t, err)
	run := found.Runs[1]
	assert.InDelta(t, e.Metric().Mean(rows), run.Mean, 1e-9)
	least, most := math.Inf(1), math.Inf(-1)
	for i, want := range e.Metric().PerExample(rows, e.Runs().Examples()) {
		if math.IsNaN(want) {
			assert.Nil(t, run.Examples[i])
			continue
		}
		assert.InDelta(t, want, *run.Examples[i], 1e-9)
		least, most = min(least, want), max(most, want)
	}
	assert.Equal(t, []float64{least, most}, []float64{run.Quantiles[0], run.Quantiles[6]})
	assert.Equal(t, []float64{1, 1.5, 3}, []float64{Quantile([]float64{1, 2, 3}, 0), Quantile([]float64{1, 2, 3}, 0.25), Quantile([]float64{1, 2, 3}, 1)})
}

// The full circuit is complete whatever is knocked out, and no knock-out narrows
// what others leave; of another circuit, nothing knocked out is its distance from
// the model.
func TestCompleteness(t *testing.T) {
	for seed := range uint64(golden.Cases(10)) {
		e, m := random(t, seed, metric.L2)
		for _, mask := range []circuit.Mask{e.Graph().Full(), m} {
			b, err := newBench(e, mask)
			require.NoError(t, err)
			found, err := b.completeness(t.Context(), few())
			require.NoError(t, err)
			full := mask.Count() == len(mask)
			most := 0.0
			for _, k := range found.KnockOuts {
				if full {
					assert.Zero(t, k.Gap, "%+v", k)
				}
				most = max(most, k.Gap)
			}
			assert.Equal(t, most, found.Most)
			own, err := e.PlainMetric(t.Context(), b.live(mask))
			require.NoError(t, err)
			assert.InDelta(t, math.Abs(own-e.CleanMetric()), found.KnockOuts[0].Gap, 1e-5*max(1, math.Abs(own)))
		}
	}
	e, truth := reversing(t, metric.L2, 1)
	b, err := newBench(e, truth)
	require.NoError(t, err)
	found, err := b.completeness(t.Context(), Default())
	require.NoError(t, err)
	kinds := map[Kind]int{}
	for _, k := range found.KnockOuts {
		kinds[k.Kind]++
		if k.Kind == Single || k.Kind == Group {
			assert.Less(t, k.Gap, found.Most+1e-12)
		}
	}
	assert.Equal(t, map[Kind]int{None: 1, Single: 5, Group: 4, Chance: 10, Greedy: 1}, kinds)
}

// Every edge's effect is that of plain passes without it, and so is every node's.
func TestMinimalityIsThatOfPlainPasses(t *testing.T) {
	for seed := range uint64(golden.Cases(10)) {
		e, m := random(t, seed, metric.L2)
		b, err := newBench(e, m)
		require.NoError(t, err)
		plain := func(m circuit.Mask) []float64 {
			rows, err := e.Plain(t.Context(), m.Gates())
			require.NoError(t, err)
			return rows
		}
		before := plain(b.live(m))
		compare := func(p Part, without circuit.Mask) {
			after := plain(b.live(without))
			scale := max(1, math.Abs(e.Metric().Mean(before)))
			assert.InDelta(t, e.Metric().Mean(after)-e.Metric().Mean(before), p.Effect, 1e-4*scale, p.Name)
			with, err := b.scores(t.Context(), m)
			require.NoError(t, err)
			less, err := b.scores(t.Context(), without)
			require.NoError(t, err)
			assert.InDelta(t, distance(with, less), p.Square, 1e-3*scale*scale, p.Name)
			assert.GreaterOrEqual(t, p.Most, math.Abs(p.Effect))
		}
		o := few()
		parts, err := b.minimality(t.Context(), o)
		require.NoError(t, err)
		require.Len(t, parts, m.Count())
		for _, p := range parts {
			without := m.Clone()
			i, err := e.Graph().ParseEdge(p.Name)
			require.NoError(t, err)
			without[i] = false
			compare(p, without)
		}
		o.Nodes = true
		parts, err = b.minimality(t.Context(), o)
		require.NoError(t, err)
		nodes := b.nodes()
		require.Len(t, parts, len(nodes))
		for i, p := range parts {
			require.Equal(t, nodes[i].String(), p.Name)
			compare(p, b.without(m, nodes[i:i+1]))
		}
	}
}

// outcomes are what the tests say of a circuit.
func outcomes(t *testing.T, e *patch.Experiment, m circuit.Mask, o Options) map[TestName]Outcome {
	t.Helper()
	v, err := Judge(t.Context(), e, m, o, nil)
	require.NoError(t, err)
	out := map[TestName]Outcome{}
	for _, x := range v.Tests {
		out[x.Name] = x.Outcome
	}
	return out
}

// The tests accept the circuit that a compiled model is, and reject those of the
// same size by chance. Removing either breaks such a small model, so that
// necessity does not tell them apart; and by a distance from itself the model has
// no score that anything could depend on.
func TestTruthIsAcceptedAndChanceRejected(t *testing.T) {
	e, truth := reversing(t, metric.L2, 5)
	o := Default()
	o.Samples = 40
	assert.Equal(t, map[TestName]Outcome{Equivalence: For, Independence: Open, Minimality: For, Sufficiency: For, Necessity: Against}, outcomes(t, e, truth, o))
	for seed := range uint64(golden.Cases(6)) {
		found := outcomes(t, e, chance(e, seed, truth), o)
		for _, name := range []TestName{Equivalence, Minimality, Sufficiency} {
			assert.Equal(t, Against, found[name], "%s of seed %d", name, seed)
		}
	}
	one := truth.Clone()
	i, err := e.Graph().ParseEdge("a1.h0->logits")
	require.NoError(t, err)
	one[i] = true
	assert.Equal(t, Against, outcomes(t, e, one, o)[Minimality], "an edge too many")
	i, err = e.Graph().ParseEdge("m1->m2")
	require.NoError(t, err)
	one = truth.Clone()
	one[i] = false
	assert.Equal(t, Against, outcomes(t, e, one, o)[Equivalence], "an edge too few")

	// What six prompts, or three circuits, cannot tell is left open.
	e, truth = reversing(t, metric.L2, 1)
	found := outcomes(t, e, truth, few())
	assert.Equal(t, []Outcome{Open, Open}, []Outcome{found[Equivalence], found[Sufficiency]})
	assert.Equal(t, Open, outcomes(t, e, e.Graph().Full(), few())[Minimality])
	assert.Equal(t, Open, outcomes(t, e, e.Graph().Empty(), few())[Minimality])

	// The complement of the truth says the same whatever the prompt.
	e, truth = reversing(t, metric.NLL, 5)
	assert.Equal(t, For, outcomes(t, e, truth, o)[Independence])
}

// The p-values are those that one computes by hand, or by enumeration.
func TestPValues(t *testing.T) {
	assert.InDelta(t, 0.3125, binomial(5, 2, 0.5), 1e-15)
	assert.InDelta(t, 1, sumBinomial(40, 0, 40, 0.3), 1e-12)
	assert.InDelta(t, math.Pow(0.9, 29), atLeast(29, 29, 0.9), 1e-15)
	assert.InDelta(t, math.Pow(0.1, 3), atMost(3, 0, 0.9), 1e-15)
	assert.InDelta(t, math.Pow(0.6, 6)+math.Pow(0.4, 6), asFar(6, -0.5, 0.1), 1e-15)
	assert.InDelta(t, 1, asFar(7, 0, 0.1), 1e-12)
	assert.InDelta(t, 2*math.Pow(0.5, 4)+2*4*math.Pow(0.5, 4), asFar(4, 0.25, 0), 1e-15)
}

// HSIC of a centred kernel is that of the definition, and it tells scores that
// depend on each other, be it not linearly, from those that do not.
func TestHSIC(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	n := 40
	a, b, c := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range a {
		a[i], c[i] = rng.NormFloat64(), rng.NormFloat64()
		b[i] = a[i]*a[i] + 0.05*rng.NormFloat64()
	}
	k, _ := kernel(a, 0)
	l, _ := kernel(b, 0)
	h := func(i, j int) float64 {
		if i == j {
			return 1 - 1/float64(n)
		}
		return -1 / float64(n)
	}
	centred := func(m [][]float64) [][]float64 {
		out := make([][]float64, n)
		for i := range out {
			out[i] = make([]float64, n)
			for j := range out[i] {
				for p := range n {
					for q := range n {
						out[i][j] += h(i, p) * m[p][q] * h(q, j)
					}
				}
			}
		}
		return out
	}
	kc, lc, want := centred(k), centred(l), 0.0
	for i := range n {
		for j := range n {
			want += kc[i][j] * lc[j][i]
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	center(k)
	assert.InDelta(t, want/float64((n-1)*(n-1)), hsic(k, l, order), 1e-12)

	e, m := random(t, 1, metric.L2)
	bench, err := newBench(e, m)
	require.NoError(t, err)
	x := &trials{bench: bench, o: Default(), model: a, complement: b}
	assert.Equal(t, Against, x.independence().Outcome)
	x.complement = c
	assert.Equal(t, For, x.independence().Outcome)
}

// Random circuits have at least so many edges, and none that carries nothing;
// they differ, and a seed gives the same ones.
func TestRandomCircuits(t *testing.T) {
	for _, d := range circuit.Definitions() {
		for _, split := range []bool{false, true} {
			g, err := circuit.New(circuit.Config{Definition: d, Layers: 3, Heads: 2, SplitEmbed: split})
			require.NoError(t, err)
			p, q := newPaths(g, rand.New(rand.NewPCG(1, 1))), newPaths(g, rand.New(rand.NewPCG(1, 1)))
			for _, n := range []int{0, 1, 7, g.NumEdges() / 2} {
				m := p.circuit(n)
				assert.GreaterOrEqual(t, m.Count(), n)
				assert.LessOrEqual(t, m.Count(), n+12)
				assert.Zero(t, g.Idle(m, true).Count())
				assert.Equal(t, m, q.circuit(n))
				assert.True(t, n == 0 || assert.ObjectsAreEqual(m, p.circuit(n)) == false)
				q.circuit(n)
			}
			assert.Equal(t, g.NumEdges(), p.circuit(g.NumEdges()).Count())
		}
	}
}

// Whatever ends the context ends the judging.
func TestEnds(t *testing.T) {
	e, truth := reversing(t, metric.L2, 1)
	ending.Everywhere(t, 100, func(ctx context.Context) error {
		_, err := Judge(ctx, e, truth, few(), nil)
		return err
	})
	ending.Everywhere(t, 4, func(ctx context.Context) error {
		_, err := Measure(ctx, e, truth)
		return err
	})
}
