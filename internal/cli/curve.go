package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/plotstyle"
	"github.com/seed-2c350065/acdc/internal/sweep"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/faithful"
	"github.com/seed-2c350065/acdc/pkg/faithful/figure"
)

// worth says what an edge is worth where circuits are chosen by scores.
type worth string

const (
	worthSigned   worth = "signed"
	worthAbsolute worth = "absolute"
	worthBoth     worth = "both"
)

var worths = []worth{worthBoth, worthSigned, worthAbsolute}

// countRules are the ways to choose a number of edges that need nothing else.
var countRules = []circuit.Rule{circuit.Top, circuit.Greedy, circuit.Flow}

// curveOptions are the flags of curve.
type curveOptions struct {
	subject
	report
	circuits []string
	by       worth
	rule     circuit.Rule
	parts    []float64 // nil for MIB's
	table    faithful.Table
}

func newCurve(run func(context.Context, *curveOptions) error) *cobra.Command {
	o := &curveOptions{by: worthBoth, rule: circuit.Top, table: faithful.PointsTable}
	o.threads = runtime.GOMAXPROCS(0)
	cmd := &cobra.Command{
		Use:   "curve CIRCUIT.json...",
		Short: "measure faithfulness over circuit size",
		Long: `Measure the circuits of growing size that the scores of saved circuits stand for,
as the MIB benchmark does: of N edges the best int(p·N), for its sizes p, without
those that lead nowhere; their faithfulness, 0 of the circuit without edges and 1 of
the model; and the areas CPR, below the curve, and CMD, between the curve and 1. Edges
are chosen by their scores (signed) and by the scores' size (absolute); MIB publishes
CPR of the first and CMD of the second. Model, data, metric and ablation are those
that a circuit was found with, unless others are given; of a task's prompts the test
half. Every circuit is a series of the figure.`,
		Example: `  acdc discover --task induction --algorithm eap-ig --metric nll --top 12 --quiet -o eap-ig.json
  acdc discover --task induction --algorithm exact --metric nll --top 12 --quiet -o exact.json
  acdc curve eap-ig.json exact.json -o curve.svg
  acdc curve exact.json --by absolute --fractions 0.1,0.2,0.5,1 --format csv`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("expected circuit files, found none")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.circuits = args
			return run(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	choice(cmd, &o.by, "by", string(o.by), "what an edge is worth: its score, the score's size, or a curve of each", texts(worths), oneOf("way", worths))
	choice(cmd, &o.rule, "select", string(o.rule), "how edges are chosen by scores", texts(countRules), oneOf("rule", countRules))
	typed(fs, &o.parts, "fractions", "", "LIST", "sizes of circuits as parts of all edges, as 0.1,0.5,1 or log:FROM:TO:N, default MIB's ten from 0.001 to 1", parseParts)
	choice(cmd, &o.table, "table", string(o.table), "what CSV has", texts(faithful.Tables()), oneOf("table", faithful.Tables()))
	o.subject.flags(cmd)
	o.report.flags(cmd, ".svg", ".png", ".pdf", ".csv", ".json")
	typed(fs, &o.threads, "threads", fmt.Sprint(o.threads), "N", "how many cores to use; does not change the result", parseCount(maxThreads))
	fs.SortFlags = false
	cmd.ValidArgsFunction = cobra.FixedCompletions([]string{"json"}, cobra.ShellCompDirectiveFilterFileExt)
	return cmd
}

// parseParts reads numbers from 0 to 1, ascending.
func parseParts(s string) ([]float64, error) {
	return sweep.ParseValues(s, func(s string) (float64, error) {
		x, err := parseNumber(s)
		if err != nil || !(x >= 0 && x <= 1) {
			return 0, fmt.Errorf("expected a number from 0 to 1, found %q", s)
		}
		return x, nil
	})
}

// options are those of the curves that are asked for.
func (o *curveOptions) options() []faithful.Options {
	var out []faithful.Options
	for _, absolute := range []bool{false, true} {
		if o.by == worthBoth || absolute == (o.by == worthAbsolute) {
			out = append(out, faithful.Options{Parts: o.parts, Rule: o.rule, Absolute: absolute})
		}
	}
	return out
}

// check refuses, before anything is read, what cannot be meant.
func (o *curveOptions) check() error {
	for i, name := range o.circuits {
		if slices.Contains(o.circuits[:i], name) {
			return usagef("expected different circuits, found %s twice", name)
		}
	}
	return o.report.check()
}

// curve runs the command.
func (a *app) curve(ctx context.Context, o *curveOptions) error {
	read := inputs(o.spec, nil)
	for _, name := range o.circuits {
		read = append(read, a.circuitPlace(name)...)
	}
	if err := cmp.Or(o.check(), a.clash(places("-o", o.files...), read)); err != nil {
		return err
	}
	files := make([]*circuit.File, len(o.circuits))
	for i, name := range o.circuits {
		var err error
		if files[i], err = a.readCircuit(ctx, name); err != nil {
			return err
		}
	}
	out := &faithful.File{}
	for i, name := range o.circuits {
		c, err := a.curvesOf(ctx, &o.subject, &o.report, name, files[i], o.options())
		if err != nil {
			return err
		}
		out.Circuits = append(out.Circuits, *c)
	}
	a.warn(unlike(out))
	err := a.writeReport(ctx, &o.report, func(b *bytes.Buffer, ending string) error {
		switch ending {
		case ".json":
			return out.Encode(b)
		case ".csv":
			return out.WriteCSV(b, o.table)
		}
		return figure.Write(ctx, b, out, plotstyle.Format(strings.TrimPrefix(ending, ".")))
	})
	if err == nil && o.format == tableText {
		a.print(curvesText(out, columns(a.stdout)))
	}
	return err
}

// curvesOf measures the curves of a circuit's scores, on the test half of a task's
// prompts unless another is asked for.
func (a *app) curvesOf(ctx context.Context, s *subject, r *report, name string, f *circuit.File, options []faithful.Options) (*faithful.Circuit, error) {
	in, err := s.spec.OpenLike(ctx, name, f, s.threads)
	if err != nil {
		return nil, err
	}
	defer in.Close() // read only: nothing can be lost
	if err := a.clash(places("-o", r.files...), inputs(in.Spec, in.Model)); err != nil {
		return nil, err
	}
	a.warn(append(in.Model.Warnings, in.Changed...))
	on, err := in.Held(ctx, s.spec.Half)
	if err != nil {
		return nil, err
	}
	a.say(r)("curves of " + name)
	c, err := on.Faithfulness(ctx, name, f, options)
	if err != nil {
		return nil, err
	}
	if all := c.Curves[0].Edges; c.Scored < all {
		a.warn([]string{fmt.Sprintf("%s: %d of %d edges have no score, and are in no circuit: no curve reaches the model", name, all-c.Scored, all)})
	}
	return c, nil
}

// unlike warns where curves are of different things.
func unlike(f *faithful.File) []string {
	var out []string
	first := f.Circuits[0].Run
	for _, c := range f.Circuits[1:] {
		for _, x := range []struct{ what, own, other string }{
			{"models", first.Model, c.Run.Model}, {"metrics", first.Metric, c.Run.Metric}, {"ablations", first.Ablation, c.Run.Ablation},
			{"prompts", first.PromptsDigest, c.Run.PromptsDigest},
		} {
			if x.own != x.other {
				out = append(out, fmt.Sprintf("%s and %s are measured with different %s", f.Circuits[0].Name, c.Name, x.what))
				break
			}
		}
	}
	return out
}

// curvesText is what people read: the points of every curve, and the areas.
func curvesText(f *faithful.File, width int) string {
	points := [][]string{{"CIRCUIT", "BY", "PART", "CHOSEN", "KEPT", "METRIC", "FAITHFULNESS"}}
	areas := [][]string{{"CIRCUIT", "BY", "METRIC", "MODEL", "EMPTY", "EDGES", "CPR", "CMD", "MEAN"}}
	digits := func(x float64) string {
		if text := strconv.FormatFloat(x, 'f', 4, 64); text != "-0.0000" {
			return text
		}
		return "0.0000"
	}
	for _, c := range f.Circuits {
		for _, a := range c.Curves {
			for _, p := range a.Points {
				points = append(points, []string{c.Name, a.By, strconv.FormatFloat(p.Part, 'g', -1, 64), grouped(p.Chosen), grouped(p.Kept), number(p.Metric), digits(p.Faithfulness)})
			}
			areas = append(areas, []string{c.Name, a.By, c.Run.Metric, number(a.Model), number(a.Empty), grouped(a.Edges), digits(a.CPR), digits(a.CMD), digits(a.Mean)})
		}
	}
	return table(points, width) + "\n" + table(areas, width)
}
