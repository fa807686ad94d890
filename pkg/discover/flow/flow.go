// Package flow is information flow routes (Ferrando & Voita 2024,
// arXiv:2403.00824): how much of the residual stream that a node reads comes
// from each node before it. One forward pass, no metric and no corrupted run.
package flow

import (
	"context"
	"math"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Scorer is the method. With x the clean run's residual stream at a receiver
// and a_u what sender u adds to it, at each position
//
//	proximity(u) = max(0, ‖x‖₁ − ‖x − a_u‖₁),   share(u) = proximity(u) / Σ proximity,
//
// 0 where the sum is, and the score is the mean of the shares over the positions
// that are not padding, and then over the examples. All heads of a layer read
// one stream, so that their queries, keys and values share their scores; a
// direct edge has the most of those into its head's input.
type Scorer struct{}

// Name returns "ifr".
func (Scorer) Name() string { return "ifr" }

// Score runs the model once.
func (Scorer) Score(ctx context.Context, r discover.Request) (*discover.Scored, error) {
	runs := r.Experiment.Runs()
	g := runs.Graph()
	out := &discover.Scored{}
	sum := make(circuit.Scores, g.NumEdges())
	for b, err := range runs.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		all, err := shares(ctx, b)
		if err != nil {
			return nil, err
		}
		for _, own := range all {
			one := discover.ByStream(g, func(sender int, r circuit.Node) float64 { return own[stream(runs.Model().Config, r)][sender] })
			for e, x := range one {
				sum[e] += x
			}
			if r.PerExample {
				out.Examples = append(out.Examples, one)
			}
		}
		if r.Observe != nil {
			r.Observe(discover.Event{Decided: g.NumEdges() * b.Hi / runs.Examples(), Total: g.NumEdges()})
		}
	}
	for e := range sum {
		sum[e] /= float64(runs.Examples())
	}
	out.Scores, out.Cost = sum, circuit.Cost{ForwardPasses: 1, FLOP: r.Experiment.ForwardFLOP()}
	return out, nil
}

// streams are the residual streams that receivers read, in the order of
// computation: two a block, before attention and before the MLP, and the last.
func streams(c transformer.Config, a *transformer.Activations) []tensor.Matrix {
	var out []tensor.Matrix
	for _, l := range a.Layers {
		out = append(out, l.AttnIn.Matrix(), l.AttnIn.Matrix())
		if !c.AttnOnly {
			out[len(out)-1] = l.MLPIn.Matrix()
		}
	}
	return append(out, a.Out.Matrix())
}

// stream is the number of the stream that a receiver reads.
func stream(c transformer.Config, r circuit.Node) int {
	switch {
	case r.Kind == circuit.MLPIn:
		return 2*r.Layer + 1
	case r.Kind == circuit.Output:
		return 2 * c.Layers
	}
	return 2 * r.Layer
}

// heard is how many senders, from the first, each stream is a sum of.
func heard(g *circuit.Graph, c transformer.Config) []int {
	out := make([]int, 2*c.Layers+1)
	for _, r := range g.Receivers() {
		lo, hi := g.Incoming(r)
		if !g.Edge(lo).IsDirect() {
			out[stream(c, r)] = hi - lo
		}
	}
	return out
}

// shares are each example's shares of the senders in the streams, by example,
// stream and sender.
func shares(ctx context.Context, b *ablate.Batch) ([][][]float64, error) {
	out := make([][][]float64, b.Examples())
	tensor.Parallel(b.Examples(), b.Runs.Threads(), func(lo, hi int) {
		for i := lo; i < hi && ctx.Err() == nil; i++ {
			out[i] = example(b, i)
		}
	})
	return out, ctx.Err()
}

// example is the mean of the shares over the positions of the batch's example i.
func example(b *ablate.Batch, i int) [][]float64 {
	model, t := b.Runs.Model(), b.Runs.Positions()
	lo, hi := i*t+b.Pad.Of(i), (i+1)*t
	xs, heard := streams(model.Config, b.Clean), heard(b.Runs.Graph(), model.Config)
	own := tensor.New(hi-lo, model.Config.DModel).Matrix()
	mean := make([][]float64, len(xs))
	proximity := make([][][]float64, len(xs)) // by stream, position and sender
	for k, n := range heard {
		mean[k], proximity[k] = make([]float64, n), make([][]float64, hi-lo)
		for p := range proximity[k] {
			proximity[k][p] = make([]float64, n)
		}
	}
	for u, s := range b.Runs.Senders() {
		b.Contribution(s, own, lo, hi)
		for k, n := range heard {
			for p := range own.Rows {
				if u < n {
					proximity[k][p][u] = nearness(xs[k].Row(lo+p), own.Row(p))
				}
			}
		}
	}
	for k := range xs {
		for _, senders := range proximity[k] {
			addShares(mean[k], senders, float64(hi-lo))
		}
	}
	return mean
}

// nearness is the proximity of what one sender adds to a stream.
func nearness(x, a []float32) float64 {
	sum := 0.0
	for i := range x {
		sum += math.Abs(float64(x[i])) - math.Abs(float64(x[i])-float64(a[i]))
	}
	return max(0, sum)
}

// addShares adds to mean one of n positions' shares.
func addShares(mean, proximity []float64, n float64) {
	sum := 0.0
	for _, x := range proximity {
		sum += x
	}
	if sum == 0 {
		return
	}
	for u, x := range proximity {
		mean[u] += x / sum / n
	}
}
