package checkpoint_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

const goodConfig = `{"n_layers":1,"d_model":4,"n_ctx":8,"d_head":2,"n_heads":2,"d_mlp":6,"d_vocab":5,"act_fn":"relu","normalization_type":"LN"}`

func TestReadConfig(t *testing.T) {
	c, err := checkpoint.ReadConfig(t.Context(), "c.json", strings.NewReader(goodConfig))
	require.NoError(t, err)
	assert.Equal(t, checkpoint.Config{Config: transformer.Config{Layers: 1, DModel: 4, Ctx: 8, DHead: 2, Heads: 2, DMLP: 6, Vocab: 5, VocabOut: 5,
		Activation: transformer.ReLU, Eps: 1e-5, Norm: transformer.LayerNorm, Direction: transformer.Causal, Positions: transformer.Standard,
		AttnScale: math.Sqrt2}}, c)
	for _, same := range []string{`"LN","output_logits_soft_cap":-1,"num_experts":null,"n_key_value_heads":2,"attn_types":["global"]`} {
		again, err := checkpoint.ReadConfig(t.Context(), "c.json", strings.NewReader(strings.Replace(goodConfig, `"LN"`, same, 1)))
		require.NoError(t, err)
		assert.Equal(t, c, again)
	}
	for _, x := range []struct{ from, to, want string }{
		{goodConfig, "", "not a model configuration"},
		{goodConfig, "[]", "not a model configuration"},
		{`"n_layers":1,`, "", `field "n_layers" is missing`},
		{`"d_model":4,`, "", `field "d_model" is missing`},
		{`"n_ctx":8,`, "", `field "n_ctx" is missing`},
		{`"d_head":2,`, "", `field "d_head" is missing`},
		{`"n_heads":2,`, "", `field "n_heads" is missing`},
		{`"d_vocab":5,`, "", `field "d_vocab" is missing`},
		{`"act_fn":"relu",`, "", `field "act_fn" is missing: expected one of "relu"`},
		{`,"normalization_type":"LN"`, "", `field "normalization_type" is missing`},
		{`"n_layers":1`, `"n_layers":0`, `field "n_layers": expected a positive integer, found 0`},
		{`"n_layers":1`, `"n_layers":-3`, `found -3`},
		{`"n_layers":1`, `"n_layers":1.5`, `field "n_layers": expected a whole number, found 1.5`},
		{`"d_mlp":6`, `"d_mlp":0`, `field "d_mlp"`},
		{`"relu"`, `"tanh"`, `field "act_fn": expected one of "relu", "gelu", "gelu_new", "silu", found "tanh"`},
		{`"LN"`, `"RMS"`, `field "normalization_type": expected one of "LN", "LNPre", null, found "RMS"`},
		{`"LN"`, `3`, `field "normalization_type": expected "LN", "LNPre" or null, found 3`},
		{`"LN"`, `"LN","positional_embedding_type":"alibi"`, `field "positional_embedding_type": expected one of`},
		{`"LN"`, `"LN","positional_embedding_type":"rotary","rotary_dim":3`, `field "rotary_dim": expected an even number from 2 to d_head = 2, found 3`},
		{`"LN"`, `"LN","positional_embedding_type":"rotary","rotary_dim":2,"rotary_base":0`, `field "rotary_base": expected a number from 1 to 1e+12, found 0`},
		{`"LN"`, `"LN","attention_dir":"up"`, `field "attention_dir": expected one of`},
		{`"LN"`, `"LN","eps":-1`, `field "eps"`},
		{`"n_ctx":8`, `"n_ctx":16777217`, `field "n_ctx": expected at most 16777216, found 16777217`},
		{`"LN"`, `"LN","attn_scale":0`, `field "attn_scale": expected a positive number or -1, found 0`},
		{`"LN"`, `"LN","attn_scale":-4`, `field "attn_scale": expected a positive number or -1, found -4`},
		{`"LN"`, `"LN","eps":1e300`, `field "eps": expected a number from 0 to 1, found 1e+300`},
		{`"LN"`, `"LN","attn_scale":1e-50`, `field "attn_scale": expected a positive number in the range of 32 bits, found 1e-50`},
		{`"n_ctx":8,"d_head":2,`, `"n_ctx":16777216,"d_head":64,"positional_embedding_type":"rotary","rotary_dim":64,`, `field "n_ctx": expected at most 2097152 positions with rotary_dim 64, found 16777216`},
		{`"LN"`, `"LN","final_rms":true`, `field "final_rms": expected false, found true`},
		{`"LN"`, `"LN","gated_mlp":true`, `field "gated_mlp"`},
		{`"LN"`, `"LN","post_embedding_ln":true`, `field "post_embedding_ln"`},
		{`"LN"`, `"LN","output_logits_soft_cap":30.0`, `field "output_logits_soft_cap": expected -1 or 0, found 30.0: soft caps are not computed`},
		{`"LN"`, `"LN","attn_scores_soft_cap":50`, `field "attn_scores_soft_cap"`},
		{`"LN"`, `"LN","num_experts":8`, `field "num_experts"`},
		{`"LN"`, `"LN","n_key_value_heads":1`, `field "n_key_value_heads": expected n_heads = 2, found 1`},
		{`"LN"`, `"LN","attn_types":["local"]`, `field "window_size": expected a positive integer with local attention, found none`},
		{`"LN"`, `"LN","attn_types":["local"],"window_size":0`, `field "window_size": expected a positive integer with local attention, found 0`},
		{`"LN"`, `"LN","attn_types":["local","global"],"window_size":4`, `field "attn_types": expected one of global, local for each of 1 layers, found 2`},
		{`"LN"`, `"LN","use_local_attn":true,"attn_types":["sparse"],"window_size":4`, `field "attn_types"[0]: expected "global" or "local", found "sparse"`},
		{`"LN"`, `"LN","attn_types":["local"],"window_size":4,"attention_dir":"bidirectional"`, `field "window_size": expected a positive integer and causal attention`},
	} {
		require.Contains(t, goodConfig, x.from)
		_, err := checkpoint.ReadConfig(t.Context(), "c.json", strings.NewReader(strings.Replace(goodConfig, x.from, x.to, 1)))
		require.Error(t, err, x.to)
		assert.True(t, strings.HasPrefix(err.Error(), "c.json: "))
		assert.Contains(t, err.Error(), x.want)
	}
}

