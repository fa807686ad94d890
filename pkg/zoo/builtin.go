package zoo

import (
	"bytes"
	"context"
	"embed"
	"io/fs"

	"github.com/seed-2c350065/acdc/pkg/tokenizer"
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
