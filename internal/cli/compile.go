package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/rasp"
	"github.com/seed-2c350065/acdc/pkg/rasp/programs"
	"github.com/seed-2c350065/acdc/pkg/rasp/text"
	"github.com/seed-2c350065/acdc/pkg/train"
	"github.com/seed-2c350065/acdc/pkg/train/interchange"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// compileOptions are the flags of compile.
type compileOptions struct {
	program  study.Program
	train    bool
	training study.Training
	steps    trainOptions // of a model that is trained: checkpoint, threads
	accept   bool
	dir      string
	quiet    bool
}

// trainingFlags are of no use without --train.
var trainingFlags = []string{"steps", "n-heads", "d-model", "checkpoint", "track", "accept"}

// maxProgramLen bounds the length of inputs: more is a slip of the finger, and no
// memory would do for it.
const maxProgramLen = 1000

// Bounds of the shape of a model that is trained, for the same reason.
const (
	maxHeads = 256
	maxWidth = 4096
)

func newCompile(run func(context.Context, *compileOptions) error) *cobra.Command {
	o := &compileOptions{program: study.Program{Examples: study.ProgramExamples, Threads: runtime.GOMAXPROCS(0)}, training: study.Training{Steps: study.TrainingSteps}}
	cmd := &cobra.Command{
		Use:   "compile (PROGRAM.rasp | NAME) -o DIR",
		Short: "compile a RASP program to a model whose circuit is known",
		Long: `Compile a RASP program to the weights of a transformer that computes it, as Tracr
does (Lindner et al. 2023). NAME is a program that comes with acdc: ` + strings.Join(programs.Names(), ", ") + `.

The folder has the program, the model (config.json, model.safetensors), what its
tokens, logits and residual dimensions stand for (tokens.json), prompts
(data.safetensors) and the true circuit (circuit.json). The model is held to what
the program means on up to a thousand inputs.

With --train the model is another one, of random weights, more heads and a dense
residual stream, which is trained to compute what the compiled one does and where
it does it, by strict interchange interventions (Gupta et al. 2024, InterpBench).
The folder has its recipe too (recipe.json), from which acdc train makes it again.
A model that misses its marks is not written: at least ` + fmt.Sprintf("%g of the program's answers, %g with\na node of the circuit interchanged, %g where that changes the answer, and at\nmost %g that a node outside changes.", interchange.LeastAccuracy, interchange.LeastInterchange, interchange.LeastChanged, interchange.MostEffect) + `
Inputs have the greatest length; a fifth of them is kept from training.`,
		Example: `  acdc compile reverse -o reverse --vocab 1,2,3 --max-len 5
  acdc compile sort --train -o sort --steps 50 --accept
  acdc discover --model reverse --data reverse/data.safetensors --metric l2 --ablation zero --split-embed --threshold 0.01
  acdc run --circuit reverse/circuit.json`,
		Args: oneArg("a program's file or name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.program.Name = args[0]
			for _, name := range trainingFlags {
				if cmd.Flags().Changed(name) && !o.train {
					return usagef("--%s: expected --train beside it", name)
				}
			}
			return run(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	typed(fs, &o.program.Vocab, "vocab", "", "TOKENS", "the input's tokens with commas between them, default the program's own", text.ParseVocab)
	typed(fs, &o.program.MaxLen, "max-len", "", "N", "the longest input, default the program's own", parseCount(maxProgramLen))
	fs.BoolVar(&o.program.Causal, "causal", false, "let every position see itself and those before alone, whatever the program says")
	typed(fs, &o.program.Examples, "examples", fmt.Sprint(o.program.Examples), "N", "at most so many prompts", parseCount(study.MaxExamples))
	typed(fs, &o.program.Seed, "seed", "0", "N", "of the prompts, and of the training", parseSeed)
	typed(fs, &o.program.Threads, "threads", fmt.Sprint(o.program.Threads), "N", "how many cores to use; does not change the result", parseCount(maxThreads))
	fs.BoolVar(&o.train, "train", false, "train a model of random weights to be the compiled one")
	typed(fs, &o.training.Steps, "steps", fmt.Sprint(o.training.Steps), "N", "of the training", parseCount(maxSteps))
	typed(fs, &o.training.Heads, "n-heads", "", "N", "of a layer of the trained model, default 3 more than the program has and at least 4", parseCount(maxHeads))
	typed(fs, &o.training.DModel, "d-model", "", "N", "width of the trained model, default 6 a head", parseCount(maxWidth))
	typed(fs, &o.steps.checkpoint, "checkpoint", "", "FILE", "save the state of the training there as it goes; the same command again continues it", parseText("a file"))
	trackFlag(fs, &o.steps.tracks, "of the training")
	fs.BoolVar(&o.accept, "accept", false, "write the trained model even where it misses its marks")
	fs.BoolVar(&o.quiet, "quiet", false, "no progress and no summary on standard error")
	fs.VarP(&value[string]{into: &o.dir, kind: "DIR", parse: parseText("a folder")}, "folder", "o", "that model, prompts and circuit are written to")
	fs.SortFlags = false
	cmd.ValidArgsFunction = cobra.FixedCompletions(programs.Names(), cobra.ShellCompDirectiveDefault)
	return cmd
}

// compile runs the command.
func (a *app) compile(ctx context.Context, o *compileOptions) error {
	if err := cmp.Or(o.check(), a.clash(o.places(), places("the program", o.program.Name))); err != nil {
		return err
	}
	if recipe := filepath.Join(o.dir, train.RecipeFile); !o.train {
		if _, err := os.Stat(recipe); err == nil {
			return fmt.Errorf("%s: expected a folder without the recipe of a trained model, which would not be that of the compiled one", recipe)
		}
	}
	c, err := o.program.Compile(ctx)
	if err != nil {
		return err
	}
	if o.train {
		return a.imitate(ctx, o, c)
	}
	if err := c.Save(ctx, o.dir, o.program); err != nil {
		return err
	}
	a.printCompiled(o, c, c.Model.Transformer.Config, fmt.Sprintf("%s, largest difference of a logit %s", counted(c.Checked, "input"), number(c.Worst)))
	return nil
}

// imitate trains a model to be the compiled one and writes it if it is good.
func (a *app) imitate(ctx context.Context, o *compileOptions, c *study.Compiled) error {
	r, err := c.Recipe(ctx, o.program, o.training)
	if err != nil {
		return err
	}
	o.steps.threads, o.steps.quiet = o.program.Threads, o.quiet
	run, err := a.trained(ctx, &o.steps, o.program.Name, r)
	if err != nil {
		return err
	}
	t, err := c.Trained(ctx, o.program, r, run)
	if err != nil {
		return err
	}
	if err := t.Refuses(o.program.Name); err != nil && !o.accept {
		return err
	}
	if err := t.Save(ctx, o.dir, o.program); err != nil {
		return err
	}
	q := t.Quality
	a.printCompiled(o, c, run.Model().Config, fmt.Sprintf("%s right, %s with %s interchanged, %s changed by %s from outside",
		percent(q.Accuracy), percent(q.Interchange), q.At, percent(q.Effect), q.EffectAt))
	return nil
}

// percent is a part of a whole in percent.
func percent(x float64) string { return strconv.FormatFloat(100*x, 'f', 1, 64) + " %" }

// printCompiled says what was written.
func (a *app) printCompiled(o *compileOptions, c *study.Compiled, m transformer.Config, checked string) {
	if !o.quiet {
		fmt.Fprintf(a.stderr, "model    %s\nshape    %s of %s of %d, d_model %d, d_mlp %d\ntokens   %s\nprompts  %s of %s\nchecked  %s\ncircuit  %s of %s\n",
			o.dir, counted(m.Layers, "layer"), counted(m.Heads, "head"), m.DHead, m.DModel, m.DMLP, spelledValues(c.Model.Tokens), grouped(len(c.Data.Clean)), counted(len(c.Data.Clean[0]), "token"),
			checked, grouped(c.True.Count()), counted(c.Graph.NumEdges(), "edge"))
	}
}

// spelledValues lists the first tokens of a vocabulary.
func spelledValues(values []rasp.Value) string {
	const shown = 12
	var out []string
	for _, v := range values[:min(len(values), shown)] {
		out = append(out, v.String())
	}
	if n := len(values) - len(out); n > 0 {
		out = append(out, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(out, ", ")
}

// places lists the files that the command writes.
func (o *compileOptions) places() []place {
	var out []place
	for _, name := range o.names() {
		out = append(out, place{"-o", filepath.Join(o.dir, name)})
	}
	return append(out, append(places("--track", o.steps.tracks...), places("--checkpoint", o.steps.checkpoint)...)...)
}

// names are those of the files in the folder.
func (o *compileOptions) names() []string {
	if o.train {
		return study.TrainedFiles()
	}
	return study.CompiledFiles()
}

// check refuses a folder that cannot be written.
func (o *compileOptions) check() error {
	if o.dir == "" {
		return usagef("expected -o DIR, a folder for the model, found none")
	}
	return cmp.Or(checkFolder(o.dir, o.names()), checkTrainingState(o.steps.checkpoint), checkTracks(o.steps.tracks))
}
