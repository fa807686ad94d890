package checkpoint

// The fields of transformers' configurations: PretrainedConfig's, which every
// file may have, and those of the families, from version 2 to 5. What a family
// calls by a name of its own may stand under the common one, too.

var (
	// hfCommon are the fields of PretrainedConfig.
	hfCommon = newDialect("", all(computed, "vocab_size tie_word_embeddings"),
		all(harmless, `_name_or_path name_or_path _commit_hash architectures auto_map model_type transformers_version _attn_implementation
			attn_implementation _attn_implementation_autoset _attn_implementation_internal attention_implementation _experts_implementation
			experts_implementation dtype torch_dtype use_bfloat16 torchscript
			tf_legacy_loss output_hidden_states output_attentions return_dict use_cache chunk_size_feed_forward gradient_checkpointing
			is_decoder tie_encoder_decoder cross_attention_hidden_size finetuning_task task_specific_params id2label label2id num_labels
			problem_type loss_type tokenizer_class prefix bos_token_id eos_token_id pad_token_id sep_token_id decoder_start_token_id
			custom_pipelines pretraining_tp base_model_tp_plan base_model_pp_plan keys_to_ignore_at_inference use_return_dict
			output_past xla_device language vocab_file _num_labels num_choices`),
		all(harmless, hfGeneration), all(harmless, hfTraining),
		only("encoders with decoders are not computed", "is_encoder_decoder", "false"),
		only("this model feature is not computed", "add_cross_attention", "false"),
		only("pruned heads are not computed", "pruned_heads", "{}", "[]"),
		only("quantized weights are not computed", "quantization_config compression_config"),
		only("layers that differ are not computed", "per_layer_config layer_types", "{}", "[]")).fields

	hfGPT2 = newDialect("gpt2", hfCommon,
		all(computed, `n_layer n_head n_embd n_inner n_positions n_ctx num_hidden_layers num_attention_heads hidden_size max_position_embeddings
			layer_norm_epsilon activation_function scale_attn_weights scale_attn_by_inverse_layer_idx`),
		all(harmless, "reorder_and_upcast_attn reorder_attn upcast_attn n_special predict_special_tokens"))

	hfGPTNeo = newDialect("gpt_neo", hfCommon,
		all(computed, `num_layers num_heads num_hidden_layers num_attention_heads hidden_size intermediate_size max_position_embeddings
			window_size attention_layers attention_types activation_function layer_norm_epsilon`),
		all(harmless, "type_vocab_size vocab_parallel_embedding make_vocab_size_divisible_by"))

	hfGPTNeoX = newDialect("gpt_neox", hfCommon,
		all(computed, `num_hidden_layers num_attention_heads hidden_size intermediate_size max_position_embeddings head_dim hidden_act layer_norm_eps
			rotary_pct rotary_emb_base rope_theta partial_rotary_factor rope_scaling rope_parameters rotary_adjacent_pairs
			use_parallel_residual attention_bias`),
		all(harmless, "attention_probs_dropout_prob"))

	// hfDecoder are the fields that Llama and its successors have in common.
	hfDecoder = newDialect("", hfCommon, all(computed, `num_hidden_layers num_attention_heads num_key_value_heads hidden_size intermediate_size
			max_position_embeddings head_dim rms_norm_eps rope_theta rope_scaling rope_parameters`),
		only("part of a head turning is not computed", "partial_rotary_factor", "1", "1.0"),
		only("mixtures of experts are not computed", `num_experts num_local_experts num_experts_per_tok moe_intermediate_size
			shared_expert_intermediate_size decoder_sparse_step mlp_only_layers`, "0", "[]"),
		only("bases that differ are not computed", "rope_local_base_freq"),
		only("attention in both directions is not computed", "use_bidirectional_attention", "false")).fields

	hfLlama   = newDialect("llama", hfDecoder, all(computed, "hidden_act attention_bias mlp_bias"))
	hfMistral = newDialect("mistral", hfDecoder, all(computed, "hidden_act sliding_window layer_types"))
	hfQwen2   = newDialect("qwen2", hfDecoder, all(computed, "hidden_act sliding_window use_sliding_window max_window_layers layer_types"),
		only("multimodal rotary positions are not computed", "mrope_section use_mrope", "false"))
	hfQwen3  = newDialect("qwen3", hfDecoder, all(computed, "hidden_act attention_bias sliding_window use_sliding_window max_window_layers layer_types"))
	hfGemma  = newDialect("gemma", hfDecoder, all(computed, "hidden_activation attention_bias"), all(harmless, "hidden_act"))
	hfGemma2 = newDialect("gemma2", hfDecoder, all(computed, `hidden_activation attention_bias query_pre_attn_scalar attn_logit_softcapping
			final_logit_softcapping sliding_window layer_types`), all(harmless, "hidden_act sliding_window_size"))

	// hfRope are the fields of rope_parameters and rope_scaling. The harmless ones
	// are read for types that are refused.
	hfRope = newDialect("rotary", all(computed, `rope_type type rope_theta factor partial_rotary_factor low_freq_factor high_freq_factor
			original_max_position_embeddings`),
		all(harmless, `attention_factor beta_fast beta_slow short_factor long_factor short_mscale long_mscale
			mscale mscale_all_dim truncate max_position_embeddings`))
)

const (
	// hfGeneration are settings of how text is sampled, which older versions kept
	// beside the model's.
	hfGeneration = `max_length max_new_tokens min_length min_new_tokens do_sample early_stopping max_time stop_strings num_beams
		num_beam_groups diversity_penalty penalty_alpha temperature top_k top_p top_h min_p typical_p epsilon_cutoff eta_cutoff
		repetition_penalty encoder_repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids
		force_words_ids renormalize_logits constraints forced_bos_token_id forced_eos_token_id forced_decoder_ids remove_invalid_values
		exponential_decay_length_penalty suppress_tokens begin_suppress_tokens sequence_bias token_healing guidance_scale low_memory
		watermarking_config num_return_sequences output_scores output_logits return_dict_in_generate cache_implementation cache_config
		return_legacy_cache prefill_chunk_size num_assistant_tokens num_assistant_tokens_schedule assistant_confidence_threshold
		assistant_early_exit assistant_lookbehind target_lookbehind prompt_lookup_num_tokens max_matching_ngram_size dola_layers
		compile_config disable_compile is_assistant generation_config`
	// hfTraining are settings of training, and of heads on top of the model.
	hfTraining = `initializer_range resid_pdrop embd_pdrop attn_pdrop resid_dropout embed_dropout attention_dropout hidden_dropout
		hidden_dropout_prob classifier_dropout summary_type summary_use_proj summary_activation summary_proj_to_labels summary_first_dropout`
)
