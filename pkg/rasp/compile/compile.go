package compile

import (
	"context"
	"fmt"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/rasp"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Options are what may be chosen beside a program and its domain.
type Options struct {
	BOS    string // the token before every input; "BOS" if empty
	Pad    string // a token that stands for nothing; "compiler_pad" if empty
	Logits int    // at least so many logits: beyond the output's they read other residual dimensions, the first by label
}

// Compile makes a transformer that computes a program on a domain, which
// rasp.NewDomain made.
func Compile(ctx context.Context, program rasp.Expr, d rasp.Domain, o Options) (*Model, error) {
	if err := rasp.Check(program); err != nil {
		return nil, err
	}
	order, err := rasp.Order(program)
	if err != nil {
		return nil, err
	}
	if o, err = o.checked(d); err != nil {
		return nil, err
	}
	c := &compiler{domain: d, options: o, of: map[rasp.Expr]*variable{}, pairs: map[[2]*variable]*variable{}, labels: map[string]bool{},
		config: transformer.Config{Layers: 1, Heads: 1, DHead: 1, DMLP: 1, Ctx: d.MaxLen + 1, Activation: transformer.ReLU,
			Norm: transformer.NoNorm, Direction: transformer.Bidirectional, Positions: transformer.Standard}}
	if d.Causal {
		c.config.Direction = transformer.Causal
	}
	c.sources()
	if err := c.lower(ctx, order); err != nil {
		return nil, err
	}
	c.setTolerances()
	c.schedule()
	if err := c.number(); err != nil {
		return nil, err
	}
	m, err := c.assemble()
	if err != nil {
		return nil, err
	}
	m.program = program
	return m, nil
}

// checked gives options their defaults and refuses tokens that the vocabulary
// has.
func (o Options) checked(d rasp.Domain) (Options, error) {
	if o.BOS == "" {
		o.BOS = "BOS"
	}
	if o.Pad == "" {
		o.Pad = "compiler_pad"
	}
	if o.BOS == o.Pad {
		return o, fmt.Errorf("tokens of the compiler: expected two different ones for BOS and padding, found %q twice", o.BOS)
	}
	for _, token := range []string{o.BOS, o.Pad} {
		if slices.ContainsFunc(d.Vocab, func(v rasp.Value) bool { return v.String() == token }) {
			return o, fmt.Errorf("vocabulary: expected no token %q, which the compiler adds", token)
		}
	}
	return o, nil
}
