package zoo

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/rasp/compile"
	"github.com/seed-2c350065/acdc/pkg/rasp/programs"
	"github.com/seed-2c350065/acdc/pkg/rasp/text"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

const (
	programPrefix = "program:" // is followed by the name of a program of the project's
	programEnding = ".rasp"    // of a file with a program
	maxProgram    = 1 << 20    // bytes of such a file
)

// compiled are the builtin models that programs of the project's compile to.
var compiled = map[string]struct {
	program string
	options compile.Options
}{
	"tracr-reverse":    {program: "reverse"},
	"tracr-proportion": {program: "proportion", options: compile.Options{Logits: 4}}, // as many as the reference's
}

// openCompiled opens a builtin model that a program compiles to.
func openCompiled(ctx context.Context, e Entry, o checkpoint.LoadOptions) (*Model, error) {
	from := compiled[e.Name]
	f, err := programs.Parse(from.program)
	if err != nil {
		return nil, err
	}
	m, err := openProgram(ctx, e.Name, f, from.options, o)
	if err != nil {
		return nil, err
	}
	m.Description, m.builtin = e.Description, true
	return m, nil
}

// openShipped opens what a program of the project's compiles to.
func openShipped(ctx context.Context, name string, o checkpoint.LoadOptions) (*Model, error) {
	f, err := programs.Parse(name)
	if err != nil {
		return nil, &NameError{err.Error()}
	}
	return openProgram(ctx, programPrefix+name, f, compile.Options{}, o)
}

// openProgramFile opens what a file's program compiles to.
func openProgramFile(ctx context.Context, name string, o checkpoint.LoadOptions) (*Model, error) {
	source, err := jsonfile.ReadFile(ctx, name, "a program", maxProgram)
	if err != nil {
		return nil, err
	}
	f, err := text.Parse(name, string(source))
	if err != nil {
		return nil, err
	}
	m, err := openProgram(ctx, filepath.ToSlash(name), f, compile.Options{}, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
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
		return nil, err
	}
	c := m.Transformer.Config
	arrays := map[string]weights.Array{}
	for _, p := range m.Transformer.Params.All(c) {
		arrays[p.Name] = weights.Array{Shape: p.Shape, Values: p.Data()}
	}
	loaded, err := checkpoint.LoadWith(ctx, checkpoint.Config{Config: c}, weights.FromMap(name, arrays), o)
	if err != nil {
		return nil, err
	}
	out := named(loaded, name, "compiled from a program: "+describe(c))
	out.Program = m
	return out, nil
}

// isProgram reports whether a name is that of a file with a program.
func isProgram(name string) bool { return strings.EqualFold(filepath.Ext(name), programEnding) }

// Shipped is the name of the model that a program of the project's compiles to,
// false if there is no such program.
func Shipped(program string) (string, bool) {
	_, err := programs.Source(program)
	return programPrefix + program, err == nil
}

// TrueCircuit is the circuit that a compiled model is, in a graph of its shape;
// it reports false for other models.
func (m *Model) TrueCircuit(ctx context.Context, g *circuit.Graph) (circuit.Mask, bool, error) {
	if m.Program == nil {
		return nil, false, nil
	}
	mask, err := m.Program.Circuit(ctx, g)
	return mask, true, err
}
