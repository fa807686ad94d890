package transformer_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// The gradients of a layer's heads' inputs in one piece, block of rows by block
// of rows through all heads, are to the bit those that hooks see head by head,
// and what lies before them is the same: alone, beside hooks and with gradients
// of weights.
func TestHeadsInputsInOnePieceAreThoseOfHooks(t *testing.T) {
	for seed := range uint64(24) {
		rng := rand.New(rand.NewPCG(seed, 31))
		x := drawGradientCase(t, rng, seed)
		c, n := x.m.Config, len(x.tape.Tokens)*len(x.tape.Tokens[0])
		hooks, want := watch(gradientPoints(t, x.m, x.tape, x.loss))
		x.backward(t, transformer.BackwardOptions{Hooks: hooks})

		heads, layers := tensor.New(3*c.Heads, n, c.DModel), 0
		look := func(l int) transformer.GradientHook {
			return transformer.GradientHook{At: transformer.HookPoint{Point: transformer.HookResidPre, Layer: l}, Do: func(_ int, g tensor.Matrix) {
				layers++
				assert.Equal(t, values(want[transformer.HookPoint{Point: transformer.HookResidPre, Layer: l}][0]), values(g))
				for side := range 3 {
					at := transformer.HookPoint{Point: transformer.HookQInput + transformer.Point(side), Layer: l}
					for h := range c.Heads {
						i := side*c.Heads + h
						require.Equal(t, values(want[at][h]), values(heads.Slice(i, i+1).Reshape(n, c.DModel).Matrix()), "%v %d", at, h)
					}
				}
			}}
		}
		var looks []transformer.GradientHook
		for l := range c.Layers {
			looks = append(looks, look(l))
		}
		again, _ := watch([]transformer.HookPoint{{Point: transformer.HookKInput}})
		grads := transformer.NewParams(c)
		for _, o := range []transformer.BackwardOptions{{}, {Threads: 3}, {Hooks: again}, {Grads: grads}} {
			layers, o.Heads, o.Hooks = 0, heads, append(slices.Clone(o.Hooks), looks...)
			x.backward(t, o)
			assert.Equal(t, c.Layers, layers)
		}
		o := transformer.BackwardOptions{Heads: tensor.New(3*c.Heads, n+1, c.DModel)}
		assert.ErrorContains(t, x.m.Backward(t.Context(), x.tape, x.loss, o), "gradients of heads' inputs: expected room of shape")
	}
}
