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

var huggingFace = []string{"hf-gpt2-tiny", "hf-gpt_neo-tiny", "hf-gpt_neox-tiny"}

// lensNames are a model's weights by TransformerLens' names.
func lensNames(m *transformer.Model) map[string][]float32 {
	out := map[string][]float32{}
	for _, p := range m.Params.All(m.Config) {
		out[p.Name] = p.Data()
	}
	return out
}

func TestHuggingFaceModelsAreTransformerLens(t *testing.T) {
	for _, name := range huggingFace {
		t.Run(name, func(t *testing.T) {
			data := golden.Open(t, golden.Path(name, "data.safetensors"))
			tokens := golden.Tokens(t, data, "clean")
			raw := golden.ModelWith(t, name, checkpoint.LoadOptions{Processing: checkpoint.NoProcessing()})
			assert.Equal(t, checkpoint.Processing{}, raw.Processing)
			logits, err := raw.Forward(t.Context(), tokens, transformer.Options{Threads: 2})
			require.NoError(t, err)
			want, _, err := data.Float32(t.Context(), "logits_raw")
			require.NoError(t, err)
			d := golden.Worst(t, "logits_raw", want, logits.Data)
			t.Logf("raw logits %.2e", d)
			assert.Less(t, d, 1e-4)

			m := golden.ModelWith(t, name, checkpoint.LoadOptions{})
			assert.Equal(t, checkpoint.Processing{FoldLN: true, CenterWritingWeights: true, CenterUnembed: true, FoldValueBiases: true}, m.Processing)
			assert.Equal(t, transformer.LNPre, m.Config.Norm)
			golden.Compare(t, m.Model, tokens, data, "processed/", "logits_processed")
			processed := golden.Open(t, golden.Path(name, "tl_processed.safetensors"))
			ours, largest := lensNames(m.Model), 0.0
			for _, name := range processed.Names() {
				want, _, err := processed.Float32(t.Context(), name)
				require.NoError(t, err)
				require.Len(t, ours[name], len(want), name)
				largest = max(largest, golden.Worst(t, name, want, ours[name]))
			}
			t.Logf("%d processed weights: largest difference %.2e", len(processed.Names()), largest)
			assert.Less(t, largest, 1e-5)
			for name, values := range ours {
				assert.Equal(t, processed.Has(name), values != nil, name)
			}
		})
	}
}

func TestProcessedStateDictBesideARawConfiguration(t *testing.T) {
	for _, name := range huggingFace {
		m := golden.ModelWith(t, name, checkpoint.LoadOptions{})
		cfg := checkpoint.Config{Config: m.Config}
		cfg.Norm = transformer.LayerNorm
		again, err := checkpoint.Load(t.Context(), cfg, golden.Open(t, golden.Path(name, "tl_processed.safetensors")))
		require.NoError(t, err)
		assert.Equal(t, transformer.LNPre, again.Config.Norm)
		assert.Equal(t, checkpoint.TransformerLens, again.Layout)
		tokens := [][]int{{1, 5, 7, 2, 8, 100, 3}}
		a, err := m.Forward(t.Context(), tokens, transformer.Options{})
		require.NoError(t, err)
		b, err := again.Forward(t.Context(), tokens, transformer.Options{})
		require.NoError(t, err)
		assert.Less(t, golden.Worst(t, name, a.Data, b.Data), 1e-4)
	}
}

func on(b bool) *bool { return &b }

