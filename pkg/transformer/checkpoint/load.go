package checkpoint

import (
	"context"
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// Model is a model with what is known of the checkpoint that it was loaded
// from.
type Model struct {
	*transformer.Model
	Layout     Layout     // of the checkpoint
	Processing Processing // what was done to its weights
	Warnings   []string   // doubts about the configuration and the weights, a line each
}

// LoadOptions say what to do with weights while they are loaded.
type LoadOptions struct {
	Processing Switches // what to change of the layout's default processing
	Reset      *uint64  // a seed to shuffle the processed weights by, as a control; nil to leave them
	Threads    int      // goroutines; less than 1 means 1. The result does not depend on it.
}

// Load makes the model of a configuration from its weights, whose layout it
// recognises by the tensors' names. TransformerLens' weights are taken as they
// are; Hugging Face's are processed as TransformerLens does. What needs no
// change is used where it lies: the source must outlive the model, unless it is
// Detached. Where the context ends, its error is returned.
func Load(ctx context.Context, c Config, src weights.Source) (*Model, error) {
	return LoadWith(ctx, c, src, LoadOptions{})
}

// LoadWith is Load with options.
func LoadWith(ctx context.Context, c Config, src weights.Source, o LoadOptions) (*Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	r, src, err := recognise(src, c)
	if err != nil {
		return nil, err
	}
	if lens, ok := r.(lensReader); ok && lens.folded && c.Norm.Weighted() {
		c.Norm = c.Norm.Folded() // a processed state dict beside the configuration of the raw one
	}
	if err := fits(c, src, r); err != nil {
		return nil, err
	}
	threads := max(1, o.Threads)
	w, err := readWeights(ctx, c, src, r, threads)
	if err != nil {
		return nil, err
	}
	done, err := o.Processing.of(r.layout(), c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", src.Name(), err)
	}
	w.process(ctx, &c, done, threads)
	if o.Reset != nil {
		w.reset(ctx, c, *o.Reset, threads)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m, err := transformer.New(c.Config, w.Params)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", src.Name(), err)
	}
	return &Model{Model: m, Layout: r.layout(), Processing: done, Warnings: c.Warnings}, nil
}
