package train

import (
	"bytes"
	"context"
	"encoding/json"
	"io"

	"github.com/seed-2c350065/acdc/internal/atomicfile"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// The files of a saved model.
const (
	RecipeFile    = "recipe.json"
	ConfigFile    = "config.json"
	WeightsFile   = "model.safetensors"
	TokenizerFile = "tokenizer.json"
)

// Files lists the names of the files that Save may write.
func Files() []string { return []string{RecipeFile, ConfigFile, TokenizerFile, WeightsFile} }

// Save writes the model to a folder, which is made if it is not there, in
// TransformerLens' layout: config.json, model.safetensors with the recipe in its
// metadata, recipe.json, and tokenizer.json if the model reads text. Each file is
// written whole or not at all, the weights last.
func (r *Run) Save(ctx context.Context, dir string) error {
	files, err := r.Contents()
	if err != nil {
		return err
	}
	return atomicfile.WriteFolder(ctx, dir, files)
}

// Contents are the files that Save writes, in its order.
func (r *Run) Contents() ([]atomicfile.File, error) {
	var config bytes.Buffer
	if err := json.Indent(&config, r.recipe.Model, "", " "); err != nil {
		return nil, err
	}
	config.WriteByte('\n')
	list, err := checkpoint.Tensors(r.recipe.config.Config, r.weights.params, r.recipe.DType)
	if err != nil {
		return nil, err
	}
	recipe := r.recipe.text()
	files := []atomicfile.File{atomicfile.Bytes(RecipeFile, recipe), atomicfile.Bytes(ConfigFile, config.Bytes())}
	if text := r.objective.tokenizer(); text != nil {
		files = append(files, atomicfile.Bytes(TokenizerFile, text))
	}
	return append(files, atomicfile.File{Name: WeightsFile, Write: func(w io.Writer) error {
		return weights.Write(w, list, map[string]string{"format": "pt", "recipe": string(recipe)})
	}}), nil
}