func TestEachStepOfProcessingKeepsWhatTheModelComputes(t *testing.T) {
	tokens := [][]int{{1, 5, 7, 2, 8, 100, 3}, {4, 4, 9, 11, 2, 0, 119}}
	for _, name := range huggingFace {
		raw := golden.ModelWith(t, name, checkpoint.LoadOptions{Processing: checkpoint.NoProcessing()})
		base, err := raw.Forward(t.Context(), tokens, transformer.Options{})
		require.NoError(t, err)
		before := lensNames(raw.Model)
		for what, s := range map[string]checkpoint.Switches{
			"fold_ln":                {FoldLN: on(true)},
			"center_writing_weights": {CenterWritingWeights: on(true)},
			"center_unembed":         {CenterUnembed: on(true)},
			"fold_value_biases":      {FoldValueBiases: on(true)},
		} {
			for _, p := range []**bool{&s.FoldLN, &s.CenterWritingWeights, &s.CenterUnembed, &s.FoldValueBiases} {
				if *p == nil {
					*p = on(false)
				}
			}
			m := golden.ModelWith(t, name, checkpoint.LoadOptions{Processing: s, Threads: 3})
			assert.Equal(t, what, m.Processing.String())
			logits, err := m.Forward(t.Context(), tokens, transformer.Options{})
			require.NoError(t, err)
			// compared as log-softmax would: up to a constant a row
			for i := 0; i < len(logits.Data); i += m.Config.VocabOut {
				mean := func(x []float32) (s float64) {
					for _, v := range x[i : i+m.Config.VocabOut] {
						s += float64(v)
					}
					return s / float64(m.Config.VocabOut)
				}
				shift := mean(logits.Data) - mean(base.Data)
				if what != "center_unembed" {
					require.InDelta(t, 0, shift, 1e-4)
				}
				for j := i; j < i+m.Config.VocabOut; j++ {
					require.InDelta(t, float64(base.Data[j]), float64(logits.Data[j])-shift, 1e-4, what)
				}
			}
			changed := 0
			for name, values := range lensNames(m.Model) {
				if len(values) != len(before[name]) || golden.Worst(t, name, before[name], values) > 0 {
					changed++
				}
			}
			if what == "fold_value_biases" && name == "hf-gpt_neo-tiny" {
				assert.Zero(t, changed, "GPT-Neo has no value biases")
				continue
			}
			assert.Positive(t, changed, what)
		}
	}
}

func TestProcessingLeavesTheFileAlone(t *testing.T) {
	c := config(t)
	w := golden.RandomWeights(c.Config, 3)
	before := golden.RandomWeights(c.Config, 3)
	m, err := checkpoint.LoadWith(t.Context(), c, weights.FromMap("m", w), checkpoint.LoadOptions{Reset: new(uint64),
		Processing: checkpoint.Switches{FoldLN: on(true), CenterWritingWeights: on(true), CenterUnembed: on(true), FoldValueBiases: on(true)}})
	require.NoError(t, err)
	assert.Equal(t, transformer.LNPre, m.Config.Norm)
	assert.Equal(t, before, w)
}

func TestDetachedModelsNeedNoSource(t *testing.T) {
	detached := checkpoint.Switches{FoldLN: on(true), CenterWritingWeights: on(true)}
	for _, name := range huggingFace {
		f := golden.Open(t, golden.Path(name, "model.safetensors"))
		source := map[string]weights.Array{}
		for _, n := range f.Names() {
			values, shape, err := f.Float32(t.Context(), n)
			require.NoError(t, err)
			source[n] = weights.Array{Shape: shape, Values: append([]float32(nil), values...)}
		}
		m, err := checkpoint.LoadWith(t.Context(), golden.Config(t, name),
			weights.FromMap(name, source), checkpoint.LoadOptions{Processing: detached})
		require.NoError(t, err)
		require.True(t, m.Detached())
		before := golden.Hash(t, m)
		for _, a := range source {
			clear(a.Values)
		}
		assert.Equal(t, before, golden.Hash(t, m))
	}
	c := config(t)
	w := golden.RandomWeights(c.Config, 1)
	m, err := checkpoint.LoadWith(t.Context(), c, weights.FromMap("m", w), checkpoint.LoadOptions{Processing: detached})
	require.NoError(t, err)
	before := golden.Hash(t, m)
	for _, a := range w {
		clear(a.Values)
	}
	assert.Equal(t, before, golden.Hash(t, m))
	assert.False(t, golden.ModelWith(t, "or_gate", checkpoint.LoadOptions{}).Detached())
}

