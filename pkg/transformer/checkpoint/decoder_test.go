package checkpoint_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
)

func TestDecodersAreTransformers(t *testing.T) {
	for _, name := range golden.Decoders {
		t.Run(name, func(t *testing.T) {
			data := golden.Open(t, golden.Path(name, "data.safetensors"))
			tokens := golden.Tokens(t, data, "clean")
			raw := golden.ModelWith(t, name, checkpoint.LoadOptions{Processing: checkpoint.NoProcessing()})
			golden.Compare(t, raw.Model, tokens, data, "clean/", "clean_logits")
			assert.Equal(t, transformer.RMSNorm, raw.Config.Norm)

			m := golden.ModelWith(t, name, checkpoint.LoadOptions{})
			assert.Equal(t, checkpoint.Processing{FoldLN: true, CenterUnembed: m.Config.LogitCap == 0, FoldValueBiases: true}, m.Processing)
			assert.Equal(t, transformer.RMSPre, m.Config.Norm)
			last, _, err := data.Float32(t.Context(), "corrupt_last_logits")
			require.NoError(t, err)
			logits, err := m.Forward(t.Context(), golden.Tokens(t, data, "corrupt"), transformer.Options{})
			require.NoError(t, err)
			v, length := m.Config.VocabOut, logits.Dim(1)
			for b := range logits.Dim(0) {
				want, got := last[b*v:(b+1)*v], logits.Data[((b+1)*length-1)*v:(b+1)*length*v]
				mean := func(x []float32) (sum float64) {
					for _, y := range x {
						sum += float64(y) / float64(v)
					}
					return sum
				}
				shift := mean(got) - mean(want) // what centering takes out
				for i := range want {
					require.InDelta(t, float64(want[i]), float64(got[i])-shift, 1e-4)
				}
			}
		})
	}
}

const goodGemma2 = `{"model_type":"gemma2","num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":6,"hidden_size":16,"intermediate_size":20,"max_position_embeddings":16,"vocab_size":10,"sliding_window":3}`

var goodLlama = strings.NewReplacer("gemma2", "llama", `,"sliding_window":3`, `,"rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4,"original_max_position_embeddings":8}`).Replace(goodGemma2)

// Hostile values are one line that names the field.
func TestHostileDecoders(t *testing.T) {
	for _, x := range []struct{ good, from, to, want string }{
		{goodLlama, `"num_attention_heads":4`, `"num_attention_heads":0`, `field "num_attention_heads": expected a positive integer, found 0`},
		{goodLlama, `"num_key_value_heads":2`, `"num_key_value_heads":3`, `field "num_key_value_heads": expected a number that divides num_attention_heads = 4, found 3`},
		{goodLlama, `"num_key_value_heads":2`, `"num_key_value_heads":0`, `field "num_key_value_heads": expected a number that divides num_attention_heads = 4, found 0`},
		{goodLlama, `"num_key_value_heads":2`, `"num_key_value_heads":-2`, `found -2`},
		{goodLlama, `"vocab_size":10`, `"vocab_size":10,"rope_theta":0`, `field "rope_theta": expected a number from 1 to 1e+12, found 0`},
		{goodLlama, `"max_position_embeddings":16`, `"max_position_embeddings":1099511627776`, `field "max_position_embeddings": expected at most 16777216, found 1099511627776`},
		{goodLlama, `"head_dim":6`, `"head_dim":7`, `field "head_dim"`},
		{goodLlama, `"head_dim":6`, `"head_dim":-6`, `field "head_dim": expected an even positive integer, found -6`},
		{goodLlama, `"head_dim":6,"hidden_size":16`, `"hidden_size":18`, `field "num_attention_heads": expected a number of heads that divides hidden_size = 18 where there is no head_dim, found 4`},
		{goodLlama, `"llama3","factor":8`, `"llama3","factor":0`, `field "rope_scaling"."factor": expected a number from`},
		{goodLlama, `"llama3","factor":8`, `"yarn","factor":8`, `field "rope_scaling"."rope_type": expected "default", "linear" or "llama3", found "yarn"`},
		{goodLlama, `"high_freq_factor":4`, `"high_freq_factor":1`, `field "rope_scaling"."high_freq_factor": expected a number above "low_freq_factor"`},
		{goodLlama, `"low_freq_factor":1,`, ``, `field "rope_scaling"."low_freq_factor" is missing`},
		{goodLlama, `"original_max_position_embeddings":8`, `"original_max_position_embeddings":0`, `"original_max_position_embeddings": expected a positive integer, found 0`},
		{goodLlama, `"vocab_size":10`, `"vocab_size":10,"num_local_experts":8`, `field "num_local_experts": expected 0 or [], found 8: mixtures of experts are not computed`},
		{goodLlama, `"vocab_size":10`, `"vocab_size":10,"quantization_config":{"bits":4}`, `field "quantization_config": expected null, found {"bits":4}: quantized weights are not computed`},
		{goodLlama, `"vocab_size":10`, `"vocab_size":10,"hidden_act":"tanh"`, `field "hidden_act": expected one of gelu`},
		{goodGemma2, `"sliding_window":3`, `"sliding_window":-1`, `field "sliding_window": expected a positive integer or null, found -1`},
		{goodGemma2, `"sliding_window":3`, `"query_pre_attn_scalar":0`, `field "query_pre_attn_scalar": expected a positive number, found 0`},
		{goodGemma2, `"sliding_window":3`, `"final_logit_softcapping":0`, `field "final_logit_softcapping": expected a number from 1e-06 to 1e+06 or null, found 0`},
		{goodGemma2, `"sliding_window":3`, `"layer_types":["full_attention"]`, `field "layer_types": expected one for each of 2 layers, found 1`},
		{goodGemma2, `"sliding_window":3`, `"layer_types":["full_attention","chunked"]`, `field "layer_types"[1]: expected "sliding_attention" or "full_attention", found "chunked"`},
	} {
		require.Contains(t, x.good, x.from)
		_, err := checkpoint.ReadConfig(t.Context(), "c.json", strings.NewReader(strings.Replace(x.good, x.from, x.to, 1)))
		if assert.Error(t, err, x.to) {
			assert.True(t, strings.HasPrefix(err.Error(), "c.json: "))
			assert.NotContains(t, err.Error(), "\n")
			assert.Contains(t, err.Error(), x.want)
		}
	}
}

// A model of Llama's names is not taken for one of other parts than the
// configuration says.
func TestPartsThatTheConfigurationDoesNotHave(t *testing.T) {
	for _, x := range []struct{ weights, config, want string }{
		{"hf-qwen2-tiny", "hf-llama-tiny", `tensor "model.layers.0.self_attn.q_proj.bias": expected none in a model without biases`},
		{"hf-llama-tiny", "hf-qwen2-tiny", `tensor "model.layers.0.self_attn.q_proj.bias" is missing`},
		{"hf-llama-tiny", "hf-gpt2-tiny", `expected weights of Hugging Face gpt2 as the configuration says, found those of Llama or one of its successors`},
		{"hf-gemma2-tiny", "hf-llama-tiny", `tensor "model.layers.0.pre_feedforward_layernorm.weight": expected none in a model without norms behind attention and MLPs`},
	} {
		_, err := checkpoint.Load(t.Context(), golden.Config(t, x.config), golden.Open(t, golden.Path(x.weights, "model.safetensors")))
		assert.ErrorContains(t, err, x.want, "%s %s", x.weights, x.config)
	}
	_, err := checkpoint.EncodeConfig(golden.Config(t, "hf-gemma2-tiny").Config)
	assert.ErrorContains(t, err, "found RMS norms")
}
