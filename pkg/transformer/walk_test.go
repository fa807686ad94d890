package transformer_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/internal/misuse"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Nothing that is used wrongly ends in a panic that does not say so.
func TestEveryMisuse(t *testing.T) {
	for name, change := range map[string]func(*transformer.Config){
		"plain": func(*transformer.Config) {}, "attention only": func(c *transformer.Config) { c.AttnOnly, c.DMLP = true, 0 },
		"rotary": func(c *transformer.Config) {
			c.Positions, c.RotaryDim, c.RotaryBase, c.ParallelAttnMLP = transformer.Rotary, 2, 100, true
		},
		"windows": func(c *transformer.Config) { c.Windows = []int{2} }, "shortformer": func(c *transformer.Config) { c.Positions = transformer.Shortformer },
		"all parts": func(c *transformer.Config) {
			c.Norm, c.Positions, c.RotaryDim, c.RotaryBase = transformer.RMSNorm, transformer.Rotary, 2, 100
			c.KVHeads, c.GatedMLP, c.QKNorm, c.PostNorm = 1, true, true, true
			c.EmbedScale, c.ScoreCap, c.LogitCap = 2, 5, 3
		},
		"no norm": func(c *transformer.Config) { c.Norm, c.Direction = transformer.NoNorm, transformer.Bidirectional },
	} {
		t.Run(name, func(t *testing.T) {
			c := config()
			change(&c)
			misuse.Walk(t, exports(t, c))
		})
	}
}

// exports is what the package exports, and what to call it with for a model of a
// configuration.
func exports(t *testing.T, c transformer.Config) misuse.Package {
	tokens := [][]int{{1, 2, 3}, {3, 2, 1}}
	other := c
	other.Layers, other.Heads = 5, 7
	model := func() *transformer.Model { return golden.RandomModel(t, c, 1) }
	run, err := model().Record(t.Context(), tokens, false, transformer.Options{})
	require.NoError(t, err)
	_, tape, err := model().RecordTape(t.Context(), tokens, true, transformer.Options{})
	require.NoError(t, err)
	matrix := func(rows, cols int) tensor.Matrix { return tensor.New(rows, cols).Matrix() }
	own := matrix(6, c.DModel)
	return misuse.Package{
		Types: []any{transformer.Activation(""), &transformer.Activations{}, &transformer.BlockParams{}, transformer.Config{}, transformer.HookPoint{},
			&transformer.Model{}, transformer.Normalization(""), transformer.Padding{}, transformer.Param{}, &transformer.Params{}, transformer.Positions(""), &transformer.Reverse{},
			transformer.Standardized{}},
		Fresh: []func() any{func() any { return model() }, func() any { return run }, func() any { return c }, func() any { return transformer.Padding{1, 0} },
			func() any { return model().Params }, func() any { return model().Params.All(c)[0] }, func() any { return &model().Params.Blocks[0] },
			func() any { return model().Reverse(2, 3, nil, 1) },
			func() any { r := model().Reverse(2, 3, nil, 2); r.Grads = transformer.NewParams(c); return r },
			func() any { r := model().Reverse(2, 3, nil, 1); r.Grads = &transformer.Params{}; return r }, func() any { return model().NewStandardized(4) }},
		Funcs: []any{transformer.ActivationFloats, transformer.NewActivations, transformer.AttendScratch, transformer.PackedFloats, transformer.PassFloats, transformer.ActivationFunctions, transformer.ParseHookPoint,
			transformer.New, transformer.NewParams, transformer.FactorInRange},
		Arguments: []any{c, other, tokens, [][]int{{-1}}, [][]int{{1}, {1, 2}}, run, tape, &transformer.Tape{}, &transformer.Activations{}, model().Params, &transformer.Params{},
			own, matrix(2, 3), tensor.Matrix{Rows: 6, Cols: c.DModel, Stride: c.DModel}, make([]float32, 3), []int{0, 1, 2, 3, 4, 5}, []int{-1, 99, 0, 0, 0, 0},
			transformer.Padding{1}, transformer.Padding{-1, 9}, transformer.Options{Hooks: []transformer.Hook{{}}},
			transformer.Options{Hooks: []transformer.Hook{{At: transformer.HookPoint{Point: 200, Layer: -1}}}},
			[3]tensor.Matrix{own, own, own}, model().NewStandardized(6), []transformer.HookPoint{{Layer: 99}, {Point: 99}},
			transformer.LogitGradient{Rows: []int{-1, 99}, Grad: matrix(2, c.VocabOut)}, transformer.LogitGradient{Rows: []int{1}},
			transformer.LogitGradient{Grad: matrix(6, 2), Tokens: func(i int) []int { return []int{i, 1000} }},
			transformer.LogitGradient{Grad: matrix(6, 2), Tokens: func(i int) []int { return nil }},
			transformer.BackwardOptions{Grads: &transformer.Params{}}, transformer.BackwardOptions{Hooks: []transformer.GradientHook{{}}},
			transformer.Stream{}, make([]float32, 100000)},
	}
}
