package checkpoint

import "fmt"

// tabled has, by dialect, a configuration, what it is read into, and for every
// field that is computed other fields that give another model, or are refused
// by that field's name. A null takes a field out.
var tabled = []struct {
	dialect
	text    string
	into    any
	samples map[string]string
}{
	{hfGPT2, `{"model_type":"gpt2","n_layer":2,"n_head":2,"n_embd":8,"n_positions":16,"vocab_size":10}`, hfConfig{}, map[string]string{
		"n_layer": `{"n_layer":3}`, "n_head": `{"n_head":4}`, "n_embd": `{"n_embd":4}`, "n_inner": `{"n_inner":5}`, "n_positions": `{"n_positions":9}`,
		"n_ctx": `{"n_positions":null,"n_ctx":9}`, "num_hidden_layers": `{"num_hidden_layers":3}`, "num_attention_heads": `{"num_attention_heads":4}`,
		"hidden_size": `{"hidden_size":4}`, "max_position_embeddings": `{"n_positions":null,"max_position_embeddings":9}`, "layer_norm_epsilon": `{"layer_norm_epsilon":0.1}`,
		"activation_function": `{"activation_function":"relu"}`, "scale_attn_weights": `{"scale_attn_weights":false}`,
		"scale_attn_by_inverse_layer_idx": `{"scale_attn_by_inverse_layer_idx":true}`, "vocab_size": `{"vocab_size":11}`, "tie_word_embeddings": `{"tie_word_embeddings":false}`,
	}},
	{hfGPTNeo, `{"model_type":"gpt_neo","num_layers":2,"num_heads":2,"hidden_size":8,"max_position_embeddings":16,"vocab_size":10,"attention_types":[[["global","local"],1]]}`, hfConfig{}, map[string]string{
		"num_layers": `{"num_layers":3,"attention_layers":["global","local","local"]}`, "num_heads": `{"num_heads":4}`, "num_hidden_layers": `{"num_hidden_layers":3}`, "num_attention_heads": `{"num_heads":null,"num_attention_heads":4}`,
		"hidden_size": `{"hidden_size":4}`, "intermediate_size": `{"intermediate_size":5}`, "max_position_embeddings": `{"max_position_embeddings":9}`, "window_size": `{"window_size":5}`,
		"attention_layers": `{"attention_layers":["local","local"]}`, "attention_types": `{"attention_types":[[["global"],2]]}`, "activation_function": `{"activation_function":"gelu"}`,
		"layer_norm_epsilon": `{"layer_norm_epsilon":0.1}`, "vocab_size": `{"vocab_size":11}`, "tie_word_embeddings": `{"tie_word_embeddings":false}`,
	}},
	{hfGPTNeoX, `{"model_type":"gpt_neox","num_hidden_layers":2,"num_attention_heads":2,"hidden_size":16,"max_position_embeddings":16,"intermediate_size":32,"vocab_size":10}`, hfConfig{}, map[string]string{
		"num_hidden_layers": `{"num_hidden_layers":3}`, "num_attention_heads": `{"num_attention_heads":1}`, "hidden_size": `{"hidden_size":32}`, "intermediate_size": `{"intermediate_size":5}`,
		"max_position_embeddings": `{"max_position_embeddings":9}`, "head_dim": `{"head_dim":4}`, "hidden_act": `{"hidden_act":"relu"}`, "layer_norm_eps": `{"layer_norm_eps":0.1}`,
		"rotary_pct": `{"rotary_pct":1}`, "rotary_emb_base": `{"rotary_emb_base":7}`, "rope_theta": `{"rope_theta":7}`, "partial_rotary_factor": `{"partial_rotary_factor":1}`,
		"rope_scaling": `{"rope_scaling":{"type":"linear","factor":2}}`, "rope_parameters": `{"rope_parameters":{"rope_type":"linear","factor":2}}`, "rotary_adjacent_pairs": `{"rotary_adjacent_pairs":true}`,
		"use_parallel_residual": `{"use_parallel_residual":false}`, "attention_bias": `{"attention_bias":false}`, "vocab_size": `{"vocab_size":11}`, "tie_word_embeddings": `{"tie_word_embeddings":true}`,
	}},
	{hfLlama, decoderText("llama"), hfConfig{}, decoderSamples("hidden_act", "attention_bias", "mlp_bias")},
	{hfMistral, decoderText("mistral"), hfConfig{}, decoderSamples("hidden_act", "sliding_window", "layer_types")},
	{hfQwen2, decoderText("qwen2"), hfConfig{}, decoderSamples("hidden_act", "sliding_window", "layer_types", "use_sliding_window", "max_window_layers")},
	{hfQwen3, decoderText("qwen3"), hfConfig{}, decoderSamples("hidden_act", "attention_bias", "sliding_window", "layer_types", "use_sliding_window", "max_window_layers")},
	{hfGemma, decoderText("gemma"), hfConfig{}, decoderSamples("hidden_activation", "attention_bias")},
	{hfGemma2, decoderText("gemma2"), hfConfig{}, decoderSamples("hidden_activation", "attention_bias", "sliding_window", "layer_types", "query_pre_attn_scalar",
		"attn_logit_softcapping", "final_logit_softcapping")},
	{lens, `{"n_layers":2,"d_model":4,"n_ctx":8,"d_head":2,"n_heads":2,"d_mlp":6,"d_vocab":5,"act_fn":"relu","normalization_type":"LN"}`, configJSON{}, lensSamples("normalization_type")},
	{lensPublished, `{"n_layers":2,"d_model":4,"n_ctx":8,"d_head":2,"n_heads":2,"d_mlp":6,"d_vocab":5,"act_fn":"relu","normalization":"LN"}`, configJSON{}, lensSamples("normalization")},
}

