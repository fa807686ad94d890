package zoo

import (
	"bytes"
	"context"
	"embed"
	"io/fs"

	"github.com/seed-2c350065/acdc/pkg/tokenizer"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// trained holds the trained models, a folder each, as acdc train writes them
// (make models).
//
//go:embed builtin
var trained embed.FS

// builtinFile reads a file of a trained model.
func builtinFile(model, name string) ([]byte, error) {
	return trained.ReadFile("builtin/" + model + "/" + name)
}

// Recipes lists the names of the trained models, of each of which the recipe is
// kept.
func Recipes() []string {
	var out []string
	for _, e := range All() {
		if _, ok := Recipe(e.Name); ok {
			out = append(out, e.Name)
		}
	}
	return out
}

// Recipe returns the recipe of a trained model, from which package train makes
// it again.
func Recipe(model string) ([]byte, bool) {
	if !fs.ValidPath(model) {
		return nil, false
	}
	text, err := builtinFile(model, "recipe.json")
	return text, err == nil
}

// openTrained opens a trained model.
func openTrained(name string) func(context.Context, checkpoint.LoadOptions) (*checkpoint.Model, error) {
	return func(ctx context.Context, o checkpoint.LoadOptions) (*checkpoint.Model, error) {
		config, err := builtinFile(name, "config.json")
		if err != nil {
			return nil, err
		}
		cfg, err := checkpoint.ReadConfig(ctx, "config.json", bytes.NewReader(config))
		if err != nil {
			return nil, err
		}
		data, err := builtinFile(name, "model.safetensors")
		if err != nil {
			return nil, err
		}
		src, err := weights.Decode(ctx, "model.safetensors", data)
		if err != nil {
			return nil, err
		}
		return checkpoint.LoadWith(ctx, cfg, src, o)
	}
}

// builtinTokenizer opens a builtin model's tokenizer.
func builtinTokenizer(ctx context.Context, name string) (*tokenizer.Tokenizer, error) {
	file, err := builtinFile(name, "tokenizer.json")
	if err != nil {
		return nil, &NoTokenizerError{Model: name}
	}
	return tokenizer.Read(ctx, name, file)
}

// isBuiltin reports whether a name is a builtin model's.
func isBuiltin(name string) bool {
	for _, e := range All() {
		if e.Name == name {
			return true
		}
	}
	return false
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
