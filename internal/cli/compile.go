package cli

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/rasp"
	"github.com/seed-2c350065/acdc/pkg/rasp/programs"
	"github.com/seed-2c350065/acdc/pkg/rasp/text"
)

// compileOptions are the flags of compile.
type compileOptions struct {
	program study.Program
	dir     string
	quiet   bool
}

// maxProgramLen bounds the length of inputs: more is a slip of the finger, and no
// memory would do for it.
const maxProgramLen = 1000

func newCompile(run func(context.Context, *compileOptions) error) *cobra.Command {
	o := &compileOptions{program: study.Program{Examples: study.ProgramExamples, Threads: runtime.GOMAXPROCS(0)}}
	cmd := &cobra.Command{
		Use:   "compile (PROGRAM.rasp | NAME) -o DIR",
		Short: "compile a RASP program to a model whose circuit is known",
		Long: `Compile a RASP program to the weights of a transformer that computes it, as Tracr
does (Lindner et al. 2023). NAME is a program that comes with acdc: ` + strings.Join(programs.Names(), ", ") + `.

The folder has the program, the model (config.json, model.safetensors), what its
tokens, logits and residual dimensions stand for (tokens.json), prompts
(data.safetensors) and the true circuit (circuit.json). The model is held to what
the program means on up to a thousand inputs.`,
		Example: `  acdc compile reverse -o reverse --vocab 1,2,3 --max-len 5
  acdc discover --model reverse --data reverse/data.safetensors --metric l2 --ablation zero --split-embed --threshold 0.01
  acdc run --circuit reverse/circuit.json`,
		Args: oneArg("a program's file or name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.program.Name = args[0]
			return run(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	typed(fs, &o.program.Vocab, "vocab", "", "TOKENS", "the input's tokens with commas between them, default the program's own", text.ParseVocab)
	typed(fs, &o.program.MaxLen, "max-len", "", "N", "the longest input, default the program's own", parseCount(maxProgramLen))
	fs.BoolVar(&o.program.Causal, "causal", false, "let every position see itself and those before alone, whatever the program says")
	typed(fs, &o.program.Examples, "examples", fmt.Sprint(o.program.Examples), "N", "at most so many prompts", parseCount(study.MaxExamples))
	typed(fs, &o.program.Seed, "seed", "0", "N", "of the prompts", parseSeed)
	typed(fs, &o.program.Threads, "threads", fmt.Sprint(o.program.Threads), "N", "how many cores to use; does not change the result", parseCount(maxThreads))
	fs.BoolVar(&o.quiet, "quiet", false, "no summary on standard error")
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
	c, err := o.program.Compile(ctx)
	if err != nil {
		return err
	}
	if err := c.Save(ctx, o.dir, o.program); err != nil {
		return err
	}
	if !o.quiet {
		m := c.Model.Transformer.Config
		fmt.Fprintf(a.stderr, "model    %s\nshape    %s of %s of %d, d_model %d, d_mlp %d\ntokens   %s\nprompts  %s of %s\nchecked  %s, largest difference of a logit %s\ncircuit  %s of %s\n",
			o.dir, counted(m.Layers, "layer"), counted(m.Heads, "head"), m.DHead, m.DModel, m.DMLP, spelledValues(c.Model.Tokens), grouped(len(c.Data.Clean)), counted(len(c.Data.Clean[0]), "token"),
			counted(c.Checked, "input"), number(c.Worst), grouped(c.True.Count()), counted(c.Graph.NumEdges(), "edge"))
	}
	return nil
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
	for _, name := range study.CompiledFiles() {
		out = append(out, place{"-o", filepath.Join(o.dir, name)})
	}
	return out
}

// check refuses a folder that cannot be written.
func (o *compileOptions) check() error {
	if o.dir == "" {
		return usagef("expected -o DIR, a folder for the model, found none")
	}
	return checkFolder(o.dir, study.CompiledFiles())
}
