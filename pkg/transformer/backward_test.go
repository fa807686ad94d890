package transformer_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// seen are the gradients of a way backward by hook point and head.
type seen map[transformer.HookPoint]map[int]tensor.Matrix

// gradientPoints lists the points at which a model has gradients.
func gradientPoints(t *testing.T, m *transformer.Model, tape *transformer.Tape, loss transformer.LogitGradient) []transformer.HookPoint {
	t.Helper()
	var points []transformer.HookPoint
	for l := range m.Config.Layers {
		for p := transformer.HookEmbed; p <= transformer.HookLNFinal; p++ {
			at := transformer.HookPoint{Point: p, Layer: l}
			isOuter := p <= transformer.HookPosEmbed
			if isOuter && l > 0 {
				continue
			}
			hooks := []transformer.GradientHook{{At: at, Do: func(int, tensor.Matrix) {}}}
			if m.Backward(t.Context(), tape, loss, transformer.BackwardOptions{Hooks: hooks}) == nil {
				points = append(points, at)
			}
		}
	}
	return points
}

// watch are hooks that keep what they see.
func watch(points []transformer.HookPoint) ([]transformer.GradientHook, seen) {
	var hooks []transformer.GradientHook
	all := seen{}
	for _, at := range points {
		all[at] = map[int]tensor.Matrix{}
		hooks = append(hooks, transformer.GradientHook{At: at, Do: func(head int, g tensor.Matrix) {
			all[at][head] = tensor.From(values(g), g.Rows, g.Cols).Matrix()
		}})
	}
	return hooks, all
}

// gradientCase is a model and a run of it, with a random linear loss.
type gradientCase struct {
	m     *transformer.Model
	tape  *transformer.Tape
	loss  transformer.LogitGradient
	pad   transformer.Padding
	rules transformer.Rules
	tries int // numbers of each gradient that are compared
}

// drawGradientCase draws one.
func drawGradientCase(t *testing.T, rng *rand.Rand, seed uint64) gradientCase {
	t.Helper()
	c := golden.RandomConfig(rng)
	if seed%2 == 1 {
		c = golden.WithParts(rand.New(rand.NewPCG(seed, 88)), c)
	}
	return newGradientCase(t, c, rng, seed)
}

// newGradientCase draws weights, a run and a loss for a configuration. Padding
// has no share in the loss, and nor have some other rows.
func newGradientCase(t *testing.T, c transformer.Config, rng *rand.Rand, seed uint64) gradientCase {
	t.Helper()
	m, data := golden.RandomModel(t, c, seed), golden.RandomData(rng, c)
	x := gradientCase{m: m, pad: transformer.Padding(data.Pad), tries: 4}
	_, tape, err := m.RecordTape(t.Context(), data.Clean, rng.IntN(2) == 0, transformer.Options{Pad: x.pad})
	require.NoError(t, err)
	x.tape = tape
	b, length := len(data.Clean), len(data.Clean[0])
	g := tensor.New(b*length, c.VocabOut)
	for i := range g.Rows() {
		if i%length < x.pad.Of(i/length) || rng.IntN(4) == 0 {
			continue
		}
		for v := range g.Row(i) {
			g.Row(i)[v] = float32(rng.NormFloat64())
		}
	}
	x.loss.Grad = g.Matrix()
	return x
}

// weight is the loss's part of one example, behind its padding.
func (x gradientCase) weight(b int) []float32 {
	length := len(x.tape.Tokens[0])
	return values(x.loss.Grad.Slice(b*length+x.pad.Of(b), (b+1)*length))
}

// tokens are those of one example, behind its padding.
func (x gradientCase) tokens(b int) []int { return x.tape.Tokens[b][x.pad.Of(b):] }

func (x gradientCase) backward(t *testing.T, o transformer.BackwardOptions) {
	t.Helper()
	o.Rules = x.rules
	require.NoError(t, x.m.Backward(t.Context(), x.tape, x.loss, o))
}

