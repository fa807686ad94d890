package zoo

import (
	"context"

	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// handmade is a model whose weights are written in code: a shape, and what of the
// parameters is not zero.
type handmade struct {
	name  string
	shape transformer.Config
	write func(*transformer.Params)
}

// byHand opens such a model.
func byHand(h handmade) func(context.Context, checkpoint.LoadOptions) (*checkpoint.Model, error) {
	return func(ctx context.Context, o checkpoint.LoadOptions) (*checkpoint.Model, error) {
		c := h.shape
		c.Activation, c.Norm, c.Eps = transformer.ReLU, transformer.NoNorm, 1e-5
		c.Direction, c.Positions, c.AttnScale = transformer.Causal, transformer.Standard, 1
		p := transformer.NewParams(c)
		h.write(p)
		return checkpoint.LoadWith(ctx, checkpoint.Config{Config: c}, weights.FromMap(h.name, values(p, c)), o)
	}
}

// values are parameters by name, as a file has them.
func values(p *transformer.Params, c transformer.Config) map[string]weights.Array {
	out := map[string]weights.Array{}
	for _, x := range p.All(c) {
		out[x.Name] = weights.Array{Shape: x.Shape, Values: x.Data()}
	}
	return out
}

// orGate is the model of Conmy et al. 2023, appendix: both heads write 1 into the
// first channel from their value bias, the MLP turns "fewer than one" into what it
// subtracts from its bias, and the logit is 1 if either head spoke.
var orGate = handmade{
	name:  "or_gate",
	shape: transformer.Config{Layers: 1, DModel: 2, Ctx: 1, DHead: 1, Heads: 2, DMLP: 1, Vocab: 1, VocabOut: 1},
	write: func(p *transformer.Params) {
		b := &p.Blocks[0]
		copy(b.WO.Data, []float32{1, 0, 1, 0})
		copy(b.B[2], []float32{1, 1})
		copy(b.WIn.Data, []float32{-1, 0})
		copy(b.BIn, []float32{1})
		copy(b.WOut.Data, []float32{0, -1})
		copy(b.BOut, []float32{1, 1})
		copy(p.Unembed.Data, []float32{0, 1})
	},
}

// The channels of the gates over bits.
const (
	bitChannel   = iota // 1 where the token is a 1
	firstChannel        // 1 at the first position,
	nextChannel         // and at the second
	oneChannel          // 1 at every position
	sumChannel          // how many of the bits are 1, once the heads have spoken
	gateChannel         // what the gate makes of them
	gateChannels
)

// hard is a score beside which the exponential of 0 is nothing in 32 bits, so
// that attention is all or nothing.
const hard = 256

// neuron is relu(sum·x + one·1 + bias), of which out·(that) is the gate's.
type neuron struct{ sum, one, bias, out float32 }

// gate is a model of two bits x and y, which stand before a third token at which
// the gate is read. Head 0 moves x there and head 1 y: queries are a bias, keys
// the position, values the bit. Both add to one channel, of which the MLP's
// neurons make the gate. Numbers are small integers, so that the logit is 0 or 1
// to the bit.
func gate(name string, bias float32, neurons ...neuron) handmade {
	return handmade{
		name:  name,
		shape: transformer.Config{Layers: 1, DModel: gateChannels, Ctx: 3, DHead: 1, Heads: 2, DMLP: len(neurons), Vocab: 3, VocabOut: 1},
		write: func(p *transformer.Params) {
			p.Embed.Row(1)[bitChannel] = 1
			p.Pos.Row(0)[firstChannel], p.Pos.Row(1)[nextChannel] = 1, 1
			b := &p.Blocks[0]
			for t := range 3 {
				p.Pos.Row(t)[oneChannel] = 1
			}
			for h := range 2 {
				b.B[0][h] = hard
				b.W[1].Data[h*gateChannels+firstChannel+h] = 1
				b.W[2].Data[h*gateChannels+bitChannel] = 1
				b.WO.Data[h*gateChannels+sumChannel] = 1
			}
			for i, n := range neurons {
				b.WIn.Row(sumChannel)[i], b.WIn.Row(oneChannel)[i] = n.sum, n.one
				b.BIn[i], b.WOut.Row(i)[gateChannel] = n.bias, n.out
			}
			b.BOut[gateChannel] = bias
			p.Unembed.Row(gateChannel)[0] = 1
		},
	}
}

// The gates over bits. The one that AND subtracts comes from the embedding, which
// is a sender; XOR's is a bias, which is none and is never cut; and OR's is the
// bias behind its neuron, which is part of what the MLP sends.
var (
	orBits  = gate("or_bits", 1, neuron{sum: -1, bias: 1, out: -1})                          // 1 − relu(1 − x − y)
	andGate = gate("and_gate", 0, neuron{sum: 1, one: -1, out: 1})                           // relu(x + y − 1)
	xorGate = gate("xor_gate", 0, neuron{sum: 1, out: 1}, neuron{sum: 1, bias: -1, out: -2}) // relu(x + y) − 2 relu(x + y − 1)
)
