package cli

import (
	"bytes"
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// renderOptions are the flags of render.
type renderOptions struct {
	outputs
	circuit string
}

func newRender(a *app, run func(context.Context, *renderOptions) error) *cobra.Command {
	o := &renderOptions{}
	cmd := &cobra.Command{
		Use:   "render CIRCUIT.json",
		Short: "draw a saved circuit",
		Long: `Draw a circuit that discover saved as JSON, as DOT on standard output or as
DOT, SVG or PNG in files. - reads standard input.`,
		Example: `  acdc discover --task induction -o circuit.json
  acdc render circuit.json -o circuit.svg -o circuit.png
  acdc render circuit.json --direct > circuit.dot`,
		Args: oneArg("a circuit file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.circuit = args[0]
			return run(cmd.Context(), o)
		},
	}
	o.outputs.flags(cmd)
	cmd.Flags().SortFlags = false
	cmd.ValidArgsFunction = cobra.FixedCompletions([]string{"json"}, cobra.ShellCompDirectiveFilterFileExt)
	return cmd
}

// oneArg expects exactly one argument.
func oneArg(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef("expected %s, found nothing", what)
		}
		if len(args) > 1 {
			return usagef("expected one argument, %s, found %d", what, len(args))
		}
		return nil
	}
}

// render runs the command.
func (a *app) render(ctx context.Context, o *renderOptions) error {
	if err := cmp.Or(o.check(), a.clash(places("-o", o.files...), a.circuitPlace(o.circuit))); err != nil {
		return err
	}
	o.prepare()
	f, err := a.readCircuit(ctx, o.circuit)
	if err != nil {
		return err
	}
	return a.write(ctx, &o.outputs, f)
}

// readCircuit reads a circuit file, or, named -, standard input.
func (a *app) readCircuit(ctx context.Context, name string) (*circuit.File, error) {
	const kind = "a circuit file"
	var data []byte
	var err error
	switch name {
	case "":
		return nil, usagef("expected a circuit file, found an empty name")
	case "-":
		name = "standard input"
		data, err = jsonfile.ReadAll(ctx, name, kind, a.stdin, circuit.MaxFile)
	default:
		data, err = jsonfile.ReadFile(ctx, name, kind, circuit.MaxFile)
	}
	if err != nil {
		return nil, err
	}
	return circuit.Decode(ctx, name, bytes.NewReader(data))
}
