package checkpoint

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// hfConfig is a Hugging Face configuration of the families that are read. A
// family uses its own names for the same things.
type hfConfig struct {
	// GPT-2
	NLayer    *int     `json:"n_layer"`
	NHead     *int     `json:"n_head"`
	NEmbd     *int     `json:"n_embd"`
	NInner    *int     `json:"n_inner"`
	NPos      *int     `json:"n_positions"`
	NCtx      *int     `json:"n_ctx"` // as older versions wrote it
	LNEpsilon *float64 `json:"layer_norm_epsilon"`
	ActFn     *string  `json:"activation_function"`
	ScaleAttn *bool    `json:"scale_attn_weights"`
	ByLayer   bool     `json:"scale_attn_by_inverse_layer_idx"`

	// GPT-Neo
	NumLayers  *int            `json:"num_layers"`
	NumHeads   *int            `json:"num_heads"`
	Window     *int            `json:"window_size"`
	AttnLayers []string        `json:"attention_layers"`
	AttnTypes  json.RawMessage `json:"attention_types"`

	// GPT-NeoX
	HiddenLayers *int            `json:"num_hidden_layers"`
	AttnHeads    *int            `json:"num_attention_heads"`
	HiddenAct    *string         `json:"hidden_act"`
	LNEps        *float64        `json:"layer_norm_eps"`
	HeadDim      *int            `json:"head_dim"`
	RotaryPct    *float64        `json:"rotary_pct"`
	Partial      *float64        `json:"partial_rotary_factor"`
	RotaryBase   *float64        `json:"rotary_emb_base"`
	RopeTheta    *float64        `json:"rope_theta"`
	RopeScaling  json.RawMessage `json:"rope_scaling"`
	Rope         json.RawMessage `json:"rope_parameters"`
	Parallel     *bool           `json:"use_parallel_residual"`
	AttnBias     *bool           `json:"attention_bias"`
	Adjacent     bool            `json:"rotary_adjacent_pairs"` // TransformerLens' name; no stock model has it

	// Llama and its successors, which take over some of GPT-NeoX's
	KVHeads          json.RawMessage `json:"num_key_value_heads"`
	RMSEps           *float64        `json:"rms_norm_eps"`
	HiddenActivation *string         `json:"hidden_activation"`
	MLPBias          *bool           `json:"mlp_bias"`
	QueryScalar      *float64        `json:"query_pre_attn_scalar"`
	ScoreCap         json.RawMessage `json:"attn_logit_softcapping"`
	LogitCap         json.RawMessage `json:"final_logit_softcapping"`
	Sliding          json.RawMessage `json:"sliding_window"`
	UseSliding       *bool           `json:"use_sliding_window"`
	WindowsFrom      *int            `json:"max_window_layers"`
	LayerTypes       []string        `json:"layer_types"`

	// GPT-Neo and GPT-NeoX
	Hidden *int `json:"hidden_size"`
	Inner  *int `json:"intermediate_size"`
	MaxPos *int `json:"max_position_embeddings"`

	Vocab *int  `json:"vocab_size"`
	Tied  *bool `json:"tie_word_embeddings"`
}

// activations are the activation functions by Hugging Face's names, of which
// TransformerLens takes some over.
var activations = map[string]transformer.Activation{
	"gelu": transformer.GELU, "gelu_python": transformer.GELU,
	"gelu_new": transformer.GELUNew, "gelu_fast": transformer.GELUNew, "gelu_accurate": transformer.GELUNew,
	"gelu_pytorch_tanh": transformer.GELUNew, "gelu_python_tanh": transformer.GELUNew,
	"relu": transformer.ReLU, "silu": transformer.SiLU, "swish": transformer.SiLU,
}

// family is a family of Hugging Face's models.
type family struct {
	dialect
	layout Layout
	class  string            // how the names of its architectures begin
	marks  []string          // fields that together no other family has
	own    map[string]string // its names of TransformerLens' fields
	fill   func(*hfConfig, *Config) error
}

