package train

import (
	"math"
	"strings"

	"github.com/seed-2c350065/acdc/internal/floats"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// rate is the learning rate of step s, the first being 0:
//
//	peak·(s+1)/warmup                          in the warm-up,
//	peak·(final + (1-final)·(1+cos(π·x))/2)    after it, x from 0 at its end to 1 at the last step.
func (o Optimizer) rate(s, steps int) float64 {
	if s < o.Warmup {
		return o.LearningRate * float64(s+1) / float64(o.Warmup)
	}
	x := 0.0
	if left := steps - 1 - o.Warmup; left > 0 {
		x = float64(s-o.Warmup) / float64(left)
	}
	return o.LearningRate * (o.Final + (1-o.Final)*(1+math.Cos(math.Pi*x))/2)
}

// arena is a model's parameters, or numbers that belong to them, one after the
// other in one slice.
type arena struct {
	flat   []float32
	params *transformer.Params // views of flat
	decays []span              // of matrices and embeddings
	heads  []span              // of each head's W_O
}

// span is a range of an arena.
type span struct{ lo, hi int }

func newArena(c transformer.Config) *arena {
	a := &arena{flat: floats.Make(c.Parameters()), params: &transformer.Params{Blocks: make([]transformer.BlockParams, c.Layers)}}
	at := 0
	for _, p := range a.params.All(c) {
		to := at + p.Size()
		p.Set(a.flat[at:to:to])
		if isMatrix(p) {
			a.decays = append(a.decays, span{at, to})
		}
		if strings.HasSuffix(p.Name, ".W_O") {
			for size := p.Size() / c.Heads; at < to; at += size {
				a.heads = append(a.heads, span{at, at + size})
			}
		}
		at = to
	}
	return a
}

// isMatrix tells matrices and embeddings, whose names are W_…, from biases and
// norms.
func isMatrix(p transformer.Param) bool {
	return strings.HasPrefix(p.Name[strings.LastIndexByte(p.Name, '.')+1:], "W_")
}

// norm is the Euclidean norm of all numbers, added up in float64 in blocks of a
// fixed size.
func norm(x []float32, threads int) float64 {
	const block = 1 << 14
	sums := make([]float64, (len(x)+block-1)/block)
	tensor.Parallel(len(sums), threads, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for _, v := range x[i*block : min((i+1)*block, len(x))] {
				sums[i] += float64(v) * float64(v)
			}
		}
	})
	total := 0.0
	for _, s := range sums {
		total += s
	}
	return math.Sqrt(total)
}

// adamW keeps the moments of the gradient.
type adamW struct {
	Optimizer
	first, second []float32 // of each parameter
}

// step moves the weights by step s of a run, the first being 0. scale is what
// the gradient g is to be multiplied by. With t = s+1,
//
//	m = β1·m + (1-β1)·g,  v = β2·v + (1-β2)·g²,
//	w = w − rate·(m/(1-β1^t) / (√(v/(1-β2^t)) + ε) + decay·w),
//
// the last term, which is no part of the moments, for matrices and embeddings
// alone. Then each head's W_O becomes W_O·max(0, 1 − rate·lasso/‖W_O‖), the
// proximal step of the group lasso (Yuan and Lin 2006).
func (o *adamW) step(s, steps int, w *arena, g []float32, scale float64, threads int) {
	rate, t := o.rate(s, steps), float64(s+1)
	step := float32(rate / (1 - math.Pow(o.Beta1, t)))
	root := float32(1 / math.Sqrt(1-math.Pow(o.Beta2, t)))
	keep := float32(1 - rate*o.WeightDecay)
	b1, b2, eps, by := float32(o.Beta1), float32(o.Beta2), float32(o.Epsilon), float32(scale)
	for _, d := range w.decays {
		x := w.flat[d.lo:d.hi]
		for i := range x {
			x[i] *= keep
		}
	}
	tensor.Parallel(len(g), threads, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			x := g[i] * by
			m, v := b1*o.first[i]+(1-b1)*x, b2*o.second[i]+(1-b2)*x*x
			o.first[i], o.second[i] = m, v
			w.flat[i] -= step * m / (float32(math.Sqrt(float64(v)))*root + eps)
		}
	})
	if o.HeadLasso > 0 {
		w.shrink(rate * o.HeadLasso)
	}
}

// shrink shortens each head's W_O by a length, to 0 at the least.
func (a *arena) shrink(by float64) {
	for _, h := range a.heads {
		x := a.flat[h.lo:h.hi]
		factor := float32(0)
		if length := norm(x, 1); length > by {
			factor = float32(1 - by/length)
		}
		for i := range x {
			x[i] *= factor
		}
	}
}
