package cli

import (
	"cmp"
	"context"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	choices "github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/rasp/programs"
	"github.com/seed-2c350065/acdc/pkg/task"
)

// subject says what is examined and by which measure: flags that several
// commands share.
type subject struct {
	spec    study.Spec
	program string // to compile, of commands that have --program
	threads int    // of commands that have --threads; 0 for one a core
}

// limits of what one may ask for by a slip of the finger.
const (
	maxExamples = study.MaxExamples
	maxThreads  = 4096
)

func (s *subject) flags(cmd *cobra.Command) {
	fs := cmd.Flags()
	taskNames := names(task.All(), func(t task.Task) string { return t.Name })
	choice(cmd, &s.spec.Task, "task", "", "what the model is to do; brings model, data, metric, threshold and ablation", taskNames,
		func(name string) (string, error) {
			_, err := task.Find(name)
			return name, err
		})
	typed(fs, &s.spec.Data, "data", "", "FILE", "clean and corrupt prompts: safetensors (clean, corrupt; mask, labels, correct, wrong), JSON, JSON lines or CSV of other tools, or random:BxT for random ones", parseText("a file or random:BxT"))
	choice(cmd, &s.spec.Metric, "metric", "", "what is measured, default the task's or kl_div", texts(metric.Names()), metric.ParseName)
	choice(cmd, &s.spec.Ablation, "ablation", "", "what cut edges carry, default the task's or resample", texts(ablate.Ablations()), ablate.Parse)
	typed(fs, &s.spec.Seed, "seed", "", "N", "of everything that is random (default 0)", parseSeedFlag)
	typed(fs, &s.spec.Examples, "examples", "", "N", "prompts to use, default all of a file or the task's number", parseCount(maxExamples))
	promptFlags(cmd, &s.spec)
	modelFlags(cmd, &s.spec)
}

// programFlag is the flag of commands that study programs too.
func (s *subject) programFlag(cmd *cobra.Command) {
	typed(cmd.Flags(), &s.program, "program", "", "FILE.rasp", "a program, compiled and run on its own prompts, instead of task, model and data", parseText("a program"))
	_ = cmd.RegisterFlagCompletionFunc("program", cobra.FixedCompletions(programs.Names(), cobra.ShellCompDirectiveDefault))
}

// compiled puts a program in the place of model and data.
func (s *subject) compiled() (err error) {
	if s.program != "" {
		s.spec, err = s.spec.OfProgram(s.program)
	}
	return err
}

// opened opens what a command is about, once its options are checked and none of
// its outputs is one of its inputs, of which it may read more.
func (a *app) opened(ctx context.Context, s *subject, check func() error, outputs, more []place) (*study.Study, error) {
	if err := s.compiled(); err != nil {
		return nil, err
	}
	if err := cmp.Or(check(), a.clash(outputs, append(inputs(s.spec, nil), more...))); err != nil {
		return nil, err
	}
	in, err := s.spec.Open(ctx, s.threads)
	if err != nil {
		return nil, err
	}
	if err := a.clash(outputs, inputs(in.Spec, in.Model)); err != nil {
		_ = in.Close() // read only: nothing can be lost
		return nil, err
	}
	a.warn(in.Model.Warnings)
	return in, nil
}

// promptFlags are the flags that say which of a task's prompts are taken, and how
// text becomes tokens.
func promptFlags(cmd *cobra.Command, s *study.Spec) {
	choice(cmd, &s.Half, "half", "", "of a task's prompts, default validation", texts(task.Halves()), oneOf("half", task.Halves()))
	choice(cmd, &s.Variant, "variant", "", "of a task's prompts, default the first", variantNames(), parseText("a variant"))
	bosFlags(cmd, s)
}

// bosFlags are the flags of the start token.
func bosFlags(cmd *cobra.Command, s *study.Spec) {
	fs := cmd.Flags()
	typed(fs, &s.BOS, "bos", "", "BOOL", "put the model's start token before each prompt, default as the task or the tokenizer has it", parseSwitch)
	fs.Lookup("bos").NoOptDefVal = "true"
	typed(fs, &s.BOS, "no-bos", "", "BOOL", "put no start token before prompts", func(s string) (*bool, error) {
		no, err := parseSwitch(s)
		if err != nil {
			return nil, err
		}
		bos := !*no
		return &bos, nil
	})
	fs.Lookup("no-bos").NoOptDefVal = "true"
}

// variantNames lists the variants of all tasks.
func variantNames() []string {
	var out []string
	for _, g := range task.Generators() {
		for _, v := range g.Variants {
			if !slices.Contains(out, v.Name) {
				out = append(out, v.Name)
			}
		}
	}
	return out
}

// names lists a field of all entries.
func names[T any](entries []T, name func(T) string) []string { return choices.Names(entries, name) }

// splitFlag is the flag of graphs in which embeddings are split, nil for the
// task's own.
func splitFlag(fs *pflag.FlagSet, into **bool) {
	typed(fs, into, "split-embed", "", "BOOL", "token and position embeddings are two senders, default as the task has it: tracr tasks do", parseSwitch)
	fs.Lookup("split-embed").NoOptDefVal = "true"
}
