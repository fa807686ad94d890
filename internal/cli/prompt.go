package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// What predict --help says.
const (
	promptLong = `Print which tokens are most likely to come next after each --prompt, as the model
predicts them or, with --circuit, model, circuit and corrupted run. A
corrupted run takes --corrupt, a prompt of as many tokens: one for each --prompt
under resample ablation, one or more to take the mean over under mean ablation,
and none under zero. The table has a line for each token that is among the --top
of any run, in the order of the model, with its probability and rank in every
run: along a line one reads what the circuit keeps of a prediction. In JSON each
run lists these tokens in its own order.`

	promptExample = `  acdc predict --model random:1x2x16x64x50257 --prompt "When Mary and John went to the store, John gave a drink to" --top 3
  echo '{"prompts": [{"clean": "I like", "corrupt": "I hate", "answers": [" cheese"], "wrong_answers": [" bees"]}]}' > mini.json
  acdc discover --model random:1x2x16x64x50257 --data mini.json --metric logit_diff --threshold 0.01 -o mini-circuit.json
  acdc predict --circuit mini-circuit.json --prompt "We like" --corrupt "We hate" --top 3`
)

// defaultTop is how many predictions of a run are shown unless told otherwise,
// maxTop how many at most, more than any vocabulary has.
const (
	defaultTop = 10
	maxTop     = 1_000_000
)

// textOptions are the flags of predict that stand in the place of data.
type textOptions struct {
	prompts  []string
	corrupts []string
	top      int // 0 for defaultTop
}

func (o *textOptions) flags(cmd *cobra.Command) {
	fs := cmd.Flags()
	repeated(fs, &o.prompts, "prompt", "a text", "`TEXT` whose next token to predict, in place of data")
	repeated(fs, &o.corrupts, "corrupt", "a text", "`TEXT` of the corrupted run of a prompt, of as many tokens")
	typed(fs, &o.top, "top", fmt.Sprint(defaultTop), "N", "how many predictions of each run to show", parseCount(maxTop))
}

// checkPrompts refuses what does not go with --prompt.
func (o *runOptions) checkPrompts() error {
	for _, f := range []struct {
		flag  string
		given bool
	}{
		{"data", o.spec.Data != ""}, {"task", o.spec.Task != ""}, {"metric", o.spec.Metric != ""}, {"examples", o.spec.Examples > 0},
		{"half", o.spec.Half != ""}, {"variant", o.spec.Variant != ""}, {"output", len(o.files) > 0}, {"drop-idle", o.dropIdle},
	} {
		if f.given {
			return usagef("--%s: expected none with --prompt, which predicts the next token and measures no data", f.flag)
		}
	}
	if o.circuit == "" {
		if err := o.checkWithoutCircuit(); err != nil {
			return err
		}
	}
	return nil
}

// checkWithoutCircuit refuses what only a circuit has a use for.
func (o *runOptions) checkWithoutCircuit() error {
	for _, f := range []struct {
		flag  string
		given bool
	}{
		{"cut", len(o.cut) > 0}, {"add", len(o.add) > 0}, {"corrupt", len(o.corrupts) > 0}, {"ablation", o.spec.Ablation != ""},
	} {
		if f.given {
			return usagef("--%s without --circuit: expected --circuit CIRCUIT.json, whose cut edges it is about", f.flag)
		}
	}
	if o.spec.Model == "" {
		return usagef("--prompt: expected --model MODEL or --circuit CIRCUIT.json, found neither")
	}
	return nil
}

// predictor is what predicts the next token of prompts.
type predictor struct {
	o       *runOptions
	spec    study.Spec     // the flags' over the circuit's
	circuit *editedCircuit // nil where only the model is asked
	model   *zoo.Model
	tok     task.Tokenizer
	width   int // of lines, 0 for any
}

// predict runs the command with --prompt.
func (a *app) predict(ctx context.Context, o *runOptions) error {
	p := &predictor{o: o, spec: o.spec, width: columns(a.stdout)}
	if o.circuit != "" {
		var err error
		if p.circuit, err = a.readEdited(ctx, o); err != nil {
			return err
		}
		if p.spec, err = o.laidOver(p.circuit.file); err != nil {
			return err
		}
	}
	if err := p.open(ctx); err != nil {
		return err
	}
	defer p.model.Close() // read only: nothing can be lost
	a.warn(p.model.Warnings)
	data, err := p.encode(ctx)
	if err != nil {
		return err
	}
	reports, blocks := make([]promptReport, len(data)), make([]string, len(data))
	for i, d := range data {
		if reports[i], err = p.report(ctx, i, d); err != nil {
			return err
		}
		blocks[i] = reports[i].text(p.width)
	}
	if o.format == reportJSON {
		return a.printJSON(reports)
	}
	a.print(strings.Join(blocks, "\n"))
	return nil
}

