// Package task gives discovery its data: pairs of clean and corrupt prompts,
// which positions count, and what the right and wrong answers are.
//
// It knows
//  1. the tasks by name (All, Find), each with the model, metric, threshold and
//     ablation it is used with unless told otherwise, and a seeded generator;
//  2. data files: safetensors with clean, corrupt and what else there is (Read),
//     and the data sets of other tools (ReadPairs);
//  3. how text becomes tokens (Encode), with padding in front where prompts are
//     of unequal length;
//  4. what makes data consistent (Data.Check).
//
// It does not know what a model does with the tokens.
package task

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/internal/oneline"
)

// Data is a batch of prompts as token ids.
type Data struct {
	Clean          [][]int  // [B,T]
	Corrupt        [][]int  // [B,T]; nil where only zero or mean ablation is possible
	Mask           [][]bool // [B,T] positions that the metric counts, one an example where it compares answers; nil for the metric's own choice
	Correct        [][]int  // by example, right answers at the masked position, or the last without a mask; or nil
	Wrong          [][]int  // by example, wrong answers at the same position; or nil
	Pad            []int    // [B] padding tokens in front of each example, which attention does not see; nil where there are none
	Labels         [][]int  // [B,T] tokens that should come next, or nil
	Called         Called   `json:"-"` // what their file calls the answers
	PosPermutation []int    // [T] where the corrupted run takes its position embeddings from, if positions are split off; or nil
}

// Task is a behaviour to find the circuit of.
type Task struct {
	Name        string
	Description string                                                    // one line
	Model       string                                                    // builtin, or by its Hugging Face name
	Builtin     string                                                    // builtin model that does it where Model must be downloaded and is not; or empty
	Metric      string                                                    // default metric
	Threshold   float64                                                   // default threshold
	Ablation    string                                                    // default ablation
	SplitEmbed  bool                                                      // token and position embeddings are two senders
	Examples    int                                                       // default number of examples
	Generate    func(ctx context.Context, seed uint64, examples int) Data // nil of a task in text; of no use where ctx ended
	Text        *Generator                                                // of a task in text
}

// All lists the tasks.
func All() []Task {
	tasks := []Task{induction, orGate, orBits, andGate, xorGate, inductionHeads, tracrReverse, tracrProportion, interpSort, interpProportion, interpDetectPattern}
	for _, g := range Generators() {
		tasks = append(tasks, Task{Name: g.Name, Description: g.Description, Model: g.Model, Builtin: g.Builtin, Metric: g.Metric,
			Threshold: g.Threshold, Ablation: g.Ablation, Examples: g.Examples, Text: &g})
	}
	return tasks
}

// Data makes the prompts that are drawn, as many as the task's own number if
// none is given. A task in text needs the model's tokenizer; bos says whether a
// start token stands before the prompts, nil as the task has it. A task in
// tokens has neither variants nor start tokens to choose.
func (t Task) Data(ctx context.Context, d Draw, tok Tokenizer, bos *bool) (Data, error) {
	if d.Examples == 0 {
		d.Examples = t.Examples
	}
	if t.Text != nil {
		pairs, err := t.Text.Pairs(ctx, d, tok)
		if err != nil {
			return Data{}, err
		}
		o := EncodeOptions{Name: "task " + t.Name, BOS: t.Text.BOS}
		if bos != nil {
			o.BOS = *bos
		}
		return Encode(ctx, pairs, tok, o)
	}
	if err := t.CheckVariant(d.Variant); err != nil {
		return Data{}, err
	}
	if err := t.CheckBOS(bos); err != nil {
		return Data{}, err
	}
	if d.Half == Test { // another sequence, since one is not the first part of a longer one
		d.Seed ^= 1 << 63
	}
	out := t.Generate(ctx, d.Seed, d.Examples)
	return out, ctx.Err()
}

// CheckVariant refuses a variant that the task has not; an empty one is the first.
func (t Task) CheckVariant(name string) error {
	if t.Text != nil {
		_, err := t.Text.variant(name)
		return err
	}
	if name != "" {
		return fmt.Errorf("task %s: expected no variant, since it has only one, found %s", t.Name, oneline.Quote(name))
	}
	return nil
}

// CheckBOS refuses a choice of the start token where there is none; nil is no
// choice.
func (t Task) CheckBOS(bos *bool) error {
	if t.Text == nil && bos != nil {
		return fmt.Errorf("task %s: its prompts are token ids, before which no start token can be put or left out", t.Name)
	}
	return nil
}

// Find returns the task of a name; another name is an error that lists the
// valid ones.
func Find(name string) (Task, error) {
	return choice.Find("task", name, All(), func(t Task) string { return t.Name })
}

