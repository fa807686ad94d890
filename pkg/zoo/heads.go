package zoo

import "github.com/seed-2c350065/acdc/pkg/transformer"

// The channels of inductionHeads: blocks of one-hot vectors. Token 0, which
// begins a prompt, is the zero vector.
const (
	headTokens    = 4
	headPositions = 5

	tokenChannel    = 0                               // what stands here
	positionChannel = tokenChannel + headTokens       // where that is
	beforeChannel   = positionChannel + headPositions // what stands before, once head 0 has spoken
	answerChannel   = beforeChannel + headTokens      // what comes next
	headChannels    = answerChannel + headTokens
)

// inductionHeads are the two heads of Elhage et al. 2021 with nothing around them.
// The head of layer 0 looks one position back and writes which token stands
// there. That of layer 1 looks for the present token among what layer 0 wrote:
// where it stood before the token at hand, and moves that token to the output.
var inductionHeads = handmade{
	name: "induction_heads",
	shape: transformer.Config{Layers: 2, DModel: headChannels, Ctx: headPositions, DHead: headPositions, Heads: 1,
		AttnOnly: true, Vocab: 1 + headTokens, VocabOut: 1 + headTokens},
	write: func(p *transformer.Params) {
		previous, induction := &p.Blocks[0], &p.Blocks[1]
		for t := range headPositions {
			p.Pos.Row(t)[positionChannel+t] = 1
			set(previous, 0, positionChannel+t, t, hard) // position t asks for t,
			if t+1 < headPositions {
				set(previous, 1, positionChannel+t, t+1, 1) // which position t−1 answers to
			}
		}
		for v := range headTokens {
			p.Embed.Row(1 + v)[tokenChannel+v] = 1
			set(previous, 2, tokenChannel+v, v, 1)
			previous.WO.Data[v*headChannels+beforeChannel+v] = 1
			set(induction, 0, tokenChannel+v, v, hard)
			set(induction, 1, beforeChannel+v, v, 1)
			set(induction, 2, tokenChannel+v, v, 1)
			induction.WO.Data[v*headChannels+answerChannel+v] = 1
			p.Unembed.Row(answerChannel + v)[1+v] = 1
		}
	},
}

// set sets the weight from a channel to a component of the queries (side 0), keys
// (1) or values (2) of a block's only head.
func set(b *transformer.BlockParams, side, channel, component int, weight float32) {
	b.W[side].Data[channel*headPositions+component] = weight
}
