package ablate

import (
	"context"
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Places lists where the constants of optimal ablation stand in a run, and the
// vectors themselves, which are made where there are none.
func Places(c transformer.Config, k *circuit.Constants) ([]transformer.HookPoint, []*[]float32) {
	if k == nil {
		panic("ablate: Places of no constants")
	}
	var points []transformer.HookPoint
	var vectors []*[]float32
	add := func(p transformer.Point, layer int, v *[]float32) {
		points, vectors = append(points, transformer.HookPoint{Point: p, Layer: layer}), append(vectors, v)
	}
	add(transformer.HookEmbed, 0, &k.Embed)
	if c.Positions == transformer.Standard {
		add(transformer.HookPosEmbed, 0, &k.Pos)
	}
	if k.Z == nil {
		k.Z = make([][]float32, c.Layers)
		if !c.AttnOnly {
			k.MLPOut = make([][]float32, c.Layers)
		}
	}
	for l := range min(c.Layers, len(k.Z)) {
		add(transformer.HookZ, l, &k.Z[l])
		if !c.AttnOnly && l < len(k.MLPOut) {
			add(transformer.HookMLPOut, l, &k.MLPOut[l])
		}
	}
	return points, vectors
}

// width is how many numbers a sender's output at a point has at a position.
func width(c transformer.Config, at transformer.HookPoint) int {
	if at.Point == transformer.HookZ {
		return c.Heads * c.DHead
	}
	return c.DModel
}

// Means are the constants to begin with: each sender's mean over the clean
// prompts and their positions, padding aside.
func Means(ctx context.Context, m *transformer.Model, d task.Data, batch, threads int) (*circuit.Constants, error) {
	if m == nil || batch < 1 {
		panic(fmt.Sprintf("ablate: Means without a model, or of %d examples at a time", batch))
	}
	if err := d.Check(); err != nil {
		return nil, err
	}
	if err := m.CheckTokens("\"clean\"", d.Clean); err != nil {
		return nil, err
	}
	sums := newMeans(m.Config, len(d.Clean[0]))
	for lo := 0; lo < len(d.Clean); lo += batch {
		hi := min(lo+batch, len(d.Clean))
		if err := sums.add(ctx, m, d.Clean[lo:hi], transformer.Padding(d.Pad).Part(lo, hi), threads); err != nil {
			return nil, err
		}
	}
	out := &circuit.Constants{}
	_, vectors := Places(m.Config, out)
	for i, x := range sums {
		total, n := make([]float64, x.cols), 0
		for t, examples := range x.examples {
			n += examples
			for j := range total {
				total[j] += x.sums[t*x.cols+j]
			}
		}
		*vectors[i] = make([]float32, x.cols)
		for j := range total {
			(*vectors[i])[j] = float32(total[j] / float64(max(1, n)))
		}
	}
	return out, nil
}

// constants are a model's constants as replacements, t positions each.
func constants(c transformer.Config, k *circuit.Constants, t int) ([]replacement, error) {
	if k == nil {
		return nil, fmt.Errorf("ablation optimal: expected the constants that ablated senders send, found none")
	}
	if (c.AttnOnly && k.MLPOut != nil) || len(k.Z) != c.Layers || !c.AttnOnly && len(k.MLPOut) != c.Layers {
		return nil, fmt.Errorf("constants: expected those of %d layers, found %d of heads and %d of MLPs", c.Layers, len(k.Z), len(k.MLPOut))
	}
	points, vectors := Places(c, k)
	var out []replacement
	for i, at := range points {
		v := *vectors[i]
		if n := width(c, at); len(v) != n {
			return nil, fmt.Errorf("constants of %v: expected %d numbers, found %d", at, n, len(v))
		}
		r := replacement{at: at}
		for range t {
			r.values = append(r.values, v...)
		}
		out = append(out, r)
	}
	return out, nil
}
