package flow_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/flow"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// The formula over the hooks of a run, sender by sender.
func TestScoresAreThoseOfTheFormula(t *testing.T) {
	for seed := range uint64(golden.Cases(30)) {
		rng := rand.New(rand.NewPCG(seed, 92))
		c := golden.RandomConfig(rng)
		m := golden.RandomModel(t, c, seed)
		data := golden.RandomData(rng, c)
		e, err := patch.Bind(t.Context(), patch.Config{Model: m, Data: data, Metric: metric.L2, Ablation: ablate.Zero, Definition: circuit.Definitions()[rng.IntN(2)], Threads: 2})
		require.NoError(t, err)
		found, err := flow.Scorer{}.Score(t.Context(), discover.Request{Experiment: e})
		require.NoError(t, err)
		var points []transformer.HookPoint
		for l := range c.Layers {
			kept := []transformer.Point{transformer.HookResidPre, transformer.HookResult, transformer.HookResidPost}
			if !c.AttnOnly {
				kept = append(kept, transformer.HookMLPIn, transformer.HookMLPOut)
			}
			for _, p := range kept {
				points = append(points, transformer.HookPoint{Point: p, Layer: l})
			}
		}
		_, cache, err := m.RunWithCache(t.Context(), data.Clean, points, transformer.Options{Pad: data.Pad})
		require.NoError(t, err)
		at := func(p transformer.Point, layer, example, pos int) []float32 {
			x, ok := cache[transformer.HookPoint{Point: p, Layer: layer}]
			require.True(t, ok, p)
			w := x.Len() / (len(data.Clean) * len(data.Clean[0]))
			row := example*len(data.Clean[0]) + pos
			return x.Data[row*w : (row+1)*w]
		}
		sent := func(s circuit.Node, example, pos int) []float32 {
			switch s.Kind {
			case circuit.Input:
				return at(transformer.HookResidPre, 0, example, pos)
			case circuit.MLP:
				return at(transformer.HookMLPOut, s.Layer, example, pos)
			}
			return at(transformer.HookResult, s.Layer, example, pos)[s.Head*c.DModel : (s.Head+1)*c.DModel]
		}
		g := e.Graph()
		for _, r := range g.Receivers() {
			lo, hi := g.Incoming(r)
			if g.Edge(lo).IsDirect() {
				continue
			}
			want := make([]float64, hi-lo)
			for example := range data.Clean {
				pad := 0
				if data.Pad != nil {
					pad = data.Pad[example]
				}
				n := len(data.Clean[example]) - pad
				for pos := pad; pos < pad+n; pos++ {
					var x []float32
					switch r.Kind {
					case circuit.Output:
						x = at(transformer.HookResidPost, c.Layers-1, example, pos)
					case circuit.MLPIn:
						x = at(transformer.HookMLPIn, r.Layer, example, pos)
					default:
						x = at(transformer.HookResidPre, r.Layer, example, pos)
					}
					near, sum := make([]float64, hi-lo), 0.0
					for u := range near {
						before, after := 0.0, 0.0
						for d, a := range sent(g.Senders()[u], example, pos) {
							before += math.Abs(float64(x[d]))
							after += math.Abs(float64(x[d]) - float64(a))
						}
						near[u] = max(0, before-after)
						sum += near[u]
					}
					for u := range near {
						if sum > 0 {
							want[u] += near[u] / sum / float64(n) / float64(len(data.Clean))
						}
					}
				}
			}
			for u := range want {
				assert.InDelta(t, want[u], found.Scores[lo+u], 1e-4, "seed %d, %v", seed, g.Edge(lo+u))
			}
		}
	}
}
