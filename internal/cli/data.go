package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/hub"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// newData makes the commands about data sets.
func newData(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "data",
		Short:   "look at prompts",
		Long:    "Look at the prompts of a data set or a task.",
		Example: `  acdc data show --task induction`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDataShow(a.dataShow))
	return cmd
}

// dataShowOptions are the flags of acdc data show.
type dataShowOptions struct {
	task   string
	data   string
	model  string
	seed   uint64
	pairs  int
	drawn  study.Spec // which of a task's prompts, and how text becomes tokens
	format format
}

// formatText is for people to read.
const formatText format = "text"

// shownPairs is how many pairs are shown unless told otherwise.
const shownPairs = 3

func newDataShow(run func(context.Context, *dataShowOptions) error) *cobra.Command {
	o := &dataShowOptions{pairs: shownPairs, format: formatText}
	cmd := &cobra.Command{
		Use:   "show (--data FILE | --task NAME)",
		Short: "show a few pairs of prompts as tokens, with what differs marked",
		Long: `Show a few pairs of clean and corrupt prompts as the tokens that a model gets,
with what differs marked, and their right and wrong answers. The last line sums
up all prompts; positions count from 0, padding not included.

A data set is read as auto-circuit JSON, EAP CSV, MIB IOI rows (JSON lines),
Edge-Pruning JSON lines or safetensors, whichever the file is.`,
		Example: `  acdc data show --task induction -n 1
  echo '{"prompts": [{"clean": "I like", "corrupt": "I hate", "answers": [" cheese"], "wrong_answers": [" bees"]}]}' > mini.json
  acdc data show --data mini.json --bos`,
		Args: noArgs("data"),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	fs := cmd.Flags()
	typed(fs, &o.data, "data", "", "FILE", "clean and corrupt prompts, or random:BxT", parseText("a file"))
	choice(cmd, &o.task, "task", "", "whose prompts to show", taskNames(), oneOf("task", taskNames()))
	typed(fs, &o.model, "model", "", "MODEL", "whose tokenizer makes tokens of text, default the task's or GPT-2", parseText("a name or a folder"))
	typed(fs, &o.seed, "seed", "0", "N", "of a task's prompts", parseSeed)
	fs.VarP(&value[int]{into: &o.pairs, text: strconv.Itoa(shownPairs), kind: "N", parse: parseCount(maxExamples)}, "pairs", "n", "how many pairs to show")
	promptFlags(cmd, &o.drawn)
	choice(cmd, &o.format, "format", string(formatText), "of what is printed", texts([]format{formatText, formatJSON}), oneOf("format", []format{formatText, formatJSON}))
	return cmd
}

// taskNames lists the tasks.
func taskNames() []string {
	return names(task.All(), func(t task.Task) string { return t.Name })
}

// loadShown reads or makes the prompts, and returns the tokenizer they are in, nil
// for prompts of token ids.
func (a *app) loadShown(ctx context.Context, o *dataShowOptions) (task.Data, task.Tokenizer, error) {
	if (o.data == "") == (o.task == "") {
		return task.Data{}, nil, usagef("expected --data FILE or --task NAME, found %s", map[bool]string{true: "neither", false: "both"}[o.data == ""])
	}
	if o.task == "" {
		if o.drawn.Half != "" || o.drawn.Variant != "" || o.seed != 0 {
			return task.Data{}, nil, usagef("--data %s: expected no --half, no --variant and no --seed, which are of a task's prompts", o.data)
		}
		return a.readShown(ctx, o)
	}
	t, err := task.Find(o.task)
	if err != nil {
		return task.Data{}, nil, &usageError{err}
	}
	if err := cmp.Or(t.CheckVariant(o.drawn.Variant), t.CheckBOS(o.drawn.BOS)); err != nil {
		return task.Data{}, nil, &usageError{err}
	}
	var tok task.Tokenizer
	if t.Text == nil && o.model != "" {
		return task.Data{}, nil, usagef("--model %s: expected no model with task %s, whose prompts are token ids", o.model, t.Name)
	}
	if t.Text != nil {
		if tok, err = a.shownTokenizer(ctx, o.model, t.Model); err != nil {
			return task.Data{}, nil, err
		}
	}
	d, err := t.Data(ctx, task.Draw{Seed: o.seed, Examples: t.Examples, Half: o.drawn.Half, Variant: o.drawn.Variant}, tok, o.drawn.BOS)
	return d, tok, err
}

// readShown reads prompts. Token ids get no text unless a model says which.
func (a *app) readShown(ctx context.Context, o *dataShowOptions) (task.Data, task.Tokenizer, error) {
	var tok task.Tokenizer
	open := func(ctx context.Context) (t task.Tokenizer, err error) {
		tok, err = a.shownTokenizer(ctx, o.model, "gpt2")
		return tok, err
	}
	if study.DataFile(o.data) == nil {
		return a.randomShown(ctx, o)
	}
	d, _, err := study.ReadData(ctx, o.data, open, o.drawn.BOS)
	if err == nil && tok == nil && o.model != "" {
		var none *zoo.NoTokenizerError
		if _, err = open(ctx); errors.As(err, &none) {
			err = nil
		}
	}
	return d, tok, err
}

// randomShown draws random prompts, as discover does for a model.
func (a *app) randomShown(ctx context.Context, o *dataShowOptions) (task.Data, task.Tokenizer, error) {
	if o.model == "" {
		return task.Data{}, nil, usagef("--data %s: expected --model MODEL, whose tokens are drawn, found none", o.data)
	}
	in, err := study.Spec{Model: o.model, Data: o.data, BOS: o.drawn.BOS}.Open(ctx, 1)
	if err != nil {
		return task.Data{}, nil, err
	}
	defer in.Close() // read only: nothing can be lost
	tok, err := in.Model.Tokenizer(ctx)
	var none *zoo.NoTokenizerError
	if errors.As(err, &none) {
		return in.Data, nil, nil
	}
	return in.Data, tok, err
}

// shownTokenizer opens the tokenizer of a model, or of the one that is meant
// where none is named. Where that one is not on this machine, GPT-2's does, with
// a warning.
func (a *app) shownTokenizer(ctx context.Context, model, otherwise string) (task.Tokenizer, error) {
	name := model
	if name == "" {
		name = otherwise
	}
	t, err := zoo.OpenTokenizer(ctx, name, zoo.Options{})
	var absent *hub.NotFoundError
	switch {
	case errors.As(err, &absent) && model == "":
		a.warn([]string{fmt.Sprintf("the tokenizer of %s is not in the Hugging Face cache: tokens are GPT-2's", name)})
		return zoo.OpenTokenizer(ctx, "gpt2", zoo.Options{})
	case err != nil:
		return nil, study.MissingModel(name, err)
	}
	return t, nil
}

// dataShow runs the command.
func (a *app) dataShow(ctx context.Context, o *dataShowOptions) error {
	d, tok, err := a.loadShown(ctx, o)
	if err != nil {
		return err
	}
	s := study.Show(d, tok)
	if s.Source = "task " + o.task; o.task == "" {
		s.Source = filepath.ToSlash(o.data)
	}
	for i := range min(o.pairs, len(d.Clean)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.Pairs = append(s.Pairs, study.PairOf(d, tok, i))
	}
	if o.format == formatJSON {
		return a.printJSON(s)
	}
	mark := func(text string) string { return text }
	if isTerminal(a.stdout.raw) && os.Getenv("NO_COLOR") == "" {
		mark = func(text string) string { return "\x1b[1;31m" + text + "\x1b[0m" }
	}
	a.print(shownText(s, mark, columns(a.stdout)))
	return nil
}
