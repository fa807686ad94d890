package compile

import (
	"math"

	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Plain is the forward pass of a compiled model written out, in 64 bits: the
// logits of one example [T,V].
func Plain(m *transformer.Model, tokens []int) [][]float64 {
	c, p := m.Config, m.Params
	x := make([][]float64, len(tokens))
	for t, id := range tokens {
		x[t] = make([]float64, c.DModel)
		for d := range x[t] {
			x[t][d] = float64(p.Embed.Row(id)[d]) + float64(p.Pos.Row(t)[d])
		}
	}
	for l := range p.Blocks {
		b := &p.Blocks[l]
		heads := make([][][]float64, c.Heads)
		for h := range heads {
			heads[h] = plainHead(c, b, h, x)
		}
		for _, out := range heads {
			accumulate(x, out)
		}
		hidden := times(x, b.WIn.Data, c.DMLP)
		for _, row := range hidden {
			for f := range row {
				row[f] = math.Max(0, row[f])
			}
		}
		accumulate(x, times(hidden, b.WOut.Data, c.DModel))
	}
	return times(x, p.Unembed.Data, c.VocabOut)
}

// plainHead is one head's output [T,D].
func plainHead(c transformer.Config, b *transformer.BlockParams, h int, x [][]float64) [][]float64 {
	size := c.DModel * c.DHead
	var qkv [3][][]float64
	for side := range qkv {
		qkv[side] = times(x, b.W[side].Data[h*size:(h+1)*size], c.DHead)
	}
	z := make([][]float64, len(x))
	for q := range z {
		z[q] = make([]float64, c.DHead)
		seen := len(x)
		if c.Direction == transformer.Causal {
			seen = q + 1
		}
		weights, top, sum := make([]float64, seen), math.Inf(-1), 0.0
		for k := range weights {
			for i := range c.DHead {
				weights[k] += qkv[0][q][i] * qkv[1][k][i] / c.AttnScale
			}
			top = math.Max(top, weights[k])
		}
		for k := range weights {
			weights[k] = math.Exp(weights[k] - top)
			sum += weights[k]
		}
		for k, w := range weights {
			for i := range c.DHead {
				z[q][i] += w / sum * qkv[2][k][i]
			}
		}
	}
	return times(z, b.WO.Data[h*size:(h+1)*size], c.DModel)
}

// times is x [T,N] times a matrix [N,columns].
func times(x [][]float64, matrix []float32, columns int) [][]float64 {
	out := make([][]float64, len(x))
	for t, row := range x {
		out[t] = make([]float64, columns)
		for i, v := range row {
			if v == 0 {
				continue
			}
			for j := range columns {
				out[t][j] += v * float64(matrix[i*columns+j])
			}
		}
	}
	return out
}

func accumulate(x, y [][]float64) {
	for t, row := range y {
		for i, v := range row {
			x[t][i] += v
		}
	}
}
