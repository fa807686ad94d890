package checkpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// hfConfig is a Hugging Face configuration of the families that are read. A
// family uses its own names for the same things.
type hfConfig struct {
	ModelType string `json:"model_type"`

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
	Cross     bool     `json:"add_cross_attention"`

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
	RotaryPct    *float64        `json:"rotary_pct"`
	RotaryBase   *float64        `json:"rotary_emb_base"`
	RopeTheta    *float64        `json:"rope_theta"`
	RopeScaling  json.RawMessage `json:"rope_scaling"`
	Rope         *ropeConfig     `json:"rope_parameters"`
	Parallel     *bool           `json:"use_parallel_residual"`
	AttnBias     *bool           `json:"attention_bias"`
	Adjacent     bool            `json:"rotary_adjacent_pairs"` // TransformerLens' name; no stock model has it

	// GPT-Neo and GPT-NeoX
	Hidden *int `json:"hidden_size"`
	Inner  *int `json:"intermediate_size"`
	MaxPos *int `json:"max_position_embeddings"`

	Vocab *int  `json:"vocab_size"`
	Tied  *bool `json:"tie_word_embeddings"`
}

// ropeConfig is how newer versions write the same.
type ropeConfig struct {
	Type    string   `json:"rope_type"`
	Theta   *float64 `json:"rope_theta"`
	Partial *float64 `json:"partial_rotary_factor"`
}

// hfActivations are the activation functions by Hugging Face's names.
var hfActivations = map[string]transformer.Activation{
	"gelu": transformer.GELU, "gelu_new": transformer.GELUNew, "gelu_fast": transformer.GELUNew, "gelu_pytorch_tanh": transformer.GELUNew, "relu": transformer.ReLU, "silu": transformer.SiLU, "swish": transformer.SiLU,
}

// size is a field that must be there.
type size struct {
	name string
	from *int
	to   *int
}

func (j *hfConfig) config() (Config, error) {
	c := Config{Config: transformer.Config{Norm: transformer.LayerNorm, Direction: transformer.Causal, Positions: transformer.Standard, Eps: 1e-5}}
	var err error
	switch j.ModelType {
	case "gpt2":
		c.Family, err = HFGPT2, j.gpt2(&c)
	case "gpt_neo":
		c.Family, err = HFGPTNeo, j.gptNeo(&c)
	case "gpt_neox":
		c.Family, err = HFGPTNeoX, j.gptNeoX(&c)
	default:
		return c, fmt.Errorf("field \"model_type\": expected gpt2, gpt_neo or gpt_neox, or a TransformerLens configuration with n_layers, found %.40q", j.ModelType)
	}
	c.VocabOut = c.Vocab
	return c, err
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
	if c.Activation, ok = hfActivations[act]; !ok {
		return fmt.Errorf("field %q: expected one of gelu, gelu_new, gelu_fast, gelu_pytorch_tanh, relu, silu, found %.40q", actField, act)
	}
	return nil
}

func (j *hfConfig) gpt2(c *Config) error {
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
	for _, f := range []struct {
		name string
		on   bool
	}{{"scale_attn_by_inverse_layer_idx", j.ByLayer}, {"add_cross_attention", j.Cross}} {
		if f.on {
			return fmt.Errorf("field %q: expected false, found true: this model feature is not computed", f.name)
		}
	}
	return nil
}

func (j *hfConfig) gptNeo(c *Config) error {
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
	if j.AttnTypes == nil {
		return nil, fmt.Errorf("field \"attention_types\" is missing: expected [[[\"global\", \"local\"], times], …]")
	}
	var pairs [][]json.RawMessage
	wrong := fmt.Errorf("field \"attention_types\": expected [[[\"global\", \"local\"], times], …] for %d layers, found %.80q", layers, j.AttnTypes)
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
	share := or(j.RotaryPct, 0.25)
	c.RotaryBase = or(j.RopeTheta, or(j.RotaryBase, 10000))
	if j.Rope != nil {
		share, c.RotaryBase = or(j.Rope.Partial, share), or(j.Rope.Theta, c.RotaryBase)
		if j.Rope.Type != "" && j.Rope.Type != "default" {
			return fmt.Errorf("field \"rope_parameters\".\"rope_type\": expected \"default\", found %.40q: scaled rotary positions are not computed", j.Rope.Type)
		}
	}
	if !(share > 0) || share > 1 {
		return fmt.Errorf("field \"rotary_pct\": expected a number above 0 and at most 1, found %v", share)
	}
	c.RotaryDim, c.RotaryAdjacent = int(float64(c.DHead)*share), j.Adjacent
	if c.RotaryDim < 2 || c.RotaryDim%2 != 0 {
		return fmt.Errorf("field \"rotary_pct\": expected an even number of a head's %d components, at least 2, found %v of them", c.DHead, share)
	}
	if len(j.RopeScaling) > 0 && !bytes.Equal(j.RopeScaling, []byte("null")) {
		return fmt.Errorf("field \"rope_scaling\": expected null, found %.80s: scaled rotary positions are not computed", j.RopeScaling)
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
