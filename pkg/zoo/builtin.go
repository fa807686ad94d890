package zoo

import (
	"bytes"
	"context"
	_ "embed"

	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

var (
	//go:embed builtin/induction/config.json
	inductionConfig []byte
	//go:embed builtin/induction/model.safetensors
	inductionWeights []byte
)

func openInduction(ctx context.Context, o checkpoint.LoadOptions) (*checkpoint.Model, error) {
	cfg, err := checkpoint.ReadConfig(ctx, "config.json", bytes.NewReader(inductionConfig))
	if err != nil {
		return nil, err
	}
	src, err := weights.Decode(ctx, "model.safetensors", inductionWeights)
	if err != nil {
		return nil, err
	}
	return checkpoint.LoadWith(ctx, cfg, src, o)
}

// openOrGate makes the model of Conmy et al. 2023, appendix: both heads write 1
// into the first channel from their value bias, the MLP turns "fewer than one"
// into what it subtracts from its bias, and the logit is 1 if either head spoke.
func openOrGate(ctx context.Context, o checkpoint.LoadOptions) (*checkpoint.Model, error) {
	cfg := transformer.Config{
		Layers: 1, DModel: 2, Ctx: 1, DHead: 1, Heads: 2, DMLP: 1, Vocab: 1, VocabOut: 1,
		Activation: transformer.ReLU, Norm: transformer.NoNorm, Eps: 1e-5, Direction: transformer.Causal, Positions: transformer.Standard, AttnScale: 1,
	}
	array := func(values []float32, shape ...int) weights.Array {
		return weights.Array{Shape: shape, Values: values}
	}
	zeros := func(shape ...int) weights.Array {
		n := 1
		for _, d := range shape {
			n *= d
		}
		return array(make([]float32, n), shape...)
	}
	return checkpoint.LoadWith(ctx, checkpoint.Config{Config: cfg}, weights.FromMap("or_gate", map[string]weights.Array{
		"embed.W_E":          zeros(1, 2),
		"pos_embed.W_pos":    zeros(1, 2),
		"blocks.0.attn.W_Q":  zeros(2, 2, 1),
		"blocks.0.attn.W_K":  zeros(2, 2, 1),
		"blocks.0.attn.W_V":  zeros(2, 2, 1),
		"blocks.0.attn.W_O":  array([]float32{1, 0, 1, 0}, 2, 1, 2),
		"blocks.0.attn.b_Q":  zeros(2, 1),
		"blocks.0.attn.b_K":  zeros(2, 1),
		"blocks.0.attn.b_V":  array([]float32{1, 1}, 2, 1),
		"blocks.0.attn.b_O":  zeros(2),
		"blocks.0.mlp.W_in":  array([]float32{-1, 0}, 2, 1),
		"blocks.0.mlp.b_in":  array([]float32{1}, 1),
		"blocks.0.mlp.W_out": array([]float32{0, -1}, 1, 2),
		"blocks.0.mlp.b_out": array([]float32{1, 1}, 2),
		"unembed.W_U":        array([]float32{0, 1}, 2, 1),
		"unembed.b_U":        zeros(1),
	}), o)
}
