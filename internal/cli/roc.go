package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/roc"
	"github.com/seed-2c350065/acdc/pkg/roc/figure"
)

// rocOptions are the flags of roc.
type rocOptions struct {
	subject
	roc        study.ROC
	truth      string // a circuit file
	definition circuit.Definition
	splitEmbed *bool // nil for the task's own
	files      []string
	format     tableFormat
	quiet      bool
}

// rocEndings are those of the files that roc writes.
var rocEndings = []string{".svg", ".png", ".pdf", ".csv", ".json"}

func newROC(run func(context.Context, *rocOptions) error) *cobra.Command {
	o := &rocOptions{definition: circuit.ACDC, roc: study.ROC{Nodes: roc.PathNodes, Algorithms: []string{"acdc", "eap-ig", "random"}}}
	o.threads = runtime.GOMAXPROCS(0)
	cmd := &cobra.Command{
		Use:   "roc (--task NAME | --program FILE.rasp)",
		Short: "hold methods to a circuit that is known",
		Long: `Compare what methods find with a circuit that is known: that of a compiled
program or a model by hand, one from a paper, or a file's. ACDC runs at many thresholds; scores of
other methods choose every circuit that they can. What is printed is the area
under the curve of true over false positive rates, of edges and of nodes: the
pessimistic one of Conmy et al. 2023, which counts stairs below the points, the
usual trapezoid, and InterpBench's.`,
		Example: `  acdc roc --task tracr-reverse --algorithm acdc,eap,eap-ig,hisp,random -o roc.svg
  acdc roc --task tracr-proportion --ablation zero --algorithm acdc,exact --format csv`,
		Args: noArgs("task"),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.subject.flags(cmd)
	o.programFlag(cmd)
	fs, m := cmd.Flags(), &o.roc.Method
	typed(fs, &o.roc.Algorithms, "algorithm", strings.Join(o.roc.Algorithms, ","), "LIST", "the methods, with commas between them: "+strings.Join(study.Algorithms(), ", "), listOf("methods", study.ParseAlgorithm))
	typed(fs, &o.roc.Thresholds, "thresholds", "", "LIST", "ACDC's, as 0.01,0.03 or log:FROM:TO:N, default 21 up to what taking everything away does to the metric", parseThresholds)
	typed(fs, &o.truth, "truth", "", "CIRCUIT.json", "the circuit that is known, default the task's", parseText("a circuit file"))
	choice(cmd, &o.roc.Nodes, "nodes", string(roc.PathNodes), "which nodes count: those on paths, or as the reference counts them", texts(roc.NodeRules()), oneOf("rule of nodes", roc.NodeRules()))
	fs.BoolVar(&m.Absolute, "abs", false, "ACDC compares the absolute value of the rise, and scores count by their size")
	typed(fs, &m.Steps, "steps", "", "N", "those of EAP-IG and of masks that are learned", parseCount(maxSteps))
	choice(cmd, &m.Order, "order", string(acdc.Normal), "of ACDC's tests", texts(acdc.Orders()), acdc.ParseOrder)
	choice(cmd, &o.definition, "definition", string(o.definition), "of the graph's edges", texts(circuit.Definitions()), oneOf("definition", circuit.Definitions()))
	splitFlag(fs, &o.splitEmbed)
	typed(fs, &o.threads, "threads", fmt.Sprint(o.threads), "N", "how many cores to use; does not change the result", parseCount(maxThreads))
	fs.StringArrayVarP(&o.files, "output", "o", nil, "`FILE` to write, by its ending "+strings.Join(rocEndings, ", ")+"; may be repeated")
	choice(cmd, &o.format, "format", string(tableText), "what standard output carries", texts(tableFormats), oneOf("format", tableFormats))
	fs.BoolVar(&o.quiet, "quiet", false, "do not say which method runs")
	fs.SortFlags = false
	return cmd
}

// roc runs the command.
func (a *app) roc(ctx context.Context, o *rocOptions) error {
	in, err := a.opened(ctx, &o.subject, o.check, places("-o", o.files...), places("--truth", o.truth))
	if err != nil {
		return err
	}
	defer in.Close() // read only: nothing can be lost
	e, err := patch.Bind(ctx, in.Config(o.definition, in.Splits(o.splitEmbed)))
	if err != nil {
		return err
	}
	if o.roc.Truth, err = a.readTruth(ctx, o, in, e.Graph()); err != nil {
		return err
	}
	f, err := in.Curves(ctx, e, o.roc, func(algorithm string) {
		if !o.quiet {
			fmt.Fprintln(a.stderr, "acdc: "+algorithm)
		}
	})
	if err != nil {
		return err
	}
	for _, name := range o.files {
		text, err := encodeROC(ctx, f, strings.ToLower(filepath.Ext(name)))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := a.writeFile(ctx, name, text); err != nil {
			return err
		}
	}
	return a.printROC(f, o.format)
}

// readTruth finds the circuit that methods are held to.
func (a *app) readTruth(ctx context.Context, o *rocOptions, in *study.Study, g *circuit.Graph) (study.Truth, error) {
	if o.truth == "" {
		return in.Truth(ctx, g)
	}
	f, err := a.readCircuit(ctx, o.truth)
	if err != nil {
		return study.Truth{}, err
	}
	return study.TruthOf(o.truth, f, g)
}

// encodeROC is what a file of an ending has in it.
func encodeROC(ctx context.Context, f *roc.File, ending string) ([]byte, error) {
	var b bytes.Buffer
	switch ending {
	case ".csv":
		err := f.WritePoints(&b)
		return b.Bytes(), err
	case ".json":
		err := f.Encode(&b)
		return b.Bytes(), err
	}
	drawn := figure.Figure{Title: cmp.Or(f.Task, f.Model), Curves: f.Curves}
	err := drawn.Write(ctx, &b, figure.Format(strings.TrimPrefix(ending, ".")))
	return b.Bytes(), err
}

// printROC prints the areas.
func (a *app) printROC(f *roc.File, format tableFormat) error {
	var b bytes.Buffer
	switch format {
	case tableCSV:
		if err := f.WriteAreas(&b); err != nil {
			return err
		}
	case tableJSON:
		if err := f.Encode(&b); err != nil {
			return err
		}
	default:
		rows := [][]string{{"METHOD", "EDGES", "TRAPEZOID", "NODES", "TRAPEZOID", "INTERPBENCH", "CIRCUITS"}}
		area := func(x float64) string { return strconv.FormatFloat(x, 'f', 3, 64) }
		for _, c := range f.Curves {
			bench := "–"
			if c.InterpBench != nil {
				bench = area(*c.InterpBench)
			}
			rows = append(rows, []string{c.Name, area(c.Pessimistic(roc.Edges)), area(c.Trapezoid(roc.Edges)), area(c.Pessimistic(roc.Nodes)), area(c.Trapezoid(roc.Nodes)), bench, grouped(len(c.Points))})
		}
		b.WriteString(table(rows, columns(a.stdout)))
	}
	a.print(b.String())
	return nil
}

// check refuses, before anything is computed, what cannot be written in the end.
func (o *rocOptions) check() error {
	return checkEndings(o.files, rocEndings)
}
