package zoo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/seed-2c350065/acdc/pkg/gpt"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// openFiles loads a model from its configuration and its weights. The weights
// stay mapped until Close.
func openFiles(name, config, model string) (*Model, error) {
	cfg, err := readConfig(config)
	if err != nil {
		return nil, err
	}
	src, err := weights.Open(model)
	if err != nil {
		return nil, err
	}
	m, err := gpt.Load(cfg, src)
	if err != nil {
		_ = src.Close() // the first error says more
		return nil, err
	}
	return &Model{Model: m, Name: filepath.ToSlash(filepath.Clean(name)), Description: describe(cfg), close: src.Close}, nil
}

// maxConfig bounds a configuration file, which has some hundred bytes.
const maxConfig = 1 << 20

func readConfig(path string) (gpt.Config, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxConfig {
		return gpt.Config{}, fmt.Errorf("%s: expected a configuration of at most %d bytes, found %d", path, maxConfig, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return gpt.Config{}, fmt.Errorf("%s: %w", path, err)
	}
	var keys struct {
		ModelType *string `json:"model_type"`
		Layers    *int    `json:"n_layers"`
	}
	if json.Unmarshal(data, &keys) == nil && keys.ModelType != nil && keys.Layers == nil {
		return gpt.Config{}, fmt.Errorf("%s: field \"model_type\": found %q, a Hugging Face configuration: this layout is not read yet, expected TransformerLens names (n_layers, d_model, …)", path, *keys.ModelType)
	}
	return gpt.ReadConfig(path, bytes.NewReader(data))
}

// describe says a model's shape in one line.
func describe(c gpt.Config) string {
	mlp := fmt.Sprintf("d_mlp %d", c.DMLP)
	if c.AttnOnly {
		mlp = "attention only"
	}
	return fmt.Sprintf("%d layers of %d heads, d_model %d, %s, vocabulary %d", c.Layers, c.Heads, c.DModel, mlp, c.Vocab)
}
