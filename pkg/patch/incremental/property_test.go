package incremental_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// randomExperiment draws a model, data, a metric and an ablation.
func randomExperiment(t *testing.T, rng *rand.Rand, threads int) (*patch.Experiment, string) {
	t.Helper()
	c := golden.RandomConfig(rng)
	if apart := rand.New(rand.NewPCG(uint64(c.Vocab*c.DModel), uint64(c.Layers))); apart.IntN(2) == 0 {
		c = golden.WithParts(apart, c)
	}
	cfg := patch.Config{
		Model: golden.RandomModel(t, c, rng.Uint64()), Data: golden.RandomData(rng, c), Threads: threads, Seed: rng.Uint64(),
		Definition: circuit.Definitions()[rng.IntN(2)],
		SplitEmbed: c.Positions == transformer.Standard && rng.IntN(2) == 0,
		Metric:     metric.Names()[rng.IntN(len(metric.Names()))],
		Ablation:   ablate.Ablations()[rng.IntN(3)],
	}
	if cfg.Ablation == ablate.Mean && cfg.Seed%2 == 0 {
		cfg.Ablation, cfg.Constants = ablate.Optimal, golden.RandomConstants(cfg.Seed, c)
	}
	if cfg.Data.Pad != nil && cfg.Ablation == ablate.Resample {
		cfg.SplitEmbed = false // the positions of prompts of unequal length are not permuted
	}
	if cfg.Metric == metric.FracCorrect { // a step function: rounding may flip it
		cfg.Metric = metric.LogitDiff
	}
	cfg.Data.Mask = golden.MaskFor(cfg.Metric, cfg.Data.Mask)
	e, err := patch.Bind(t.Context(), cfg)
	require.NoError(t, err)
	return e, fmt.Sprintf("%+v %s %s %s split=%v", c, cfg.Definition, cfg.Metric, cfg.Ablation, cfg.SplitEmbed)
}

// try tries cuts together.
func try(t *testing.T, turn *incremental.Turn, edges ...int) []float64 {
	t.Helper()
	metrics, err := turn.Try(t.Context(), edges)
	require.NoError(t, err)
	return metrics
}

// near compares two evaluations of one mask.
func near(t *testing.T, want, got float64, what string) {
	t.Helper()
	require.InDelta(t, want, got, 1e-5*max(1, math.Abs(want)), what)
}

func TestStateOfAnyMaskIsThePlainRun(t *testing.T) {
	for seed := range uint64(golden.Cases(1000)) {
		rng := rand.New(rand.NewPCG(seed, 7))
		e, what := randomExperiment(t, rng, 1+rng.IntN(2))
		density := rng.Float64()
		m := e.Graph().Empty()
		for i := range m {
			m[i] = rng.Float64() < density
		}
		want, err := e.Plain(t.Context(), m.Gates())
		require.NoError(t, err)
		s, err := incremental.New(t.Context(), e.Whole(), m)
		require.NoError(t, err)
		for i := range want {
			near(t, want[i], s.Rows()[i], fmt.Sprintf("seed %d row %d: %s", seed, i, what))
		}
	}
}

func TestAnyCutIsThePlainRun(t *testing.T) {
	for seed := range uint64(golden.Cases(200)) {
		rng := rand.New(rand.NewPCG(seed, 8))
		e, what := randomExperiment(t, rng, 1+rng.IntN(2))
		g := e.Graph()
		s, err := incremental.New(t.Context(), e.Whole(), g.Full())
		require.NoError(t, err)
		for range 6 { // receivers in any order, not only that of discovery
			r := g.Receivers()[rng.IntN(len(g.Receivers()))]
			if !g.HasOutgoing(s.Mask(), r) {
				s.Drop(r)
				continue
			}
			turn := s.Begin(r)
			lo, hi := g.Incoming(r)
			for edge := lo; edge < hi; edge++ {
				if !s.Mask()[edge] {
					continue
				}
				cut := s.Mask().Clone()
				cut[edge] = false
				want, err := e.PlainMetric(t.Context(), cut)
				require.NoError(t, err)
				near(t, want, try(t, turn, edge)[0], fmt.Sprintf("seed %d: cut %v: %s", seed, g.Edge(edge), what))
				if rng.IntN(2) == 0 {
					turn.Accept(1)
					near(t, want, s.Metric(), "accepted")
				}
			}
			turn.End(t.Context())
			want, err := e.PlainMetric(t.Context(), s.Mask())
			require.NoError(t, err)
			near(t, want, s.Metric(), fmt.Sprintf("seed %d: after %v: %s", seed, r, what))
		}
	}
}

