package view

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// What a question may ask for, so that its work is one full pass over all
// examples and as many over one.
const (
	mostPrompts = 8
	mostHeads   = 4
	mostTokens  = 256 // positions of a prompt whose attention is shown
	topTokens   = 10
)

// Question asks what a set of edges does.
type Question struct {
	Edges   []int    `json:"edges"`             // numbers of those present, in any order, each once
	Prompts []int    `json:"prompts,omitempty"` // examples, from 0, of which predictions and patterns are wanted: at most 8
	Heads   []string `json:"heads,omitempty"`   // of which patterns are wanted: at most 4, as a1.h0
}

// Answer is what a set of edges does.
type Answer struct {
	Edges     int        `json:"edges"` // how many are present
	Idle      []int      `json:"idle"`  // numbers of those of them that carry nothing
	Metric    string     `json:"metric"`
	Value     float64    `json:"value"`     // of these edges, as acdc run computes it
	Full      float64    `json:"full"`      // of the full model
	Corrupted float64    `json:"corrupted"` // of the corrupted run
	Examples  []*float64 `json:"examples"`  // by example, null where the metric reads none of its rows
	Prompts   []Prompt   `json:"prompts,omitempty"`
	Cut       []string   `json:"cut"` // names of edges that the circuit to begin with has besides
	Add       []string   `json:"add"` // and those that it lacks
	Command   string     `json:"command"`
}

// Prompt is what a set of edges does on one example.
type Prompt struct {
	Prompt      int                `json:"prompt"`   // from 0
	Position    int                `json:"position"` // that is predicted behind, without padding: the last one that the metric reads
	Predictions []study.Prediction `json:"predictions"`
	Patterns    []Pattern          `json:"patterns,omitempty"`
}

// Pattern is where a head looks: the softmax of its scores, without padding.
type Pattern struct {
	Head    string      `json:"head"`
	Weights [][]float32 `json:"weights"` // [T,T], query by key
}

// Measure answers a question. What it waits for and what it computes ends with
// ctx, whose error it then returns.
func (s *Session) Measure(ctx context.Context, q Question) (*Answer, error) {
	heads, err := s.check(q)
	if err != nil {
		return nil, err
	}
	var out *Answer
	err = s.measured(ctx, q.Edges, func(mask circuit.Mask, a *Answer) error {
		for _, i := range q.Prompts {
			p, err := s.prompt(ctx, mask, i, heads)
			if err != nil {
				return err
			}
			a.Prompts = append(a.Prompts, *p)
		}
		out = a
		return nil
	})
	return out, err
}

// measured waits for the engine, measures a set of edges, and has it until do is
// through.
func (s *Session) measured(ctx context.Context, edges []int, do func(circuit.Mask, *Answer) error) error {
	mask, err := s.mask(edges)
	if err != nil {
		return err
	}
	release, err := s.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	a, err := s.measure(ctx, mask)
	if err != nil {
		return err
	}
	return do(mask, a)
}

// check refuses what is too much, and finds the heads.
func (s *Session) check(q Question) (heads []circuit.Node, err error) {
	if len(q.Prompts) > mostPrompts || len(q.Heads) > mostHeads {
		return nil, questionf("expected at most %d prompts and %d heads, found %d and %d", mostPrompts, mostHeads, len(q.Prompts), len(q.Heads))
	}
	for _, i := range q.Prompts {
		if n := s.e.Runs().Examples(); i < 0 || i >= n {
			return nil, questionf("prompts: expected a number from 0 to %d, found %d", n-1, i)
		}
	}
	for _, name := range q.Heads {
		n, err := s.graph.ParseNode(name)
		if err != nil {
			return nil, &QuestionError{fmt.Errorf("heads: %w", err)}
		}
		if n.Kind != circuit.Head {
			return nil, questionf("heads: expected a head, found %q", name)
		}
		heads = append(heads, n)
	}
	if t := s.e.Runs().Positions(); len(heads) > 0 && t > mostTokens {
		return nil, questionf("heads: patterns are shown of at most %d tokens, the prompts have %d", mostTokens, t)
	}
	return heads, nil
}

// measure measures a mask over all examples.
func (s *Session) measure(ctx context.Context, mask circuit.Mask) (*Answer, error) {
	rows, err := incremental.Rows(ctx, s.e, mask)
	if err != nil {
		return nil, err
	}
	m := s.e.Metric()
	a := &Answer{Edges: mask.Count(), Idle: numbers(s.graph.Idle(mask, s.e.Runs().Ablation() == ablate.Resample)), Metric: string(m.Name()), Value: m.Mean(rows), Full: s.e.CleanMetric(), Corrupted: s.e.CorruptedMetric()}
	if math.IsNaN(a.Value) || math.IsInf(a.Value, 0) {
		return nil, fmt.Errorf("metric %s of these edges: expected a finite number, found %v", a.Metric, a.Value)
	}
	for _, x := range m.PerExample(rows, s.e.Runs().Examples()) {
		a.Examples = append(a.Examples, jsonfile.Finite(x))
	}
	a.Cut, a.Add = s.edits(mask)
	a.Command = s.origin.command(a.Cut, a.Add)
	return a, nil
}

// prompt runs a mask on one example.
func (s *Session) prompt(ctx context.Context, mask circuit.Mask, i int, heads []circuit.Node) (*Prompt, error) {
	b, err := s.one(ctx, i)
	if err != nil {
		return nil, err
	}
	pad := study.Padding(s.in.Data, i)
	out := &Prompt{Prompt: i, Position: s.e.LastRead(i) - pad, Patterns: make([]Pattern, len(heads))}
	var hooks []transformer.Hook
	for k, h := range heads {
		hooks = append(hooks, transformer.Hook{At: transformer.HookPoint{Point: transformer.HookPattern, Layer: h.Layer},
			Do: func(x *tensor.Tensor) { out.Patterns[k] = Pattern{h.String(), pattern(x, h.Head, pad)} }})
	}
	logits, err := patch.Pass(ctx, b, mask.Gates(), transformer.Options{Hooks: hooks})
	if err != nil {
		return nil, err
	}
	out.Predictions, err = study.Likeliest("these edges", logits.Row(pad+out.Position), topTokens, s.tok)
	return out, err
}

// one is an example with its two runs.
func (s *Session) one(ctx context.Context, i int) (*ablate.Batch, error) {
	if s.e.InBatches() {
		return s.e.Runs().Run(ctx, i, i+1)
	}
	return s.e.Whole().Batch.Part(i, i+1), nil
}

// pattern takes a head's part of all patterns [1,H,T,T], without padding.
func pattern(all *tensor.Tensor, head, pad int) [][]float32 {
	t := all.Dim(3)
	out := make([][]float32, 0, t-pad)
	for q := pad; q < t; q++ {
		out = append(out, slices.Clone(all.Row(head*t + q)[pad:]))
	}
	return out
}