// decoderText is a small configuration of a successor of Llama, with windows where
// the family has them.
func decoderText(name string) string {
	return `{"model_type":"` + name + `","num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":6,"hidden_size":16,"intermediate_size":20,` +
		`"max_position_embeddings":16,"vocab_size":10` + map[string]string{"qwen2": `,"use_sliding_window":true,"max_window_layers":1`, "qwen3": `,"use_sliding_window":true,"max_window_layers":1`}[name] + `}`
}

// decoderSamples are the samples of all its families, and of fields that some have.
func decoderSamples(more ...string) map[string]string {
	out := map[string]string{
		"num_hidden_layers": `{"num_hidden_layers":3}`, "num_attention_heads": `{"num_attention_heads":2}`, "num_key_value_heads": `{"num_key_value_heads":1}`,
		"hidden_size": `{"hidden_size":12}`, "intermediate_size": `{"intermediate_size":7}`, "max_position_embeddings": `{"max_position_embeddings":9}`, "head_dim": `{"head_dim":4}`,
		"rms_norm_eps": `{"rms_norm_eps":0.1}`, "rope_theta": `{"rope_theta":7}`, "rope_scaling": `{"rope_scaling":{"type":"linear","factor":2}}`,
		"rope_parameters": `{"rope_parameters":{"rope_type":"llama3","factor":2,"low_freq_factor":1,"high_freq_factor":4,"original_max_position_embeddings":8}}`,
		"vocab_size":      `{"vocab_size":11}`, "tie_word_embeddings": `{"tie_word_embeddings":12}`,
	}
	some := map[string]string{
		"hidden_act": `{"hidden_act":"relu"}`, "hidden_activation": `{"hidden_activation":"relu"}`, "attention_bias": `{"attention_bias":true}`, "mlp_bias": `{"mlp_bias":true}`,
		"sliding_window": `{"sliding_window":3}`, "layer_types": `{"layer_types":["full_attention","full_attention"]}`, "use_sliding_window": `{"use_sliding_window":false}`,
		"max_window_layers": `{"max_window_layers":0}`, "query_pre_attn_scalar": `{"query_pre_attn_scalar":9}`, "attn_logit_softcapping": `{"attn_logit_softcapping":7}`,
		"final_logit_softcapping": `{"final_logit_softcapping":7}`,
	}
	for _, name := range more {
		out[name] = some[name]
	}
	return out
}

// lensSamples are the samples of TransformerLens' dialects, one of which has
// another name for the norm.
func lensSamples(norm string) map[string]string {
	rotary := func(more string) string { return `{"positional_embedding_type":"rotary",` + more + `}` }
	return map[string]string{
		"n_layers": `{"n_layers":3}`, "d_model": `{"d_model":6}`, "n_ctx": `{"n_ctx":9}`, "d_head": `{"d_head":4}`, "n_heads": `{"n_heads":1}`, "d_mlp": `{"d_mlp":7}`, "d_vocab": `{"d_vocab":6}`,
		"d_vocab_out": `{"d_vocab_out":3}`, "act_fn": `{"act_fn":"gelu_fast"}`, "eps": `{"eps":0.1}`, "normalization_type": `{"normalization":null,"normalization_type":"LNPre"}`,
		"normalization": fmt.Sprintf(`{%q:null,"normalization":"LNPre"}`, norm), "shortformer_pos": `{"shortformer_pos":true}`, "attn_only": `{"attn_only":true}`, "attention_dir": `{"attention_dir":"bidirectional"}`,
		"positional_embedding_type": `{"positional_embedding_type":"none"}`, "parallel_attn_mlp": `{"parallel_attn_mlp":true}`, "use_attn_scale": `{"use_attn_scale":false}`, "attn_scale": `{"attn_scale":3}`,
		"scale_attn_by_inverse_layer_idx": `{"scale_attn_by_inverse_layer_idx":true}`, "n_key_value_heads": `{"n_key_value_heads":1}`,
		"use_local_attn": `{"use_local_attn":true,"attn_types":["global","local"],"window_size":3}`, "attn_types": `{"attn_types":["local","global"],"window_size":3}`, "window_size": `{"attn_types":["local","local"],"window_size":3}`,
		"rotary_dim": rotary(`"rotary_dim":2`), "rotary_base": rotary(`"rotary_base":7`), "rotary_adjacent_pairs": rotary(`"rotary_adjacent_pairs":true`),
	}
}
