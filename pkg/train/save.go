package train

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/seed-2c350065/acdc/internal/atomicfile"
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
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var config bytes.Buffer
	if err := json.Indent(&config, r.recipe.Model, "", " "); err != nil {
		return err
	}
	config.WriteByte('\n')
	list, err := r.tensors()
	if err != nil {
		return err
	}
	recipe := r.recipe.text()
	files := []struct {
		name  string
		write func(io.Writer) error
	}{
		{RecipeFile, put(recipe)},
		{ConfigFile, put(config.Bytes())},
		{TokenizerFile, put(r.corpus.tokenizer())},
		{WeightsFile, func(w io.Writer) error {
			return weights.Write(w, list, map[string]string{"format": "pt", "recipe": string(recipe)})
		}},
	}
	for _, f := range files {
		if f.name == TokenizerFile && r.corpus.tokenizer() == nil {
			continue
		}
		if err := atomicfile.WriteFile(ctx, filepath.Join(dir, f.name), f.write); err != nil {
			return err
		}
	}
	return nil
}

// put writes some bytes.
func put(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

// tensors are the weights in the recipe's type.
func (r *Run) tensors() ([]weights.Tensor, error) {
	var out []weights.Tensor
	for _, p := range r.weights.params.All(r.recipe.config.Config) {
		data, err := weights.Encode(p.Data(), r.recipe.DType)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		out = append(out, weights.Tensor{Name: p.Name, DType: r.recipe.DType, Shape: p.Shape, Data: data})
	}
	return out, nil
}
