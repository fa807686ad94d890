package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/circuit/torch"
)

// renderOptions are the flags of render.
type renderOptions struct {
	outputs
	circuit string
	top     int // edges of the largest scores in place of those kept, 0 for these
}

func newRender(a *app, run func(context.Context, *renderOptions) error) *cobra.Command {
	o := &renderOptions{}
	cmd := &cobra.Command{
		Use:   "render CIRCUIT.json",
		Short: "draw a saved circuit",
		Long: `Draw a circuit that discover saved as JSON, as DOT on standard output or as
DOT, SVG, PNG or PDF in files, or as a page to look at in a browser (.html), which
has prompts, predictions and attention where the model and the data that the file
names are at hand. - reads standard input.`,
		Example: `  acdc discover --task induction -o circuit.json
  acdc render circuit.json -o circuit.svg -o circuit.png
  acdc render circuit.json --direct > circuit.dot
  acdc render circuit.json --collapse layers --max-edges 50 -o layers.pdf
  acdc render circuit.json --top 10 -o strongest.svg`,
		Args: oneArg("a circuit file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.circuit = args[0]
			return run(cmd.Context(), o)
		},
	}
	typed(cmd.Flags(), &o.top, "top", "", "N", "draw the N edges whose scores are the largest by size, in place of those kept", parseCount(mostEdges))
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
	if o.top > 0 {
		if err := f.Select(circuit.Selection{Rule: circuit.Top, Edges: min(o.top, f.EdgesTotal), Absolute: true}); err != nil {
			return fmt.Errorf("%s: --top: %w", o.circuit, err)
		}
	}
	if o.writes(formatHTML) {
		close := o.openPage(ctx, f)
		defer close()
	}
	return a.write(ctx, &o.outputs, f)
}

// mostEdges bounds how many edges are drawn by their scores.
const mostEdges = 1 << 27

// readCircuit reads a circuit file, or, named -, standard input.
func (a *app) readCircuit(ctx context.Context, name string) (*circuit.File, error) {
	name, data, err := a.readText(ctx, name)
	if err != nil {
		return nil, err
	}
	return decodeCircuit(ctx, name, data)
}

// decodeCircuit reads a circuit of a format that declares its graph.
func decodeCircuit(ctx context.Context, name string, data []byte) (*circuit.File, error) {
	if torch.Is(data) {
		return torch.Decode(ctx, name, data)
	}
	if torch.IsEdges(data) {
		return nil, fmt.Errorf("%s: expected a circuit file that declares its graph, found a list of edges that ACDC pickled; \"acdc convert %[1]s OUT.json --shape LxH\" says which it is", name)
	}
	return circuit.Decode(ctx, name, bytes.NewReader(data))
}

// readText reads the text of a circuit file, or, named -, of standard input, and
// says what errors call it.
func (a *app) readText(ctx context.Context, name string) (called string, data []byte, err error) {
	const kind = "a circuit file"
	switch name {
	case "":
		return "", nil, usagef("expected a circuit file, found an empty name")
	case "-":
		name = "standard input"
		data, err = jsonfile.ReadAll(ctx, name, kind, a.stdin, circuit.MaxFile)
	default:
		data, err = jsonfile.ReadFile(ctx, name, kind, circuit.MaxFile)
	}
	return name, data, err
}