// decoderNames are the names that Llama and its successors have for
// TransformerLens' fields.
var decoderNames = map[string]string{"n_layers": "num_hidden_layers", "n_heads": "num_attention_heads", "n_key_value_heads": "num_key_value_heads",
	"d_model": "hidden_size", "n_ctx": "max_position_embeddings", "d_vocab": "vocab_size", "d_mlp": "intermediate_size", "d_head": "head_dim",
	"eps": "rms_norm_eps", "rotary_base": "rope_theta", "rotary_dim": "head_dim", "attn_scale": "query_pre_attn_scalar"}

// families are those that are read, longer names of classes first.
var families = append([]family{
	{hfGPTNeoX, HFGPTNeoX, "GPTNeoX", []string{"num_hidden_layers", "rotary_pct", "use_parallel_residual"}, map[string]string{"n_layers": "num_hidden_layers",
		"n_heads": "num_attention_heads", "d_model": "hidden_size", "n_ctx": "max_position_embeddings", "d_vocab": "vocab_size", "d_mlp": "intermediate_size",
		"eps": "layer_norm_eps", "rotary_base": "rope_theta", "rotary_dim": "rotary_pct"}, (*hfConfig).gptNeoX},
	{hfGPTNeo, HFGPTNeo, "GPTNeo", []string{"num_layers", "num_heads", "attention_types"}, map[string]string{"n_layers": "num_layers", "n_heads": "num_heads",
		"d_model": "hidden_size", "n_ctx": "max_position_embeddings", "d_vocab": "vocab_size", "d_mlp": "intermediate_size", "eps": "layer_norm_epsilon"}, (*hfConfig).gptNeo},
	{hfGPT2, HFGPT2, "GPT2", []string{"n_layer", "n_head", "n_embd"}, map[string]string{"n_layers": "n_layer", "n_heads": "n_head", "d_model": "n_embd", "n_ctx": "n_positions",
		"d_vocab": "vocab_size", "d_mlp": "n_inner", "eps": "layer_norm_epsilon"}, (*hfConfig).gpt2},
}, decoderFamilies()...)

// decoderFamilies are Llama and its successors, whose fields do not tell them apart.
func decoderFamilies() (out []family) {
	for _, x := range []struct {
		dialect
		class string
	}{{hfGemma2, "Gemma2"}, {hfGemma, "GemmaFor"}, {hfQwen3, "Qwen3For"}, {hfQwen2, "Qwen2For"}, {hfMistral, "Mistral"}, {hfLlama, "Llama"}} {
		d := decoderOf(Layout("Hugging Face " + x.name))
		out = append(out, family{x.dialect, d.layout, x.class, nil, decoderNames, func(j *hfConfig, c *Config) error { return d.fill(j, c) }})
	}
	return out
}

// modelTypes are the families by the names that configurations have for them.
var modelTypes = func() (names []string) {
	for _, f := range families {
		names = append(names, f.name)
	}
	slices.Sort(names)
	return names
}()

// familyOf finds the family of a configuration: model_type says it, else its
// architecture, else fields that only one family has. Whether the weights are of
// that family is seen when they are there. A configuration of none is no error.
func familyOf(raw map[string]json.RawMessage) (f family, guessed, ok bool, err error) {
	var modelType string
	if value := raw["model_type"]; !isNull(value) {
		if json.Unmarshal(value, &modelType) != nil {
			return f, false, false, fmt.Errorf("field \"model_type\": expected a text, found %s", shown(value))
		}
	}
	if modelType != "" {
		for _, f := range families {
			if f.name == modelType {
				return f, false, true, nil
			}
		}
		return f, false, false, fmt.Errorf("field \"model_type\": expected one of %s, or a TransformerLens configuration with n_layers, found %s", strings.Join(modelTypes, ", "), oneline.Quote(modelType))
	}
	var classes []string
	if value := raw["architectures"]; !isNull(value) && json.Unmarshal(value, &classes) != nil {
		return f, false, false, fmt.Errorf("field \"architectures\": expected a list of texts, found %s", shown(value))
	}
	for _, f := range families {
		if len(classes) > 0 && strings.HasPrefix(classes[0], f.class) ||
			len(classes) == 0 && f.marks != nil && !slices.ContainsFunc(f.marks, func(name string) bool { return raw[name] == nil }) {
			return f, true, true, nil
		}
	}
	return f, false, false, nil
}

