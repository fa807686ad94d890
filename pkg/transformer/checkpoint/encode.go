package checkpoint

import (
	"encoding/json"
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// written is the TransformerLens configuration as it is written: every field
// that decides a number, with its value.
type written struct {
	Layers     int                    `json:"n_layers"`
	DModel     int                    `json:"d_model"`
	Ctx        int                    `json:"n_ctx"`
	DHead      int                    `json:"d_head"`
	Heads      int                    `json:"n_heads"`
	DMLP       int                    `json:"d_mlp,omitempty"`
	Vocab      int                    `json:"d_vocab"`
	VocabOut   int                    `json:"d_vocab_out"`
	Act        transformer.Activation `json:"act_fn,omitempty"`
	Eps        float64                `json:"eps"`
	NormName   *string                `json:"normalization_type"` // null for none
	AttnOnly   bool                   `json:"attn_only"`
	Direction  transformer.Direction  `json:"attention_dir"`
	Positions  transformer.Positions  `json:"positional_embedding_type"`
	Parallel   bool                   `json:"parallel_attn_mlp"`
	UseScale   bool                   `json:"use_attn_scale"`
	Scale      float64                `json:"attn_scale"`
	ByLayer    bool                   `json:"scale_attn_by_inverse_layer_idx,omitempty"`
	LocalAttn  bool                   `json:"use_local_attn,omitempty"`
	AttnTypes  []string               `json:"attn_types,omitempty"`
	WindowSize int                    `json:"window_size,omitempty"`
	RotaryDim  int                    `json:"rotary_dim,omitempty"`
	RotaryBase float64                `json:"rotary_base,omitempty"`
	Adjacent   bool                   `json:"rotary_adjacent_pairs,omitempty"`
}

// EncodeConfig writes a configuration as TransformerLens has it, so that reading
// it gives the same again. What TransformerLens has no words for is an error:
// windows of several sizes, and rotary positions that are divided.
func EncodeConfig(c transformer.Config) ([]byte, error) {
	if err := encodable(c); err != nil {
		return nil, err
	}
	w := written{Layers: c.Layers, DModel: c.DModel, Ctx: c.Ctx, DHead: c.DHead, Heads: c.Heads, DMLP: c.DMLP, Vocab: c.Vocab, VocabOut: c.VocabOut,
		Act: c.Activation, Eps: c.Eps, AttnOnly: c.AttnOnly, Direction: c.Direction, Positions: c.Positions, Parallel: c.ParallelAttnMLP,
		UseScale: true, Scale: c.AttnScale, ByLayer: c.ScaleByLayer}
	if name := string(c.Norm); c.Norm != transformer.NoNorm {
		w.NormName = &name
	}
	for l, window := range c.Windows {
		if window == 0 {
			w.AttnTypes = append(w.AttnTypes, "global")
			continue
		}
		if w.WindowSize != 0 && window != w.WindowSize {
			return nil, fmt.Errorf("windows of local attention: expected one size, found %d and, in layer %d, %d", w.WindowSize, l, window)
		}
		w.AttnTypes, w.WindowSize, w.LocalAttn = append(w.AttnTypes, "local"), window, true
	}
	if !w.LocalAttn {
		w.AttnTypes = nil
	}
	if c.Positions == transformer.Rotary {
		if c.RotaryFactor != 0 {
			return nil, fmt.Errorf("rotary positions: expected them not to be divided, found a factor of %v", c.RotaryFactor)
		}
		w.RotaryDim, w.RotaryBase, w.Adjacent = c.RotaryDim, c.RotaryBase, c.RotaryAdjacent
	}
	text, err := json.MarshalIndent(w, "", " ")
	return append(text, '\n'), err
}

// encodable refuses the parts of Llama and its successors, which are read from
// Hugging Face's configurations only.
func encodable(c transformer.Config) error {
	for _, x := range []struct {
		what string
		has  bool
	}{
		{"RMS norms", c.Norm != transformer.NoNorm && !c.Norm.Centred()}, {"heads that share keys and values", c.KV() != c.Heads}, {"gated MLPs", c.GatedMLP},
		{"norms of queries and keys", c.QKNorm}, {"norms behind attention and MLPs", c.PostNorm}, {"scaled embeddings", c.EmbedScale != 0},
		{"soft caps", c.ScoreCap != 0 || c.LogitCap != 0}, {"rotary positions in bands", c.RotaryBands != transformer.RotaryBands{}},
	} {
		if x.has {
			return fmt.Errorf("configuration: expected none of the parts that are not written, found %s", x.what)
		}
	}
	return nil
}

// Tensors are a model's weights by TransformerLens' names, in a type that weights
// can be written in.
func Tensors(c transformer.Config, p *transformer.Params, d weights.DType) ([]weights.Tensor, error) {
	var out []weights.Tensor
	for _, x := range p.All(c) {
		data, err := weights.Encode(x.Data(), d)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", x.Name, err)
		}
		out = append(out, weights.Tensor{Name: x.Name, DType: d, Shape: x.Shape, Data: data})
	}
	return out, nil
}
