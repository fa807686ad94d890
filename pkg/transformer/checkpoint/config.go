package checkpoint

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Config is what a configuration file says: the model's shape, and how its
// weights are kept.
type Config struct {
	transformer.Config
	Tied      bool     // the unembedding is the embedding: of Hugging Face's layouts
	Family    Layout   // of a Hugging Face configuration, whose weights it is for
	Warnings  []string // what the configuration says and nothing here knows, a line each
	Published bool     // of a published model, whose state dict TransformerLens processes when it loads it
}

// ReadConfig reads a config.json of TransformerLens, or of Hugging Face for
// GPT-2, GPT-Neo and GPT-NeoX (Pythia); name is what errors call it. A field
// without which the model is not determined must be there; a feature that this
// package does not compute is refused by name.
func ReadConfig(name string, r io.Reader) (Config, error) {
	c, err := readConfig(r)
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

func readConfig(r io.Reader) (Config, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return Config{}, err
	}
	var keys struct {
		Layers    json.RawMessage `json:"n_layers"`
		ModelType string          `json:"model_type"`
	}
	if err := json.Unmarshal(data, &keys); err != nil {
		return Config{}, fmt.Errorf("not a model configuration: %w", err)
	}
	var j interface{ config() (Config, error) } = &configJSON{}
	if keys.Layers == nil && keys.ModelType != "" {
		j = &hfConfig{}
	}
	if err := json.Unmarshal(data, j); err != nil {
		return Config{}, fmt.Errorf("not a model configuration: %w", err)
	}
	return j.config()
}

// Windows turns the kinds of attention by layer, "global" or "local", into
// Config.Windows; field is their name in errors.
func Windows(field string, types []string, layers, window int) ([]int, error) {
	if len(types) != layers {
		return nil, fmt.Errorf("field %q: expected one of global, local for each of %d layers, found %d", field, layers, len(types))
	}
	out := make([]int, layers)
	for i, t := range types {
		switch t {
		case "local":
			out[i] = window
		case "global":
		default:
			return nil, fmt.Errorf("field %q[%d]: expected \"global\" or \"local\", found %q", field, i, t)
		}
	}
	return out, nil
}
