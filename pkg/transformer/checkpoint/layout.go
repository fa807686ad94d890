package checkpoint

import (
	"fmt"
	"strings"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// Layout says whose names and shapes a checkpoint's tensors have.
type Layout string

// The layouts.
const (
	TransformerLens Layout = "TransformerLens"
	HFGPT2          Layout = "Hugging Face gpt2"
	HFGPTNeo        Layout = "Hugging Face gpt_neo"
	HFGPTNeoX       Layout = "Hugging Face gpt_neox"
	HFLlama         Layout = "Hugging Face llama"
	HFMistral       Layout = "Hugging Face mistral"
	HFQwen2         Layout = "Hugging Face qwen2"
	HFQwen3         Layout = "Hugging Face qwen3"
	HFGemma         Layout = "Hugging Face gemma"
	HFGemma2        Layout = "Hugging Face gemma2"
)

// reader reads the weights of one layout. The tensors it makes have
// TransformerLens' shapes, whatever those in the file have.
type reader interface {
	// layout names the layout.
	layout() Layout
	// outer reads what stands outside the blocks.
	outer(l *loader, c Config, w *draft)
	// block reads one block.
	block(l *loader, c Config, layer int, b *blockDraft)
	// marker names a tensor that every block has.
	marker(layer int) string
}

// fits refuses a configuration that is not that of the weights: of another
// family, with more or fewer blocks, or without what the file has.
func fits(c Config, src weights.Source, r reader) error {
	if name := r.marker(c.Layers - 1); !src.Has(name) {
		return fmt.Errorf("%s: tensor %q is missing: expected %d layers as the configuration says", src.Name(), name, c.Layers)
	}
	if name := r.marker(c.Layers); src.Has(name) {
		return fmt.Errorf("%s: tensor %q: expected %d layers as the configuration says, found more", src.Name(), name, c.Layers)
	}
	if r.layout() != TransformerLens {
		return fitsHuggingFace(c, src, r.layout())
	}
	for _, x := range []struct {
		name string
		read bool
		what string
	}{
		{"blocks.0.ln1.w", c.Norm.Weighted(), fmt.Sprintf("normalization_type %s", choice.Quoted([]transformer.Normalization{c.Norm}))},
		{"blocks.0.mlp.W_in", !c.AttnOnly, "attn_only"},
		{"pos_embed.W_pos", c.Positions != transformer.NoPositions, "positional_embedding_type \"none\""},
	} {
		if src.Has(x.name) && !x.read {
			return fmt.Errorf("%s: tensor %q: expected none with %s, found it", src.Name(), x.name, x.what)
		}
	}
	return nil
}

// fitsHuggingFace is fits for the layouts of Hugging Face, which have all parts.
func fitsHuggingFace(c Config, src weights.Source, l Layout) error {
	if d := decoderOf(l); d != nil {
		return d.fits(c, src)
	}
	want := transformer.Standard
	if l == HFGPTNeoX {
		want = transformer.Rotary
	}
	switch {
	case c.Family != "" && c.Family != l:
		return fmt.Errorf("%s: expected weights of %s as the configuration says, found those of %s", src.Name(), c.Family, l)
	case c.Norm != transformer.LayerNorm || c.AttnOnly || c.Direction != transformer.Causal || c.Positions != want:
		return fmt.Errorf("%s: weights of %s: expected a configuration with LayerNorm, MLPs, causal attention and %s positions, found normalization_type %s, attn_only %v, %s and %s",
			src.Name(), l, want, choice.Quoted([]transformer.Normalization{c.Norm}), c.AttnOnly, c.Direction, c.Positions)
	}
	return nil
}

// recognise finds the layout by the tensors' names, and the tensors under the
// names that the layout has: without those of wrappers. Of the families that have
// the names in common it is the configuration's.
func recognise(src weights.Source, c Config) (reader, weights.Source, error) {
	r, bare, err := recogniseNames(src)
	if d, ok := r.(decoderReader); ok {
		if own := decoderOf(c.Family); own != nil {
			d.family = *own
		}
		return d, bare, err
	}
	return r, bare, err
}

// recogniseNames is recognise by the names alone.
func recogniseNames(src weights.Source) (reader, weights.Source, error) {
	bare, err := unwrapParts(src)
	if err != nil {
		return nil, nil, err
	}
	if r := readerOf(bare); r != nil {
		return r, bare, nil
	}
	bare, doubt, err := unwrapAll(bare)
	if err != nil {
		return nil, nil, err
	}
	if r := readerOf(bare); r != nil {
		return r, bare, nil
	}
	if doubt == "" {
		doubt = fmt.Sprintf("found %s", some(src.Names()))
	}
	return nil, nil, fmt.Errorf("%s: expected tensors named as in TransformerLens (embed.W_E) or as in Hugging Face's GPT-2 (h.0.attn.c_attn.weight), GPT-Neo (h.0.attn.attention.q_proj.weight), GPT-NeoX (layers.0.attention.query_key_value.weight) or Llama (layers.0.self_attn.q_proj.weight), %s",
		src.Name(), doubt)
}

// readerOf is the reader of the layout whose names the tensors have, nil if it
// is none.
func readerOf(src weights.Source) reader {
	if src.Has("embed.W_E") {
		return lensReader{folded: !src.Has("blocks.0.ln1.w") && !src.Has("ln_final.w")}
	}
	for _, p := range []string{"", "transformer.", "gpt_neox."} {
		switch {
		case src.Has(p + "h.0.attn.c_attn.weight"):
			return gpt2Reader{hReader{p}}
		case src.Has(p + "h.0.attn.attention.q_proj.weight"):
			return gptNeoReader{hReader{p}}
		case src.Has(p + "layers.0.attention.query_key_value.weight"):
			return gptNeoXReader{prefix: p}
		}
	}
	for _, p := range []string{"", "model."} {
		if src.Has(p + "layers.0.self_attn.q_proj.weight") {
			return decoderReader{p, decoders[0]}
		}
	}
	return nil
}

// some lists the first names of many.
func some(names []string) string {
	const few = 3
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > few:
		return fmt.Sprintf("%s and %d more", some(names[:few]), len(names)-few)
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = oneline.Quote(name)
	}
	return "[" + strings.Join(quoted, " ") + "]"
}