// laidOver is the Spec of a circuit's file with what flags say laid over it, and
// an ablation; it checks that there are the corrupt prompts that it takes.
func (o *runOptions) laidOver(f *circuit.File) (study.Spec, error) {
	base, err := study.FromRun(f.Run)
	if err != nil {
		return base, fmt.Errorf("%s: %w", o.circuit, err)
	}
	s := o.spec.Over(base)
	if s.Ablation == "" {
		s.Ablation = ablate.Resample
		if t, err := task.Find(f.Task); err == nil {
			s.Ablation = ablate.Ablation(t.Ablation)
		}
	}
	if s.Ablation == ablate.Optimal && s.Constants == nil {
		return s, fmt.Errorf("%s: ablation optimal: expected a circuit that was found under it on the same model, and holds the constants, found none", o.circuit)
	}
	return s, o.checkCorrupts(s.Ablation)
}

// checkCorrupts checks that there are the corrupt prompts that an ablation
// takes.
func (o *runOptions) checkCorrupts(a ablate.Ablation) error {
	switch n := len(o.corrupts); {
	case a == ablate.Resample && n != len(o.prompts):
		return usagef("ablation resample: expected as many --corrupt TEXT as --prompt TEXT, %d, found %d; --ablation zero needs none", len(o.prompts), n)
	case a == ablate.Mean && n == 0:
		return usagef("ablation mean: expected --corrupt TEXT once or more, to take the mean over, found none: over the prompt alone it would be the prompt itself")
	case (a == ablate.Zero || a == ablate.Optimal) && n > 0:
		return usagef("ablation %s: expected no --corrupt, since cut edges carry the same whatever it is, found %d", a, n)
	}
	return nil
}

// open opens the model, the circuit's unless a flag says another, and its
// tokenizer. The caller closes the model.
func (p *predictor) open(ctx context.Context) (err error) {
	if p.spec.Model == "" {
		return fmt.Errorf("%s: field \"model\": expected a model, found none; --model says which", p.o.circuit)
	}
	p.model, err = p.spec.OpenModel(ctx, p.o.threads)
	if err != nil && p.o.spec.Model == "" && ctx.Err() == nil {
		return fmt.Errorf("%s: field \"model\": %v", p.o.circuit, err) // even a wrong name is no fault of the flags
	}
	if err != nil {
		return err
	}
	if err = p.fits(ctx); err != nil {
		_ = p.model.Close() // the first error says more
	}
	return err
}

// fits checks that the model is the circuit's and knows text.
func (p *predictor) fits(ctx context.Context) error {
	if p.circuit != nil {
		if err := study.SameGraph(p.circuit.file, p.model.Config); err != nil {
			return fmt.Errorf("%s: %w", p.o.circuit, err)
		}
	}
	tok, err := p.model.Tokenizer(ctx)
	if err != nil {
		return fmt.Errorf("--prompt: %w", err)
	}
	p.tok = tok
	return nil
}

// startToken decides whether a start token stands before prompts: as flags, the
// circuit's file or its task have it, else where the tokenizer has one, as for
// data in text.
func (p *predictor) startToken() bool {
	if p.o.spec.BOS != nil {
		return *p.o.spec.BOS
	}
	if p.circuit != nil {
		f := p.circuit.file
		if f.BOS != nil {
			return *f.BOS
		}
		if t, err := task.Find(f.Task); err == nil && f.Data == "" && t.Text != nil {
			return t.Text.BOS
		}
	}
	_, ok := p.tok.BOS()
	return ok
}

// encode turns each prompt into data of its own: the prompt with its corrupt
// one, or under mean ablation as often as there are corrupt prompts, with each.
func (p *predictor) encode(ctx context.Context) ([]task.Data, error) {
	per, pairs := 1, []task.Pair{}
	if p.spec.Ablation == ablate.Mean {
		per = len(p.o.corrupts)
	}
	for i, text := range p.o.prompts {
		for j := range per {
			pair := task.Pair{Clean: task.Prompt{Text: text}}
			switch p.spec.Ablation {
			case ablate.Resample:
				pair.Corrupt.Text = p.o.corrupts[i]
			case ablate.Mean:
				pair.Corrupt.Text = p.o.corrupts[j]
			}
			pairs = append(pairs, pair)
		}
	}
	all, err := task.Encode(ctx, pairs, p.tok, task.EncodeOptions{Name: "--prompt", BOS: p.startToken()})
	if err != nil {
		return nil, err
	}
	out := make([]task.Data, len(p.o.prompts))
	for i := range out {
		out[i] = withoutPadding(all.Part(i*per, (i+1)*per))
		if err := p.checkTokens(i, out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// withoutPadding takes the padding from prompts of one length.
func withoutPadding(d task.Data) task.Data {
	pad := study.Padding(d, 0)
	out := task.Data{}
	for i := range d.Clean {
		out.Clean = append(out.Clean, d.Clean[i][pad:])
		if d.Corrupt != nil {
			out.Corrupt = append(out.Corrupt, d.Corrupt[i][pad:])
		}
	}
	return out
}

// checkTokens checks that the model can run a prompt on this machine.
func (p *predictor) checkTokens(i int, d task.Data) error {
	if err := p.model.CheckTokens(fmt.Sprintf("--prompt: prompt %d", i+1), d.Clean[:1]); err != nil {
		return err
	}
	if d.Corrupt != nil {
		if err := p.model.CheckTokens(fmt.Sprintf("--corrupt: of prompt %d", i+1), d.Corrupt); err != nil {
			return err
		}
	}
	return study.EnoughMemory("--prompt", p.model.Config, len(d.Clean), len(d.Clean[0]))
}
