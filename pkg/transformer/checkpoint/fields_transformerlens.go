package checkpoint

// The fields of TransformerLens' configurations: HookedTransformerConfig's and
// TransformerBridgeConfig's, up to version 3.

var (
	lens = newDialect("TransformerLens", all(computed, `n_layers d_model n_ctx d_head n_heads d_mlp d_vocab d_vocab_out act_fn eps
			normalization_type normalization shortformer_pos attn_only attention_dir positional_embedding_type parallel_attn_mlp
			use_attn_scale attn_scale scale_attn_by_inverse_layer_idx n_key_value_heads use_local_attn attn_types window_size rotary_dim
			rotary_base rotary_adjacent_pairs`),
		all(harmless, `model_name original_architecture architecture from_checkpoint checkpoint_index checkpoint_label_type checkpoint_value
			tokenizer_name init_mode weight_init_mode init_weights initializer_range seed device n_devices dtype n_params trust_remote_code
			default_prepend_bos tokenizer_prepends_bos tokenizer_appends_eos default_padding_side decoder_start_token_id tie_word_embeddings
			use_attn_result use_split_qkv_input use_hook_mlp_in use_hook_tokens use_attn_in ungroup_grouped_query_attention
			split_attention_weights attn_implementation output_attentions layer_norm_folding norm_topk_prob`),
		// read with a switch that is refused
		all(harmless, `NTK_by_parts_low_freq_factor NTK_by_parts_high_freq_factor NTK_by_parts_factor NTK_original_ctx_len
			yarn_factor yarn_attention_factor yarn_beta_fast yarn_beta_slow yarn_original_max_position_embeddings
			vision_hidden_size vision_num_layers vision_num_heads mm_tokens_per_image`),
		only("this model feature is not computed", `final_rms gated_mlp post_embedding_ln use_normalization_before_and_after use_qk_norm
			scale_embedding is_audio_model is_visual_model is_multimodal is_stateful`, "false"),
		only("RMS norms are not computed", "uses_rms_norm rmsnorm_uses_offset", "false"),
		only("soft caps are not computed", "output_logits_soft_cap attn_scores_soft_cap", "-1", "0"),
		only("mixtures of experts are not computed", "num_experts experts_per_token", "0"),
		only("quantized weights are not computed", "load_in_4bit", "false"),
		only("scaled rotary positions are not computed", "use_NTK_by_parts_rope use_yarn_rope rotary_interleaved_cos_sin", "false"),
		only("scaled rotary positions are not computed", "rotary_scaling_factor", "1"),
		only("scaled rotary positions are not computed", "rope_scaling", "{}"),
		only("rotary_dim says how much of a head turns", "partial_rotary_factor"),
		only("bases that differ are not computed", "rotary_base_local"),
		only("relative positions are not computed", "relative_attention_max_distance relative_attention_num_buckets"),
		only("layers that differ are not computed", "per_layer_head_dim per_layer_num_key_value_heads", "[]"))

	// lensPublished are the configurations that Neel Nanda published with his
	// models. They say how these were trained; TransformerLens reads a few fields
	// of them, and takes its default for the rest.
	lensPublished = newDialect("published TransformerLens", lens.fields,
		only("TransformerLens reads these models with 1e-5", "ln_eps", "1e-5"),
		all(harmless, `lr lr_hidden lr_vector lr_schedule betas batch_size batch_size_per_device batches_per_step tokens_per_step checkpoint_interval
			checkpoint_every_tokens model_checkpoints model_checkpoint save_checkpoints save_checkpoints_to_bfloat16 debug debug_batch
			debug_overfit max_tokens max_steps max_epochs version use_float16 use_bfloat16 use_bfloat16_matmul right_multiply_matrices
			dataset_name learnable_norm grad_norm_clip use_pos_resid n_gpus warmup_tokens warmup_steps use_warmup train_loss_ewma_beta
			train_loss_ema_beta shuffled_data use_acc use_ET use_checkpoint weight_decay truncate_tokens log_interval
			initializer_scale_global initializer_scale_hidden initializer_scale_embed initializer_scale_unembed neuron_scale neuron_temp
			weight_init_scheme fixed_init store_init control W_O_init_scale tokens_per_batch`))
)
