package interchange

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/rasp/programs"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// specOf is a spec of one of the project's programs, with every head in its own
// place.
func specOf(t testing.TB, name string) Spec {
	t.Helper()
	source, err := programs.Source(name)
	require.NoError(t, err)
	s := Spec{Program: source, MinLen: 1, Behaviour: 1, Interchange: 0.7, Strict: 0.4}
	m, err := s.Compile(t.Context())
	require.NoError(t, err)
	s.MinLen = m.Domain.MaxLen
	for range m.Transformer.Config.Layers {
		var heads []int
		for h := range m.Transformer.Config.Heads {
			heads = append(heads, h)
		}
		s.Heads = append(s.Heads, heads)
	}
	return s
}

// pairOf is a pair of a spec and a small model with random weights.
func pairOf(t testing.TB, s Spec, heads int) (*Pair, *transformer.Model) {
	t.Helper()
	high, err := s.Compile(t.Context())
	require.NoError(t, err)
	c := Shape(high.Transformer.Config, heads, 3, 8, 12)
	p, err := New(t.Context(), s, c)
	require.NoError(t, err)
	params, rng := transformer.NewParams(c), rand.New(rand.NewPCG(5, 6))
	for _, x := range params.All(c) {
		for i := range x.Data() {
			x.Data()[i] = float32(rng.NormFloat64() * 0.3)
		}
	}
	m, err := transformer.New(c, params)
	require.NoError(t, err)
	return p, m
}

// lossOf is a chunk's loss written anew: runs with hooks on single rows, and the
// formula.
func lossOf(t *testing.T, p *Pair, m *transformer.Model, x chunk) float64 {
	t.Helper()
	logitsOf := func(m *transformer.Model, nodes []node) *tensor.Tensor {
		source, err := m.Record(t.Context(), x.source, false, transformer.Options{})
		require.NoError(t, err)
		logits, err := m.Forward(t.Context(), x.base, transformer.Options{Hooks: interchange(nodes, source, m.Config)})
		require.NoError(t, err)
		return logits
	}
	total := 0.0
	for _, part := range []struct {
		weight    float64
		high, low []node
	}{{p.spec.Behaviour, nil, nil}, {p.spec.Interchange, []node{x.inside.high}, []node{x.inside.low}}, {p.spec.Strict, nil, x.outside}} {
		want, got := logitsOf(p.high.Transformer, part.high), logitsOf(m, part.low)
		sum, n := 0.0, 0
		for i := range want.Rows() {
			if i%len(x.base[0]) == 0 {
				continue
			}
			if p.high.Output == nil {
				sum += math.Pow(float64(got.Row(i)[0]-want.Row(i)[0]), 2)
				n++
				continue
			}
			for value, logit := range want.Row(i) {
				if logit > 0.9 {
					all := 0.0
					for _, other := range got.Row(i) {
						all += math.Exp(float64(other - got.Row(i)[value]))
					}
					sum += math.Log(all)
					n++
				}
			}
		}
		total += part.weight * sum / float64(max(n, 1))
	}
	return total
}

// The gradient of every weight is that of finite differences, through the base's
// run and the source's.
func TestGradient(t *testing.T) {
	for _, name := range []string{"proportion", "histogram", "detect-pattern", "sort"} {
		t.Run(name, func(t *testing.T) {
			p, m := pairOf(t, specOf(t, name), 3)
			rng := rand.New(rand.NewPCG(1, 2))
			for range 4 {
				checkGradient(t, p, m, p.draw(rng, 5), rng)
			}
		})
	}
}

func checkGradient(t *testing.T, p *Pair, m *transformer.Model, x chunk, rng *rand.Rand) {
	t.Helper()
	grads := transformer.NewParams(m.Config)
	loss, err := p.addGradient(t.Context(), m, x, grads)
	require.NoError(t, err)
	assert.InDelta(t, lossOf(t, p, m, x), loss, 1e-4*loss)
	weights := m.Params.All(m.Config)
	for i, g := range grads.All(m.Config) {
		w := weights[i]
		direction, slope, size := make([]float32, len(w.Data())), 0.0, 0.0
		for k := range direction {
			direction[k] = float32(rng.NormFloat64())
			slope += float64(direction[k]) * float64(g.Data()[k])
			size += float64(g.Data()[k]) * float64(g.Data()[k])
		}
		along := func(by float32) float64 {
			before := slices.Clone(w.Data())
			tensor.Axpy(w.Data(), by, direction)
			m.Repack()
			defer func() { copy(w.Data(), before); m.Repack() }()
			return lossOf(t, p, m, x)
		}
		const step = 2e-3
		// Five points: the error is of the fourth power of the step.
		got := (8*(along(step)-along(-step)) - (along(2*step) - along(-2*step))) / (12 * step)
		assert.InDelta(t, got, slope, 3e-3*math.Sqrt(size)+3e-3, "%s, node %v, outside %v", w.Name, x.inside.low, x.outside)
	}
}

