package checkpoint

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// decoder describes a family of models that are built of the parts of Llama: what
// its configuration leaves unsaid, and which parts it has besides. Another such
// family is another entry of decoders.
type decoder struct {
	layout   Layout
	kvHeads  int     // where the configuration does not say; 0 for as many as heads
	headDim  int     // where the configuration does not say; 0 for d_model / heads
	tied     bool    // where the configuration does not say
	eps      float64 // where the configuration does not say
	qkvBias  bool    // queries, keys and values have biases, whatever the configuration says
	qkNorm   bool    // norms of queries and keys
	postNorm bool    // norms behind attention and MLPs
	offset   bool    // norms' weights w stand for 1 + w
	scaled   bool    // embeddings are multiplied by the root of d_model
	gelu     bool    // hidden_activation says the activation function, gelu_pytorch_tanh where it does not
	scalar   float64 // query_pre_attn_scalar where the configuration does not say; 0 for families without
	caps     [2]float64
	windows  func(layer, from int) bool // whether a layer's attention is local if any is; from is max_window_layers; nil for none
	switched bool                       // only with use_sliding_window
}

// decoders are the families built of the parts of Llama.
var decoders = []decoder{
	{layout: HFLlama, eps: 1e-6},
	{layout: HFMistral, eps: 1e-6, kvHeads: 8, windows: func(int, int) bool { return true }},
	{layout: HFQwen2, eps: 1e-6, kvHeads: 32, qkvBias: true, windows: upper, switched: true},
	{layout: HFQwen3, eps: 1e-6, kvHeads: 32, headDim: 128, qkNorm: true, windows: upper, switched: true},
	{layout: HFGemma, eps: 1e-6, kvHeads: 16, headDim: 256, tied: true, offset: true, scaled: true, gelu: true},
	{layout: HFGemma2, eps: 1e-6, kvHeads: 4, headDim: 256, tied: true, offset: true, scaled: true, gelu: true, postNorm: true,
		scalar: 256, caps: [2]float64{50, 30}, windows: func(layer, _ int) bool { return layer%2 == 0 }},
}

// upper are the layers from max_window_layers on.
func upper(layer, from int) bool { return layer >= from }

// decoderOf is the description of a layout, nil if it is none of these.
func decoderOf(l Layout) *decoder {
	for i := range decoders {
		if decoders[i].layout == l {
			return &decoders[i]
		}
	}
	return nil
}

// Biases say which biases weights have besides those that their layout always has.
type Biases struct{ QKV, Out, MLP bool }

// fill reads what a configuration of the family says.
func (d decoder) fill(j *hfConfig, c *Config) error {
	for _, s := range []size{{"num_hidden_layers", j.HiddenLayers, &c.Layers}, {"num_attention_heads", j.AttnHeads, &c.Heads}, {"hidden_size", j.Hidden, &c.DModel},
		{"intermediate_size", j.Inner, &c.DMLP}, {"max_position_embeddings", j.MaxPos, &c.Ctx}, {"vocab_size", j.Vocab, &c.Vocab}} {
		if err := s.take(); err != nil {
			return err
		}
	}
	c.DHead = or(j.HeadDim, d.headDim)
	if j.HeadDim == nil && d.headDim == 0 {
		if c.DModel%c.Heads != 0 {
			return fmt.Errorf("field \"num_attention_heads\": expected a number of heads that divides hidden_size = %d where there is no head_dim, found %d", c.DModel, c.Heads)
		}
		c.DHead = c.DModel / c.Heads
	}
	if c.DHead < 2 || c.DHead%2 != 0 {
		return fmt.Errorf("field \"head_dim\": expected an even positive integer, found %d", c.DHead)
	}
	kv, err := orNull("num_key_value_heads", j.KVHeads, "a positive integer", d.kvHeads)
	if err != nil {
		return err
	}
	if c.KVHeads = kv; kv == 0 && isNull(j.KVHeads) { // of a family that has no default, or null
		c.KVHeads = c.Heads
	}
	if c.KVHeads < 1 || c.Heads%c.KVHeads != 0 {
		return fmt.Errorf("field \"num_key_value_heads\": expected a number that divides num_attention_heads = %d, found %d", c.Heads, c.KVHeads)
	}
	c.Norm, c.Eps, c.Tied = transformer.RMSNorm, or(j.RMSEps, d.eps), or(j.Tied, d.tied)
	c.GatedMLP, c.QKNorm, c.PostNorm = true, d.qkNorm, d.postNorm
	if d.scaled {
		c.EmbedScale = float64(float32(math.Sqrt(float64(c.DModel))))
	}
	c.Biases = Biases{QKV: d.qkvBias || or(j.AttnBias, false), Out: or(j.AttnBias, false) && !d.qkvBias, MLP: or(j.MLPBias, false)}
	if err := d.attention(j, c); err != nil {
		return err
	}
	return d.activation(j, c)
}

