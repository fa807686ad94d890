// Package hisp is head importance score for pruning (Michel et al. 2019,
// arXiv:1905.10650) as the ACDC paper compares it: masks on the queries, keys
// and values of every head and on the outputs of MLPs mix the clean run's value
// with the corrupted run's, or with zero under zero ablation; a node's score is
//
//	Σ over examples of |∂ metric of the example / ∂ mask|  at mask 1,
//
// divided by the L2 norm of the scores of its layer.
package hisp

import (
	"context"
	"fmt"
	"math"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Scorer is the method. An edge has the lesser of the scores of its two ends
// (discover.ByNode).
type Scorer struct{}

// Name returns "hisp".
func (Scorer) Name() string { return "hisp" }

// Score goes through each batch forward and back once.
func (Scorer) Score(ctx context.Context, r discover.Request) (*discover.Scored, error) {
	nodes, cost, err := Nodes(ctx, r.Experiment)
	if err != nil {
		return nil, err
	}
	out := &discover.Scored{Scores: discover.ByNode(r.Experiment.Graph(), nodes), Cost: cost}
	if name := r.Experiment.Metric().Name(); metric.LeastAtClean(name) {
		out.Warnings = append(out.Warnings, fmt.Sprintf("metric %s is least at the clean run, where its gradient is 0: the scores are noise; expected another metric", name))
	}
	return out, nil
}

// Nodes are the scores of the nodes: heads' queries, keys and values, and MLPs.
func Nodes(ctx context.Context, e *patch.Experiment) (map[circuit.Node]float64, circuit.Cost, error) {
	scores, cost := map[circuit.Node]float64{}, circuit.Cost{}
	for b, err := range e.Batches(ctx) {
		if err != nil {
			return nil, cost, err
		}
		x := &batch{Bound: b, examples: e.Runs().Examples(), scores: scores}
		if _, err := b.Backward(ctx, b.Clean, transformer.BackwardOptions{Hooks: x.hooks()}); err != nil {
			return nil, cost, err
		}
		cost.FLOP += 2*b.ForwardFLOP() + b.BackwardFLOP()
	}
	cost.ForwardPasses = float64(cost.FLOP) / float64(e.ForwardFLOP())
	sizes := make([]float64, e.Graph().Config().Layers)
	for _, r := range e.Graph().Receivers() { // in one order, so that sums are the same
		if r.Kind == circuit.MLPIn {
			r.Kind = circuit.MLP
		}
		if e.Graph().Config().Definition != circuit.ACDC && r.Kind >= circuit.QInput && r.Kind <= circuit.VInput {
			r.Kind += circuit.Q - circuit.QInput
		}
		sizes[r.Layer] += scores[r] * scores[r]
	}
	for n := range scores {
		if sizes[n.Layer] > 0 {
			scores[n] /= math.Sqrt(sizes[n.Layer])
		}
	}
	return scores, cost, nil
}

// batch adds up the scores of some examples.
type batch struct {
	*patch.Bound
	examples int // of all batches
	scores   map[circuit.Node]float64
}

// hooks see the gradients of the values that are masked.
func (x *batch) hooks() []transformer.GradientHook {
	c := x.Runs.Model().Config
	var out []transformer.GradientHook
	for l := range c.Layers {
		clean, corrupted := &x.Clean.Layers[l], &x.Corrupted.Layers[l]
		for side := range 3 {
			at := transformer.HookPoint{Point: c.SidePoint(side), Layer: l}
			out = append(out, transformer.GradientHook{At: at, Do: func(_ int, g tensor.Matrix) {
				for h := range c.Heads {
					from, to := h*c.DHead, (h+1)*c.DHead
					n := circuit.Node{Kind: circuit.Q + circuit.Kind(side), Layer: l, Head: h}
					x.add(n, g.Columns(from, to), x.Clean.SideOf(c, l, side, h), x.Corrupted.SideOf(c, l, side, h))
				}
			}})
		}
		if !c.AttnOnly {
			out = append(out, transformer.GradientHook{At: transformer.HookPoint{Point: transformer.HookMLPOut, Layer: l}, Do: func(_ int, g tensor.Matrix) {
				x.add(circuit.Node{Kind: circuit.MLP, Layer: l}, g, clean.MLPOut.Matrix(), corrupted.MLPOut.Matrix())
			}})
		}
	}
	return out
}

// add adds the examples' parts of a node's score, g being the gradient of its
// values.
func (x *batch) add(n circuit.Node, g, clean, corrupted tensor.Matrix) {
	t := x.Runs.Positions()
	change := make([]float32, g.Cols)
	for b := range x.Examples() {
		sum := 0.0
		for row := b * t; row < (b+1)*t; row++ {
			copy(change, clean.Row(row))
			if x.Runs.Ablation() != ablate.Zero {
				tensor.Sub(change, corrupted.Row(row))
			}
			sum += float64(tensor.Dot(g.Row(row), change))
		}
		x.scores[n] += math.Abs(sum) * float64(x.examples)
	}
}