func TestRefusedProcessing(t *testing.T) {
	for _, x := range []struct {
		change func(*transformer.Config)
		s      checkpoint.Switches
		want   string
	}{
		{func(c *transformer.Config) { c.Norm = transformer.LNPre }, checkpoint.Switches{FoldLN: on(true)}, `fold_ln: expected a model with LayerNorm weights, or those of RMS norms, found normalization_type "LNPre"`},
		{func(c *transformer.Config) { c.Norm = transformer.NoNorm }, checkpoint.Switches{CenterWritingWeights: on(true)}, `center_writing_weights: expected a model with LayerNorm`},
		{func(c *transformer.Config) { c.Positions = transformer.Shortformer }, checkpoint.Switches{CenterUnembed: on(true), FoldValueBiases: on(true)},
			`processing center_unembed, fold_value_biases: expected none but fold_value_biases`},
	} {
		c := config(t)
		x.change(&c.Config)
		_, err := checkpoint.LoadWith(t.Context(), c, weights.FromMap("m", golden.RandomWeights(c.Config, 1)), checkpoint.LoadOptions{Processing: x.s})
		assert.ErrorContains(t, err, "m: "+x.want)
	}
}

func TestResetKeepsEveryNumberAndLosesTheModel(t *testing.T) {
	for _, heads := range []int{1, 4} {
		c := config(t)
		c.Heads = heads
		w := golden.RandomWeights(c.Config, 3)
		seed := uint64(7)
		load := func(seed *uint64, threads int) *transformer.Model {
			m, err := checkpoint.LoadWith(t.Context(), c, weights.FromMap("m", w), checkpoint.LoadOptions{Reset: seed, Threads: threads})
			require.NoError(t, err)
			return m.Model
		}
		plain, reset := load(nil, 1), load(&seed, 2)
		assert.Equal(t, golden.Hash(t, reset), golden.Hash(t, load(&seed, 1)))
		other := uint64(8)
		assert.NotEqual(t, golden.Hash(t, reset), golden.Hash(t, load(&other, 1)))
		a, b := lensNames(plain), lensNames(reset)
		for name := range a {
			sum := func(x []float32) (s float64) {
				for _, v := range x {
					s += math.Abs(float64(v))
				}
				return s
			}
			assert.InDelta(t, sum(a[name]), sum(b[name]), 1e-4, name)
			short := name[strings.LastIndex(name, ".")+1:]
			shuffled := strings.Contains("W_Q W_K W_V b_Q b_K b_V W_in b_in", short) && strings.Contains(name, "blocks")
			if !shuffled {
				assert.Equal(t, a[name], b[name], name)
			}
		}
		assert.NotEqual(t, a["blocks.0.mlp.W_in"], b["blocks.0.mlp.W_in"])
	}
}

const (
	goodGPT2 = `{"model_type":"gpt2","n_layer":2,"n_head":2,"n_embd":8,"n_positions":16,"vocab_size":10}`
	goodNeo  = `{"model_type":"gpt_neo","num_layers":4,"num_heads":2,"hidden_size":8,"max_position_embeddings":16,"vocab_size":10,"attention_types":[[["global","local"],2]]}`
	goodNeoX = `{"model_type":"gpt_neox","num_hidden_layers":2,"num_attention_heads":2,"hidden_size":16,"max_position_embeddings":16,"intermediate_size":32,"vocab_size":10}`
)

