package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/task"
)

// promptReport is what all runs predict after a prompt.
type promptReport struct {
	Prompt  string            `json:"prompt"`
	Tokens  study.Spelled     `json:"tokens"`
	Corrupt []study.Spelled   `json:"corrupt,omitempty"`
	Runs    []study.RunReport `json:"runs"`

	heading string // in text: the prompt by its tokens
}

// report asks all runs for the next token of a prompt.
func (p *predictor) report(ctx context.Context, i int, d task.Data) (promptReport, error) {
	pair := study.PairOf(d, p.tok, 0)
	pair.Prompt = i + 1
	r := promptReport{Prompt: p.o.prompts[i], Tokens: pair.Clean, heading: opening(pair, len(p.o.prompts), len(d.Corrupt), p.width)}
	for _, ids := range d.Corrupt {
		r.Corrupt = append(r.Corrupt, study.Spelled{IDs: ids, Texts: task.Spell(p.tok, ids)})
	}
	runs := study.Predictor{Model: p.model.Model, Spec: p.spec, Tokenizer: p.tok, Top: cmp.Or(p.o.top, defaultTop), Threads: p.o.threads,
		Runs: []string{rowModel, rowCircuit, rowEdited, rowCorrupted}}
	if p.circuit != nil {
		runs.Graph, runs.Masks, runs.PosPermutation = p.circuit.graph, p.circuit.masks, p.circuit.file.PosPermutation
	}
	var err error
	r.Runs, err = runs.Predict(ctx, d)
	return r, err
}

// opening is the prompt by its tokens, with the corrupt one if there is just
// one.
func opening(s study.ShownPair, prompts, corrupts, width int) string {
	if corrupts > 1 {
		s.Corrupt, s.Differ = nil, nil
	}
	var b bytes.Buffer
	b.WriteString(hanging("", fmt.Sprintf("prompt %d of %d: %s", s.Prompt, prompts, pairHeading(s)), width))
	writePair(s, &b, func(text string) string { return text }, width)
	if corrupts > 1 {
		fmt.Fprintf(&b, "  corrupt  the mean of %s\n", counted(corrupts, "prompt"))
	}
	return b.String()
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
	titles, byID := []string{"TOKEN"}, make([]map[int]study.Prediction, len(r.Runs))
	for i, run := range r.Runs {
		titles = append(titles, strings.ToUpper(run.Run), "RANK")
		byID[i] = map[int]study.Prediction{}
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
