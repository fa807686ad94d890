package train

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// Recipe is everything that decides a model's weights.
type Recipe struct {
	Name        string          `json:"name"`
	Description string          `json:"description"` // one line
	Model       json.RawMessage `json:"model"`       // a configuration of TransformerLens, written beside the weights as it is
	Data        Data            `json:"data"`
	Optimizer   Optimizer       `json:"optimizer"`
	Batch       int             `json:"batch"` // examples a step
	Steps       int             `json:"steps"`
	Seed        uint64          `json:"seed"`
	DType       weights.DType   `json:"dtype"` // that the weights are saved in, F32, F16 or BF16

	config checkpoint.Config
}

// Optimizer is AdamW (Loshchilov and Hutter 2019) with a learning rate that
// rises linearly over the warm-up steps and then falls along half a cosine to a
// fraction of its peak.
type Optimizer struct {
	LearningRate float64 `json:"learning_rate"` // at its peak
	Warmup       int     `json:"warmup"`        // steps
	Final        float64 `json:"final"`         // the last step's rate, as a fraction of the peak
	Beta1        float64 `json:"beta1"`
	Beta2        float64 `json:"beta2"`
	Epsilon      float64 `json:"epsilon"`
	WeightDecay  float64 `json:"weight_decay"` // of matrices and embeddings; not of biases and norms
	HeadLasso    float64 `json:"head_lasso"`   // pull of each head's W_O towards 0 as a whole, so that heads that are not needed come to write nothing
	Clip         float64 `json:"clip"`         // largest norm of the whole gradient; 0 for any
	InitStd      float64 `json:"init_std"`     // standard deviation of fresh embeddings
}

// maxRecipe bounds a recipe's file, which has some hundred bytes.
const maxRecipe = 1 << 20

// ReadRecipe reads a recipe's file.
func ReadRecipe(ctx context.Context, path string) (Recipe, error) {
	data, err := jsonfile.ReadRegular(ctx, path, "a recipe", maxRecipe)
	if err != nil {
		return Recipe{}, err
	}
	return ParseRecipe(ctx, path, data)
}

// ParseRecipe reads a recipe that is in memory; name is what errors call it. A
// field that is not known is an error.
func ParseRecipe(ctx context.Context, name string, data []byte) (Recipe, error) {
	var r Recipe
	var fields map[string]json.RawMessage
	err := jsonfile.Decode(ctx, name, data, &fields)
	if err == nil {
		err = jsonfile.Decode(ctx, name, data, &r)
	}
	if err != nil {
		return r, err
	}
	if err := unknownFields(data); err != nil {
		return r, fmt.Errorf("%s: %w", name, err)
	}
	if r.config, err = checkpoint.ReadConfig(ctx, name+`: field "model"`, bytes.NewReader(r.Model)); err != nil {
		return r, err
	}
	if err := r.check(ctx); err != nil {
		return r, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

// unknownFields refuses fields that a recipe does not have.
func unknownFields(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(&Recipe{})
	if err == nil {
		return nil
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		if name, err := strconv.Unquote(field); err == nil {
			field = oneline.Quote(name)
		}
		return fmt.Errorf("field %s is not known of recipes", field)
	}
	return err
}

// check refuses values with which nothing can be trained.
func (r *Recipe) check(ctx context.Context) error {
	if oneline.Plain(r.Name) != r.Name {
		return fmt.Errorf("field \"name\": expected no control characters, found %s", oneline.Quote(r.Name))
	}
	o := r.Optimizer
	for _, f := range []struct {
		name     string
		value    float64
		lo, hi   float64
		expected string
	}{
		{"batch", float64(r.Batch), 1, 1 << 16, "a whole number from 1 to 65536"},
		{"steps", float64(r.Steps), 1, 1 << 30, "a whole number from 1 to 2^30"},
		{"optimizer.learning_rate", o.LearningRate, math.SmallestNonzeroFloat64, 10, "a number above 0 and at most 10"},
		{"optimizer.warmup", float64(o.Warmup), 0, 1 << 30, "a whole number of at least 0"},
		{"optimizer.final", o.Final, 0, 1, "a number from 0 to 1"},
		{"optimizer.beta1", o.Beta1, 0, 1 - 1e-9, "a number of at least 0 below 1"},
		{"optimizer.beta2", o.Beta2, 0, 1 - 1e-9, "a number of at least 0 below 1"},
		{"optimizer.epsilon", o.Epsilon, 1e-30, 1, "a number above 0 and at most 1"},
		{"optimizer.weight_decay", o.WeightDecay, 0, 10, "a number from 0 to 10"},
		{"optimizer.head_lasso", o.HeadLasso, 0, 100, "a number from 0 to 100"},
		{"optimizer.clip", o.Clip, 0, math.MaxFloat64, "a number of at least 0"},
		{"optimizer.init_std", o.InitStd, 0, 10, "a number from 0 to 10"},
	} {
		if !(f.value >= f.lo && f.value <= f.hi) {
			return fmt.Errorf("field %q: expected %s, found %v", f.name, f.expected, f.value)
		}
	}
	switch r.DType {
	case weights.F32, weights.F16, weights.BF16:
	default:
		return fmt.Errorf("field \"dtype\": expected F32, F16 or BF16, found %s", oneline.Quote(string(r.DType)))
	}
	c := r.config.Config
	if r.Data.Kind == Interchange && (c.Norm == transformer.LNPre || r.config.Family != "") {
		return fmt.Errorf("field \"model\": expected a TransformerLens configuration with \"LN\" or without a norm")
	}
	if r.Data.Kind != Interchange && (c.Norm != transformer.LayerNorm || c.Vocab != c.VocabOut || r.config.Family != "") {
		return fmt.Errorf("field \"model\": expected a TransformerLens configuration with \"LN\" and as many logits as tokens")
	}
	return r.Data.check(ctx, c)
}

// Bytes is how much memory training takes at least: the weights, both moments,
// and a gradient for every chunk of a batch.
func (r *Recipe) Bytes() float64 {
	chunks := (r.Batch + chunkSize - 1) / chunkSize
	return 4 * float64(r.config.Config.Parameters()) * float64(3+chunks)
}

// text is the recipe as it is written: JSON with one field a line.
func (r *Recipe) text() []byte {
	out, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		panic(fmt.Sprintf("train: a recipe that was read cannot be written: %v", err))
	}
	return append(out, '\n')
}
