package train

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Measure is something that a model can do.
type Measure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	At    string  `json:"at,omitempty"` // the head that does it, where one does
}

// Measure says what the model can do on prompts that a seed draws, none of which
// it was trained on but by chance.
func (r *Run) Measure(ctx context.Context, seed uint64) ([]Measure, error) {
	return r.objective.measure(ctx, r.model, seed, r.threads)
}

// MeasureModel says what a model can do of what a recipe trains.
func MeasureModel(ctx context.Context, r Recipe, m *transformer.Model, seed uint64, threads int) ([]Measure, error) {
	x, err := r.Data.objective(ctx, r.config.Config)
	if err != nil {
		return nil, err
	}
	return x.measure(ctx, m, seed, threads)
}

// measureStream sets the examples of measurements apart from those of training.
const measureStream = 0x6d656173757265

// measuredRepeats is how many prompts a measurement of repeats takes.
const measuredRepeats = 200

// measure gives the loss on the repeat, and the mean attention of the heads that
// attend most to the previous token, from every token but the first, and to
// what followed the present token before, from the tokens that count.
func (r repeats) measure(ctx context.Context, m *transformer.Model, seed uint64, threads int) ([]Measure, error) {
	rng := rand.New(rand.NewPCG(seed, measureStream))
	rows, masks, periods := make([][]int, measuredRepeats), make([][]bool, measuredRepeats), make([]int, measuredRepeats)
	for i := range rows {
		rows[i], masks[i], periods[i] = r.measured.Draw(rng)
	}
	heads := headMeans{c: m.Config, masks: masks, periods: periods}
	logits, err := m.Forward(ctx, rows, transformer.Options{Threads: threads, Hooks: heads.hooks()})
	if err != nil {
		return nil, err
	}
	loss, n := 0.0, 0
	for i, row := range rows {
		for t, counts := range masks[i] {
			if counts {
				loss -= tensor.LogProb(logits.Row(i*len(row)+t), row[t+1])
				n++
			}
		}
	}
	return []Measure{{Name: "loss on the repeat", Value: loss / float64(n)},
		heads.best("attention to the previous token", heads.previous), heads.best("attention to what came next before", heads.induction)}, nil
}

// headMeans are the mean attention weights of every head.
type headMeans struct {
	c                   transformer.Config
	masks               [][]bool
	periods             []int
	previous, induction []float64 // by layer and head
}

// hooks reads the attention patterns of a pass.
func (h *headMeans) hooks() []transformer.Hook {
	h.previous, h.induction = make([]float64, h.c.Layers*h.c.Heads), make([]float64, h.c.Layers*h.c.Heads)
	hooks := make([]transformer.Hook, h.c.Layers)
	for l := range hooks {
		hooks[l] = transformer.Hook{At: transformer.HookPoint{Point: transformer.HookPattern, Layer: l}, Do: func(p *tensor.Tensor) { h.read(l, p) }}
	}
	return hooks
}

// read adds up the pattern [B,H,T,T] of a layer.
func (h *headMeans) read(layer int, pattern *tensor.Tensor) {
	for head := range h.c.Heads {
		before, after, nBefore, nAfter := 0.0, 0.0, 0, 0
		for i, mask := range h.masks {
			for t := 1; t < len(mask); t++ {
				row := pattern.Row((i*h.c.Heads+head)*len(mask) + t)
				before += float64(row[t-1])
				nBefore++
				if mask[t] {
					after += float64(row[t-h.periods[i]+1])
					nAfter++
				}
			}
		}
		h.previous[layer*h.c.Heads+head] = before / float64(nBefore)
		h.induction[layer*h.c.Heads+head] = after / float64(nAfter)
	}
}

// best is the measure of the head that has the largest of some means.
func (h *headMeans) best(name string, means []float64) Measure {
	at := 0
	for i, v := range means {
		if v > means[at] {
			at = i
		}
	}
	return Measure{name, means[at], fmt.Sprintf("a%d.h%d", at/h.c.Heads, at%h.c.Heads)}
}