// read reads a configuration of the family.
func (f family) read(raw map[string]json.RawMessage) (Config, error) {
	j := &hfConfig{}
	warnings, err := f.decode(raw, j)
	if err != nil {
		return Config{}, err
	}
	c := Config{Family: f.layout, Warnings: warnings, Config: transformer.Config{
		Norm: transformer.LayerNorm, Direction: transformer.Causal, Positions: transformer.Standard, Eps: 1e-5}}
	err = f.fill(j, &c)
	c.VocabOut = c.Vocab
	if err != nil {
		return c, err
	}
	return c, f.renamed(c.Validate())
}

// renamed is an error of a shape with the family's own name of the field.
func (f family) renamed(err error) error {
	if err == nil {
		return nil
	}
	rest, ok := strings.CutPrefix(err.Error(), "field \"")
	name, rest, found := strings.Cut(rest, "\"")
	if own := f.own[name]; ok && found && own != "" {
		return fmt.Errorf("field %q%s", own, rest)
	}
	return err
}

// size is a field that must be there.
type size struct {
	name string
	from *int
	to   *int
}

// alias is a second name of a field.
type alias struct {
	name  string
	value **int
	other string
	same  *int
}

// join takes fields from their second names. Both may be there if they agree.
func join(aliases ...alias) error {
	for _, a := range aliases {
		switch {
		case a.same == nil:
		case *a.value == nil:
			*a.value = a.same
		case **a.value != *a.same:
			return fmt.Errorf("field %q: expected %d as field %q says, found %d", a.other, **a.value, a.name, *a.same)
		}
	}
	return nil
}

// shape reads what every family has. The head's width is what D gives.
func (j *hfConfig) shape(c *Config, inner *int, act, defaultAct string, actField string, sizes ...size) error {
	for _, s := range append(sizes, size{"vocab_size", j.Vocab, &c.Vocab}) {
		if s.from == nil {
			return fmt.Errorf("field %q is missing: expected a positive integer", s.name)
		}
		if *s.from < 1 {
			return fmt.Errorf("field %q: expected a positive integer, found %d", s.name, *s.from)
		}
		*s.to = *s.from
	}
	if c.DModel%c.Heads != 0 {
		return fmt.Errorf("field %q: expected a number of heads that divides the width %d, found %d", sizes[1].name, c.DModel, c.Heads)
	}
	c.DHead, c.DMLP = c.DModel/c.Heads, 4*c.DModel
	c.AttnScale = math.Sqrt(float64(c.DHead))
	if inner != nil {
		c.DMLP = *inner
	}
	if act == "" {
		act = defaultAct
	}
	var ok bool
	if c.Activation, ok = activations[act]; !ok {
		return fmt.Errorf("field %q: expected one of gelu, gelu_new, gelu_fast, gelu_pytorch_tanh, relu, silu, found %s", actField, oneline.Quote(act))
	}
	return nil
}

func (j *hfConfig) gpt2(c *Config) error {
	if err := join(alias{"n_layer", &j.NLayer, "num_hidden_layers", j.HiddenLayers}, alias{"n_head", &j.NHead, "num_attention_heads", j.AttnHeads},
		alias{"n_embd", &j.NEmbd, "hidden_size", j.Hidden}, alias{"n_positions", &j.NPos, "max_position_embeddings", j.MaxPos}); err != nil {
		return err
	}
	if j.NPos == nil {
		j.NPos = j.NCtx
	}
	c.Tied = or(j.Tied, true)
	if err := j.shape(c, j.NInner, value(j.ActFn), "gelu_new", "activation_function",
		size{"n_layer", j.NLayer, &c.Layers}, size{"n_head", j.NHead, &c.Heads}, size{"n_embd", j.NEmbd, &c.DModel},
		size{"n_positions", j.NPos, &c.Ctx}); err != nil {
		return err
	}
	c.Eps = or(j.LNEpsilon, c.Eps)
	if !or(j.ScaleAttn, true) {
		c.AttnScale = 1
	}
	c.ScaleByLayer = j.ByLayer
	return nil
}