// What makes a node's output has a gradient by the source's run alone.
func TestGradientGoesThroughSource(t *testing.T) {
	s := specOf(t, "proportion")
	s.Behaviour, s.Strict = 0, 0
	p, m := pairOf(t, s, 3)
	x := p.draw(rand.New(rand.NewPCG(3, 4)), 6)
	x.inside = p.nodes[0]
	require.Equal(t, "m0", x.inside.low.String())
	grads := transformer.NewParams(m.Config)
	_, err := p.addGradient(t.Context(), m, x, grads)
	require.NoError(t, err)
	assert.Positive(t, tensor.Dot(grads.Blocks[0].WIn.Data, grads.Blocks[0].WIn.Data))
	for _, row := range x.source { // tokens that are in no base
		for i := range row {
			row[i] = 0
		}
	}
	for _, row := range x.base {
		for i := range row {
			row[i] = 1
		}
	}
	grads = transformer.NewParams(m.Config)
	_, err = p.addGradient(t.Context(), m, x, grads)
	require.NoError(t, err)
	assert.Positive(t, tensor.Dot(grads.Embed.Row(0), grads.Embed.Row(0)), "of the source's token")
	assert.Zero(t, tensor.Dot(grads.Embed.Row(2), grads.Embed.Row(2)), "of a token that is nowhere")
}