func TestReadConfigOfOtherAttention(t *testing.T) {
	c, err := checkpoint.ReadConfig(t.Context(), "c.json", strings.NewReader(strings.Replace(goodConfig, `"LN"`,
		`"LN","positional_embedding_type":"rotary","rotary_dim":2,"attn_types":["local"],"window_size":3,"use_attn_scale":false`, 1)))
	require.NoError(t, err)
	assert.Equal(t, transformer.Rotary, c.Positions)
	assert.Equal(t, 2, c.RotaryDim)
	assert.Equal(t, 10000.0, c.RotaryBase)
	assert.Equal(t, []int{3}, c.Windows)
	assert.Equal(t, 1.0, c.AttnScale)
}

func config(t *testing.T) checkpoint.Config {
	t.Helper()
	c, err := checkpoint.ReadConfig(t.Context(), "c.json", strings.NewReader(goodConfig))
	require.NoError(t, err)
	return c
}

func TestLoadNamesTheBadTensor(t *testing.T) {
	c := config(t)
	nan := float32(math.NaN())
	for _, x := range []struct {
		want   string
		change func(map[string]weights.Array)
	}{
		{`tensor "blocks.0.attn.W_Q" is missing`, func(w map[string]weights.Array) { delete(w, "blocks.0.attn.W_Q") }},
		{`tensor "unembed.b_U" is missing`, func(w map[string]weights.Array) { delete(w, "unembed.b_U") }},
		{`tensor "blocks.0.mlp.W_in": shape [4 6] expected, found [24]`, func(w map[string]weights.Array) {
			w["blocks.0.mlp.W_in"] = weights.Array{Shape: []int{24}, Values: make([]float32, 24)}
		}},
		{`tensor "blocks.0.attn.b_K": expected finite numbers, found NaN at index [1 0]`, func(w map[string]weights.Array) {
			w["blocks.0.attn.b_K"].Values[2] = nan
		}},
		{`found +Inf at index [3 1]`, func(w map[string]weights.Array) { w["embed.W_E"].Values[13] = float32(math.Inf(1)) }},
	} {
		w := golden.RandomWeights(c.Config, 1)
		x.change(w)
		_, err := checkpoint.Load(t.Context(), c, weights.FromMap("m.safetensors", w))
		require.Error(t, err)
		assert.Contains(t, err.Error(), "m.safetensors: ")
		assert.Contains(t, err.Error(), x.want)
	}
	c.Layers = 0
	_, err := checkpoint.Load(t.Context(), c, weights.FromMap("m", nil))
	assert.ErrorContains(t, err, `field "n_layers"`)
}