// Cuts tried together give the bits of cuts tried one by one, whichever of them
// are accepted, and a state after a turn those of a new one.
func TestTriesTogetherAndAlone(t *testing.T) {
	for seed := range uint64(golden.Cases(200)) {
		var results [2][]float64
		for way := range results {
			rng := rand.New(rand.NewPCG(seed, 11))
			e, what := randomExperiment(t, rng, 1+way)
			g := e.Graph()
			s, err := incremental.New(t.Context(), e.Whole(), g.Full())
			require.NoError(t, err)
			for i := len(g.Receivers()) - 1; i >= 0; i-- {
				r := g.Receivers()[i]
				if !g.HasOutgoing(s.Mask(), r) {
					s.Drop(r)
					continue
				}
				lo, hi := g.Incoming(r)
				turn := s.Begin(r)
				for edge := lo; edge < hi; {
					n := min(1+rng.IntN(4), hi-edge)
					accept := rng.IntN(n + 1)
					if !isAddition(g, r) {
						n = 1
					}
					var edges []int
					for k := range n {
						edges = append(edges, edge+k)
					}
					accept = min(accept, n)
					if way == 0 {
						results[way] = append(results[way], try(t, turn, edges...)[:accept]...)
						turn.Accept(accept)
					} else {
						for k := range accept {
							results[way] = append(results[way], try(t, turn, edges[k])[0])
							turn.Accept(1)
						}
					}
					edge += n
				}
				turn.End(t.Context())
				fresh, err := incremental.New(t.Context(), e.Whole(), s.Mask())
				require.NoError(t, err)
				require.Equal(t, fresh.Rows(), s.Rows(), "seed %d after %v: %s", seed, r, what)
			}
			results[way] = append(results[way], s.Metric())
		}
		require.Equal(t, results[0], results[1], "seed %d", seed)
	}
}

func isAddition(g *circuit.Graph, r circuit.Node) bool {
	return r.Kind < circuit.Q || r.Kind > circuit.V
}

func TestEndPoints(t *testing.T) {
	for seed := range uint64(golden.Cases(500)) {
		rng := rand.New(rand.NewPCG(seed, 9))
		e, what := randomExperiment(t, rng, 2)
		s, err := incremental.New(t.Context(), e.Whole(), e.Graph().Full())
		require.NoError(t, err)
		assert.Equal(t, e.CleanMetric(), s.Metric(), what)
		full, err := e.PlainMetric(t.Context(), e.Graph().Full())
		require.NoError(t, err)
		near(t, e.CleanMetric(), full, what)
		if e.Metric().Name() == metric.KL {
			assert.Zero(t, s.Metric())
			assert.Less(t, math.Abs(full), 1e-9)
		}
		empty, err := e.PlainMetric(t.Context(), e.Graph().Empty())
		require.NoError(t, err)
		near(t, e.CorruptedMetric(), empty, what)
	}
}

func TestThreadsDoNotChangeABit(t *testing.T) {
	for seed := range uint64(golden.Cases(200)) {
		var rows [][]float64
		for threads := 1; threads <= 3; threads++ {
			rng := rand.New(rand.NewPCG(seed, 10))
			e, _ := randomExperiment(t, rng, threads)
			m := e.Graph().Full()
			for i := range m {
				m[i] = rng.IntN(2) == 0
			}
			s, err := incremental.New(t.Context(), e.Whole(), m)
			require.NoError(t, err)
			plain, err := e.Plain(t.Context(), m.Gates())
			require.NoError(t, err)
			rows = append(rows, append(append([]float64{e.CleanMetric(), e.CorruptedMetric()}, s.Rows()...), plain...))
		}
		require.Equal(t, rows[0], rows[1])
		require.Equal(t, rows[0], rows[2])
	}
}

