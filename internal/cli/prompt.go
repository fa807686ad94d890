package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
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
}

// predict runs the command with --prompt.
func (a *app) predict(ctx context.Context, o *runOptions) error {
	p := &predictor{o: o, spec: o.spec}
	if o.circuit != "" {
		var err error
		if p.circuit, err = a.readEdited(ctx, o); err != nil {
			return err
		}
		if p.spec, err = o.laidOver(p.circuit.file); err != nil {
			return err
		}
	}
	if err := p.open(); err != nil {
		return err
	}
	defer p.model.Close() // read only: nothing can be lost
	a.warn(p.model.Warnings)
	data, err := p.encode()
	if err != nil {
		return err
	}
	reports, blocks := make([]promptReport, len(data)), make([]string, len(data))
	for i, d := range data {
		if reports[i], err = p.report(ctx, i, d); err != nil {
			return err
		}
		blocks[i] = reports[i].text()
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
	case a == ablate.Zero && n > 0:
		return usagef("ablation zero: expected no --corrupt, since cut edges carry zero, found %d", n)
	}
	return nil
}

// open opens the model, the circuit's unless a flag says another, and its
// tokenizer. The caller closes the model.
func (p *predictor) open() (err error) {
	if p.spec.Model == "" {
		return fmt.Errorf("%s: field \"model\": expected a model, found none; --model says which", p.o.circuit)
	}
	p.model, err = p.spec.OpenModel(p.o.threads)
	if err != nil && p.o.spec.Model == "" {
		return fmt.Errorf("%s: field \"model\": %v", p.o.circuit, err) // even a wrong name is no fault of the flags
	}
	if err != nil {
		return err
	}
	if err = p.fits(); err != nil {
		_ = p.model.Close() // the first error says more
	}
	return err
}

