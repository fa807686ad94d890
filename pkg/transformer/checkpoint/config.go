package checkpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Config is what a configuration file says: the model's shape, and how its
// weights are kept.
type Config struct {
	transformer.Config
	Tied      bool     // the unembedding is the embedding: of Hugging Face's layouts
	Family    Layout   // of a Hugging Face configuration, whose weights it is for
	Warnings  []string // what the configuration says and nothing here knows, a line each
	Biases    Biases   // of Llama and its successors
	Published bool     // of a published model, whose state dict TransformerLens processes when it loads it
}

// ReadConfig reads a config.json of TransformerLens, or of Hugging Face for
// GPT-2, GPT-Neo, GPT-NeoX (Pythia), Llama, Mistral, Qwen2, Qwen3, Gemma and Gemma 2; name is what errors call it. A field
// without which the model is not determined must be there; a feature that this
// package does not compute is refused by name.
func ReadConfig(ctx context.Context, name string, r io.Reader) (Config, error) {
	c, err := readConfig(ctx, r)
	if ended := ctx.Err(); ended != nil {
		return Config{}, ended
	}
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", name, err)
	}
	for i, w := range c.Warnings {
		c.Warnings[i] = name + ": " + w
	}
	return c, nil
}

func readConfig(ctx context.Context, r io.Reader) (Config, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return Config{}, err
	}
	var raw map[string]json.RawMessage
	if data, err = jsonfile.Clean(ctx, data, jsonfile.Options{}); err == nil {
		err = jsonfile.Unmarshal(ctx, data, &raw)
	}
	if err != nil {
		return Config{}, fmt.Errorf("not a model configuration: %w", err)
	}
	if raw["n_layers"] == nil {
		f, guessed, ok, err := familyOf(raw)
		if err != nil {
			return Config{}, err
		}
		if ok {
			c, err := f.read(raw)
			if guessed {
				c.Warnings = append(c.Warnings, fmt.Sprintf("field \"model_type\" is missing: this is taken for a %s configuration by its other fields", f.name))
			}
			return c, err
		}
	}
	d := lens
	if raw["normalization_type"] == nil && raw["normalization"] != nil {
		d = lensPublished
	}
	j := &configJSON{}
	warnings, err := d.decode(raw, j)
	if err != nil {
		return Config{}, err
	}
	c, err := j.config()
	c.Warnings = warnings
	return c, err
}

// decode reads the fields that are computed into a struct, and checks the
// others. Names are told apart by case, as the configuration's own program does.
func (d dialect) decode(raw map[string]json.RawMessage, into any) (warnings []string, err error) {
	known, warnings, err := d.check(raw)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(known)
	if err == nil { // the text was read in time, and this is part of it
		err = jsonfile.Unmarshal(context.Background(), data, into)
	}
	return warnings, err
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
			return nil, fmt.Errorf("field %q[%d]: expected \"global\" or \"local\", found %s", field, i, oneline.Quote(t))
		}
	}
	return out, nil
}