// orNull is a number, 0 where it is null, or a default where it is missing.
func orNull[T int | float64](name string, value json.RawMessage, what string, otherwise T) (T, error) {
	if value == nil {
		return otherwise, nil
	}
	var out *T
	if json.Unmarshal(value, &out) != nil {
		return 0, fmt.Errorf("field %q: expected %s or null, found %s", name, what, shown(value))
	}
	return or(out, 0), nil
}

// take takes a field that must be there.
func (s size) take() error {
	if s.from == nil {
		return fmt.Errorf("field %q is missing: expected a positive integer", s.name)
	}
	if *s.from < 1 {
		return fmt.Errorf("field %q: expected a positive integer, found %d", s.name, *s.from)
	}
	*s.to = *s.from
	return nil
}

// activation reads the activation function, under the name that the family has.
func (d decoder) activation(j *hfConfig, c *Config) error {
	name, act := "hidden_act", or(j.HiddenAct, "silu")
	if d.gelu {
		name, act = "hidden_activation", or(j.HiddenActivation, "gelu_pytorch_tanh")
	}
	var ok bool
	if c.Activation, ok = activations[strings.ToLower(act)]; !ok {
		return fmt.Errorf("field %q: expected one of gelu, gelu_new, gelu_fast, gelu_pytorch_tanh, relu, silu, found %s", name, oneline.Quote(act))
	}
	return nil
}

// attention reads how scores are scaled, capped and limited to windows, and rotary
// positions.
func (d decoder) attention(j *hfConfig, c *Config) error {
	scalar := float64(c.DHead)
	if d.scalar > 0 {
		scalar = or(j.QueryScalar, d.scalar)
		if !(scalar > 0) || math.IsInf(scalar, 0) {
			return fmt.Errorf("field \"query_pre_attn_scalar\": expected a positive number, found %v", scalar)
		}
		for _, x := range []struct {
			name string
			from json.RawMessage
			none float64
			to   *float64
		}{{"attn_logit_softcapping", j.ScoreCap, d.caps[0], &c.ScoreCap}, {"final_logit_softcapping", j.LogitCap, d.caps[1], &c.LogitCap}} {
			var err error
			if *x.to, err = orNull(x.name, x.from, "a positive number", x.none); err != nil {
				return err
			}
			if *x.to != 0 && !transformer.FactorInRange(*x.to) || *x.to == 0 && !isNull(x.from) {
				return fmt.Errorf("field %q: expected a number from %g to %g or null, found %s", x.name, 1/transformer.MostFactor, transformer.MostFactor, shown(x.from))
			}
		}
	}
	c.AttnScale = math.Sqrt(scalar)
	if err := d.local(j, c); err != nil {
		return err
	}
	one := 1.
	if j.Partial == nil {
		j.Partial = &one
	}
	return j.rotary(c)
}

