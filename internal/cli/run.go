package cli

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
)

// reportFormat is how run prints its table.
type reportFormat string

const (
	reportText reportFormat = "text"
	reportJSON reportFormat = "json"
)

var reportFormats = []reportFormat{reportText, reportJSON}

// runOptions are the flags of run.
type runOptions struct {
	subject
	textOptions
	circuit  string
	cut, add []string
	files    []string
	pictureOptions
	dropIdle bool
	format   reportFormat
}

func newRun(a *app, run func(context.Context, *runOptions) error) *cobra.Command {
	o := &runOptions{format: reportText}
	o.threads = runtime.GOMAXPROCS(0)
	cmd := &cobra.Command{
		Use:   "run --circuit CIRCUIT.json [--cut EDGE]... [--add EDGE]...",
		Short: "edit a circuit's edges and measure it",
		Long: `Measure a saved circuit, and the same with edges cut and added, beside the full
model and the corrupted run. Model, data, metric and ablation are those that the
circuit was found with, unless others are given. Edges are written like
input->a1.h6<k>, a0.h3->m1 or m1->logits, a1.h6<k> being the direct edge of a
head's keys, or as in pictures and traces. Without --metric, all metrics that the
data allow are measured. acdc predict shows what a circuit predicts.`,
		Example: `  acdc discover --task induction -o circuit.json
  acdc run --circuit circuit.json
  acdc run --circuit circuit.json --cut "a1.h1->logits" --add "a1.h0->logits" -o edited.json`,
		Args: noArgs("circuit"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return run(cmd.Context(), o)
		},
	}
	o.flags(cmd)
	o.subject.flags(cmd)
	cmd.Flags().SortFlags = false
	return cmd
}

func (o *runOptions) flags(cmd *cobra.Command) {
	fs := cmd.Flags()
	o.circuitFlags(cmd)
	o.textOptions.flags(cmd)
	for _, name := range []string{"prompt", "corrupt", "top"} {
		_ = fs.MarkHidden(name) // what acdc predict has now
	}
	fs.StringArrayVarP(&o.files, "output", "o", nil, "`FILE` for the edited circuit, by its ending "+endingsText()+"; may be repeated")
	o.pictureFlags(cmd)
	idleFlag(cmd, &o.dropIdle)
	choice(cmd, &o.format, "format", string(o.format), "of the table", texts(reportFormats), oneOf("format", reportFormats))
	typed(fs, &o.threads, "threads", fmt.Sprint(o.threads), "N", "how many cores to use; does not change the result", parseCount(maxThreads))
}

// circuitFlags are the flags of a circuit and its edges.
func (o *runOptions) circuitFlags(cmd *cobra.Command) {
	fs := cmd.Flags()
	typed(fs, &o.circuit, "circuit", "", "FILE", "the circuit, as discover saved it; - is standard input", parseText("a file"))
	_ = cmd.RegisterFlagCompletionFunc("circuit", cobra.FixedCompletions([]string{"json"}, cobra.ShellCompDirectiveFilterFileExt))
	repeated(fs, &o.cut, "cut", "an edge", "`EDGE` to cut")
	repeated(fs, &o.add, "add", "an edge", "`EDGE` to add")
}

// measured is one row of the table.
type measured struct {
	Run     string             `json:"run"`
	Edges   int                `json:"edges"`
	Metrics map[string]float64 `json:"metrics"`
}

