package transformer_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// apart is one attention layer whose heads' queries, keys and values each have
// an input of their own, as in a run under a mask.
type apart struct {
	m       *transformer.Model
	b, t    int
	pad     transformer.Padding
	inputs  [][]*tensor.Tensor // by side and head [B·T,D]
	qkv     [3]tensor.Matrix   // [B·T,H·K] as attention takes them
	raw     [3]*tensor.Tensor  // the same before norms and rotary positions
	z       tensor.Matrix      // [B·T,H·K]
	weights tensor.Matrix      // of z in the loss
}

// forward computes the layer and returns Σ weight·z.
func (a *apart) forward() float64 {
	c, n, at := a.m.Config, a.b*a.t, transformer.Padding(nil).Positions(1, a.t)
	ids := a.pad.Positions(a.b, a.t)
	k := c.DHead
	for side := range a.qkv {
		for h, x := range a.inputs[side] {
			normed := tensor.New(n, c.DModel).Matrix()
			a.m.Norm1(0, normed, x.Matrix())
			a.m.AddPositions(side, normed, ids)
			a.m.Head(0, side, h, a.qkv[side].Columns(h*k, (h+1)*k), normed)
		}
		a.raw[side] = tensor.From(values(a.qkv[side]), n, c.Heads*k)
		a.m.Turn(0, side, a.qkv[side], ids)
	}
	sum, scratch := 0.0, make([]float32, a.t*a.t)
	for b := range a.b {
		for h := range c.Heads {
			part := func(x tensor.Matrix) tensor.Matrix { return x.Slice(b*a.t, (b+1)*a.t).Columns(h*k, (h+1)*k) }
			a.m.Attend(0, part(a.z), part(a.qkv[0]), part(a.qkv[1]), part(a.qkv[2]), at, a.pad.Of(b), scratch)
		}
	}
	for i := range n {
		for j, v := range a.z.Row(i) {
			sum += float64(v) * float64(a.weights.Row(i)[j])
		}
	}
	return sum
}

// The parts of Reverse give the gradients of a layer whose receivers' inputs
// differ, as differences along a random direction of each input show.
func TestReverseOfSeparateInputs(t *testing.T) {
	for seed := range uint64(golden.Cases(100)) {
		rng := rand.New(rand.NewPCG(seed, 15))
		c := golden.RandomConfig(rng)
		if seed%2 == 1 {
			c = golden.WithParts(rand.New(rand.NewPCG(seed, 16)), c)
		}
		c.DModel += 8 // norms of few numbers are all but steps
		if c.QKNorm {
			c.DHead, c.AttnScale = c.DHead+8, c.AttnScale+2
		}
		data := golden.RandomData(rng, c)
		a := &apart{m: golden.RandomModel(t, c, seed), b: len(data.Clean), t: len(data.Clean[0]), pad: transformer.Padding(data.Pad)}
		n, hk := a.b*a.t, c.Heads*c.DHead
		random := func(cols int) *tensor.Tensor {
			x := tensor.New(n, cols)
			for i := range x.Data {
				x.Data[i] = float32(rng.NormFloat64())
			}
			return x
		}
		a.z, a.weights = tensor.New(n, hk).Matrix(), random(hk).Matrix()
		for side := range a.qkv {
			a.qkv[side] = tensor.New(n, hk).Matrix()
			var own []*tensor.Tensor
			for range c.Heads {
				own = append(own, random(c.DModel))
			}
			a.inputs = append(a.inputs, own)
		}
		a.forward()
		r := a.m.Reverse(a.b, a.t, a.pad, 2)
		var d [3]tensor.Matrix
		for side := range d {
			d[side] = tensor.New(n, hk).Matrix()
		}
		r.Attend(0, d, a.weights, a.qkv)
		s := a.m.NewStandardized(n)
		for side := range d {
			r.Unturn(0, side, d[side], a.raw[side].Matrix())
			for h, x := range a.inputs[side] {
				dx, direction, start := tensor.New(n, c.DModel), random(c.DModel), x.Clone()
				r.Standardize(s, x.Matrix())
				r.HeadInput(0, side, h, dx.Matrix(), d[side].Columns(h*c.DHead, (h+1)*c.DHead), s)
				value := func(by float32) float64 {
					copy(x.Data, start.Data)
					tensor.Axpy(x.Data, by, direction.Data)
					defer func() { copy(x.Data, start.Data) }()
					return a.forward()
				}
				const step = 1. / 256
				want := (8*(value(step)-value(-step)) - (value(2*step) - value(-2*step))) / (12 * step)
				got, size := float64(tensor.Dot(dx.Data, direction.Data)), math.Sqrt(float64(tensor.Dot(dx.Data, dx.Data)))
				require.InDelta(t, want, got, 3e-3*(1+size), "side %d head %d %+v", side, h, c)
			}
		}
	}
}
