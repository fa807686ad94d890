package study

import (
	"context"
	"fmt"
	"math"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/faithful"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
)

// Held is the study on the half of its task's prompts that circuits are not found on,
// unless somebody asked for a half; of a file's data it is the study itself. The
// model is closed with x.
func (x *Study) Held(ctx context.Context, asked task.Half) (*Study, error) {
	if x.Spec.Data != "" || asked != "" {
		return x, nil
	}
	return x.OnHalf(ctx, task.Test)
}

// Faithfulness measures the circuits of growing size that a file's scores stand for,
// once for each of some options. name is what the file is called.
func (x *Study) Faithfulness(ctx context.Context, name string, f *circuit.File, options []faithful.Options) (*faithful.Circuit, error) {
	g, _, scores, err := f.Circuit()
	if err != nil {
		return nil, err
	}
	out := &faithful.Circuit{Name: name, Graph: f.Graph, Found: f.Run, Digest: faithful.Digest(scores)}
	for i, s := range scores {
		if !math.IsNaN(s) && !g.Edge(i).IsDirect() {
			out.Scored++
		}
	}
	if out.Scored == 0 {
		return nil, fmt.Errorf("%s: expected edges with scores, found none", name)
	}
	e, err := patch.Bind(ctx, x.Config(g.Config().Definition, g.Config().SplitEmbed))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", x.Where(), err)
	}
	out.Run = x.Run(e)
	if err := x.Identify(ctx, &out.Run); err != nil {
		return nil, err
	}
	for _, o := range options {
		c, err := faithful.Measure(ctx, e, scores, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out.Curves = append(out.Curves, c.WithAreas())
	}
	return out, nil
}