func TestReadHuggingFaceConfig(t *testing.T) {
	read := func(text string) checkpoint.Config {
		c, err := checkpoint.ReadConfig(t.Context(), "c.json", strings.NewReader(text))
		require.NoError(t, err)
		return c
	}
	c := read(goodGPT2)
	assert.Equal(t, checkpoint.Config{Tied: true, Family: checkpoint.HFGPT2, Config: transformer.Config{Layers: 2, DModel: 8, Ctx: 16, DHead: 4, Heads: 2, DMLP: 32, Vocab: 10, VocabOut: 10, Activation: transformer.GELUNew,
		Eps: 1e-5, Norm: transformer.LayerNorm, Direction: transformer.Causal, Positions: transformer.Standard, AttnScale: 2}}, c)
	assert.Equal(t, c, read(strings.Replace(goodGPT2, "n_positions", "n_ctx", 1)))
	c = read(goodNeo)
	assert.Equal(t, []int{0, 256, 0, 256}, c.Windows)
	assert.Equal(t, 1.0, c.AttnScale)
	c = read(goodNeoX)
	assert.Equal(t, 2, c.RotaryDim, "a quarter of the head")
	assert.True(t, c.ParallelAttnMLP)
	assert.Equal(t, transformer.GELU, c.Activation)
	c = read(strings.Replace(goodNeoX, `"gpt_neox"`, `"gpt_neox","rope_parameters":{"rope_type":"default","rope_theta":500,"partial_rotary_factor":0.5}`, 1))
	assert.Equal(t, 4, c.RotaryDim)
	assert.Equal(t, 500.0, c.RotaryBase)
	for _, x := range []struct{ good, from, to, want string }{
		{goodGPT2, `"gpt2"`, `"bert"`, `field "model_type": expected one of gemma, gemma2, gpt2, gpt_neo, gpt_neox, llama, mistral, qwen2, qwen3, or a TransformerLens configuration with n_layers, found "bert"`},
		{goodGPT2, `"n_layer":2,`, ``, `field "n_layer" is missing`},
		{goodGPT2, `,"vocab_size":10`, ``, `field "vocab_size" is missing`},
		{goodGPT2, `"n_head":2`, `"n_head":3`, `field "n_head": expected a number of heads that divides the width 8, found 3`},
		{goodGPT2, `"n_head":2`, `"n_head":0`, `field "n_head"`},
		{goodGPT2, `"n_layer":2`, `"n_layer":-2`, `field "n_layer": expected a positive integer, found -2`},
		{goodGPT2, `10}`, `10,"activation_function":"mish"}`, `field "activation_function": expected one of gelu,`},
		{goodGPT2, `10}`, `10,"add_cross_attention":true}`, `field "add_cross_attention": expected false, found true: this model feature is not computed`},
		{goodGPT2, `10}`, `10,"num_hidden_layers":3}`, `field "num_hidden_layers": expected 2 as field "n_layer" says, found 3`},
		{goodGPT2, `"gpt2"`, `7`, `field "model_type": expected a text, found 7`},
		{goodNeo, `[[["global","local"],2]]`, `[[["global","local"],3]]`, `field "attention_types": expected [[["global", "local"], times], …] for 4 layers`},
		{goodNeo, `[[["global","local"],2]]`, `[[["global","local"],999999999999]]`, `field "attention_types"`},
		{goodNeo, `[[["global","local"],2]]`, `[[["global"],4],[["global"],4]]`, `field "attention_types"`},
		{goodNeo, `[[["global","local"],2]]`, `7`, `field "attention_types"`},
		{goodNeo, `[[["global","local"],2]]`, `[[["global","sparse"],2]]`, `field "attention_layers"[1]: expected "global" or "local", found "sparse"`},
		{goodNeoX, `10}`, `10,"rotary_pct":1.5}`, `field "rotary_pct": expected a number above 0 and at most 1, found 1.5`},
		{goodNeoX, `10}`, `10,"rotary_pct":0.1}`, `field "rotary_pct": expected an even number of a head's 8 components, at least 2, found 0.1 of them`},
		{goodGPT2, `,"n_positions":16`, ``, `field "n_positions" is missing`},
		{goodNeo, `,"attention_types":[[["global","local"],2]]`, ``, `field "attention_types" is missing`},
		{goodNeo, `10,`, `10,"window_size":0,`, `field "window_size": expected a positive integer, found 0`},
		{goodNeoX, `10}`, `10,"rope_scaling":{"type":"linear"}}`, `field "rope_scaling"."factor" is missing: expected a number`},
		{goodNeoX, `10}`, `10,"rope_scaling":{"type":"linear","factor":-2}}`, `field "rope_scaling"."factor": expected a number from 1e-06 to 1e+06, found -2`},
		{goodNeoX, `10}`, `10,"rope_scaling":{"type":"linear","rope_type":"yarn","factor":2}}`, `field "rope_scaling"."type": expected "yarn" as field "rope_scaling"."rope_type" says, found "linear"`},
		{goodNeoX, `10}`, `10,"rope_scaling":{"type":"linear","factor":2},"rope_parameters":{"rope_type":"default"}}`, `field "rope_parameters": expected null beside "rope_scaling"`},
		{goodNeoX, `10}`, `10,"rope_scaling":[1]}`, `field "rope_scaling": expected an object or null, found [1]`},
		{goodNeoX, `10}`, `10,"rotary_pct":0.5,"partial_rotary_factor":1}`, `field "partial_rotary_factor": expected 0.5 as field "rotary_pct" says, found 1`},
		{goodNeoX, `10}`, `10,"rotary_emb_base":500,"rope_parameters":{"rope_theta":1e4}}`, `field "rope_parameters"."rope_theta": expected 500 as field "rotary_emb_base" says, found 10000`},
		{goodNeoX, `10}`, `10,"head_dim":4}`, `field "head_dim": expected hidden_size / num_attention_heads = 8, found 4`},
		{goodNeoX, `10}`, `10,"rope_parameters":{"rope_type":"yarn"}}`, `field "rope_parameters"."rope_type": expected "default", "linear" or "llama3", found "yarn"`},
		{goodNeoX, `10}`, `10,"attention_bias":false}`, `field "attention_bias": expected true`},
	} {
		require.Contains(t, x.good, x.from)
		_, err := checkpoint.ReadConfig(t.Context(), "c.json", strings.NewReader(strings.Replace(x.good, x.from, x.to, 1)))
		assert.ErrorContains(t, err, "c.json: "+x.want)
	}
}

