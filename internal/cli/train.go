package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/atomicfile"
	"github.com/seed-2c350065/acdc/internal/fileerror"
	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/internal/track"
	"github.com/seed-2c350065/acdc/pkg/train"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// trainOptions are the flags of train.
type trainOptions struct {
	recipe     string
	dir        string
	steps      int // 0 for the recipe's
	seed       *uint64
	checkpoint string
	tracks     []string
	threads    int
	quiet      bool
}

const (
	saveEvery    = 5 * time.Second // between two states in the checkpoint
	measurements = 20              // of a run, on the way
)

func newTrain(run func(context.Context, *trainOptions) error) *cobra.Command {
	o := &trainOptions{threads: runtime.GOMAXPROCS(0)}
	cmd := &cobra.Command{
		Use:   "train (RECIPE.json | NAME) -o DIR",
		Short: "train a small model from a recipe",
		Long: `Train a small transformer from a recipe: a JSON file that says the model's
configuration, the data, the optimiser, the number of steps and the seed. NAME is
the recipe of a builtin model: ` + strings.Join(zoo.Recipes(), ", ") + `.
The same recipe gives the same weights on one kind of machine, whatever the number
of threads.

The folder is made as TransformerLens has a model, config.json and
model.safetensors, with the recipe in the metadata and as recipe.json; --model
takes it. What the model can do, measured on prompts that it was not trained on,
is printed at the end.`,
		Example: `  acdc train induction -o my-induction --seed 7 --steps 50
  acdc train my-induction/recipe.json -o again --checkpoint run.ckpt --quiet`,
		Args: oneArg("a recipe's file or name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.recipe = args[0]
			return run(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	typed(fs, &o.steps, "steps", "", "N", "how many to make, default the recipe's", parseCount(maxSteps))
	typed(fs, &o.checkpoint, "checkpoint", "", "FILE", "save the state there as the run goes; the same command again continues it", parseText("a file"))
	trackFlag(fs, &o.tracks, "of the training")
	typed(fs, &o.seed, "seed", "", "N", "of weights and data, default the recipe's", parseSeedFlag)
	typed(fs, &o.threads, "threads", fmt.Sprint(o.threads), "N", "how many cores to use; does not change the result", parseCount(maxThreads))
	fs.BoolVar(&o.quiet, "quiet", false, "no progress and no summary on standard error")
	fs.VarP(&value[string]{into: &o.dir, kind: "DIR", parse: parseText("a folder")}, "folder", "o", "that the model is written to")
	fs.SortFlags = false
	cmd.ValidArgsFunction = cobra.FixedCompletions(zoo.Recipes(), cobra.ShellCompDirectiveDefault)
	return cmd
}

// train runs the command.
func (a *app) train(ctx context.Context, o *trainOptions) error {
	start := time.Now()
	if err := cmp.Or(o.check(), a.clash(o.places(), places("the recipe", o.recipe))); err != nil {
		return err
	}
	r, err := o.read(ctx)
	if err != nil {
		return err
	}
	run, err := a.trained(ctx, o, o.recipe, r)
	if err != nil {
		return err
	}
	if err := run.Save(ctx, o.dir); err != nil {
		return err
	}
	if err := a.printMeasures(ctx, o, r); err != nil {
		return err
	}
	if !o.quiet {
		fmt.Fprintf(a.stderr, "model   %s\nsteps   %s\ntime    %s\n", o.dir, grouped(r.Steps), duration(time.Since(start).Seconds()))
	}
	return nil
}

// trained makes the steps of a recipe, which name is what errors call, or those that
// are left of them.
func (a *app) trained(ctx context.Context, o *trainOptions, name string, r train.Recipe) (*train.Run, error) {
	if err := study.Fits(name+": weights, their moments and gradients", r.Bytes(), "a smaller model or batch"); err != nil {
		return nil, err
	}
	run, err := train.New(ctx, r, o.threads)
	if err != nil {
		return nil, err
	}
	if o.checkpoint != "" {
		if err := run.LoadState(ctx, o.checkpoint); err != nil {
			return nil, err
		}
	}
	if err := a.steps(ctx, o, run, r.Steps); err != nil {
		return nil, err
	}
	rows, err := track.Trained(name, r.Seed, run.History())
	if err != nil {
		return nil, err
	}
	return run, a.writeTracks(ctx, o.tracks, rows)
}

// read reads the recipe and lays the flags over it.
func (o *trainOptions) read(ctx context.Context) (train.Recipe, error) {
	var r train.Recipe
	var err error
	if text, ok := zoo.Recipe(o.recipe); ok {
		r, err = train.ParseRecipe(ctx, "recipe "+o.recipe, text)
	} else if r, err = train.ReadRecipe(ctx, o.recipe); errors.Is(err, fs.ErrNotExist) && filepath.Ext(o.recipe) == "" {
		return r, usagef("unknown recipe %q: expected one of %s, or a file%s", o.recipe, strings.Join(zoo.Recipes(), ", "), suggestion(o.recipe, zoo.Recipes()))
	}
	if err != nil {
		return r, err
	}
	if o.steps > 0 {
		r.Steps = o.steps
	}
	if o.seed != nil {
		r.Seed = *o.seed
	}
	return r, nil
}

// places lists the files that the command writes.
func (o *trainOptions) places() []place {
	var out []place
	for _, name := range train.Files() {
		out = append(out, place{"-o", filepath.Join(o.dir, name)})
	}
	return append(out, append(places("--track", o.tracks...), places("--checkpoint", o.checkpoint)...)...)
}

// check refuses outputs that cannot be written.
func (o *trainOptions) check() error {
	if o.dir == "" {
		return usagef("expected -o DIR, a folder for the model, found none")
	}
	return cmp.Or(checkFolder(o.dir, train.Files()), checkTrainingState(o.checkpoint), checkTracks(o.tracks))
}

// checkTrainingState refuses a checkpoint that cannot be written.
func checkTrainingState(name string) error {
	switch name {
	case "":
		return nil
	case "-":
		return usagef("--checkpoint -: expected a file")
	}
	return atomicfile.Check(name)
}

// checkFolder refuses a folder that cannot be made, or files of it that cannot be
// written.
func checkFolder(dir string, files []string) error {
	info, err := os.Stat(dir)
	switch {
	case err == nil && !info.IsDir():
		return fmt.Errorf("%s: a folder expected, found a file", dir)
	case err != nil:
		if err := canMake(dir); err != nil {
			return err
		}
	default:
		for _, name := range files {
			if err := atomicfile.Check(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// canMake reports whether a folder could be made, by making one and removing
// it: what cannot be saved is not to be trained.
func canMake(dir string) error {
	above := filepath.Dir(filepath.Clean(dir))
	for above != filepath.Dir(above) {
		if info, err := os.Stat(above); err == nil && info.IsDir() {
			break
		}
		above = filepath.Dir(above)
	}
	probe, err := os.MkdirTemp(above, ".acdc-*")
	if err != nil {
		return fmt.Errorf("%s: expected a folder that can be made in %w", dir, fileerror.At(above, err))
	}
	return os.Remove(probe)
}

// steps trains, shows how it goes, and keeps the state.
func (a *app) steps(ctx context.Context, o *trainOptions, run *train.Run, steps int) error {
	begun, first, saved := time.Now(), run.Done(), time.Time{}
	every := max(1, steps/measurements)
	if o.quiet && o.checkpoint == "" && len(o.tracks) == 0 { // for a later run may track what this one has seen
		every = 0
	}
	err := run.Train(ctx, every, func(e train.Event) error {
		if e.Measures != nil && !o.quiet {
			left := time.Since(begun) / time.Duration(e.Step-first) * time.Duration(e.Steps-e.Step)
			fmt.Fprintln(a.stderr, trainLine(e, left))
		}
		if o.checkpoint == "" || time.Since(saved) < saveEvery {
			return nil
		}
		saved = time.Now()
		return run.SaveState(ctx, o.checkpoint)
	})
	if o.checkpoint == "" || err != nil && ctx.Err() == nil {
		return err
	}
	return errors.Join(err, run.SaveState(context.WithoutCancel(ctx), o.checkpoint))
}

// trainLine says how far a run is.
func trainLine(e train.Event, left time.Duration) string {
	parts := []string{fmt.Sprintf("acdc: step %s of %s", grouped(e.Step), grouped(e.Steps)), fmt.Sprintf("loss %.4f", e.Loss)}
	for _, m := range e.Measures {
		parts = append(parts, fmt.Sprintf("%s %s", m.Name, measureText(m)))
	}
	if left > 0 {
		parts = append(parts, "about "+duration(left.Seconds())+" left")
	}
	return strings.Join(parts, ", ")
}

// measureText is a measure's value, and the head that it is of.
func measureText(m train.Measure) string {
	text := fmt.Sprintf("%.4f", m.Value)
	if m.At != "" {
		text += " (" + m.At + ")"
	}
	return text
}

// printMeasures prints what the saved model can do, its weights rounded as they
// are in the file.
func (a *app) printMeasures(ctx context.Context, o *trainOptions, r train.Recipe) error {
	m, err := zoo.OpenWith(ctx, absolute(o.dir), zoo.Options{Threads: o.threads})
	if err != nil {
		return err
	}
	defer m.Close() // read only: nothing can be lost
	measures, err := train.MeasureModel(ctx, r, m.Model, r.Seed+1, o.threads)
	if err != nil {
		return err
	}
	rows := [][]string{{"MEASURE", "VALUE", "NODE"}}
	if !slices.ContainsFunc(measures, func(m train.Measure) bool { return m.At != "" }) {
		rows[0] = rows[0][:2]
	}
	for _, m := range measures {
		rows = append(rows, []string{m.Name, fmt.Sprintf("%.4f", m.Value), cmp.Or(m.At, "-")}[:len(rows[0])])
	}
	a.print(table(rows, columns(a.stdout)))
	return nil
}

// absolute is a path that is no name of a model.
func absolute(dir string) string {
	if whole, err := filepath.Abs(dir); err == nil {
		return whole
	}
	return dir
}
