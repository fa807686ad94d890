package zoo

import (
	"context"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/rasp/compile"
	"github.com/seed-2c350065/acdc/pkg/rasp/programs"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// compiled are the models that programs of the project's compile to.
var compiled = map[string]struct {
	program string
	options compile.Options
}{
	"tracr-reverse":    {program: "reverse"},
	"tracr-proportion": {program: "proportion", options: compile.Options{Logits: 4}}, // as many as the reference's
}

// openCompiled opens a compiled model.
func openCompiled(name string) func(context.Context, checkpoint.LoadOptions) (*checkpoint.Model, error) {
	return func(ctx context.Context, o checkpoint.LoadOptions) (*checkpoint.Model, error) {
		m, err := compileProgram(ctx, name)
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

// compileProgram compiles a model's program on the program's own domain.
func compileProgram(ctx context.Context, model string) (*compile.Model, error) {
	from := compiled[model]
	f, err := programs.Parse(from.program)
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
	return compile.Compile(ctx, program, domain, from.options)
}

// TrueCircuit is the circuit that a compiled model is, in a graph of its shape;
// it reports false for other models.
func TrueCircuit(ctx context.Context, model string, g *circuit.Graph) (circuit.Mask, bool, error) {
	if _, ok := compiled[model]; !ok {
		return nil, false, nil
	}
	m, err := compileProgram(ctx, model)
	if err != nil {
		return nil, true, err
	}
	mask, err := m.Circuit(ctx, g)
	return mask, true, err
}