func (j *hfConfig) gptNeo(c *Config) error {
	if err := join(alias{"num_layers", &j.NumLayers, "num_hidden_layers", j.HiddenLayers}, alias{"num_heads", &j.NumHeads, "num_attention_heads", j.AttnHeads}); err != nil {
		return err
	}
	if err := j.shape(c, j.Inner, value(j.ActFn), "gelu_new", "activation_function",
		size{"num_layers", j.NumLayers, &c.Layers}, size{"num_heads", j.NumHeads, &c.Heads}, size{"hidden_size", j.Hidden, &c.DModel},
		size{"max_position_embeddings", j.MaxPos, &c.Ctx}); err != nil {
		return err
	}
	c.Eps, c.AttnScale, c.Tied = or(j.LNEpsilon, c.Eps), 1, or(j.Tied, true)
	if j.Window != nil && *j.Window < 1 {
		return fmt.Errorf("field \"window_size\": expected a positive integer, found %d", *j.Window)
	}
	kinds := j.AttnLayers
	if kinds == nil {
		var err error
		if kinds, err = j.attentionTypes(c.Layers); err != nil {
			return err
		}
	}
	var err error
	c.Windows, err = Windows("attention_layers", kinds, c.Layers, or(j.Window, 256))
	return err
}

// attentionTypes spells out [[["global","local"],6],…]: the kinds, repeated.
func (j *hfConfig) attentionTypes(layers int) ([]string, error) {
	if isNull(j.AttnTypes) {
		return nil, fmt.Errorf("field \"attention_types\" is missing: expected [[[\"global\", \"local\"], times], …]")
	}
	var pairs [][]json.RawMessage
	wrong := fmt.Errorf("field \"attention_types\": expected [[[\"global\", \"local\"], times], …] for %d layers, found %s", layers, shown(j.AttnTypes))
	const most = 1 << 12 // layers that a short text may spell out
	if json.Unmarshal(j.AttnTypes, &pairs) != nil || layers > most {
		return nil, wrong
	}
	var out []string
	for _, p := range pairs {
		var kinds []string
		var times int
		if len(p) != 2 || json.Unmarshal(p[0], &kinds) != nil || json.Unmarshal(p[1], &times) != nil ||
			times < 0 || times > layers || len(out)+times*len(kinds) > layers {
			return nil, wrong
		}
		for range times {
			out = append(out, kinds...)
		}
	}
	if len(out) != layers {
		return nil, wrong
	}
	return out, nil
}

func (j *hfConfig) gptNeoX(c *Config) error {
	if err := j.shape(c, j.Inner, value(j.HiddenAct), "gelu", "hidden_act",
		size{"num_hidden_layers", j.HiddenLayers, &c.Layers}, size{"num_attention_heads", j.AttnHeads, &c.Heads},
		size{"hidden_size", j.Hidden, &c.DModel}, size{"max_position_embeddings", j.MaxPos, &c.Ctx}); err != nil {
		return err
	}
	c.Eps, c.ParallelAttnMLP, c.Positions, c.Tied = or(j.LNEps, c.Eps), or(j.Parallel, true), transformer.Rotary, or(j.Tied, false)
	if dim := or(j.HeadDim, c.DHead); dim != c.DHead {
		return fmt.Errorf("field \"head_dim\": expected hidden_size / num_attention_heads = %d, found %d", c.DHead, dim)
	}
	if err := j.rotary(c); err != nil {
		return err
	}
	if !or(j.AttnBias, true) {
		return fmt.Errorf("field \"attention_bias\": expected true, found false: GPT-NeoX without attention biases is not read")
	}
	return nil
}

// or is the value, or a default where there is none.
func or[T any](v *T, otherwise T) T {
	if v == nil {
		return otherwise
	}
	return *v
}

// value is the text in lower case, or nothing.
func value(s *string) string { return strings.ToLower(or(s, "")) }
