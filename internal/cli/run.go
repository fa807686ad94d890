package cli

import (
	"cmp"
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/zoo"
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
	seedGiven   bool
	metricGiven bool
	circuit     string
	cut, add    []string
	files       []string
	dropIdle    bool
	format      reportFormat
}

func newRun(a *app, run func(context.Context, *runOptions) error) *cobra.Command {
	o := &runOptions{format: reportText}
	o.threads = runtime.GOMAXPROCS(0)
	cmd := &cobra.Command{
		Use:   "run [--circuit CIRCUIT.json [--cut EDGE]... [--add EDGE]...] [--prompt TEXT]...",
		Short: "edit a circuit's edges and measure it, or see what it predicts",
		Long: `Measure a saved circuit, and the same with edges cut and added, beside the full
model and the corrupted run. Model, data, metric and ablation are those that the
circuit was found with, unless others are given. Edges are written like
input->a1.h6<k>, a0.h3->m1 or m1->logits, a1.h6<k> being the direct edge of a
head's keys, or as in pictures and traces. Without --metric, all metrics that the data allow are measured.

` + promptLong,
		Example: `  acdc discover --task induction -o circuit.json
  acdc run --circuit circuit.json
  acdc run --circuit circuit.json --cut "a1.h1->logits" --add "a1.h5->logits" -o edited.json
` + promptExample,
		Args: noArgs("circuit"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.seedGiven, o.metricGiven = cmd.Flags().Changed("seed"), cmd.Flags().Changed("metric")
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
	typed(fs, &o.circuit, "circuit", "", "FILE", "the circuit, as discover saved it; - is standard input", parseText("a file"))
	_ = cmd.RegisterFlagCompletionFunc("circuit", cobra.FixedCompletions([]string{"json"}, cobra.ShellCompDirectiveFilterFileExt))
	repeated(fs, &o.cut, "cut", "an edge", "`EDGE` to cut")
	repeated(fs, &o.add, "add", "an edge", "`EDGE` to add")
	o.textOptions.flags(cmd)
	fs.StringArrayVarP(&o.files, "output", "o", nil, "`FILE` for the edited circuit, by its ending .dot, .svg, .png or .json; may be repeated")
	idleFlag(cmd, &o.dropIdle)
	choice(cmd, &o.format, "format", string(o.format), "of the table", texts(reportFormats), oneOf("format", reportFormats))
	typed(fs, &o.threads, "threads", fmt.Sprint(o.threads), "N", "how many cores to use; does not change the result", parseCount(maxThreads))
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
		return a.predict(ctx, o)
	}
	c, err := a.readEdited(o)
	if err != nil {
		return err
	}
	in, err := o.openLike(c.file)
	if err != nil {
		return err
	}
	defer in.model.Close()
	if err := a.clash(places("-o", o.files...), o.inputs(in.model)); err != nil { // the circuit may be edited in place
		return err
	}
	a.warn(in.model.Warnings)
	metrics := o.metrics(in)
	rows, err := o.measure(ctx, c.graph, in, metrics, c.masks)
	if err != nil {
		return err
	}
	if len(o.files) > 0 {
		o.describe(c.file, rows, in)
		c.file.SetCircuit(c.graph, c.masks[len(c.masks)-1], c.scores, c.file.AllEdgesIncluded)
		if err := a.write(ctx, &outputs{files: o.files, dropIdle: o.dropIdle}, c.file); err != nil {
			return err
		}
	}
	if o.format == reportJSON {
		return a.printJSON(rows)
	}
	a.print(metricTable(rows, metrics))
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
func (a *app) readEdited(o *runOptions) (*editedCircuit, error) {
	f, err := a.readCircuit(o.circuit)
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
		return usagef("expected --circuit CIRCUIT.json, or --model MODEL and --prompt TEXT, found neither")
	}
	if o.dropIdle && len(o.files) == 0 {
		return usagef("--drop-idle: expected -o FILE, which it leaves edges out of, found none")
	}
	for _, f := range o.files {
		if f == "-" {
			return usagef("-o -: expected a file; standard output carries the metrics")
		}
	}
	out := outputs{files: o.files}
	return out.check()
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

// openLike opens model and data, those of the file unless flags say otherwise.
func (o *runOptions) openLike(f *circuit.File) (*opened, error) {
	inherited, err := o.inherit(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.circuit, err)
	}
	ofFile := o.model == ""
	if o.model = cmp.Or(o.model, f.Model); o.model == "" {
		return nil, fmt.Errorf("%s: field \"model\": expected a model, found none; --model says which", o.circuit)
	}
	t, err := o.resolve()
	if err != nil {
		return nil, err
	}
	m, err := o.openModelOf(f, ofFile)
	if err != nil {
		return nil, err
	}
	in, err := o.likeFile(t, m, f)
	if err != nil {
		_ = m.Close() // the first error says more
		return nil, err
	}
	if inherited && in.data.PosPermutation == nil {
		in.data.PosPermutation = f.PosPermutation
	}
	return in, nil
}

// openModelOf opens the model, its weights processed as the file says if it is
// the file's. With ofFile no flag named it.
func (o *runOptions) openModelOf(f *circuit.File, ofFile bool) (*zoo.Model, error) {
	if sameModel := ofFile || o.model == f.Model; sameModel {
		if err := o.takeProcessing(f.Processing, f.ResetWeights); err != nil {
			return nil, fmt.Errorf("%s: %w", o.circuit, err)
		}
	}
	m, err := o.openModel()
	if err != nil && ofFile {
		return nil, fmt.Errorf("%s: field \"model\": %v", o.circuit, err) // even a wrong name is no fault of the flags
	}
	return m, err
}

// likeFile loads data for a model that the circuit is one of.
func (o *runOptions) likeFile(t task.Task, m *zoo.Model, f *circuit.File) (*opened, error) {
	if err := sameGraph(f, m.Config); err != nil {
		return nil, fmt.Errorf("%s: %w", o.circuit, err)
	}
	return o.withData(t, m)
}

// inherit takes from the file what no flag says, and reports whether the data
// are the file's.
func (o *runOptions) inherit(f *circuit.File) (bool, error) {
	sameData := o.task == "" && o.data == ""
	if sameData {
		if err := checkTask(f); err != nil {
			return false, err
		}
		o.task, o.data = f.Task, f.Data
		if o.task == "" && o.data == "" {
			return false, fmt.Errorf("field \"task\": expected a task or \"data\" to measure on, found neither; --task and --data say which")
		}
		if o.examples == 0 {
			o.examples = f.Examples
		}
		if !o.seedGiven {
			o.seed = f.Seed
		}
		o.takePrompts(f)
	}
	var err error
	if o.metric == "" && f.Metric != "" {
		if o.metric, err = metric.ParseName(f.Metric); err != nil {
			return false, fmt.Errorf("field \"metric\": %w", err)
		}
	}
	return sameData, o.takeAblation(f)
}

// checkTask refuses what the file says of a task that is none of it.
func checkTask(f *circuit.File) error {
	if f.Task == "" {
		return nil
	}
	t, err := task.Find(f.Task)
	if err != nil {
		return fmt.Errorf("field \"task\": %w", err)
	}
	if err := t.CheckVariant(f.Variant); err != nil {
		return fmt.Errorf("field \"variant\": %w", err)
	}
	if err := t.CheckBOS(f.BOS); err != nil {
		return fmt.Errorf("field \"bos\": %w", err)
	}
	return nil
}

// takeAblation takes the file's ablation unless a flag says another.
func (s *subject) takeAblation(f *circuit.File) error {
	if s.ablation != "" || f.Ablation == "" {
		return nil
	}
	var err error
	if s.ablation, err = ablate.Parse(f.Ablation); err != nil {
		return fmt.Errorf("field \"ablation\": %w", err)
	}
	return nil
}

// takePrompts takes from the file which prompts its task's were.
func (p *promptFlags) takePrompts(f *circuit.File) {
	if p.half == "" {
		p.half = task.Half(f.Half)
	}
	if p.variant == "" {
		p.variant = f.Variant
	}
	if p.bos == nil {
		p.bos = f.BOS
	}
}

// sameGraph refuses a model that the circuit is not one of.
func sameGraph(f *circuit.File, c transformer.Config) error {
	for _, field := range []struct {
		name        string
		file, model any
	}{
		{"n_layers", f.Graph.Layers, c.Layers}, {"n_heads", f.Graph.Heads, c.Heads},
		{"attn_only", f.Graph.AttnOnly, c.AttnOnly}, {"parallel_attn_mlp", f.Graph.ParallelAttnMLP, c.ParallelAttnMLP},
	} {
		if field.file != field.model {
			return fmt.Errorf("field \"graph\".%q: expected %v as in the model, found %v", field.name, field.model, field.file)
		}
	}
	return nil
}

// metrics lists what to measure: the one asked for, or all that the data
// allow, the file's own first.
func (o *runOptions) metrics(in *opened) []metric.Name {
	if o.metricGiven {
		return []metric.Name{o.metric}
	}
	out := []metric.Name{o.metric}
	for _, name := range metric.Names() {
		if name == o.metric {
			continue
		}
		if patch.Allows(name, in.data, in.model.Config) == nil {
			out = append(out, name)
		}
	}
	return out
}