// lensReader reads TransformerLens' names. folded says that there are no norm
// weights: they were folded into the layers behind them.
type lensReader struct{ folded bool }

func (lensReader) layout() Layout { return TransformerLens }

func (lensReader) marker(layer int) string { return fmt.Sprintf("blocks.%d.attn.W_Q", layer) }

func (lensReader) outer(l *loader, c Config, w *draft) { l.params(w.Outer(c.Config)) }

func (lensReader) block(l *loader, c Config, layer int, b *blockDraft) {
	l.params(b.All(c.Config, layer))
}

// hReader reads what the names of GPT-2 and GPT-Neo have in common.
type hReader struct{ prefix string }

func (r hReader) marker(layer int) string { return fmt.Sprintf("%sh.%d.ln_1.weight", r.prefix, layer) }

func (r hReader) outer(l *loader, c Config, w *draft) {
	w.Embed = l.tensor(r.prefix+"wte.weight", c.Vocab, c.DModel)
	w.Pos = l.tensor(r.prefix+"wpe.weight", c.Ctx, c.DModel)
	w.LNFW, w.LNFB = l.norm(r.prefix+"ln_f", c.DModel)
	l.head("lm_head.weight", c, w)
}

// gpt2Reader reads the names of GPT2LMHeadModel, whose matrices stand as they
// are multiplied, [in,out].
type gpt2Reader struct{ hReader }

func (gpt2Reader) layout() Layout { return HFGPT2 }

func (r gpt2Reader) block(l *loader, c Config, layer int, b *blockDraft) {
	p, d, hk := fmt.Sprintf("%sh.%d.", r.prefix, layer), c.DModel, c.Heads*c.DHead
	b.LN1W, b.LN1B = l.norm(p+"ln_1", d)
	qkv, bias := l.tensor(p+"attn.c_attn.weight", d, 3*hk), l.vector(p+"attn.c_attn.bias", 3*hk)
	wo := l.tensor(p+"attn.c_proj.weight", hk, d)
	b.BO = l.vector(p+"attn.c_proj.bias", d)
	b.LN2W, b.LN2B = l.norm(p+"ln_2", d)
	b.WIn, b.BIn = l.tensor(p+"mlp.c_fc.weight", d, c.DMLP), l.vector(p+"mlp.c_fc.bias", c.DMLP)
	b.WOut, b.BOut = l.tensor(p+"mlp.c_proj.weight", c.DMLP, d), l.vector(p+"mlp.c_proj.bias", d)
	if l.err != nil {
		return
	}
	for side := range b.W {
		b.W[side] = l.fresh(c.Heads, d, c.DHead)
		for h := range c.Heads {
			if l.err = l.ctx.Err(); l.err != nil {
				return
			}
			at := side*hk + h*c.DHead
			for i := range d {
				copy(b.W[side].Data[(h*d+i)*c.DHead:(h*d+i+1)*c.DHead], qkv.Data[i*3*hk+at:])
			}
		}
		b.B[side] = bias[side*hk : (side+1)*hk]
	}
	b.WO = l.reshaped(wo, c.Heads, c.DHead, d)
}

