package zoo

import (
	"context"
	"path/filepath"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/rasp/compile"
	"github.com/seed-2c350065/acdc/pkg/rasp/programs"
	"github.com/seed-2c350065/acdc/pkg/rasp/text"
	"github.com/seed-2c350065/acdc/pkg/train"
	"github.com/seed-2c350065/acdc/pkg/train/interchange"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// programPrefix is followed by the name of a program of the project's.
const programPrefix = "program:"

// openCompiled opens what a program of the project's compiles to.
func openCompiled(program string, options compile.Options) opener {
	return func(ctx context.Context, o checkpoint.LoadOptions) (*Model, error) {
		f, err := programs.Parse(program)
		if err != nil {
			return nil, err
		}
		return openProgram(ctx, programPrefix+program, f, options, o)
	}
}

// openProgramFile opens what a file's program compiles to.
func openProgramFile(ctx context.Context, name string, o checkpoint.LoadOptions) (*Model, error) {
	f, _, err := programs.ReadFile(ctx, name)
	if err != nil {
		return nil, err
	}
	m, err := openProgram(ctx, filepath.ToSlash(name), f, compile.Options{}, o)
	if err != nil {
		return nil, err
	}
	m.files = []string{name}
	return m, nil
}

// openProgram compiles a program on its own domain.
func openProgram(ctx context.Context, name string, f *text.File, options compile.Options, o checkpoint.LoadOptions) (*Model, error) {
	program, err := f.Program()
	if err != nil {
		return nil, err
	}
	domain, err := f.Domain(nil, 0, false)
	if err != nil {
		return nil, err
	}
	m, err := compile.Compile(ctx, program, domain, options)
	if err != nil {
		return nil, f.Locate(err)
	}
	c := m.Transformer.Config
	loaded, err := checkpoint.LoadWith(ctx, checkpoint.Config{Config: c}, weights.FromMap(name, values(m.Transformer.Params, c)), o)
	if err != nil {
		return nil, err
	}
	out := named(loaded, name, "compiled from a program: "+describe(c))
	out.Program = m
	return out, nil
}

// Shipped is the name of the model that a program of the project's compiles to,
// false if there is no such program.
func Shipped(program string) (string, bool) {
	_, err := programs.Source(program)
	return programPrefix + program, err == nil
}

// openImitation opens a trained model that is a program, which its recipe names.
func openImitation(name string) opener {
	return func(ctx context.Context, o checkpoint.LoadOptions) (*Model, error) {
		m, err := openTrained(name)(ctx, o)
		if err != nil {
			return nil, err
		}
		recipe, err := builtinFile(name, "recipe.json")
		if err != nil {
			return nil, err
		}
		r, err := train.ParseRecipe(ctx, "recipe.json", recipe)
		if err != nil {
			return nil, err
		}
		out := named(m, "", "")
		if out.pair, err = interchange.New(ctx, *r.Data.Interchange, m.Config); err != nil {
			return nil, err
		}
		out.Program = out.pair.Program()
		return out, nil
	}
}

// Imitates reports whether the model was trained to be its program, and is not what
// it compiles to.
func (m *Model) Imitates() bool { return m.pair != nil }

// Defined says at which positions of prompts the program has a value that a model
// was trained to be.
func (m *Model) Defined(ctx context.Context, prompts [][]int) ([][]bool, error) {
	return m.pair.Defined(ctx, prompts)
}

// TrueCircuit is the circuit that a compiled model is, or one that was trained to
// be a program, in a graph of its shape; it reports false for other models.
func (m *Model) TrueCircuit(ctx context.Context, g *circuit.Graph) (circuit.Mask, bool, error) {
	if m.pair != nil {
		mask, err := m.pair.Circuit(ctx, g)
		return mask, true, err
	}
	if m.Program == nil {
		return nil, false, nil
	}
	mask, err := m.Program.Circuit(ctx, g)
	return mask, true, err
}