// Check checks that all parts have the same shape; token ids are the model's
// to judge.
func (d *Data) Check() error {
	if len(d.Clean) == 0 || len(d.Clean[0]) == 0 {
		return fmt.Errorf("\"clean\": expected at least one example of at least one token, found none")
	}
	b, t := len(d.Clean), len(d.Clean[0])
	for i, row := range d.Clean {
		if len(row) != t {
			return fmt.Errorf("\"clean\": expected %d tokens in every example, found %d in example %d", t, len(row), i)
		}
	}
	if err := sameShape("corrupt", d.Corrupt, b, t); err != nil {
		return err
	}
	if err := sameShape("mask", d.Mask, b, t); err != nil {
		return err
	}
	if err := sameShape("labels", d.Labels, b, t); err != nil {
		return err
	}
	for _, f := range []struct {
		name   string
		values [][]int
	}{{"correct", d.Correct}, {"wrong", d.Wrong}} {
		if f.values != nil && len(f.values) != b {
			return fmt.Errorf("%q: expected [%d], one a clean example, found [%d]", f.name, b, len(f.values))
		}
	}
	if err := d.checkPad(b, t); err != nil {
		return err
	}
	return d.checkPermutation(t)
}

// Ring gives each of some prompts another one as its corrupt prompt: the next in a
// ring in random order, so that every token statistic is kept and, of two or more,
// none is its own.
func Ring(clean [][]int, rng *rand.Rand) [][]int {
	n := len(clean)
	order := rng.Perm(n)
	corrupt := make([][]int, n)
	for i, b := range order {
		corrupt[b] = clean[order[(i+1)%n]]
	}
	return corrupt
}

// CheckAnswers refuses answers that are not of a model's output vocabulary.
func (d *Data) CheckAnswers(vocab int) error {
	for _, f := range []struct {
		name   string
		values [][]int
	}{{d.Called.correct(), d.Correct}, {d.Called.wrong(), d.Wrong}} {
		for b, ids := range f.values {
			for _, id := range ids {
				if id < 0 || id >= vocab {
					return fmt.Errorf("%q: expected token ids from 0 to %d, found %d in example %d", f.name, vocab-1, id, b)
				}
			}
		}
	}
	return nil
}

// checkPad checks that padding leaves a token of every example, and that no
// padded position counts.
func (d *Data) checkPad(b, t int) error {
	if d.Pad == nil {
		return nil
	}
	if len(d.Pad) != b {
		return fmt.Errorf("\"pad\": expected [%d], one a clean example, found [%d]", b, len(d.Pad))
	}
	for i, n := range d.Pad {
		if n < 0 || n >= t {
			return fmt.Errorf("\"pad\": expected 0 to %d padding tokens, found %d in example %d", t-1, n, i)
		}
		if d.Mask != nil && slices.Contains(d.Mask[i][:n], true) {
			return fmt.Errorf("\"mask\": expected no padding to count, found it does in example %d", i)
		}
	}
	if d.PosPermutation != nil {
		return fmt.Errorf("\"pos_permutation\": expected none with prompts of unequal length")
	}
	return nil
}

func sameShape[T any](name string, rows [][]T, b, t int) error {
	if rows == nil {
		return nil
	}
	if len(rows) != b {
		return fmt.Errorf("%q: expected the shape of \"clean\", [%d %d], found %d examples", name, b, t, len(rows))
	}
	for i, row := range rows {
		if len(row) != t {
			return fmt.Errorf("%q: expected the shape of \"clean\", [%d %d], found %d tokens in example %d", name, b, t, len(row), i)
		}
	}
	return nil
}

func (d *Data) checkPermutation(t int) error {
	if d.PosPermutation == nil {
		return nil
	}
	seen := make([]bool, t)
	for i, p := range d.PosPermutation {
		if p < 0 || p >= t || seen[p] {
			return fmt.Errorf("\"pos_permutation\": expected each of 0 to %d once, found %d at place %d", t-1, p, i)
		}
		seen[p] = true
	}
	if len(d.PosPermutation) != t {
		return fmt.Errorf("\"pos_permutation\": expected %d positions, found %d", t, len(d.PosPermutation))
	}
	return nil
}

// Take returns the first n examples.
func (d Data) Take(n int) Data { return d.Part(0, min(n, len(d.Clean))) }

// Part returns examples [lo,hi).
func (d Data) Part(lo, hi int) Data {
	d.Clean = d.Clean[lo:hi]
	d.Corrupt, d.Mask, d.Labels = part(d.Corrupt, lo, hi), part(d.Mask, lo, hi), part(d.Labels, lo, hi)
	d.Correct, d.Wrong, d.Pad = part(d.Correct, lo, hi), part(d.Wrong, lo, hi), part(d.Pad, lo, hi)
	return d
}

// Pick returns the examples of some numbers, in their order, each as often as its
// number is there.
func (d Data) Pick(examples []int) Data {
	d.Clean = picked(d.Clean, examples)
	d.Corrupt, d.Mask, d.Labels = picked(d.Corrupt, examples), picked(d.Mask, examples), picked(d.Labels, examples)
	d.Correct, d.Wrong, d.Pad = picked(d.Correct, examples), picked(d.Wrong, examples), picked(d.Pad, examples)
	return d
}

// picked returns the entries of some numbers, or nil of nil.
func picked[T any](x []T, numbers []int) []T {
	if x == nil {
		return nil
	}
	out := make([]T, len(numbers))
	for i, n := range numbers {
		if n < 0 || n >= len(x) {
			panic(fmt.Sprintf("task: Pick of example %d of %d", n, len(x)))
		}
		out[i] = x[n]
	}
	return out
}

// part returns x[lo:hi], or nil of nil.
func part[T any](x []T, lo, hi int) []T {
	if x == nil {
		return nil
	}
	return x[lo:hi]
}
