package transformer_test

import (
	"cmp"
	"math"

	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// reference is the plainest possible forward pass, in float64, of one example.
// Its gradients are taken by differences: of parameters, which may be changed,
// and of activations, of which bump changes one number.
type reference struct {
	c     transformer.Config
	w     map[string][]float64 // by name, as Params.All lists them
	rules transformer.Rules
	bump  bump
	stops *stops
}

// bump adds by to number i of an activation at a position.
type bump struct {
	at         transformer.HookPoint
	head, t, i int
	by         float64
}

// stops are the values that rules hold constant, in the order in which a run
// comes to them.
type stops struct {
	values []float64
	next   int
	replay bool
}

// stop is the value of the first run.
func (r *reference) stop(v float64) float64 {
	if r.stops == nil {
		return v
	}
	if !r.stops.replay {
		r.stops.values = append(r.stops.values, v)
		return v
	}
	r.stops.next++
	return r.stops.values[r.stops.next-1]
}

// half is v/2 + stop(v/2).
func (r *reference) half(v float64) float64 {
	if !r.rules.HalfProducts {
		return v
	}
	return v/2 + r.stop(v/2)
}

func newReference(m *transformer.Model) *reference {
	r := &reference{c: m.Config, w: map[string][]float64{}}
	for _, p := range m.Params.All(m.Config) {
		values := make([]float64, p.Size())
		for i, v := range p.Data() {
			values[i] = float64(v)
		}
		r.w[p.Name] = values
	}
	return r
}

// touch lets bump change an activation.
func (r *reference) touch(p transformer.Point, layer, head, t int, x []float64) {
	if b := r.bump; b.by != 0 && b.at == (transformer.HookPoint{Point: p, Layer: layer}) && b.head == head && b.t == t {
		x[b.i] += b.by
	}
}

// norm is LayerNorm of one position.
func (r *reference) norm(x []float64, name string) []float64 {
	out := append([]float64(nil), x...)
	if r.c.Norm == transformer.NoNorm {
		return out
	}
	if r.c.Norm == transformer.RMSNorm {
		return r.rms(x, name+".w")
	}
	if r.c.Norm == transformer.RMSPre {
		return r.rms(x, "")
	}
	n, mean, variance := float64(len(x)), 0.0, 0.0
	for _, v := range x {
		mean += v / n
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / n
	}
	inv := 1 / math.Sqrt(variance+r.c.Eps)
	if r.rules.FixedNorm {
		inv = r.stop(inv)
	}
	for i, v := range x {
		out[i] = (v - mean) * inv
		if r.c.Norm == transformer.LayerNorm {
			out[i] = out[i]*r.w[name+".w"][i] + r.w[name+".b"][i]
		}
	}
	return out
}

// activate is the activation function.
func (r *reference) activate(x float64) float64 {
	y := x / (1 + math.Exp(-x))
	switch r.c.Activation {
	case transformer.ReLU:
		y = math.Max(x, 0)
	case transformer.GELU:
		y = x * 0.5 * (1 + math.Erf(x/math.Sqrt2))
	case transformer.GELUNew:
		y = 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	}
	if r.rules.FixedActRatio {
		return x * r.stop(y/x)
	}
	return y
}

// times is bias + x·w, w being [len(x),len(bias)].
func times(x, w, bias []float64) []float64 {
	out := append([]float64(nil), bias...)
	for d, v := range x {
		for k := range out {
			out[k] += v * w[d*len(bias)+k]
		}
	}
	return out
}

// forward returns the logits of each position.
func (r *reference) forward(tokens []int) [][]float64 {
	c, d := r.c, r.c.DModel
	if r.stops != nil {
		r.stops.next = 0
	}
	resid := make([][]float64, len(tokens))
	for t, id := range tokens {
		resid[t] = append([]float64(nil), r.w["embed.W_E"][id*d:(id+1)*d]...)
		for i := range resid[t] {
			resid[t][i] *= cmp.Or(c.EmbedScale, 1)
		}
		r.touch(transformer.HookEmbed, 0, 0, t, resid[t])
		if c.Positions == transformer.Standard {
			pos := append([]float64(nil), r.w["pos_embed.W_pos"][t*d:(t+1)*d]...)
			r.touch(transformer.HookPosEmbed, 0, 0, t, pos)
			addTo(resid[t], pos)
		}
	}
	for l := range c.Layers {
		for t := range resid {
			r.touch(transformer.HookResidPre, l, 0, t, resid[t])
		}
		attn, mlpIn := r.attention(l, resid), make([][]float64, len(tokens))
		for t := range resid {
			r.touch(transformer.HookAttnOut, l, 0, t, attn[t])
			mlpIn[t] = append([]float64(nil), resid[t]...)
			addTo(resid[t], attn[t])
			if !c.ParallelAttnMLP && !c.AttnOnly {
				r.touch(transformer.HookResidMid, l, 0, t, resid[t])
				copy(mlpIn[t], resid[t])
			}
			if !c.AttnOnly {
				addTo(resid[t], r.mlp(l, t, mlpIn[t]))
			}
			r.touch(transformer.HookResidPost, l, 0, t, resid[t])
		}
	}
	logits := make([][]float64, len(tokens))
	for t := range resid {
		logits[t] = times(r.norm(resid[t], "ln_final"), r.w["unembed.W_U"], r.w["unembed.b_U"])
		for i, v := range logits[t] {
			logits[t][i] = r.limit(v, c.LogitCap)
		}
	}
	return logits
}

func addTo(x, y []float64) {
	for i, v := range y {
		x[i] += v
	}
}

// mlp is the MLP's output at one position.
func (r *reference) mlp(l, t int, x []float64) []float64 {
	at := block(l)
	r.touch(transformer.HookMLPIn, l, 0, t, x)
	normed := r.norm(x, at+"ln2")
	hidden := times(normed, r.w[at+"mlp.W_in"], r.w[at+"mlp.b_in"])
	if r.c.GatedMLP {
		hidden = append(times(normed, r.w[at+"mlp.W_gate"], r.w[at+"mlp.b_gate"]), hidden...)
	}
	r.touch(transformer.HookMLPPre, l, 0, t, hidden)
	post := make([]float64, r.c.DMLP)
	for i := range post {
		if post[i] = r.activate(hidden[i]); r.c.GatedMLP {
			post[i] = r.product(post[i], hidden[len(post)+i])
		}
	}
	r.touch(transformer.HookMLPPost, l, 0, t, post)
	out := times(post, r.w[at+"mlp.W_out"], r.w[at+"mlp.b_out"])
	if r.c.PostNorm {
		out = r.rms(out, at+"ln2_post.w")
	}
	r.touch(transformer.HookMLPOut, l, 0, t, out)
	return out
}

// block is the beginning of the names of a block's parameters.
func block(l int) string { return "blocks." + string(rune('0'+l)) + "." }

// attention is attn_out of all positions.
func (r *reference) attention(l int, resid [][]float64) [][]float64 {
	at, k, d := block(l), r.c.DHead, r.c.DModel
	out := make([][]float64, len(resid))
	for t := range out {
		out[t] = append([]float64(nil), r.w[at+"attn.b_O"]...)
	}
	for h := range r.c.Heads {
		var qkv [3][][]float64
		for side, name := range []string{"Q", "K", "V"} {
			j, in := r.c.SideHead(side, h), at+"attn."
			if r.c.SideHeads(side) != r.c.Heads {
				in += "_"
			}
			for t := range resid {
				own := append([]float64(nil), resid[t]...)
				r.touch(transformer.HookQInput+transformer.Point(side), l, h, t, own)
				normed := r.norm(own, at+"ln1")
				if r.c.Positions == transformer.Shortformer && side < 2 {
					addTo(normed, r.w["pos_embed.W_pos"][t*d:(t+1)*d])
				}
				row := times(normed, r.w[in+"W_"+name][j*d*k:(j+1)*d*k], r.w[in+"b_"+name][j*k:(j+1)*k])
				r.touch(transformer.HookQ+transformer.Point(side), l, h, t, row)
				if side < 2 && r.c.QKNorm {
					row = r.rms(row, at+"attn."+[]string{"q", "k"}[side]+"_norm.w")
				}
				if side < 2 && r.c.Positions == transformer.Rotary {
					row = r.rotate(row, t)
				}
				if r.c.Turned(side) {
					r.touch(transformer.HookRotQ+transformer.Point(side), l, h, t, row)
				}
				qkv[side] = append(qkv[side], row)
			}
		}
		for t := range resid {
			z := r.mix(l, t, qkv)
			r.touch(transformer.HookZ, l, h, t, z)
			for i, v := range z {
				for j := range out[t] {
					out[t][j] += v * r.w[at+"attn.W_O"][(h*k+i)*d+j]
				}
			}
		}
	}
	for t := range out {
		if r.c.PostNorm {
			out[t] = r.rms(out[t], at+"ln1_post.w")
		}
	}
	return out
}

// rotate turns a head's query or key at a position.
func (r *reference) rotate(before []float64, t int) []float64 {
	row, half := append([]float64(nil), before...), r.c.RotaryDim/2
	for j := range half {
		frequency := math.Pow(r.c.RotaryBase, -float64(j)/float64(half))
		sin, cos := math.Sincos(float64(t) / cmp.Or(r.c.RotaryFactor, 1) * frequency * r.band(frequency))
		x, y := j, j+half
		if r.c.RotaryAdjacent {
			x, y = 2*j, 2*j+1
		}
		row[x] = before[x]*cos - before[y]*sin
		row[y] = before[y]*cos + before[x]*sin
	}
	return row
}

// mix is a head's z at a position.
func (r *reference) mix(l, t int, qkv [3][][]float64) []float64 {
	last := len(qkv[0])
	if r.c.Direction == transformer.Causal {
		last = t + 1
	}
	probs, sum := make([]float64, last), 0.0
	for s := range probs {
		for k, v := range qkv[0][t] {
			probs[s] += v * qkv[1][s][k] / r.c.ScoreScale(l)
		}
		probs[s] = math.Exp(r.limit(r.half(probs[s]), r.c.ScoreCap))
		if w := r.c.Window(l); w > 0 && s <= t-w {
			probs[s] = 0
		}
		sum += probs[s]
	}
	z := make([]float64, r.c.DHead)
	for s, p := range probs {
		p /= sum
		if r.rules.FixedPattern {
			p = r.stop(p)
		}
		for k, v := range qkv[2][s] {
			z[k] += p * v
		}
	}
	for k, v := range z {
		if !r.rules.FixedPattern {
			z[k] = r.half(v)
		}
	}
	return z
}

// run is Σ weight·logit of one example.
func (r *reference) run(tokens []int, weight []float32) float64 {
	sum := 0.0
	for t, row := range r.forward(tokens) {
		for v, x := range row {
			sum += float64(weight[t*len(row)+v]) * x
		}
	}
	return sum
}

// hold keeps the values that rules hold constant.
func (r *reference) hold(tokens []int) *stops {
	r.stops = &stops{}
	r.forward(tokens)
	s := r.stops
	s.replay, r.stops = true, nil
	return s
}

// difference is the derivative of f by central differences.
func difference(f func(by float64) float64) float64 {
	const h = 1e-6
	return (f(h) - f(-h)) / (2 * h)
}

// values lists a matrix's numbers.
func values(x tensor.Matrix) []float32 {
	var out []float32
	for i := range x.Rows {
		out = append(out, x.Row(i)...)
	}
	return out
}