func TestCutsAllocateNothingThatGrows(t *testing.T) {
	if golden.Race {
		t.Skip("the race detector allocates")
	}
	m := golden.Model(t, "gpt3l-random")
	e, err := patch.Bind(t.Context(), golden.Bound(t, m, "gpt3l-random", golden.Run{Metric: "kl_div", Ablation: "resample"}, 1))
	require.NoError(t, err)
	s, err := incremental.New(t.Context(), e.Whole(), e.Graph().Full())
	require.NoError(t, err)
	r := circuit.Node{Kind: circuit.QInput, Layer: 1, Head: 2}
	lo, _ := e.Graph().Incoming(r)
	turn := s.Begin(r)
	try(t, turn, lo)
	assert.LessOrEqual(t, testing.AllocsPerRun(20, func() { try(t, turn, lo+1) }), 20.0)
	turn.End(t.Context())
}

func TestPaddingChangesNothing(t *testing.T) {
	padded := 0
	for seed := range uint64(golden.Cases(100)) {
		rng := rand.New(rand.NewPCG(seed, 40))
		c := golden.RandomConfig(rng)
		cfg := patch.Config{Model: golden.RandomModel(t, c, seed), Data: golden.RandomData(rng, c), Threads: 2,
			Metric: metric.KL, Ablation: []ablate.Ablation{ablate.Resample, ablate.Zero}[rng.IntN(2)]}
		if cfg.Data.Pad == nil {
			continue
		}
		padded++
		cfg.Data.Mask = nil
		e, err := patch.Bind(t.Context(), cfg)
		require.NoError(t, err)
		m := e.Graph().Full()
		for i := range m {
			m[i] = rng.IntN(3) > 0
		}
		s, err := incremental.New(t.Context(), e.Whole(), m)
		require.NoError(t, err)
		for b, pad := range cfg.Data.Pad {
			one := cfg
			one.Data = cfg.Data.Part(b, b+1)
			one.Data.Clean, one.Data.Corrupt = [][]int{cfg.Data.Clean[b][pad:]}, [][]int{cfg.Data.Corrupt[b][pad:]}
			one.Data.Labels, one.Data.Pad = nil, nil
			alone, err := patch.Bind(t.Context(), one)
			require.NoError(t, err)
			want, err := alone.PlainMetric(t.Context(), m)
			require.NoError(t, err)
			near(t, want, s.Rows()[b], fmt.Sprintf("seed %d example %d %+v", seed, b, c))
		}
	}
	require.Greater(t, padded, golden.Cases(100)/8)
}

// A cut from which no path leads to the output leaves the metric as it is,
// whatever was tried before.
func TestCutsThatReachNoOutput(t *testing.T) {
	m := golden.Model(t, "gpt3l-random")
	e, err := patch.Bind(t.Context(), golden.Bound(t, m, "gpt3l-random", golden.Run{Metric: "kl_div", Ablation: "resample"}, 1))
	require.NoError(t, err)
	g := e.Graph()
	mask := g.Full()
	lo, hi := g.Incoming(circuit.Node{Kind: circuit.Output})
	for edge := lo; edge < hi; edge++ { // only the embedding and layer 0 are heard
		mask[edge] = g.Edge(edge).Sender.Layer == 0
	}
	s, err := incremental.New(t.Context(), e.Whole(), mask)
	require.NoError(t, err)
	before := s.Metric()
	early := s.Begin(circuit.Node{Kind: circuit.MLPIn, Layer: 0})
	lo, _ = g.Incoming(circuit.Node{Kind: circuit.MLPIn, Layer: 0})
	require.NotEqual(t, before, try(t, early, lo)[0])
	require.NoError(t, early.End(t.Context()))
	r := circuit.Node{Kind: circuit.QInput, Layer: 1, Head: 1} // leads to layer 2, which nothing hears
	lo, _ = g.Incoming(r)
	turn := s.Begin(r)
	assert.Equal(t, before, try(t, turn, lo)[0])
	turn.Accept(1)
	require.NoError(t, turn.End(t.Context()))
	assert.Equal(t, before, s.Metric())
}

