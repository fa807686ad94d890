package study

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Prediction is a token with what a run makes of it as the next one.
type Prediction struct {
	Rank        int     `json:"rank"` // from 1
	ID          int     `json:"id"`
	Text        string  `json:"text"`
	Probability float64 `json:"probability"` // of 0 to 1
	Logit       float32 `json:"logit"`
}

// RunReport is what one run predicts.
type RunReport struct {
	Run         string       `json:"run"`
	Edges       *int         `json:"edges,omitempty"` // nil where there is no graph
	Predictions []Prediction `json:"predictions"`     // by rank; the same tokens in all runs
}

// Predictor predicts the token behind a prompt: by the full model, and, where it
// has a graph, with the edges of each mask and with none, the corrupted run.
type Predictor struct {
	Model          *transformer.Model
	Spec           Spec // the ablation and its constants, and the seed
	Tokenizer      task.Tokenizer
	Top            int            // every run's likeliest tokens that are shown
	Graph          *circuit.Graph // nil for the model alone
	Masks          []circuit.Mask // as many as two: the circuit and what it was edited to
	PosPermutation []int          // that of the circuit, for prompts of its length; that of others is drawn
	Runs           []string       // names: of the model, of the masks, which may be fewer, and of the corrupted run
	Threads        int
}

// outcome is a run after the last token of a prompt.
type outcome struct {
	run    string
	edges  *int
	logits []float32 // [V]
	order  []int     // token ids, the likeliest first
}

// Predict runs a prompt, the first of the data. Every run reports on the tokens
// that are likeliest in any.
func (p Predictor) Predict(ctx context.Context, d task.Data) ([]RunReport, error) {
	outcomes, err := p.outcomes(ctx, d)
	if err != nil {
		return nil, err
	}
	shown := make([]bool, p.Model.Config.VocabOut)
	for _, o := range outcomes {
		for _, id := range o.order[:min(p.Top, len(o.order))] {
			shown[id] = true
		}
	}
	var out []RunReport
	for _, o := range outcomes {
		out = append(out, RunReport{Run: o.run, Edges: o.edges, Predictions: o.predictions(shown, p.Tokenizer)})
	}
	return out, nil
}

// outcomes runs the full model, then the circuits and the corrupted run.
func (p Predictor) outcomes(ctx context.Context, d task.Data) ([]outcome, error) {
	logits, err := p.Model.Forward(ctx, d.Clean[:1], transformer.Options{Threads: p.Threads})
	if err != nil {
		return nil, err
	}
	full, err := newOutcome(p.Runs[0], logits)
	if err != nil || p.Graph == nil {
		return []outcome{full}, err
	}
	edges := p.Graph.NumEdges()
	full.edges = &edges
	e, err := p.bind(ctx, d)
	if err != nil {
		return nil, err
	}
	out := []outcome{full}
	for i, mask := range p.Masks {
		if out, err = addPatched(ctx, out, p.Runs[1+i], e, mask); err != nil {
			return nil, err
		}
	}
	return addPatched(ctx, out, p.Runs[len(p.Runs)-1], e, p.Graph.Empty())
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
func (p Predictor) bind(ctx context.Context, d task.Data) (*patch.Experiment, error) {
	c := p.Graph.Config()
	if len(p.PosPermutation) == len(d.Clean[0]) {
		d.PosPermutation = p.PosPermutation
	}
	return patch.Bind(ctx, patch.Config{Model: p.Model, Definition: c.Definition, SplitEmbed: c.SplitEmbed, Data: d,
		Metric: metric.KL, Ablation: p.Spec.Ablation, Constants: p.Spec.Constants, Seed: p.Spec.RandomSeed(), Threads: p.Threads})
}

// Likeliest are the tokens that a run takes for the likeliest next ones, at most
// top, by their logits [V]. A logit that is not finite is an error that names the
// run. Without a tokenizer a token's text is its number.
func Likeliest(run string, logits []float32, top int, tok task.Tokenizer) ([]Prediction, error) {
	if err := finite(run, logits); err != nil {
		return nil, err
	}
	chances := metric.Softmax(logits)
	var out []Prediction
	for i, id := range largest(logits, top) {
		out = append(out, predicted(i+1, id, logits, chances, tok))
	}
	return out, nil
}

// largest lists the places of the largest numbers, the largest first, of equal
// ones the first.
func largest(x []float32, n int) (out []int) {
	for i, v := range x {
		if len(out) == n && v <= x[out[n-1]] {
			continue
		}
		at, _ := slices.BinarySearchFunc(out, v, func(j int, v float32) int {
			if x[j] >= v {
				return -1
			}
			return 1
		})
		out = slices.Insert(out, at, i)
		out = out[:min(len(out), n)]
	}
	return out
}

// newOutcome takes from logits [B,T,V] those after the first example's last
// token.
func newOutcome(run string, logits *tensor.Tensor) (outcome, error) {
	return ranked(run, logits.Row(logits.Dim(1)-1))
}

// ranked orders tokens by their logits.
func ranked(run string, logits []float32) (outcome, error) {
	o := outcome{run: run, logits: logits, order: make([]int, len(logits))}
	if err := finite(run, logits); err != nil {
		return o, err
	}
	for id := range o.order {
		o.order[id] = id
	}
	slices.SortFunc(o.order, func(a, b int) int {
		return cmp.Or(cmp.Compare(o.logits[b], o.logits[a]), cmp.Compare(a, b))
	})
	return o, nil
}

// finite refuses a run's logits that are not.
func finite(run string, logits []float32) error {
	for id, x := range logits {
		if x-x != 0 {
			return fmt.Errorf("run %s: expected finite logits, found %v for token %d", run, x, id)
		}
	}
	return nil
}

// predictions are the shown tokens by rank, with their probabilities.
func (o *outcome) predictions(shown []bool, tok task.Tokenizer) []Prediction {
	chances := metric.Softmax(o.logits)
	var out []Prediction
	for i, id := range o.order {
		if shown[id] {
			out = append(out, predicted(i+1, id, o.logits, chances, tok))
		}
	}
	return out
}

// predicted is a token at its rank.
func predicted(rank, id int, logits []float32, chances []float64, tok task.Tokenizer) Prediction {
	return Prediction{Rank: rank, ID: id, Text: task.Spell(tok, []int{id})[0], Probability: chances[id], Logit: logits[id]}
}
