package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/compare"
	"github.com/seed-2c350065/acdc/pkg/draw"
	"github.com/seed-2c350065/acdc/pkg/draw/page"
)

// compareOptions are the flags of compare.
type compareOptions struct {
	circuits []string
	files    []string
	format   tableFormat
	pictureOptions
}

// pictureEndings are those of the files that compare writes.
var pictureEndings = []string{".svg", ".png", ".pdf", ".dot", pageEnding}

func newCompare(run func(context.Context, *compareOptions) error) *cobra.Command {
	o := &compareOptions{format: tableText}
	cmd := &cobra.Command{
		Use:   "compare A.json B.json...",
		Short: "say how alike circuits are",
		Long: `Compare circuits, every two of them: the edges and nodes that both have, or one
alone; precision and recall, which take the first of the two for the truth; and
the rank correlation of scores, over the edges that both keep and over all that
both have scores of. -o draws two circuits in one picture, with common edges and
those of one alone in a colour each. Circuits in graphs of different definitions
are compared in the finest graph that all of them have; what each loses in it is
said on standard error.`,
		Example: `  acdc discover --task induction --quiet -o a.json
  acdc discover --task induction --algorithm exact --top 20 --quiet -o b.json
  acdc compare a.json b.json -o both.svg`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("expected at least two circuit files, found %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.circuits = args
			return run(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	fs.StringArrayVarP(&o.files, "output", "o", nil, "`FILE` to draw two circuits to, by its ending "+strings.Join(pictureEndings, ", ")+"; may be repeated")
	choice(cmd, &o.format, "format", string(tableText), "what standard output carries", texts(tableFormats), oneOf("format", tableFormats))
	o.pictureFlags(cmd)
	fs.SortFlags = false
	cmd.ValidArgsFunction = cobra.FixedCompletions([]string{"json"}, cobra.ShellCompDirectiveFilterFileExt)
	return cmd
}

// check refuses, before anything is read, what cannot be drawn in the end.
func (o *compareOptions) check() error {
	if len(o.files) > 0 && len(o.circuits) != 2 {
		return usagef("-o %s: expected two circuits, which are drawn in one picture, found %d", o.files[0], len(o.circuits))
	}
	streams := 0
	for _, name := range o.circuits {
		if name == "-" {
			streams++
		}
	}
	if streams > 1 {
		return usagef("expected one circuit on standard input, found %d", streams)
	}
	return cmp.Or(o.checkPicture(), checkEndings(o.files, pictureEndings))
}

// compare runs the command.
func (a *app) compare(ctx context.Context, o *compareOptions) error {
	var read []place
	for _, name := range o.circuits {
		read = append(read, a.circuitPlace(name)...)
	}
	if err := cmp.Or(a.clash(places("-o", o.files...), read), o.check()); err != nil {
		return err
	}
	var files []*circuit.File
	for _, name := range o.circuits {
		f, err := a.readCircuit(ctx, name)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	g, list, err := compare.Common(files, o.circuits)
	if err != nil {
		return err
	}
	for _, c := range list {
		for _, words := range c.Lost.Words() {
			a.warn([]string{c.Name + ": " + words})
		}
	}
	if err := a.drawCompared(ctx, o, g, list, files[0]); err != nil {
		return err
	}
	return a.printComparison(compare.NewReport(g, list), o.format)
}

// drawCompared draws two circuits to all places.
func (a *app) drawCompared(ctx context.Context, o *compareOptions, g *circuit.Graph, list []compare.Circuit, first *circuit.File) error {
	if len(o.files) == 0 {
		return nil
	}
	if err := o.checkGroups(first); err != nil {
		return err
	}
	union, d := o.drawing(g, list, first)
	for _, name := range o.files {
		text, err := a.drawTwo(ctx, strings.ToLower(filepath.Ext(name)), g, list, union, d)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := a.writeFile(ctx, name, text); err != nil {
			return err
		}
	}
	size, err := draw.SizeOf(g, union, nil, d)
	if err == nil {
		a.tellSize(&o.pictureOptions, size, groupsOf(first) != nil)
	}
	return err
}

// drawTwo is the picture of two circuits, or their page.
func (a *app) drawTwo(ctx context.Context, ending string, g *circuit.Graph, list []compare.Circuit, union circuit.Mask, d draw.Options) ([]byte, error) {
	if ending == pageEnding {
		return a.encodeTwoPage(ctx, g, list, union, page.Options{Caption: d.Caption, Parts: d.Parts})
	}
	return pictureOf(ctx, format(strings.TrimPrefix(ending, ".")), g, union, nil, d)
}

// drawing is how two circuits are drawn, if groups are wanted in those of the
// first, and the edges of both.
func (o *compareOptions) drawing(g *circuit.Graph, list []compare.Circuit, first *circuit.File) (union circuit.Mask, d draw.Options) {
	left, right := list[0], list[1]
	union = g.Empty()
	parts := []draw.Part{{Name: "both", Edges: g.Empty()}, {Name: "only " + oneline.Base(left.Name), Edges: g.Empty()}, {Name: "only " + oneline.Base(right.Name), Edges: g.Empty()}}
	for i := range union {
		inA, inB := left.Mask[i], right.Mask[i]
		union[i] = inA || inB
		parts[0].Edges[i], parts[1].Edges[i], parts[2].Edges[i] = inA && inB, inA && !inB, inB && !inA
	}
	sets := compare.Of(g, left, right).Edges
	caption := draw.Caption{Title: oneline.Base(left.Name) + " and " + oneline.Base(right.Name)}
	if union.Count() > 0 {
		caption.Lines = []string{fmt.Sprintf("Jaccard %.3f of edges", sets.Jaccard())}
	}
	d = draw.Options{Caption: caption, Parts: parts}
	if o.collapse == draw.CollapseGroups {
		d.Groups = groupsOf(first)
	}
	if o.maxEdges > 0 {
		d.Strength = strongest(left, right)
	}
	return union, o.options(d)
}

// strongest is how strong an edge is in the one or the other of two circuits, of
// which each measures in a unit of its own: as a share of the largest effect of
// its circuit.
func strongest(list ...compare.Circuit) circuit.Scores {
	out := make(circuit.Scores, len(list[0].Mask))
	for _, c := range list {
		most := 0.0
		for i, kept := range c.Mask {
			if kept && c.Scores != nil && !math.IsNaN(c.Scores[i]) && !math.IsInf(c.Scores[i], 0) {
				most = max(most, math.Abs(c.Scores[i]))
			}
		}
		for i, kept := range c.Mask {
			if kept && most > 0 && !math.IsNaN(c.Scores[i]) {
				out[i] = max(out[i], min(1, math.Abs(c.Scores[i])/most))
			}
		}
	}
	return out
}

// printComparison prints what was found.
func (a *app) printComparison(r *compare.Report, format tableFormat) error {
	var b bytes.Buffer
	switch format {
	case tableCSV:
		if err := r.WriteCSV(&b); err != nil {
			return err
		}
	case tableJSON:
		if err := r.Encode(&b); err != nil {
			return err
		}
	default:
		b.WriteString(tables(comparisonTables(r), columns(a.stdout)))
	}
	a.print(b.String())
	return nil
}

// comparisonTables are a table of what circuits share, and one of scores.
func comparisonTables(r *compare.Report) [][][]string {
	shares := [][]string{{"A", "B", "PARTS", "BOTH", "ONLY A", "ONLY B", "JACCARD", "PRECISION", "RECALL"}}
	ranks := [][]string{{"A", "B", "SCORES OF", "EDGES", "SPEARMAN", "KENDALL"}}
	for _, p := range r.Pairs {
		for _, s := range []struct {
			name string
			compare.ReportSets
		}{{"edges", p.Edges}, {"nodes", p.Nodes}} {
			shares = append(shares, []string{p.A, p.B, s.name, grouped(s.Both), grouped(s.OnlyA), grouped(s.OnlyB), three(s.Jaccard), three(s.Precision), three(s.Recall)})
		}
		for _, s := range []struct {
			name string
			compare.ReportRanks
		}{{"common edges", p.Common}, {"all edges", p.Scored}} {
			ranks = append(ranks, []string{p.A, p.B, s.name, grouped(s.Edges), three(s.Spearman), three(s.Kendall)})
		}
	}
	return [][][]string{shares, ranks}
}

// three is a number with three digits behind the point, – where there is none.
func three(x *float64) string {
	if x == nil {
		return "–"
	}
	return strconv.FormatFloat(*x, 'f', 3, 64)
}
