package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/floats"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Event tells how far a run has come.
type Event struct {
	Step     int       // steps done
	Steps    int       // of the run
	Loss     float64   // of the last step's batch, in nats a token
	Rate     float64   // learning rate of the last step
	Norm     float64   // of the gradient before it was clipped
	Measures []Measure // what the model can do by now; nil but now and then
}

// Run is a model being trained.
type Run struct {
	recipe    Recipe
	objective objective
	threads   int
	model     *transformer.Model
	weights   *arena
	adam      adamW
	chunks    *chunks
	done      int     // steps
	history   []Event // of these, by step
}

// New begins a run. The weights do not depend on the number of threads.
func New(ctx context.Context, r Recipe, threads int) (*Run, error) {
	if r.config.Layers == 0 {
		panic("train: New: expected a recipe that ParseRecipe or ReadRecipe returned")
	}
	c := r.config.Config
	objective, err := r.Data.objective(ctx, c)
	if err != nil {
		return nil, err
	}
	w := newArena(c)
	if err := initialize(ctx, c, w, r); err != nil {
		return nil, err
	}
	m, err := transformer.New(c, w.params)
	if err != nil {
		return nil, err
	}
	n := len(w.flat)
	return &Run{recipe: r, objective: objective, threads: max(threads, 1), model: m, weights: w,
		adam: adamW{r.Optimizer, floats.Make(n), floats.Make(n)}, chunks: newChunks(c, r.Batch)}, nil
}

// initialize draws fresh weights: embeddings with the recipe's standard
// deviation, matrices with 1/√(inputs), those that write to the residual stream
// divided by √(2·layers) more; biases are 0, norms 1.
func initialize(ctx context.Context, c transformer.Config, w *arena, r Recipe) error {
	rng := rand.New(rand.NewPCG(r.Seed, 0x77656967687473))
	for _, p := range w.params.All(c) {
		if err := ctx.Err(); err != nil {
			return err
		}
		std := 1 / math.Sqrt(float64(c.DModel))
		switch name := p.Name[strings.LastIndexByte(p.Name, '.')+1:]; {
		case !isMatrix(p):
			if name == "w" {
				fillWith(p.Data(), func() float32 { return 1 })
			}
			continue
		case name == "W_E" || name == "W_pos":
			std = r.Optimizer.InitStd
		case name == "W_O":
			std = 1 / math.Sqrt(float64(c.Heads*c.DHead)*float64(2*c.Layers))
		case name == "W_out":
			std = 1 / math.Sqrt(float64(c.DMLP)*float64(2*c.Layers))
		}
		fillWith(p.Data(), func() float32 { return float32(rng.NormFloat64() * std) })
	}
	return nil
}

func fillWith(x []float32, next func() float32) {
	for i := range x {
		x[i] = next()
	}
}

// Model is the model, which every step changes.
func (r *Run) Model() *transformer.Model { return r.model }

// Done is how many steps have been made.
func (r *Run) Done() int { return r.done }

// History is what was seen of every step that has been made, by this run and by
// the earlier ones that it goes on from.
func (r *Run) History() []Event { return slices.Clone(r.history) }

// Train makes the steps that are left, until ctx ends, whose error it then
// returns between two steps. observe is called after every step and may stop
// the run by an error; measureEvery is after how many steps it is told what the
// model can do, 0 for never.
func (r *Run) Train(ctx context.Context, measureEvery int, observe func(Event) error) error {
	measured := func() error {
		e := &r.history[r.done-1]
		if measureEvery > 0 && r.done%measureEvery == 0 && e.Measures == nil {
			var err error
			if e.Measures, err = r.Measure(ctx, r.recipe.Seed+uint64(r.done)); err != nil {
				return err
			}
		}
		return nil
	}
	if r.done > 0 { // an earlier run may have been stopped between its last step and what it measures
		if err := measured(); err != nil {
			return err
		}
	}
	for r.done < r.recipe.Steps {
		e, err := r.step(ctx)
		if err != nil {
			return err
		}
		r.history = append(r.history, e)
		if err := measured(); err != nil {
			return err
		}
		if err := observe(r.history[r.done-1]); err != nil {
			return err
		}
	}
	return nil
}

// step makes one step.
func (r *Run) step(ctx context.Context) (Event, error) {
	loss, err := r.chunks.gradient(ctx, r, r.done)
	if err != nil {
		return Event{}, err
	}
	e := Event{Step: r.done + 1, Steps: r.recipe.Steps, Loss: loss, Rate: r.adam.rate(r.done, r.recipe.Steps)}
	g := r.chunks.sum()
	scale := 1 / float64(len(r.chunks.grads))
	e.Norm = norm(g, r.threads) * scale
	if math.IsNaN(e.Loss) || math.IsInf(e.Loss, 0) || math.IsNaN(e.Norm) || math.IsInf(e.Norm, 0) {
		return e, fmt.Errorf("step %d: expected a finite loss and gradient, found %v and %v: a lower learning rate, a longer warm-up or a clipped gradient may help",
			e.Step, e.Loss, e.Norm)
	}
	if clip := r.recipe.Optimizer.Clip; clip > 0 && e.Norm > clip {
		scale *= clip / e.Norm
	}
	r.adam.step(r.done, r.recipe.Steps, r.weights, g, scale, r.threads)
	r.model.Repack()
	r.done++
	return e, nil
}
