package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

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
	r := promptReport{Prompt: p.o.prompts[i], Tokens: pair.Clean, heading: pair.opening(len(p.o.prompts), len(d.Corrupt), p.width)}
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
func (s shownPair) opening(prompts, corrupts, width int) string {
	if corrupts > 1 {
		s.Corrupt, s.Differ = nil, nil
	}
	var b bytes.Buffer
	b.WriteString(hanging("", fmt.Sprintf("prompt %d of %d: %s", s.Prompt, prompts, s.heading()), width))
	s.writeTokens(&b, func(text string) string { return text }, width)
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
		Metric: metric.KL, Ablation: p.spec.Ablation, Constants: p.spec.Constants, Seed: p.spec.RandomSeed(), Threads: p.o.threads})
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

// predictions are the shown tokens by rank, with their probabilities.
func (o *outcome) predictions(shown []bool, tok task.Tokenizer) []prediction {
	chances := metric.Softmax(o.logits)
	var out []prediction
	for i, id := range o.order {
		if shown[id] {
			out = append(out, prediction{Rank: i + 1, ID: id, Text: task.Spell(tok, []int{id})[0], Probability: chances[id], Logit: o.logits[id]})
		}
	}
	return out
}

// text is what people read: one run as a list; several not as lists side by
// side, where a token that leaves the top of a run would be lost from sight, but
// token by token, since what is asked is how much of the full model's
// prediction the others keep.
func (r *promptReport) text(width int) string {
	if len(r.Runs) > 1 {
		return r.heading + "\n" + table(r.comparison(), width)
	}
	cells := [][]string{{"RANK", "TOKEN", "PROBABILITY", "LOGIT"}}
	for _, p := range r.Runs[0].Predictions {
		cells = append(cells, []string{grouped(p.Rank), `"` + p.Text + `"`, probability(p.Probability), number(float64(p.Logit))})
	}
	return r.heading + "\n" + table(cells, width)
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