func TestMeansLeaveOutPadding(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 41))
	c := golden.RandomConfig(rng)
	c.Direction, c.Windows = transformer.Causal, nil
	cfg := patch.Config{Model: golden.RandomModel(t, c, 1), Threads: 1, Metric: metric.KL, Ablation: ablate.Mean}
	with := func(junk int) float64 {
		cfg.Data = task.Data{Clean: [][]int{{junk, 1, 2, 3}, {4, 2, 1, 3}}, Pad: []int{1, 0}}
		e, err := patch.Bind(t.Context(), cfg)
		require.NoError(t, err)
		return e.CorruptedMetric()
	}
	assert.Equal(t, with(0), with(4), "what stands in the padding is not read")
}

func TestErrorsNameTheField(t *testing.T) {
	m := golden.Model(t, "gpt3l-random")
	base := golden.Bound(t, m, "gpt3l-random", golden.Run{Metric: "kl_div", Ablation: "resample"}, 1)
	for _, c := range []struct {
		want   string
		change func(*patch.Config)
	}{
		{`unknown ablation "x": expected one of resample, zero, mean`, func(c *patch.Config) { c.Ablation = "x" }},
		{`positions of prompts of unequal length cannot be permuted`, func(c *patch.Config) {
			c.SplitEmbed, c.Data.Pad = true, make([]int, len(c.Data.Clean))
		}},
		{`"pad": expected 0 to 11 padding tokens, found 12 in example 0`, func(c *patch.Config) {
			c.Data.Pad = slices.Repeat([]int{12}, len(c.Data.Clean))
		}},
		{`unknown metric "x"`, func(c *patch.Config) { c.Metric = "x" }},
		{`the data have no "corrupt"`, func(c *patch.Config) { c.Data.Corrupt = nil }},
		{`"corrupt": expected the shape of "clean"`, func(c *patch.Config) { c.Data.Corrupt = c.Data.Corrupt[:3] }},
		{`"clean": expected at least one example`, func(c *patch.Config) { c.Data.Clean = nil }},
		{`expected token ids from 0 to 95 (d_vocab 96), found 96 in example 1 at position 0`, func(c *patch.Config) {
			c.Data.Clean = [][]int{{0}, {96}}
			c.Data.Corrupt, c.Data.Mask, c.Data.Correct, c.Data.Wrong = nil, nil, nil, nil
		}},
		{`expected at most n_ctx = 16 tokens an example, found 17`, func(c *patch.Config) {
			c.Data = golden.RandomData(rand.New(rand.NewPCG(1, 1)), m.Config)
			for i := range c.Data.Clean {
				c.Data.Clean[i] = make([]int, 17)
			}
			c.Data.Corrupt, c.Data.Mask, c.Data.Labels = nil, nil, nil
		}},
		{`graph definition "x" is unknown`, func(c *patch.Config) { c.Definition = "x" }},
	} {
		cfg := base
		c.change(&cfg)
		_, err := patch.Bind(t.Context(), cfg)
		require.Error(t, err, c.want)
		assert.Contains(t, err.Error(), c.want)
	}
	e, err := patch.Bind(t.Context(), base)
	require.NoError(t, err)
	_, err = incremental.New(t.Context(), e.Whole(), circuit.Mask{true})
	assert.ErrorContains(t, err, "mask: expected 298 edges, found 1")
	_, err = e.Plain(t.Context(), circuit.Mask{true}.Gates())
	assert.ErrorContains(t, err, "gates: expected one for each of 298 edges, found 1")
	assert.Panics(t, func() {
		s, err := incremental.New(t.Context(), e.Whole(), e.Graph().Full())
		require.NoError(t, err)
		try(t, s.Begin(circuit.Node{Kind: circuit.Output}), 0)
	})
}
