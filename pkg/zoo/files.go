package zoo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// openFolder loads a model from a folder with config.json and weights.
func openFolder(ctx context.Context, name, dir string, o checkpoint.LoadOptions) (*Model, error) {
	config := filepath.Join(dir, "config.json")
	cfg, err := readConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	src, err := weights.OpenFolder(ctx, dir)
	if err != nil {
		return nil, err
	}
	return load(ctx, name, config, cfg, src, o)
}

// openFile loads a model from a file of weights with its configuration beside
// it.
func openFile(ctx context.Context, name string, o checkpoint.LoadOptions) (*Model, error) {
	config, err := configFile(name)
	if err != nil {
		return nil, err
	}
	cfg, err := readConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	src, err := weights.OpenAny(ctx, name)
	if err != nil {
		return nil, err
	}
	return load(ctx, name, config, cfg, src, o)
}

// configFile finds the configuration of a file of weights.
func configFile(name string) (string, error) {
	own := strings.TrimSuffix(name, filepath.Ext(name)) + ".config.json"
	if _, err := os.Stat(own); !errors.Is(err, os.ErrNotExist) {
		return own, nil
	}
	shared := filepath.Join(filepath.Dir(name), "config.json")
	if _, err := os.Stat(shared); errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("model %s: expected its configuration in %s or %s, found neither", name, own, shared)
	}
	return shared, nil
}

// load makes the model of weights that stay open until Close, if it needs them.
// They lie beside the file of the configuration.
func load(ctx context.Context, name, config string, cfg checkpoint.Config, src weights.Checkpoint, o checkpoint.LoadOptions) (*Model, error) {
	m, err := checkpoint.LoadWith(ctx, cfg, src, o)
	if err != nil {
		_ = src.Close() // the first error says more
		return nil, err
	}
	out := named(m, filepath.ToSlash(filepath.Clean(name)), describe(m.Config))
	out.files = append([]string{config}, src.Files()...)
	out.vocabularies = []string{filepath.Dir(config)}
	if !m.Detached() {
		out.close = src.Close
		return out, nil
	}
	return out, src.Close()
}

// maxConfig bounds a configuration file, which has some hundred bytes.
const maxConfig = 1 << 20

func readConfig(ctx context.Context, path string) (checkpoint.Config, error) {
	data, err := jsonfile.ReadRegular(ctx, path, "a model configuration", maxConfig)
	if err != nil {
		return checkpoint.Config{}, err
	}
	return checkpoint.ReadConfig(ctx, path, bytes.NewReader(data))
}

// describe says a model's shape in one line.
func describe(c transformer.Config) string {
	mlp := fmt.Sprintf("d_mlp %d", c.DMLP)
	if c.AttnOnly {
		mlp = "attention only"
	}
	return fmt.Sprintf("%d layers of %d heads, d_model %d, %s, vocabulary %d", c.Layers, c.Heads, c.DModel, mlp, c.Vocab)
}