func TestTiedAndOwnUnembeddings(t *testing.T) {
	for _, name := range huggingFace {
		f := golden.Open(t, golden.Path(name, "model.safetensors"))
		source := map[string]weights.Array{}
		for _, n := range f.Names() {
			values, shape, err := f.Float32(t.Context(), n)
			require.NoError(t, err)
			source[n] = weights.Array{Shape: shape, Values: values}
		}
		c := golden.Config(t, name)
		own := "lm_head.weight"
		if name == "hf-gpt_neox-tiny" {
			own = "embed_out.weight"
		}
		head := make([]float32, c.Vocab*c.DModel)
		for i := range head {
			head[i] = float32(i % 7)
		}
		source[own] = weights.Array{Shape: []int{c.Vocab, c.DModel}, Values: head}
		load := func(tied bool) (*checkpoint.Model, error) {
			c.Tied = tied
			return checkpoint.LoadWith(t.Context(), c, weights.FromMap(name, source), checkpoint.LoadOptions{Processing: checkpoint.NoProcessing()})
		}
		tied, err := load(true)
		require.NoError(t, err)
		assert.Equal(t, tied.Params.Embed.Data[3*c.DModel+5], tied.Params.Unembed.Data[5*c.Vocab+3], "the embedding transposed")
		untied, err := load(false)
		require.NoError(t, err)
		assert.Equal(t, head[3*c.DModel+5], untied.Params.Unembed.Data[5*c.Vocab+3])
		delete(source, own)
		_, err = load(false)
		assert.ErrorContains(t, err, own+"\" is missing")
	}
}

func TestMoreLayersThanTheConfigurationAreRefused(t *testing.T) {
	for _, name := range append(huggingFace, "gpt3l-random") {
		c := golden.Config(t, name)
		c.Layers--
		if c.Windows != nil {
			c.Windows = c.Windows[:c.Layers]
		}
		_, err := checkpoint.Load(t.Context(), c, golden.Open(t, golden.Path(name, "model.safetensors")))
		assert.ErrorContains(t, err, ": expected 2 layers as the configuration says, found more", name)
	}
	c := golden.Config(t, "gpt3l-random")
	c.Norm = transformer.LNPre
	_, err := checkpoint.Load(t.Context(), c, golden.Open(t, golden.Path("gpt3l-random", "model.safetensors")))
	assert.ErrorContains(t, err, `tensor "blocks.0.ln1.w": expected none with normalization_type "LNPre", found it`)
}

