package compile_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/rasp/compile"
	"github.com/seed-2c350065/acdc/pkg/rasp/programs"
	"github.com/seed-2c350065/acdc/pkg/task"
)

// experiment binds a compiled program to inputs of one length under zero
// ablation; the metric is the squared difference of the output's logits at all
// positions but BOS's.
func experiment(t *testing.T, m *compile.Model, d circuit.Definition, split bool, length int) *patch.Experiment {
	t.Helper()
	inputs, _ := m.Domain.Inputs(3000, 7)
	var clean [][]int
	var mask [][]bool
	for _, x := range inputs {
		if len(x) != length || len(clean) == 150 {
			continue
		}
		tokens, err := m.Encode(x)
		require.NoError(t, err)
		counted := make([]bool, len(tokens))
		for i := range x {
			counted[i+1] = true
		}
		clean, mask = append(clean, tokens), append(mask, counted)
	}
	e, err := patch.Bind(t.Context(), patch.Config{Model: m.Transformer, Definition: d, SplitEmbed: split, Metric: metric.L2, Ablation: ablate.Zero,
		Data: task.Data{Clean: clean, Corrupt: clean, Mask: mask}})
	require.NoError(t, err)
	return e
}

// The circuits are all that the programs need: with every other edge's value
// zero, each shipped program computes what it did. Without any
// edge it does not.
func TestCircuitsAreEnough(t *testing.T) {
	for _, name := range programs.Names() {
		_, m := shipped(t, name)
		for _, split := range []bool{true, false} {
			for _, d := range circuit.Definitions() {
				t.Run(fmt.Sprintf("%s,%s,%t", name, d, split), func(t *testing.T) {
					e := experiment(t, m, d, split, m.Domain.MaxLen)
					g := e.Graph()
					mask, err := m.Circuit(t.Context(), g)
					require.NoError(t, err)
					wired, err := m.Wired(g)
					require.NoError(t, err)
					for i := range mask {
						assert.True(t, wired[i] || !mask[i], "%v is no edge that weights read", g.Edge(i))
					}
					assert.Zero(t, g.Idle(mask, true).Count(), "every edge lies on a path from the embeddings to the output")
					assert.Less(t, measured(t, e, mask), 1e-9)
					assert.Greater(t, measured(t, e, g.Empty()), 1e-3)
					t.Logf("%d edges of the circuit, %d wired, of %d", mask.Count(), wired.Count(), g.NumEdges())
				})
			}
		}
	}
}

// spare are the edges of circuits whose absence alone changes nothing on a
// program's own inputs: they serve defaults that are named, and keep them out of
// BOS, but every query selects something, or nothing would look there.
var spare = map[string][]string{
	"detect-pattern": {"embed->a0.h1<q>", "embed->a0.h1<k>", "embed->m0", "m0->m1"},
	"dyck-1":         {"embed->a1.h0<q>", "embed->a1.h1<q>", "embed->a1.h0<k>", "embed->a1.h1<k>"},
	"proportion":     {"embed->a1.h0<q>", "embed->a1.h0<k>"},
}

// The absence of any other edge of a circuit changes the output, on inputs of
// the greatest length or of one less: an absent count means the greatest.
func TestEveryOtherEdgeMatters(t *testing.T) {
	for _, name := range programs.Names() {
		_, m := shipped(t, name)
		long := experiment(t, m, circuit.ACDC, true, m.Domain.MaxLen)
		short := experiment(t, m, circuit.ACDC, true, m.Domain.MaxLen-1)
		mask, err := m.Circuit(t.Context(), long.Graph())
		require.NoError(t, err)
		var idle []string
		for i, present := range mask {
			if !present {
				continue
			}
			mask[i] = false
			if measured(t, long, mask) < 1e-9 && measured(t, short, mask) < 1e-9 {
				idle = append(idle, long.Graph().Edge(i).String())
			}
			mask[i] = true
		}
		assert.Equal(t, spare[name], idle, name)
	}
}

func measured(t *testing.T, e *patch.Experiment, mask circuit.Mask) float64 {
	t.Helper()
	x, err := e.PlainMetric(t.Context(), mask)
	require.NoError(t, err)
	require.False(t, math.IsNaN(x))
	return x
}

// The graph must be the model's.
func TestCircuitOfAnotherGraph(t *testing.T) {
	_, m := shipped(t, "reverse")
	g, err := circuit.New(circuit.Config{Definition: circuit.ACDC, Layers: 4, Heads: 2})
	require.NoError(t, err)
	_, err = m.Circuit(t.Context(), g)
	assert.EqualError(t, err, "graph: expected 4 layers of 1 heads with an MLP after them, found another model's graph")
}
