package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/circuit/torch"
)

// convertOptions are the flags of convert.
type convertOptions struct {
	in, out    string
	from       circuit.Format
	to         format // empty for what the file's ending says
	shape      circuit.Config
	definition circuit.Definition
	splitEmbed bool
	dModel     int
	check      bool
}

// targets are the formats that convert writes.
var targets = append(slices.Clone(asFormats(circuit.Formats())), formatDOT)

// byEnding are the formats that files have by their endings.
var byEnding = map[string]format{".json": formatJSON, ".tsv": formatEdges, ".txt": formatEdges, ".dot": formatDOT}

func asFormats(list []circuit.Format) []format {
	var out []format
	for _, f := range list {
		out = append(out, format(f))
	}
	return out
}

func newConvert(a *app, run func(context.Context, *convertOptions) error) *cobra.Command {
	o := &convertOptions{}
	cmd := &cobra.Command{
		Use:   "convert IN [OUT]",
		Short: "write a circuit in another format, or check its file",
		Long: `Read a circuit in any format and write it in another: this project's JSON, that
of the MIB benchmark and EAP-IG, Edge-Pruning's edges.json, edges as lines of
text; to write only, DOT; to read only, what EAP-IG and ACDC save as pickles, of
which nothing is run. The format read shows in the file; the one written in the
ending of OUT (.json, .tsv, .txt, .dot) unless --to says it. - is standard input and
output. What a format has no place for is said on standard error.
--check writes nothing but a line for each kind of what must not be: illegal
edges, those twice, counts that are not the graph's, edges that are on no path;
the exit code is then 1.`,
		Example: `  acdc discover --task induction --quiet -o c.json
  acdc convert c.json c.tsv
  acdc convert c.tsv again.json --shape 2x2:attn-only
  acdc convert c.json mib.json --to mib --d-model 64
  acdc convert mib.json --check`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) > 2 {
				return usagef("expected a circuit file and a file to write, found %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.in = args[0]; len(args) == 2 {
				o.out = args[1]
			}
			return run(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	choice(cmd, &o.from, "from", "", "format of IN, default what its text looks like", texts(circuit.Formats()), oneOf("format", circuit.Formats()))
	choice(cmd, &o.to, "to", "", "format of OUT, default by its ending", texts(targets), oneOf("format", targets))
	fs.BoolVar(&o.check, "check", false, "write nothing; say what is wrong with IN, and fail if anything is")
	typed(fs, &o.shape, "shape", "", "LxH", "layers and heads of the model, of which a list of edges says nothing; L×H:attn-only without MLPs, L×H:parallel with parallel ones", parseShape)
	choice(cmd, &o.definition, "definition", "", "of the graph's edges, default by whether a list of edges has direct ones", texts(circuit.Definitions()), oneOf("definition", circuit.Definitions()))
	fs.BoolVar(&o.splitEmbed, "split-embed", false, "token and position embeddings are two senders, default by a list's names")
	typed(fs, &o.dModel, "d-model", "", "N", "width of the model, which the MIB format declares", parseCount(1<<20))
	fs.SortFlags = false
	cmd.ValidArgsFunction = cobra.FixedCompletions([]string{"json", "tsv", "txt", "dot"}, cobra.ShellCompDirectiveFilterFileExt)
	return cmd
}

// parseShape reads 12x12, 2x8:attn-only or 6x8:parallel.
func parseShape(s string) (circuit.Config, error) {
	size, kind, _ := strings.Cut(s, ":")
	layers, heads, isShape := strings.Cut(size, "x")
	c := circuit.Config{AttnOnly: kind == "attn-only", ParallelAttnMLP: kind == "parallel"}
	var errL, errH error
	c.Layers, errL = strconv.Atoi(layers)
	c.Heads, errH = strconv.Atoi(heads)
	c.Definition = circuit.EAP // any, to be tried
	if !isShape || errL != nil || errH != nil || strings.Contains(s, ":") && !c.AttnOnly && !c.ParallelAttnMLP {
		return c, fmt.Errorf("expected layers and heads like 12x12, 2x8:attn-only or 6x8:parallel, found %q", s)
	}
	if _, err := circuit.NewTemplate(c); err != nil {
		return c, err
	}
	c.Definition = ""
	return c, nil
}

// convert runs the command.
func (a *app) convert(ctx context.Context, o *convertOptions) error {
	if err := cmp.Or(a.clash(places("OUT", o.out), a.circuitPlace(o.in)), o.checkFlags()); err != nil {
		return err
	}
	name, data, err := a.readText(ctx, o.in)
	if err != nil {
		return err
	}
	from, err := o.source(ctx, name, data)
	if err != nil {
		return err
	}
	if err := o.checkShape(name, from); err != nil {
		return err
	}
	graph := o.shape
	graph.Definition, graph.SplitEmbed = o.definition, o.splitEmbed
	if o.check {
		return a.inspect(ctx, name, data, from, graph)
	}
	var f *circuit.File
	switch {
	case from == acdcPickle:
		f, err = torch.DecodeEdges(ctx, name, data, graph)
	case from.Bare():
		f, err = circuit.DecodeList(ctx, name, data, from, graph)
	default:
		f, err = decodeCircuit(ctx, name, data)
	}
	if err != nil {
		return err
	}
	return a.writeConverted(ctx, o, f)
}

// acdcPickle is the format of the list of edges that ACDC pickles, which is only read.
const acdcPickle circuit.Format = "acdc"

// source is the format to read. A file that PyTorch saved is held to what one of
// this project's must hold to.
func (o *convertOptions) source(ctx context.Context, name string, data []byte) (circuit.Format, error) {
	found, shown := circuit.Detect(ctx, data), ""
	switch {
	case torch.Is(data):
		found, shown = circuit.Own, "one that PyTorch saved"
	case torch.IsEdges(data):
		found, shown = acdcPickle, "a list of edges that ACDC pickled"
	}
	if o.from == "" || o.from == found && shown == "" {
		return found, nil
	}
	if !o.from.Bare() || !found.Bare() {
		return "", fmt.Errorf("%s: expected the format %s, found %s", name, o.from, cmp.Or(shown, string(found)))
	}
	return o.from, nil
}

// target is the format to write.
func (o *convertOptions) target() format {
	return cmp.Or(o.to, byEnding[strings.ToLower(filepath.Ext(o.out))])
}

// checkFlags refuses, before anything is read, what cannot be meant.
func (o *convertOptions) checkFlags() error {
	switch {
	case o.check && o.out != "":
		return usagef("--check: expected no file to write, found %s", o.out)
	case o.check:
		return nil
	case o.out == "":
		return usagef("expected a file to write behind %s, or --check, found neither", o.in)
	case o.target() == "":
		return usagef("%q: expected a file that ends in .json, .tsv, .txt or .dot, or --to FORMAT", o.out)
	case o.dModel > 0 && o.target() != format(circuit.MIBJSON):
		return usagef("--d-model: expected --to %s, whose files declare it, found %s", circuit.MIBJSON, o.target())
	}
	return checkFiles([]string{o.out}, func(string) error { return nil })
}

// checkShape holds the flags about the graph to whether the file declares it.
func (o *convertOptions) checkShape(name string, from circuit.Format) error {
	isGiven, isBare := o.shape != circuit.Config{}, from.Bare() || from == acdcPickle
	switch {
	case isBare && !isGiven:
		return usagef("%s: expected --shape LxH, the model's layers and heads, of which the format %s says nothing", name, from)
	case !isBare && (isGiven || o.definition != "" || o.splitEmbed):
		return usagef("%s: expected neither --shape, --definition nor --split-embed, since the format %s declares its graph", name, from)
	case from == circuit.PruningJSON && (o.definition == circuit.ACDC):
		return usagef("--definition %s: expected %s, which Edge-Pruning's graph is", o.definition, circuit.EAP)
	case from == acdcPickle && o.definition == circuit.EAP:
		return usagef("--definition %s: expected %s, which ACDC's graph is", o.definition, circuit.ACDC)
	}
	return nil
}

// inspect prints what is wrong with a file.
func (a *app) inspect(ctx context.Context, name string, data []byte, from circuit.Format, graph circuit.Config) error {
	if pickled := from == acdcPickle; pickled || torch.Is(data) {
		read := torch.Decode
		if pickled {
			read = func(ctx context.Context, name string, data []byte) (*circuit.File, error) {
				return torch.DecodeEdges(ctx, name, data, graph)
			}
		}
		f, err := read(ctx, name, data)
		if err != nil {
			return err
		}
		from, graph = circuit.Own, circuit.Config{}
		var b bytes.Buffer
		if err := f.Encode(&b); err != nil {
			return err
		}
		data = b.Bytes()
	}
	found, err := circuit.Inspect(ctx, name, data, from, graph)
	if err != nil {
		return err
	}
	for _, v := range found {
		a.print(v.String() + "\n")
	}
	if n := len(found); n > 0 {
		return fmt.Errorf("%s: expected a sound circuit file, found %s of violations, a line each", name, counted(n, "kind"))
	}
	return nil
}

// writeConverted writes the circuit.
func (a *app) writeConverted(ctx context.Context, o *convertOptions, f *circuit.File) error {
	kind := o.target()
	if kind == format(circuit.MIBJSON) {
		if o.dModel > 0 {
			width := &circuit.MIB{DModel: o.dModel}
			if f.MIB != nil {
				width.Nodes = f.MIB.Nodes
			}
			f.MIB = width
		}
		if f.MIB == nil {
			return usagef("--d-model: expected the model's width, which the format %s declares and %s does not say, found none", kind, o.in)
		}
	}
	var b bytes.Buffer
	if kind == formatDOT {
		text, err := (&outputs{}).encode(ctx, f, formatDOT)
		if err != nil {
			return err
		}
		b.Write(text)
	} else {
		lost, err := f.EncodeAs(&b, circuit.Format(kind))
		if err != nil {
			return err
		}
		for _, words := range lost {
			a.warn([]string{o.in + ": " + words})
		}
	}
	if o.out == "-" {
		a.print(b.String())
		return a.stdout.err
	}
	return a.writeFile(ctx, o.out, b.Bytes())
}
