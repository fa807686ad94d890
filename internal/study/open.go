package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover/learn"
	"github.com/seed-2c350065/acdc/pkg/hub"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// Study is an open model with its data, and the Spec that they are of, in which
// nothing is left to be chosen.
type Study struct {
	Spec    Spec
	Task    task.Task // of no name where the data are given
	Model   *zoo.Model
	Data    task.Data
	Changed []string // warnings: what is not what it was when a circuit's file was written
	ids     bool     // the data were token ids in a file
	threads int
	weights string // digests, once they were taken
	prompts string
}

// OpenModel opens the model of a Spec. What is missing in the Hugging Face cache
// is an error that says how to get it and what can be done without.
func (s Spec) OpenModel(ctx context.Context, threads int) (*zoo.Model, error) {
	m, err := zoo.OpenWith(ctx, s.Model, zoo.Options{Processing: s.Processing, Reset: s.Reset, Threads: threads})
	return m, MissingModel(s.Model, err)
}

// MissingModel adds to a *hub.NotFoundError what to do.
func MissingModel(name string, err error) error {
	var absent *hub.NotFoundError
	if !errors.As(err, &absent) {
		return err
	}
	return fmt.Errorf("%w; download it with \"acdc pull %s\", or name a folder with --model; models that need no download: %s",
		err, name, strings.Join(choice.Names(zoo.All(), func(e zoo.Entry) string { return e.Name }), ", "))
}

// openTaskModel opens the model that a task is run with. Where nobody named
// another, and the task's must be downloaded and is not, the task's builtin model
// stands in, with a warning.
func (s Spec) openTaskModel(ctx context.Context, t task.Task, named bool, threads int) (*zoo.Model, error) {
	m, err := s.OpenModel(ctx, threads)
	var absent *hub.NotFoundError
	if named || t.Builtin == "" || !errors.As(err, &absent) {
		return m, err
	}
	missing := s.Model
	s.Model = t.Builtin
	if m, err = s.OpenModel(ctx, threads); err != nil {
		return nil, err
	}
	m.Warnings = append(m.Warnings, fmt.Sprintf("model %s is not in the Hugging Face cache: task %s is run on the builtin model %s; \"acdc pull %s\" downloads %[1]s",
		missing, t.Name, t.Builtin, missing))
	return m, nil
}

// Open resolves the Spec and opens its model and data. The caller closes the
// study.
func (s Spec) Open(ctx context.Context, threads int) (*Study, error) {
	named := s.Model != ""
	s, t, err := s.Resolve()
	if err != nil {
		return nil, err
	}
	m, err := s.openTaskModel(ctx, t, named, threads)
	if err != nil {
		return nil, err
	}
	return s.with(ctx, t, m, threads)
}

// OpenLike opens a study of a file's circuit: s laid over what the file says.
// name is what errors call the file.
func (s Spec) OpenLike(ctx context.Context, name string, f *circuit.File, threads int) (*Study, error) {
	base, err := FromRun(f.Run)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	given, own := s, s.Model != ""
	s = s.Over(base)
	if s.Model == "" {
		return nil, fmt.Errorf("%s: field \"model\": expected a model, found none; --model says which", name)
	}
	if s.Task == "" && s.Data == "" {
		return nil, fmt.Errorf("%s: field \"task\": expected a task or \"data\" to measure on, found neither; --task and --data say which", name)
	}
	s, t, err := s.Resolve()
	if err != nil {
		return nil, err
	}
	m, err := s.OpenModel(ctx, threads)
	if err != nil && !own && ctx.Err() == nil {
		return nil, fmt.Errorf("%s: field \"model\": %v", name, err) // even a wrong name is no fault of the flags
	}
	if err != nil {
		return nil, err
	}
	if err := SameGraph(f, m.Config); err != nil {
		_ = m.Close() // the first error says more
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	x, err := s.with(ctx, t, m, threads)
	if err != nil {
		return nil, err
	}
	if err := x.changed(ctx, name, f.Run, given); err != nil {
		_ = x.Close() // the first error says more
		return nil, err
	}
	return x, nil
}

// Also opens a study of the same model with what else a Spec says, whose model
// is not looked at. The model is closed with x.
func (x *Study) Also(ctx context.Context, s Spec) (*Study, error) {
	s.Model = x.Model.Name
	s, t, err := s.Resolve()
	if err != nil {
		return nil, err
	}
	out := &Study{Spec: s, Task: t, Model: x.Model, threads: x.threads, weights: x.weights}
	return out, out.open(ctx)
}

// with loads the data for a model, which it closes if it cannot.
func (s Spec) with(ctx context.Context, t task.Task, m *zoo.Model, threads int) (*Study, error) {
	x := &Study{Spec: s, Task: t, Model: m, threads: threads}
	if err := x.open(ctx); err != nil {
		_ = m.Close() // the first error says more
		return nil, err
	}
	return x, nil
}

// open loads the data, and learns what is sent under optimal ablation.
func (x *Study) open(ctx context.Context) error {
	if err := x.load(ctx); err != nil {
		return err
	}
	x.Spec.Model = x.Model.Name
	if x.Spec.Ablation != ablate.Optimal || x.Spec.Constants != nil {
		return nil
	}
	k, err := learn.Constants(ctx, x.Config("", false), learn.ConstantSteps)
	if err != nil {
		return fmt.Errorf("ablation %s: %w", ablate.Optimal, err)
	}
	x.Spec.Constants = k
	return nil
}

// Close closes the model.
func (x *Study) Close() error { return x.Model.Close() }

// SameGraph refuses a model that a file's circuit is not one of.
func SameGraph(f *circuit.File, c transformer.Config) error {
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

// SplitsEmbed reports whether token and position embeddings are two senders
// unless anybody says otherwise: the task's own model has them so.
func (x *Study) SplitsEmbed() bool {
	return x.Task.SplitEmbed && !x.Model.Imitates() && x.Model.Config.Positions == transformer.Standard
}

// Splits is what was asked for, else SplitsEmbed.
func (x *Study) Splits(asked *bool) bool {
	if asked != nil {
		return *asked
	}
	return x.SplitsEmbed()
}

// Config says what is to be bound, for a graph of the model.
func (x *Study) Config(d circuit.Definition, splitEmbed bool) patch.Config {
	return patch.Config{Model: x.Model.Model, Definition: d, SplitEmbed: splitEmbed, Data: x.Data,
		Metric: x.Spec.Metric, Ablation: x.Spec.Ablation, Seed: x.Spec.RandomSeed(), Threads: x.threads,
		Constants: x.Spec.Constants, Scratch: os.TempDir()}
}

// Run is the provenance of what is measured on an experiment of the study:
// everything from which FromRun makes the same Spec again.
func (x *Study) Run(e *patch.Experiment) circuit.Run {
	out := x.Planned()
	out.PosPermutation, out.Constants = e.Runs().PosPermutation(), x.Spec.Constants
	return out
}

// Planned is the provenance of what is measured on the study, as far as it is
// known before anything is run.
func (x *Study) Planned() circuit.Run {
	s := x.Spec
	return circuit.Run{Task: s.Task, Data: s.Data, Model: s.Model, Metric: string(s.Metric), Ablation: string(s.Ablation),
		Seed: s.RandomSeed(), Examples: len(x.Data.Clean), Half: string(s.Half), Variant: s.Variant, BOS: s.BOS,
		Processing: x.Model.Processing.Steps(), ResetWeights: s.Reset}
}