func TestAConfigurationOfOtherWeightsIsRefused(t *testing.T) {
	config := func(name string) checkpoint.Config {
		return golden.Config(t, name)
	}
	for _, x := range []struct {
		weights, config string
		change          func(*checkpoint.Config)
		want            string
	}{
		{"hf-gpt_neo-tiny", "hf-gpt2-tiny", nil, "expected weights of Hugging Face gpt2 as the configuration says, found those of Hugging Face gpt_neo"},
		{"hf-gpt_neox-tiny", "hf-gpt2-tiny", nil, "expected weights of Hugging Face gpt2 as the configuration says, found those of Hugging Face gpt_neox"},
		{"hf-gpt_neox-tiny", "hf-gpt2-tiny", func(c *checkpoint.Config) { c.Family = "" }, "expected a configuration with LayerNorm, MLPs, causal attention and rotary positions"},
		{"hf-gpt2-tiny", "hf-gpt2-tiny", func(c *checkpoint.Config) { c.Norm = transformer.NoNorm }, "found normalization_type null, attn_only false, causal and standard"},
		{"hf-gpt2-tiny", "hf-gpt2-tiny", func(c *checkpoint.Config) { c.Positions = transformer.NoPositions }, "and none"},
		{"gpt3l-random", "gpt3l-random", func(c *checkpoint.Config) { c.Norm = transformer.NoNorm }, `tensor "blocks.0.ln1.w": expected none with normalization_type null, found it`},
		{"gpt3l-random", "gpt3l-random", func(c *checkpoint.Config) { c.AttnOnly = true }, `tensor "blocks.0.mlp.W_in": expected none with attn_only, found it`},
		{"gpt3l-random", "gpt3l-random", func(c *checkpoint.Config) { c.Positions = transformer.NoPositions }, `tensor "pos_embed.W_pos": expected none with positional_embedding_type "none", found it`},
		{"gpt3l-random", "gpt3l-random", func(c *checkpoint.Config) { c.Layers = 1 << 22 }, `tensor "blocks.4194303.attn.W_Q" is missing: expected 4194304 layers`},
	} {
		c := config(x.config)
		if x.change != nil {
			x.change(&c)
		}
		_, err := checkpoint.Load(t.Context(), c, golden.Open(t, golden.Path(x.weights, "model.safetensors")))
		assert.ErrorContains(t, err, x.want)
	}
}

// The configurations of Neel Nanda's models, and of redwood_attn_2l, have older
// names.
func TestPublishedTransformerLensModels(t *testing.T) {
	const old = `{"n_layers":1,"d_model":4,"n_ctx":8,"d_head":2,"n_heads":2,"d_mlp":-1,"d_vocab":5,"act_fn":null,"attn_only":true,"normalization":"LN"}`
	c, err := checkpoint.ReadConfig(t.Context(), "c.json", strings.NewReader(old))
	require.NoError(t, err)
	assert.True(t, c.Published)
	assert.Equal(t, transformer.LayerNorm, c.Norm)
	m, err := checkpoint.Load(t.Context(), c, weights.FromMap("m", golden.RandomWeights(c.Config, 1)))
	require.NoError(t, err)
	assert.Equal(t, checkpoint.Processing{FoldLN: true, CenterWritingWeights: true, CenterUnembed: true, FoldValueBiases: true}, m.Processing)
	c, err = checkpoint.ReadConfig(t.Context(), "c.json", strings.NewReader(strings.Replace(old, `"LN"`, `"LN","shortformer_pos":true`, 1)))
	require.NoError(t, err)
	assert.Equal(t, transformer.Shortformer, c.Positions)
	m, err = checkpoint.Load(t.Context(), c, weights.FromMap("m", golden.RandomWeights(c.Config, 1)))
	require.NoError(t, err)
	assert.Equal(t, checkpoint.Processing{}, m.Processing)
}

func TestUnknownLayoutIsRefused(t *testing.T) {
	_, err := checkpoint.Load(t.Context(), config(t), weights.FromMap("m", map[string]weights.Array{"model.layers.0.attn.q_proj.weight": {}}))
	assert.ErrorContains(t, err, `m: expected tensors named as in TransformerLens (embed.W_E) or as in Hugging Face's GPT-2`)
	assert.ErrorContains(t, err, `found ["model.layers.0.attn.q_proj.weight"]`)
}