// A compiled program is itself: every answer is right, with any of its nodes
// interchanged, and nothing comes of what is outside.
func TestProgramIsItself(t *testing.T) {
	for _, name := range programs.Names() {
		if testing.Short() && !slices.Contains([]string{"length", "histogram", "proportion"}, name) {
			continue // the larger ones take a minute without assembly
		}
		t.Run(name, func(t *testing.T) {
			s := specOf(t, name)
			m, err := s.Compile(t.Context())
			require.NoError(t, err)
			p, err := New(t.Context(), s, m.Transformer.Config)
			require.NoError(t, err)
			q, err := p.Measure(t.Context(), m.Transformer, 1, 2)
			require.NoError(t, err)
			changed := 1.0
			if name == "length" { // of inputs of one length, to which one answer will do
				changed = 0
				assert.Equal(t, []string{"accuracy where an interchange changes the answer: expected at least 0.95, found 0.0000, 0.9500 off"}, q.Misses())
			} else {
				assert.Empty(t, q.Misses())
			}
			assert.Equal(t, []float64{1, 1, changed, 0, 1}, []float64{q.Accuracy, q.Interchange, q.Changed, q.Effect, q.Alone})
			if p.numeric() {
				assert.Zero(t, q.Losses)
			}
			g, err := circuit.New(circuit.Config{Definition: circuit.ACDC, Layers: m.Transformer.Config.Layers, Heads: m.Transformer.Config.Heads})
			require.NoError(t, err)
			want, err := m.Circuit(t.Context(), g)
			require.NoError(t, err)
			got, err := p.Circuit(t.Context(), g)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

// A model with a part of the program spoilt misses its marks, and says which.
func TestSpoiltProgramMissesMarks(t *testing.T) {
	s := specOf(t, "detect-pattern")
	m, err := s.Compile(t.Context())
	require.NoError(t, err)
	p, err := New(t.Context(), s, m.Transformer.Config)
	require.NoError(t, err)
	low, err := s.Compile(t.Context())
	require.NoError(t, err)
	low.Transformer.Params.UnembedB[0] = 10 // always the same answer
	low.Transformer.Repack()
	q, err := p.Measure(t.Context(), low.Transformer, 1, 1)
	require.NoError(t, err)
	misses := strings.Join(q.Misses(), "; ")
	assert.Contains(t, misses, "accuracy: expected at least 0.99, found ")
	assert.Less(t, q.Changed, 0.6)
	assert.Contains(t, misses, "accuracy where an interchange changes the answer: expected at least 0.95, found ")

	_, random := pairOf(t, s, 4)
	wide, err := New(t.Context(), s, random.Config)
	require.NoError(t, err)
	q, err = wide.Measure(t.Context(), random, 1, 1)
	require.NoError(t, err)
	require.Len(t, q.Misses(), 4)
	assert.Contains(t, q.Misses()[3], "answers that "+q.EffectAt+" changes from outside: expected at most 0.02, found ")
	assert.Contains(t, q.Misses()[3], fmt.Sprintf("%.4f off", q.Effect-MostEffect))
}

// Heads stand where the spec puts them, and edges with them.
func TestCircuitOfPlacedHeads(t *testing.T) {
	s := specOf(t, "detect-pattern")
	s.Heads = [][]int{{3, 1}, {0, 2}, {1, 0}}
	p, m := pairOf(t, s, 5)
	g, err := circuit.New(circuit.Config{Definition: circuit.ACDC, Layers: 3, Heads: 5})
	require.NoError(t, err)
	mask, err := p.Circuit(t.Context(), g)
	require.NoError(t, err)
	small, err := circuit.New(circuit.Config{Definition: circuit.ACDC, Layers: 3, Heads: 2})
	require.NoError(t, err)
	want, err := p.high.Circuit(t.Context(), small)
	require.NoError(t, err)
	assert.Equal(t, want.Count(), mask.Count())
	var heads []string
	for _, n := range p.nodes {
		heads = append(heads, n.high.String()+" "+n.low.String())
	}
	assert.Contains(t, heads, "a0.h0 a0.h3")
	assert.Contains(t, heads, "a0.h1 a0.h1")
	assert.Len(t, p.outside, m.Config.Layers*(m.Config.Heads+1)-len(p.nodes))
	for i, present := range mask {
		if sender := g.Edge(i).Sender; present && sender.Kind == circuit.Head {
			assert.Contains(t, s.Heads[sender.Layer], sender.Head)
		}
	}
	split, err := circuit.New(circuit.Config{Definition: circuit.ACDC, Layers: 3, Heads: 5, SplitEmbed: true})
	require.NoError(t, err)
	_, err = p.Circuit(t.Context(), split)
	assert.ErrorContains(t, err, "one sender for tokens and positions")
}

// What is kept from training is never drawn for it.
func TestHeldOutInputs(t *testing.T) {
	p, _ := pairOf(t, specOf(t, "histogram"), 2)
	rng := rand.New(rand.NewPCG(1, 1))
	rows := func(kept bool) map[string]bool {
		out := map[string]bool{}
		for _, row := range p.inputs.draw(rng, 3000, 6, kept) {
			out[fmt.Sprint(row)] = true
			assert.Equal(t, p.high.BOS, row[0])
			assert.Len(t, row, 7)
		}
		return out
	}
	trained, kept := rows(false), rows(true)
	assert.Greater(t, len(trained), 1500)
	assert.Greater(t, len(kept), 500)
	for row := range kept {
		assert.NotContains(t, trained, row)
	}
	assert.InDelta(t, 0.2, float64(len(kept))/4096, 0.03)
}

func TestSpecRefuses(t *testing.T) {
	for _, c := range []struct {
		change func(*Spec)
		want   string
	}{
		{func(s *Spec) { s.Program = "return" }, "program:1:"},
		{func(s *Spec) { s.Program = "return indices" }, "program:1:1: expected vocab and max_len"},
		{func(s *Spec) { s.MinLen = 0 }, `field "min_len": expected a whole number from 1 to 5, found 0`},
		{func(s *Spec) { s.MinLen = 6 }, `field "min_len": expected a whole number from 1 to 5, found 6`},
		{func(s *Spec) { s.Heads = s.Heads[:1] }, `field "heads": expected heads of 2 layers, found 1`},
		{func(s *Spec) { s.Heads[1] = nil }, `field "heads": expected 1 in layer 1, as many as the compiled program has, found 0`},
		{func(s *Spec) { s.Heads[1] = []int{3} }, `field "heads": expected different heads from 0 to 2 in layer 1, found [3]`},
		{func(s *Spec) { s.Heads[0] = []int{-1} }, `field "heads": expected different heads from 0 to 2 in layer 0, found [-1]`},
		{func(s *Spec) { s.Behaviour = -1 }, `field "behaviour": expected a number from 0 to 1000, found -1`},
		{func(s *Spec) { s.Interchange = 1e9 }, `field "interchange": expected a number from 0 to 1000, found 1e+09`},
		{func(s *Spec) { s.Strict = math.NaN() }, `field "strict": expected a number from 0 to 1000, found NaN`},
	} {
		s := specOf(t, "proportion")
		high, err := s.Compile(t.Context())
		require.NoError(t, err)
		shape := Shape(high.Transformer.Config, 3, 3, 8, 12)
		c.change(&s)
		_, err = New(t.Context(), s, shape)
		assert.ErrorContains(t, err, c.want)
	}
}