// gptNeoReader reads the names of GPTNeoForCausalLM, whose matrices stand
// transposed, [out,in]; queries, keys and values have no biases.
type gptNeoReader struct{ hReader }

func (gptNeoReader) layout() Layout { return HFGPTNeo }

func (r gptNeoReader) block(l *loader, c Config, layer int, b *blockDraft) {
	p, d, hk := fmt.Sprintf("%sh.%d.", r.prefix, layer), c.DModel, c.Heads*c.DHead
	b.LN1W, b.LN1B = l.norm(p+"ln_1", d)
	for side, x := range []string{"q", "k", "v"} {
		b.W[side] = l.headRows(l.tensor(p+"attn.attention."+x+"_proj.weight", hk, d), c.Heads, c.DHead, c.DHead, 0)
		b.B[side] = make([]float32, hk)
	}
	b.WO = l.reshaped(l.transposed(p+"attn.attention.out_proj.weight", d, hk), c.Heads, c.DHead, d)
	b.BO = l.vector(p+"attn.attention.out_proj.bias", d)
	b.LN2W, b.LN2B = l.norm(p+"ln_2", d)
	b.WIn, b.BIn = l.transposed(p+"mlp.c_fc.weight", c.DMLP, d), l.vector(p+"mlp.c_fc.bias", c.DMLP)
	b.WOut, b.BOut = l.transposed(p+"mlp.c_proj.weight", d, c.DMLP), l.vector(p+"mlp.c_proj.bias", d)
}

// gptNeoXReader reads the names of GPTNeoXForCausalLM, whose matrices stand
// transposed; each head's queries, keys and values follow one another.
type gptNeoXReader struct{ prefix string }

func (gptNeoXReader) layout() Layout { return HFGPTNeoX }

func (r gptNeoXReader) marker(layer int) string {
	return fmt.Sprintf("%slayers.%d.input_layernorm.weight", r.prefix, layer)
}

func (r gptNeoXReader) outer(l *loader, c Config, w *draft) {
	w.Embed = l.tensor(r.prefix+"embed_in.weight", c.Vocab, c.DModel)
	w.LNFW, w.LNFB = l.norm(r.prefix+"final_layer_norm", c.DModel)
	name := "embed_out.weight"
	if !l.src.Has(name) && l.src.Has("lm_head.weight") {
		name = "lm_head.weight"
	}
	l.head(name, c, w)
}

func (r gptNeoXReader) block(l *loader, c Config, layer int, b *blockDraft) {
	p, d, hk := fmt.Sprintf("%slayers.%d.", r.prefix, layer), c.DModel, c.Heads*c.DHead
	b.LN1W, b.LN1B = l.norm(p+"input_layernorm", d)
	qkv := l.tensor(p+"attention.query_key_value.weight", 3*hk, d)
	bias := l.vector(p+"attention.query_key_value.bias", 3*hk)
	for side := range b.W {
		b.W[side] = l.headRows(qkv, c.Heads, c.DHead, 3*c.DHead, side*c.DHead)
		b.B[side] = make([]float32, hk)
		for h := range c.Heads {
			if l.err == nil {
				copy(b.B[side][h*c.DHead:(h+1)*c.DHead], bias[(3*h+side)*c.DHead:])
			}
		}
	}
	b.WO = l.reshaped(l.transposed(p+"attention.dense.weight", d, hk), c.Heads, c.DHead, d)
	b.BO = l.vector(p+"attention.dense.bias", d)
	b.LN2W, b.LN2B = l.norm(p+"post_attention_layernorm", d)
	b.WIn, b.BIn = l.transposed(p+"mlp.dense_h_to_4h.weight", c.DMLP, d), l.vector(p+"mlp.dense_h_to_4h.bias", c.DMLP)
	b.WOut, b.BOut = l.transposed(p+"mlp.dense_4h_to_h.weight", d, c.DMLP), l.vector(p+"mlp.dense_4h_to_h.bias", d)
}