// run runs the command.
func (a *app) run(ctx context.Context, o *runOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	if len(o.prompts) > 0 {
		a.warn([]string{"run --prompt is now the command acdc predict"})
		return a.predict(ctx, o)
	}
	c, err := a.readEdited(ctx, o)
	if err != nil {
		return err
	}
	in, err := o.spec.OpenLike(ctx, o.circuit, c.file, o.threads)
	if err != nil {
		return err
	}
	defer in.Close()                                                                     // read only: nothing can be lost
	if err := a.clash(places("-o", o.files...), inputs(in.Spec, in.Model)); err != nil { // the circuit may be edited in place
		return err
	}
	a.warn(append(in.Model.Warnings, in.Changed...))
	metrics := o.metrics(in)
	rows, provenance, err := measure(ctx, c.graph, in, metrics, c.masks)
	if err != nil {
		return err
	}
	if len(o.files) > 0 {
		if err := in.Identify(ctx, &provenance); err != nil {
			return err
		}
		o.describe(c.file, rows, provenance)
		out := o.outputs()
		if out.writes(formatHTML) {
			out.page.add = studyPage(in, c.graph)
		}
		c.file.SetCircuit(c.graph, c.masks[len(c.masks)-1], c.scores, c.file.AllEdgesIncluded)
		if err := a.write(ctx, out, c.file); err != nil {
			return err
		}
	}
	if o.format == reportJSON {
		return a.printJSON(rows)
	}
	a.print(metricTable(rows, metrics, columns(a.stdout)))
	return nil
}

// editedCircuit is a circuit as its file has it and, where edges were cut or
// added, as it is then.
type editedCircuit struct {
	file   *circuit.File
	graph  *circuit.Graph
	scores circuit.Scores
	masks  []circuit.Mask // the saved one, and the edited one if there is one
}

// readEdited reads the circuit and edits it.
func (a *app) readEdited(ctx context.Context, o *runOptions) (*editedCircuit, error) {
	f, err := a.readCircuit(ctx, o.circuit)
	if err != nil {
		return nil, err
	}
	g, mask, scores, err := f.Circuit()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.circuit, err)
	}
	c := &editedCircuit{file: f, graph: g, scores: scores, masks: []circuit.Mask{mask}}
	if len(o.cut)+len(o.add) == 0 {
		return c, nil
	}
	edited, err := edit(g, mask, o.cut, o.add)
	if err != nil {
		return nil, err
	}
	c.masks = append(c.masks, edited)
	return c, nil
}

// check refuses what is wrong before anything is read.
func (o *runOptions) check() error {
	if len(o.prompts) > 0 {
		return o.checkPrompts()
	}
	if len(o.corrupts) > 0 {
		return usagef("--corrupt: expected --prompt TEXT, found none")
	}
	if o.top > 0 {
		return usagef("--top: expected --prompt TEXT, found none")
	}
	if o.circuit == "" {
		return usagef("expected --circuit CIRCUIT.json, found none")
	}
	if o.dropIdle && len(o.files) == 0 {
		return usagef("--drop-idle: expected -o FILE, which it leaves edges out of, found none")
	}
	for _, f := range o.files {
		if f == "-" {
			return usagef("-o -: expected a file; standard output carries the metrics")
		}
	}
	return o.outputs().check()
}

// outputs are where the edited circuit goes.
func (o *runOptions) outputs() *outputs {
	return &outputs{files: o.files, pictureOptions: o.pictureOptions, dropIdle: o.dropIdle}
}

// edit cuts and adds edges.
func edit(g *circuit.Graph, mask circuit.Mask, cut, add []string) (circuit.Mask, error) {
	m := mask.Clone()
	for _, name := range cut {
		i, err := g.ParseEdge(name)
		if err != nil {
			return nil, fmt.Errorf("--cut: %w", err)
		}
		if !m[i] {
			return nil, fmt.Errorf("--cut: edge %q: expected an edge of the circuit, found it absent", name)
		}
		m[i] = false
	}
	for _, name := range add {
		i, err := g.ParseEdge(name)
		if err != nil {
			return nil, fmt.Errorf("--add: %w", err)
		}
		if m[i] {
			return nil, fmt.Errorf("--add: edge %q: expected an edge that is not in the circuit, found it present", name)
		}
		m[i] = true
	}
	return m, nil
}

// metrics lists what to measure: the one asked for, or all that the data
// allow, the file's own first.
func (o *runOptions) metrics(in *study.Study) []metric.Name {
	if o.spec.Metric != "" {
		return []metric.Name{in.Spec.Metric}
	}
	return in.Metrics()
}
