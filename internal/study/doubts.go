package study

import (
	"context"
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// likely is how many tokens of the clean run are likely ones: an answer that is
// not among them is none that the model would give.
const likely = 1000

// Doubts are warnings about the data: where more than half of the answers are
// never among the likeliest tokens of the clean run, they look like the ids of
// another tokenizer. Small vocabularies raise no doubt, nor does text, nor do data
// that a task or a seed makes.
func (x *Study) Doubts(ctx context.Context, e *patch.Experiment) ([]string, error) {
	vocab := x.Model.Config.VocabOut
	if !x.ids || x.Data.Correct == nil || vocab < 2*likely {
		return nil, nil
	}
	answers, err := metric.New(metric.LogitDiff, metric.Targets{Clean: x.Data.Clean, Mask: x.Data.Mask, Correct: x.Data.Correct,
		Wrong: x.Data.Correct, Pad: x.Data.Pad, Vocab: vocab})
	if err != nil {
		return nil, nil // the data are measured otherwise, and have no one answer an example
	}
	unlikely, rows := 0, answers.Rows()
	for b, err := range e.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		for len(rows) > 0 && rows[0].Example < b.Hi {
			at := (rows[0].Example-b.Lo)*e.Runs().Positions() + rows[0].Position
			if rows[0].Example >= b.Lo && !x.isLikely(b.Batch, at, x.Data.Correct[rows[0].Example]) {
				unlikely++
			}
			rows = rows[1:]
		}
	}
	if all := len(answers.Rows()); 2*unlikely > all {
		return []string{fmt.Sprintf("%s: %d of %d right answers are not among the %d likeliest tokens of the clean run: they look like ids of another tokenizer than that of model %s",
			x.Spec.Data, unlikely, all, likely, x.Spec.Model)}, nil
	}
	return nil, nil
}

// isLikely reports whether one of some tokens is among the likeliest after a
// row of a batch's clean run.
func (x *Study) isLikely(b *ablate.Batch, row int, tokens []int) bool {
	c := x.Model.Config
	normed, logits := tensor.New(1, c.DModel), tensor.New(1, c.VocabOut)
	x.Model.NormFinal(normed.Matrix(), b.Clean.Out.Matrix().Slice(row, row+1))
	x.Model.Unembed(logits.Matrix(), normed.Matrix())
	best := logits.Data[tokens[0]]
	for _, id := range tokens {
		best = max(best, logits.Data[id])
	}
	above := 0
	for _, v := range logits.Data {
		if v > best {
			above++
		}
	}
	return above < likely
}