// fits checks that the model is the circuit's and knows text.
func (p *predictor) fits() error {
	if p.circuit != nil {
		if err := study.SameGraph(p.circuit.file, p.model.Config); err != nil {
			return fmt.Errorf("%s: %w", p.o.circuit, err)
		}
	}
	tok, err := p.model.Tokenizer()
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
func (p *predictor) encode() ([]task.Data, error) {
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
	all, err := task.Encode(pairs, p.tok, task.EncodeOptions{Name: "--prompt", BOS: p.startToken()})
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
	pad := padding(d, 0)
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

// prediction is a token with what a run makes of it as the next one.
type prediction struct {
	Rank        int     `json:"rank"` // from 1
	ID          int     `json:"id"`
	Text        string  `json:"text"`
	Probability float64 `json:"probability"` // of 0 to 1
	Logit       float32 `json:"logit"`
}

// runReport is what one run predicts.
type runReport struct {
	Run         string       `json:"run"`
	Edges       *int         `json:"edges,omitempty"` // nil where there is no graph
	Predictions []prediction `json:"predictions"`     // by rank; the same tokens in all runs
}

// promptReport is what all runs predict after a prompt.
type promptReport struct {
	Prompt  string        `json:"prompt"`
	Tokens  shownTokens   `json:"tokens"`
	Corrupt []shownTokens `json:"corrupt,omitempty"`
	Runs    []runReport   `json:"runs"`

	heading string // in text: the prompt by its tokens
}

// report asks all runs for the next token of a prompt.
func (p *predictor) report(ctx context.Context, i int, d task.Data) (promptReport, error) {
	pair := pairOf(d, p.tok, 0)
	pair.Prompt = i + 1
	r := promptReport{Prompt: p.o.prompts[i], Tokens: pair.Clean, heading: pair.opening(len(p.o.prompts), len(d.Corrupt))}
	for _, ids := range d.Corrupt {
		r.Corrupt = append(r.Corrupt, shownTokens{IDs: ids, Texts: task.Spell(p.tok, ids)})
	}
	outcomes, err := p.outcomes(ctx, d)
	if err != nil {
		return r, err
	}
	shown, top := make([]bool, p.model.Config.VocabOut), cmp.Or(p.o.top, defaultTop)
	for _, o := range outcomes {
		for _, id := range o.order[:min(top, len(o.order))] {
			shown[id] = true
		}
	}
	for _, o := range outcomes {
		r.Runs = append(r.Runs, runReport{Run: o.run, Edges: o.edges, Predictions: o.predictions(shown, p.tok)})
	}
	return r, nil
}

// opening is the prompt by its tokens, with the corrupt one if there is just
// one.
func (s shownPair) opening(prompts, corrupts int) string {
	if corrupts > 1 {
		s.Corrupt, s.Differ = nil, nil
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "prompt %d of %d: %s\n", s.Prompt, prompts, s.heading())
	s.writeTokens(&b, func(text string) string { return text })
	if corrupts > 1 {
		fmt.Fprintf(&b, "  corrupt  the mean of %s\n", counted(corrupts, "prompt"))
	}
	return b.String()
}

// outcome is a run after the last token of a prompt.
type outcome struct {
	run    string
	edges  *int
	logits []float32 // [V]
	order  []int     // token ids, the likeliest first
}

// outcomes runs the full model, then the circuits and the corrupted run.
func (p *predictor) outcomes(ctx context.Context, d task.Data) ([]outcome, error) {
	logits, err := p.model.Forward(ctx, d.Clean[:1], transformer.Options{Threads: p.o.threads})
	if err != nil {
		return nil, err
	}
	full, err := newOutcome(rowModel, logits)
	if err != nil || p.circuit == nil {
		return []outcome{full}, err
	}
	g := p.circuit.graph
	edges := g.NumEdges()
	full.edges = &edges
	e, err := p.bind(ctx, d)
	if err != nil {
		return nil, err
	}
	out, names := []outcome{full}, []string{rowCircuit, rowEdited}
	for i, mask := range p.circuit.masks {
		if out, err = addPatched(ctx, out, names[i], e, mask); err != nil {
			return nil, err
		}
	}
	return addPatched(ctx, out, rowCorrupted, e, g.Empty())
}

// addPatched adds what comes out with only a mask's edges present.
func addPatched(ctx context.Context, out []outcome, run string, e *patch.Experiment, mask circuit.Mask) ([]outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	logits, err := patch.Pass(ctx, e.Whole().Batch, mask.Gates(), transformer.Options{})
	if err != nil {
		return nil, err
	}
	o, err := newOutcome(run, logits)
	edges := mask.Count()
	o.edges = &edges
	return append(out, o), err
}

// bind binds the model to a prompt. The metric is not asked for.
func (p *predictor) bind(ctx context.Context, d task.Data) (*patch.Experiment, error) {
	c, f := p.circuit.graph.Config(), p.circuit.file
	if len(f.PosPermutation) == len(d.Clean[0]) {
		d.PosPermutation = f.PosPermutation // that of other lengths is drawn
	}
	return patch.Bind(ctx, patch.Config{Model: p.model.Model, Definition: c.Definition, SplitEmbed: c.SplitEmbed, Data: d,
		Metric: metric.KL, Ablation: p.spec.Ablation, Seed: p.spec.RandomSeed(), Threads: p.o.threads})
}

// newOutcome takes from logits [B,T,V] those after the first example's last
// token.
func newOutcome(run string, logits *tensor.Tensor) (outcome, error) {
	o := outcome{run: run, logits: logits.Row(logits.Dim(1) - 1), order: make([]int, logits.Cols())}
	for id, x := range o.logits {
		if x-x != 0 {
			return o, fmt.Errorf("run %s: expected finite logits, found %v for token %d", run, x, id)
		}
		o.order[id] = id
	}
	slices.SortFunc(o.order, func(a, b int) int {
		return cmp.Or(cmp.Compare(o.logits[b], o.logits[a]), cmp.Compare(a, b))
	})
	return o, nil
}

// predictions are the shown tokens by rank, with their probabilities: the
// softmax of the logits, p(v) = exp(l(v) − max l) / Σ exp(l − max l).
func (o *outcome) predictions(shown []bool, tok task.Tokenizer) []prediction {
	largest, sum := float64(o.logits[o.order[0]]), 0.0
	for _, x := range o.logits {
		sum += math.Exp(float64(x) - largest)
	}
	var out []prediction
	for i, id := range o.order {
		if shown[id] {
			x := o.logits[id]
			out = append(out, prediction{Rank: i + 1, ID: id, Text: task.Spell(tok, []int{id})[0],
				Probability: math.Exp(float64(x)-largest) / sum, Logit: x})
		}
	}
	return out
}

// text is what people read: one run as a list; several not as lists side by
// side, where a token that leaves the top of a run would be lost from sight, but
// token by token, since what is asked is how much of the full model's
// prediction the others keep.
func (r *promptReport) text() string {
	if len(r.Runs) > 1 {
		return r.heading + "\n" + table(r.comparison())
	}
	cells := [][]string{{"RANK", "TOKEN", "PROBABILITY", "LOGIT"}}
	for _, p := range r.Runs[0].Predictions {
		cells = append(cells, []string{grouped(p.Rank), `"` + p.Text + `"`, probability(p.Probability), number(float64(p.Logit))})
	}
	return r.heading + "\n" + table(cells)
}

// comparison has a row for each token and two columns for each run.
func (r *promptReport) comparison() [][]string {
	titles, byID := []string{"TOKEN"}, make([]map[int]prediction, len(r.Runs))
	for i, run := range r.Runs {
		titles = append(titles, strings.ToUpper(run.Run), "RANK")
		byID[i] = map[int]prediction{}
		for _, p := range run.Predictions {
			byID[i][p.ID] = p
		}
	}
	cells := [][]string{titles}
	for _, p := range r.Runs[0].Predictions {
		row := []string{`"` + p.Text + `"`}
		for i := range r.Runs {
			own := byID[i][p.ID]
			row = append(row, probability(own.Probability), grouped(own.Rank))
		}
		cells = append(cells, row)
	}
	return cells
}

// probability writes four places, or if all were zero two digits.
func probability(p float64) string {
	if p >= 0.00005 || p == 0 {
		return fmt.Sprintf("%.4f", p)
	}
	return fmt.Sprintf("%.1e", p)
}