// checkActivations compares some numbers of each gradient with differences.
func (x gradientCase) checkActivations(t *testing.T, r *reference, held []*stops, all seen, rng *rand.Rand) float64 {
	t.Helper()
	worst, length := 0.0, len(x.tape.Tokens[0])
	for at, heads := range all {
		size := 0.1
		for _, g := range heads {
			for _, v := range values(g) {
				size = max(size, math.Abs(float64(v)))
			}
		}
		for head, g := range heads {
			for range x.tries {
				b, i := rng.IntN(len(x.tape.Tokens)), rng.IntN(g.Cols)
				p := rng.IntN(len(x.tokens(b)))
				where := bump{at: at, head: head, t: p, i: i}
				if k := x.m.Config.DHead; at.Point >= transformer.HookQ && at.Point <= transformer.HookZ {
					where.head, where.i = i/k, i%k
				}
				want := difference(func(by float64) float64 {
					r.bump, r.stops = where, held[b]
					r.bump.by = by
					defer func() { r.bump.by = 0 }()
					return r.run(x.tokens(b), x.weight(b))
				})
				got := float64(g.Row(b*length + x.pad.Of(b) + p)[i])
				worst = max(worst, math.Abs(got-want)/size)
				require.InDelta(t, want, got, 2e-4*size, "%v head %d position %d [%d] %+v %+v", at, head, p, i, x.rules, x.m.Config)
			}
		}
	}
	return worst
}

// checkWeights compares some numbers of each weight's gradient with differences.
func (x gradientCase) checkWeights(t *testing.T, r *reference, held []*stops, grads *transformer.Params, rng *rand.Rand) float64 {
	t.Helper()
	worst, largest := 0.0, 0.0
	for _, p := range grads.All(x.m.Config) {
		largest = max(largest, golden.Worst(t, p.Name, make([]float32, p.Size()), p.Data()))
	}
	for _, p := range grads.All(x.m.Config) {
		data := p.Data()
		size := max(1e-6, largest/100, golden.Worst(t, p.Name, make([]float32, len(data)), data)) // b_K's is nothing but rounding
		for range x.tries {
			i := rng.IntN(len(data))
			if p.Name == "embed.W_E" { // of a token that is there
				b := rng.IntN(len(x.tape.Tokens))
				i = x.tokens(b)[rng.IntN(len(x.tokens(b)))]*x.m.Config.DModel + i%x.m.Config.DModel
			}
			want := difference(func(by float64) float64 {
				was, sum := r.w[p.Name][i], 0.0
				r.w[p.Name][i] += by
				for b := range x.tape.Tokens {
					r.stops = held[b]
					sum += r.run(x.tokens(b), x.weight(b))
				}
				r.w[p.Name][i] = was
				return sum
			})
			worst = max(worst, math.Abs(float64(data[i])-want)/size)
			require.InDelta(t, want, float64(data[i]), 2e-4*size, "%s [%d] %+v %+v", p.Name, i, x.rules, x.m.Config)
		}
	}
	return worst
}

// check compares some of all gradients with central differences of a plain
// float64 forward pass.
func (x gradientCase) check(t *testing.T, rng *rand.Rand) (activations, weights float64) {
	t.Helper()
	hooks, all := watch(gradientPoints(t, x.m, x.tape, x.loss))
	grads := transformer.NewParams(x.m.Config)
	x.backward(t, transformer.BackwardOptions{Hooks: hooks, Threads: 2})
	x.backward(t, transformer.BackwardOptions{Grads: grads, Threads: 2})
	r := newReference(x.m)
	r.rules = x.rules
	var held []*stops
	for b := range x.tape.Tokens {
		held = append(held, r.hold(x.tokens(b)))
	}
	return x.checkActivations(t, r, held, all, rng), x.checkWeights(t, r, held, grads, rng)
}

func TestBackwardAgainstDifferences(t *testing.T) {
	worst, worstWeight := 0.0, 0.0
	for seed := range uint64(golden.Cases(120)) {
		rng := rand.New(rand.NewPCG(seed, 8))
		x := drawGradientCase(t, rng, seed)
		if seed%3 == 0 {
			bit := func() bool { return rng.IntN(2) == 0 }
			x.rules = transformer.Rules{FixedNorm: bit(), FixedPattern: bit(), HalfProducts: bit(), FixedActRatio: bit(), HalfGates: bit()}
		}
		a, w := x.check(t, rng)
		worst, worstWeight = max(worst, a), max(worstWeight, w)
	}
	t.Logf("largest error beside the largest of its kind: activations %.2e, weights %.2e", worst, worstWeight)
}