// local reads which layers' attention sees a window only.
func (d decoder) local(j *hfConfig, c *Config) error {
	if d.windows == nil || d.switched && !or(j.UseSliding, false) {
		return nil
	}
	window, err := orNull("sliding_window", j.Sliding, "a positive integer", 4096)
	if err != nil {
		return err
	}
	if window < 1 && !isNull(j.Sliding) {
		return fmt.Errorf("field \"sliding_window\": expected a positive integer or null, found %d", window)
	}
	if window == 0 || c.Layers > maxLayers {
		return nil
	}
	kinds := j.LayerTypes
	if kinds != nil && len(kinds) != c.Layers {
		return fmt.Errorf("field \"layer_types\": expected one for each of %d layers, found %d", c.Layers, len(kinds))
	}
	c.Windows = make([]int, c.Layers)
	for l := range c.Windows {
		isLocal := d.windows(l, or(j.WindowsFrom, 28))
		if kinds != nil {
			if isLocal = kinds[l] == "sliding_attention"; !isLocal && kinds[l] != "full_attention" {
				return fmt.Errorf("field \"layer_types\"[%d]: expected \"sliding_attention\" or \"full_attention\", found %s", l, oneline.Quote(kinds[l]))
			}
		}
		if isLocal {
			c.Windows[l] = window
		}
	}
	return nil
}

// maxLayers bounds the layers of which lists are made before weights are seen.
const maxLayers = 1 << 12

// decoderReader reads the names that Llama's successors have in common, whose
// matrices stand transposed, [out,in].
type decoderReader struct {
	prefix string
	family decoder
}

func (r decoderReader) layout() Layout { return r.family.layout }

func (r decoderReader) marker(layer int) string {
	return fmt.Sprintf("%slayers.%d.input_layernorm.weight", r.prefix, layer)
}

func (r decoderReader) outer(l *loader, c Config, w *draft) {
	w.Embed = l.tensor(r.prefix+"embed_tokens.weight", c.Vocab, c.DModel)
	w.LNFW = r.norm(l, r.prefix+"norm.weight", c.DModel)
	l.head("lm_head.weight", c, w)
}

// norm reads a norm's weights.
func (r decoderReader) norm(l *loader, name string, n int) []float32 {
	w := l.vector(name, n)
	if l.err != nil || !r.family.offset {
		return w
	}
	out := make([]float32, n)
	for i, v := range w {
		out[i] = 1 + v
	}
	return out
}

func (r decoderReader) block(l *loader, c Config, layer int, b *blockDraft) {
	p, d, f, hk := fmt.Sprintf("%slayers.%d.", r.prefix, layer), c.DModel, c.DMLP, c.Heads*c.DHead
	bias := func(has bool, name string, n int) []float32 {
		if !has {
			return make([]float32, n)
		}
		return l.vector(p+name+".bias", n)
	}
	b.LN1W = r.norm(l, p+"input_layernorm.weight", d)
	for side, x := range []string{"q", "k", "v"} {
		heads, name := c.SideHeads(side), "self_attn."+x+"_proj"
		b.W[side] = l.headRows(l.tensor(p+name+".weight", heads*c.DHead, d), heads, c.DHead, c.DHead, 0)
		b.B[side] = bias(c.Biases.QKV, name, heads*c.DHead)
		if c.QKNorm && side < 2 {
			b.QKNormW[side] = r.norm(l, p+"self_attn."+x+"_norm.weight", c.DHead)
		}
	}
	b.WO = l.reshaped(l.transposed(p+"self_attn.o_proj.weight", d, hk), c.Heads, c.DHead, d)
	b.BO = bias(c.Biases.Out, "self_attn.o_proj", d)
	b.WGate, b.BGate = l.transposed(p+"mlp.gate_proj.weight", f, d), bias(c.Biases.MLP, "mlp.gate_proj", f)
	b.WIn, b.BIn = l.transposed(p+"mlp.up_proj.weight", f, d), bias(c.Biases.MLP, "mlp.up_proj", f)
	b.WOut, b.BOut = l.transposed(p+"mlp.down_proj.weight", d, f), bias(c.Biases.MLP, "mlp.down_proj", d)
	before := "post_attention_layernorm"
	if c.PostNorm {
		b.LN1PostW = r.norm(l, p+"post_attention_layernorm.weight", d)
		b.LN2PostW = r.norm(l, p+"post_feedforward_layernorm.weight", d)
		before = "pre_feedforward_layernorm"
	}
	b.LN2W = r.norm(l, p+before+".weight", d)
}
