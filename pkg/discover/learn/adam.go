package learn

import (
	"math"
	"slices"
)

// adam is AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101).
type adam struct {
	o                    Options
	params, mean, square []float64
	steps                int
}

// epsilon keeps the division away from 0.
const epsilon = 1e-8

func newAdam(params []float64, o Options) *adam {
	return &adam{o: o, params: slices.Clone(params), mean: make([]float64, len(params)), square: make([]float64, len(params))}
}

// step descends along a gradient, which it may change.
func (a *adam) step(grads []float64, rate float64) {
	if a.o.Clip > 0 {
		sum := 0.0
		for _, g := range grads {
			sum += g * g
		}
		if norm := math.Sqrt(sum); norm > a.o.Clip {
			for i := range grads {
				grads[i] *= a.o.Clip / norm
			}
		}
	}
	a.steps++
	first, second := 1-math.Pow(a.o.Betas[0], float64(a.steps)), 1-math.Pow(a.o.Betas[1], float64(a.steps))
	for i, g := range grads {
		a.mean[i] += (1 - a.o.Betas[0]) * (g - a.mean[i])
		a.square[i] += (1 - a.o.Betas[1]) * (g*g - a.square[i])
		a.params[i] -= rate * (a.mean[i]/first/(math.Sqrt(a.square[i]/second)+epsilon) + a.o.Decay*a.params[i])
	}
}

// Warmed is a learning rate that rises in proportion over some steps and then
// falls in proportion to 0.
func Warmed(rate float64, warmup, steps int) func(int) float64 {
	return func(step int) float64 {
		if step < warmup {
			return rate * float64(step+1) / float64(warmup)
		}
		return rate * float64(steps-step) / float64(max(1, steps-warmup))
	}
}

// Constant is a learning rate that stays.
func Constant(rate float64) func(int) float64 { return func(int) float64 { return rate } }