// Whatever is asked for beside, and however many threads there are, each
// gradient has the same bits; weights' gradients do not depend on hooks but for
// the order in which heads are added.
func TestBackwardDoesNotDependOnWhatElseIsAsked(t *testing.T) {
	for seed := range uint64(golden.Cases(40)) {
		x := drawGradientCase(t, rand.New(rand.NewPCG(seed, 9)), seed)
		points := gradientPoints(t, x.m, x.tape, x.loss)
		var first seen
		var weights, alone *transformer.Params
		for threads := 1; threads <= 3; threads++ {
			hooks, all := watch(points)
			grads, plain := transformer.NewParams(x.m.Config), transformer.NewParams(x.m.Config)
			x.backward(t, transformer.BackwardOptions{Hooks: hooks, Grads: grads, Threads: threads})
			x.backward(t, transformer.BackwardOptions{Grads: plain, Threads: threads})
			if threads == 1 {
				first, weights, alone = all, grads, plain
			}
			require.Equal(t, first, all)
			require.Equal(t, weights, grads)
			require.Equal(t, alone, plain)
		}
		hooks, all := watch(points)
		x.backward(t, transformer.BackwardOptions{Hooks: hooks})
		require.Equal(t, first, all, "without weights")
		requireSameGradients(t, x.m.Config, weights, alone)
		x.tape.Pre = nil
		hooks, again := watch(points)
		x.backward(t, transformer.BackwardOptions{Hooks: hooks})
		require.Equal(t, all, again, "the hidden layer computed again")
	}
}

// requireSameGradients compares weights' gradients but for rounding.
func requireSameGradients(t *testing.T, c transformer.Config, want, got *transformer.Params) {
	t.Helper()
	largest, all := 0.0, want.All(c)
	for _, p := range all {
		largest = max(largest, golden.Worst(t, p.Name, make([]float32, p.Size()), p.Data()))
	}
	for i, p := range got.All(c) {
		size := golden.Worst(t, p.Name, make([]float32, p.Size()), all[i].Data())
		require.Less(t, golden.Worst(t, p.Name, all[i].Data(), p.Data()), 1e-4*max(1e-6, size, largest/100), p.Name)
	}
}

// Gradients of weights are added to what is there.
func TestGradientsAreAdded(t *testing.T) {
	x := drawGradientCase(t, rand.New(rand.NewPCG(1, 10)), 1)
	once, twice := transformer.NewParams(x.m.Config), transformer.NewParams(x.m.Config)
	x.backward(t, transformer.BackwardOptions{Grads: once})
	x.backward(t, transformer.BackwardOptions{Grads: twice})
	x.backward(t, transformer.BackwardOptions{Grads: twice})
	for _, p := range once.All(x.m.Config) {
		tensor.Scale(p.Data(), 2)
	}
	requireSameGradients(t, x.m.Config, once, twice)
}

// The gradient of a few logits of a few rows, in any order and listed twice, is
// that of all logits.
func TestGradientOfSomeLogits(t *testing.T) {
	for seed := range uint64(golden.Cases(30)) {
		rng := rand.New(rand.NewPCG(seed, 11))
		x := drawGradientCase(t, rng, seed)
		n, v := x.loss.Grad.Rows, x.m.Config.VocabOut
		rows, tokens := rng.Perm(n)[:1+rng.IntN(n)], make([][]int, 0, n)
		some, all := tensor.New(len(rows), 3), tensor.New(n, v)
		for i, row := range rows {
			tokens = append(tokens, []int{rng.IntN(v), rng.IntN(v), rng.IntN(v)})
			for k, id := range tokens[i] {
				some.Row(i)[k] = float32(rng.NormFloat64())
				all.Row(row)[id] += some.Row(i)[k]
			}
		}
		points := gradientPoints(t, x.m, x.tape, x.loss)
		run := func(loss transformer.LogitGradient) (seen, *transformer.Params) {
			hooks, got := watch(points)
			grads := transformer.NewParams(x.m.Config)
			x.loss = loss
			x.backward(t, transformer.BackwardOptions{Hooks: hooks, Grads: grads})
			return got, grads
		}
		want, wantGrads := run(transformer.LogitGradient{Grad: all.Matrix()})
		got, gotGrads := run(transformer.LogitGradient{Rows: rows, Tokens: func(i int) []int { return tokens[i] }, Grad: some.Matrix()})
		for at, heads := range want {
			for head, g := range heads {
				size := golden.Worst(t, "size", make([]float32, g.Rows*g.Cols), g.Data)
				require.Less(t, golden.Worst(t, at.String(), g.Data, got[at][head].Data), 1e-4*max(size, 1), at.String())
			}
		}
		requireSameGradients(t, x.m.Config, wantGrads, gotGrads)
	}
}

