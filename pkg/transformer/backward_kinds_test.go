package transformer_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Every norm with every kind of positions, activation, direction of attention
// and arrangement of a block, without biases and with, is gone through.
func TestBackwardOfEveryKindOfModel(t *testing.T) {
	kinds, worst := 0, 0.0
	for _, norm := range []transformer.Normalization{transformer.LayerNorm, transformer.LNPre, transformer.NoNorm} {
		for _, positions := range []transformer.Positions{transformer.Standard, transformer.Shortformer, transformer.Rotary, transformer.NoPositions} {
			for _, direction := range []transformer.Direction{transformer.Causal, transformer.Bidirectional} {
				for i, activation := range append(transformer.ActivationFunctions(), "") {
					rng := rand.New(rand.NewPCG(uint64(kinds), 13))
					c := transformer.Config{Layers: 2, DModel: 7, Ctx: 12, DHead: 4, Heads: 2, DMLP: 5, Vocab: 6, VocabOut: 5, Activation: activation,
						Eps: 1e-5, Norm: norm, AttnOnly: activation == "", Direction: direction, Positions: positions, AttnScale: 2, ParallelAttnMLP: (kinds+i)%2 == 0}
					if positions == transformer.Rotary {
						c.RotaryDim, c.RotaryBase, c.RotaryAdjacent = 2+kinds%2*2, 10, kinds%3 == 0
					}
					if direction == transformer.Causal && kinds%3 == 0 {
						c.Windows = []int{2, 0}
					}
					x := newGradientCase(t, c, rng, uint64(kinds))
					x.tries = 1
					if kinds%3 == 1 { // every set of rules
						bit := func(i int) bool { return kinds/3>>i&1 == 1 }
						x.rules = transformer.Rules{FixedNorm: bit(0), FixedPattern: bit(1), HalfProducts: bit(2), FixedActRatio: bit(3)}
					}
					if kinds%2 == 0 {
						clearBiases(t, &x)
					}
					a, w := x.check(t, rng)
					worst = max(worst, a, w)
					kinds++
				}
			}
		}
	}
	t.Logf("%d kinds of models, largest error %.2e", kinds, worst)
}

// clearBiases takes the biases out of a case's model.
func clearBiases(t *testing.T, x *gradientCase) {
	t.Helper()
	for _, p := range x.m.Params.All(x.m.Config) {
		if name := p.Name[strings.LastIndex(p.Name, ".")+1:]; strings.HasPrefix(name, "b") {
			clear(p.Data())
		}
	}
	x.m.Repack()
	_, tape, err := x.m.RecordTape(t.Context(), x.tape.Tokens, false, transformer.Options{Pad: x.pad})
	require.NoError(t, err)
	x.tape = tape
}

// The ratio of an activation to its input has its limit at 0.
func TestFixedActRatioAtZero(t *testing.T) {
	for activation, want := range map[transformer.Activation]float32{transformer.ReLU: 0, transformer.GELU: 0.5, transformer.GELUNew: 0.5, transformer.SiLU: 0.5} {
		c := config()
		c.Activation = activation
		dx := []float32{2, 2, 2}
		golden.RandomModel(t, c, 1).ActivateBackward(dx, []float32{0, 1e-40, 1e5}, make([]float32, 3), transformer.Rules{FixedActRatio: true})
		assert.Equal(t, []float32{2 * want, 2 * want, 2}, dx, activation)
	}
}
