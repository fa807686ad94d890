package zoo

import (
	"context"

	"github.com/seed-2c350065/acdc/pkg/rasp/compile"
	"github.com/seed-2c350065/acdc/pkg/rasp/programs"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// openProgram opens the model that a program of the project's compiles to.
func openProgram(name string, options compile.Options) func(context.Context, checkpoint.LoadOptions) (*checkpoint.Model, error) {
	return func(ctx context.Context, o checkpoint.LoadOptions) (*checkpoint.Model, error) {
		m, err := CompileProgram(ctx, name, options)
		if err != nil {
			return nil, err
		}
		c := m.Transformer.Config
		arrays := map[string]weights.Array{}
		for _, p := range m.Transformer.Params.All(c) {
			arrays[p.Name] = weights.Array{Shape: p.Shape, Values: p.Data()}
		}
		return checkpoint.LoadWith(ctx, checkpoint.Config{Config: c}, weights.FromMap(name, arrays), o)
	}
}

// CompileProgram compiles a program of the project's on its own domain.
func CompileProgram(ctx context.Context, name string, o compile.Options) (*compile.Model, error) {
	f, err := programs.Parse(name)
	if err != nil {
		return nil, err
	}
	program, err := f.Program()
	if err != nil {
		return nil, err
	}
	domain, err := f.Domain(nil, 0, false)
	if err != nil {
		return nil, err
	}
	return compile.Compile(ctx, program, domain, o)
}