// What a hook leaves is what goes on: queries and keys without gradients are a
// constant pattern, and a sender's gradient is not that of the stream.
func TestGradientHooksChange(t *testing.T) {
	x := drawGradientCase(t, rand.New(rand.NewPCG(4, 12)), 4)
	points := gradientPoints(t, x.m, x.tape, x.loss)
	clearAt := func(at ...transformer.HookPoint) []transformer.GradientHook {
		var hooks []transformer.GradientHook
		for _, p := range at {
			hooks = append(hooks, transformer.GradientHook{At: p, Do: func(_ int, g tensor.Matrix) { g.Zero() }})
		}
		return hooks
	}
	embed := transformer.HookPoint{Point: transformer.HookEmbed}
	run := func(rules transformer.Rules, change []transformer.GradientHook) seen {
		hooks, all := watch(points)
		x.rules = rules
		x.backward(t, transformer.BackwardOptions{Hooks: append(change, hooks...)})
		return all
	}
	var queriesAndKeys, senders []transformer.HookPoint
	for l := range x.m.Config.Layers {
		queriesAndKeys = append(queriesAndKeys, transformer.HookPoint{Point: transformer.HookQ, Layer: l}, transformer.HookPoint{Point: transformer.HookK, Layer: l})
		senders = append(senders, transformer.HookPoint{Point: transformer.HookAttnOut, Layer: l})
		if !x.m.Config.AttnOnly {
			senders = append(senders, transformer.HookPoint{Point: transformer.HookMLPOut, Layer: l})
		}
	}
	fixed, stopped := run(transformer.Rules{FixedPattern: true}, nil), run(transformer.Rules{}, clearAt(queriesAndKeys...))
	assert.Equal(t, fixed[embed], stopped[embed])
	alone := run(transformer.Rules{}, clearAt(senders...))
	last := transformer.HookPoint{Point: transformer.HookResidPost, Layer: x.m.Config.Layers - 1}
	assert.Equal(t, alone[last], alone[embed], "nothing but the stream itself")
	assert.Positive(t, golden.Worst(t, "embed", fixed[embed][0].Data, alone[embed][0].Data))
}

func TestBackwardRefuses(t *testing.T) {
	m := golden.RandomModel(t, config(), 1)
	_, tape, err := m.RecordTape(t.Context(), [][]int{{1, 2}}, false, transformer.Options{})
	require.NoError(t, err)
	loss := transformer.LogitGradient{Grad: tensor.New(2, 5).Matrix()}
	for _, at := range []transformer.HookPoint{{Point: transformer.HookPattern}, {Point: transformer.HookZ, Layer: 1}} {
		hooks := []transformer.GradientHook{{At: at, Do: func(int, tensor.Matrix) {}}}
		require.EqualError(t, m.Backward(t.Context(), tape, loss, transformer.BackwardOptions{Hooks: hooks}),
			fmt.Sprintf("hook point %v: the way backward does not come to it", at))
	}
	other := config()
	other.DMLP++
	require.EqualError(t, m.Backward(t.Context(), tape, loss, transformer.BackwardOptions{Grads: transformer.NewParams(other)}),
		"gradients: parameter blocks.0.mlp.W_in: expected 24 numbers of shape [4 6], found 28")
	loss.Rows = []int{1}
	require.PanicsWithValue(t, "transformer: gradient of logits: expected 1 rows, found 2", func() {
		_ = m.Backward(t.Context(), tape, loss, transformer.BackwardOptions{})
	})
}
