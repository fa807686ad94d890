package attribution

import (
	"context"

	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// point is a run at which the gradient is taken.
type point struct {
	run    func(ctx context.Context) (*transformer.Activations, error)
	weight float64                    // of its gradient in the mean
	stop   []transformer.GradientHook // where the way backward ends, at outputs that were set
	flop   int64                      // of the run, if it is one of its own
}

// points lists the runs of a batch.
func (s Scorer) points(b *patch.Bound) []point {
	known := func(a *transformer.Activations) func(context.Context) (*transformer.Activations, error) {
		return func(context.Context) (*transformer.Activations, error) { return a, nil }
	}
	switch s.At {
	case Inputs:
		return s.inputs(b)
	case Activations:
		return s.activations(b)
	case CleanCorrupted:
		return []point{{run: known(b.Clean), weight: 0.5}, {run: known(b.Corrupted), weight: 0.5}}
	}
	return []point{{run: known(b.Clean), weight: 1}}
}

// inputs are the runs on the embedding corrupted + k/m (clean − corrupted), k
// from 0 to m − 1.
func (s Scorer) inputs(b *patch.Bound) []point {
	var out []point
	for k := range s.Steps {
		at := transformer.HookPoint{Point: transformer.HookResidPre}
		own := between(b, at, b.Clean.Layers[0].AttnIn, b.Corrupted.Layers[0].AttnIn, float32(k)/float32(s.Steps))
		own.weight = 1 / float64(s.Steps)
		out = append(out, own)
	}
	return out
}

// activations are the runs in which one output is corrupted + k/m (clean −
// corrupted), k from 1 to m: the embedding's, each layer's heads' together, and
// each MLP's.
func (s Scorer) activations(b *patch.Bound) []point {
	c := b.Runs.Model().Config
	var out []point
	add := func(p transformer.Point, l int, clean, corrupted *tensor.Tensor) {
		at := transformer.HookPoint{Point: p, Layer: l}
		for k := 1; k <= s.Steps; k++ {
			own := between(b, at, clean, corrupted, float32(k)/float32(s.Steps))
			own.stop = []transformer.GradientHook{{At: at, Do: func(_ int, g tensor.Matrix) { g.Zero() }}}
			out = append(out, own)
		}
	}
	add(transformer.HookResidPre, 0, b.Clean.Layers[0].AttnIn, b.Corrupted.Layers[0].AttnIn)
	for l := range c.Layers {
		clean, corrupted := &b.Clean.Layers[l], &b.Corrupted.Layers[l]
		add(transformer.HookZ, l, clean.Z, corrupted.Z)
		if !c.AttnOnly {
			add(transformer.HookMLPOut, l, clean.MLPOut, corrupted.MLPOut)
		}
	}
	for i := range out {
		out[i].weight = 1 / float64(len(out))
	}
	return out
}

// between is the run on the clean prompts in which one activation is corrupted
// + share (clean − corrupted).
func between(b *patch.Bound, at transformer.HookPoint, clean, corrupted *tensor.Tensor, share float32) point {
	set := transformer.Hook{At: at, Do: func(x *tensor.Tensor) {
		for i := range x.Data {
			x.Data[i] = corrupted.Data[i] + share*(clean.Data[i]-corrupted.Data[i])
		}
	}}
	return point{flop: b.ForwardFLOP(), run: func(ctx context.Context) (*transformer.Activations, error) {
		o := transformer.Options{Hooks: []transformer.Hook{set}, Threads: b.Runs.Threads(), Pad: b.Pad}
		return b.Runs.Model().Record(ctx, b.Tokens, false, o)
	}}
}
