package transformer

import (
	"context"
	"fmt"
	"math"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

var negInf = float32(math.Inf(-1))

// Options of a forward pass.
type Options struct {
	Hooks    []Hook
	Threads  int  // goroutines; less than 1 means 1. The result does not depend on it.
	NoLogits bool // stop after the last block; Forward then returns no logits
	Pad      Padding

	keep []recorded // activations that are kept, as the hooks leave them
}

// CheckTokens checks that tokens are a batch [B,T] the model can run; what is
// the name that errors give the batch ("clean").
func (m *Model) CheckTokens(what string, tokens [][]int) error {
	m.checkOpen()
	if len(tokens) == 0 || len(tokens[0]) == 0 {
		return fmt.Errorf("%s: expected at least one example of at least one token, found none", what)
	}
	t := len(tokens[0])
	if most := m.Config.MaxTokens(); most > 0 && t > most {
		return fmt.Errorf("%s: expected at most n_ctx = %d tokens an example, found %d", what, most, t)
	}
	for b, row := range tokens {
		if len(row) != t {
			return fmt.Errorf("%s: expected %d tokens in every example, found %d in example %d", what, t, len(row), b)
		}
		for i, id := range row {
			if id < 0 || id >= m.Config.Vocab {
				return fmt.Errorf("%s: expected token ids from 0 to %d (d_vocab %d), found %d in example %d at position %d",
					what, m.Config.Vocab-1, m.Config.Vocab, id, b, i)
			}
		}
	}
	return nil
}

// pass is one forward pass on its way. Activations are [B·T, ...].
type pass struct {
	m         *Model
	c         Config
	threads   int
	hooks     map[HookPoint][]func(*tensor.Tensor)
	b, t      int
	resid     *tensor.Tensor // [B,T,D]
	ids       []int          // [B·T] positions, as embeddings count them
	positions []int          // [T]
	pad       Padding
	memory    workspace
	split     *tensor.Tensor // [B·T,H,D], made where heads' inputs are hooked
	keep      map[HookPoint]recorded
}

// PassFloats is how many numbers a pass holds of one position at most, heads'
// inputs not split: the stream, and, in memory that attention and MLP share
// where they are of one size, queries, keys, values and z, the hidden layer,
// and of the width of the stream the MLP's own input, the norm, what comes out,
// and the stream before a parallel MLP.
func PassFloats(c Config) int64 {
	d, hk := int64(c.DModel), int64(c.Heads*c.DHead)
	return d + 4*d + 4*hk + int64(c.MLPWidth())
}

// Forward runs tokens [B,T] through the model and returns the logits
// [B,T,V], or nil with NoLogits. Hooks are called in the order given. It stops
// at the next layer when ctx ends, whose error it then returns.
func (m *Model) Forward(ctx context.Context, tokens [][]int, o Options) (*tensor.Tensor, error) {
	if err := m.CheckTokens("tokens", tokens); err != nil {
		return nil, err
	}
	if err := o.Pad.Check(len(tokens), len(tokens[0])); err != nil {
		return nil, err
	}
	p := &pass{m: m, c: m.Config, threads: max(o.Threads, 1), b: len(tokens), t: len(tokens[0]),
		hooks: map[HookPoint][]func(*tensor.Tensor){}, pad: o.Pad, memory: workspace{free: map[int][]*tensor.Tensor{}},
		keep: map[HookPoint]recorded{}}
	p.ids, p.positions = o.Pad.Positions(p.b, p.t), Padding(nil).Positions(1, p.t)
	for _, h := range o.Hooks {
		if !m.Config.exists(h.At) {
			return nil, fmt.Errorf("hook point %v: this model does not have it", h.At)
		}
		if h.Do == nil {
			panic(fmt.Sprintf("transformer: the hook at %v has no function", h.At))
		}
		p.hooks[h.At] = append(p.hooks[h.At], h.Do)
	}
	for _, r := range o.keep {
		if side := r.at.Point.side(); side > 0 && p.c.KV() != p.c.Heads && p.hooked(HookQInput+Point(side), r.at.Layer) {
			return nil, fmt.Errorf("hook point %v: heads that share keys and values cannot be recorded with inputs of their own", HookPoint{HookQInput + Point(side), r.at.Layer})
		}
		p.keep[r.at] = r
	}
	p.embed(tokens)
	for l := range m.blocks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p.block(l)
	}
	if err := ctx.Err(); err != nil || o.NoLogits {
		return nil, err
	}
	return p.logits(), nil
}

// hooked reports whether anybody listens at a point.
func (p *pass) hooked(at Point, layer int) bool { return len(p.hooks[HookPoint{at, layer}]) > 0 }

// hook shows an activation, in the given shape, to those who listen, and keeps
// what they leave where that is wanted.
func (p *pass) hook(at Point, layer int, x *tensor.Tensor, shape ...int) {
	for _, do := range p.hooks[HookPoint{at, layer}] {
		do(x.Reshape(shape...))
	}
	if r, ok := p.keep[HookPoint{at, layer}]; ok {
		*r.into = p.kept(at, x).Reshape(x.Len()/r.cols, r.cols)
	}
}

// rows runs f on ranges of the rows of all examples.
func (p *pass) rows(f func(lo, hi int)) { tensor.Parallel(p.b*p.t, p.threads, f) }

// embed sets the residual stream to W_E[token] + W_pos[position], the former
// scaled where the model says so.
func (p *pass) embed(tokens [][]int) {
	w, d := p.m.Params, p.c.DModel
	embed := tensor.New(p.b, p.t, d)
	for b, row := range tokens {
		for t, id := range row {
			copy(embed.Data[(b*p.t+t)*d:(b*p.t+t+1)*d], w.Embed.Row(id))
		}
	}
	if p.c.EmbedScale != 0 {
		tensor.Scale(embed.Data, float32(p.c.EmbedScale))
	}
	p.hook(HookEmbed, 0, embed, p.b, p.t, d)
	if p.c.Positions == Standard {
		pos := tensor.New(p.b, p.t, d)
		for i := range p.b * p.t {
			copy(pos.Data[i*d:(i+1)*d], w.Pos.Row(p.ids[i]))
		}
		p.hook(HookPosEmbed, 0, pos, p.b, p.t, d)
		tensor.Add(embed.Data, pos.Data)
	}
	p.resid = embed
}

// block runs one block: resid_mid = resid_pre + attention(resid_pre),
// resid_post = resid_mid + MLP(resid_mid), or MLP(resid_pre) where parallel.
func (p *pass) block(l int) {
	shape := []int{p.b, p.t, p.c.DModel}
	p.hook(HookResidPre, l, p.resid, shape...)
	p.prepare(l)
	var pre *tensor.Tensor
	if !p.c.AttnOnly && p.c.ParallelAttnMLP {
		pre = p.copyOf(tensor.New(shape...), p.resid)
	}
	out := p.attention(l)
	p.hook(HookAttnOut, l, out, shape...)
	p.rows(func(lo, hi int) { addRange(p.resid, out, lo, hi) })
	p.memory.release()
	if !p.c.AttnOnly {
		if pre == nil {
			p.hook(HookResidMid, l, p.resid, shape...)
			pre = p.resid
			if _, kept := p.keep[HookPoint{HookMLPIn, l}]; kept || p.hooked(HookMLPIn, l) {
				pre = p.copyOf(p.memory.take(shape...), p.resid)
			}
		}
		out := p.mlp(l, pre)
		p.rows(func(lo, hi int) { addRange(p.resid, out, lo, hi) })
		p.memory.release()
	}
	p.hook(HookResidPost, l, p.resid, shape...)
}

// prepare lays out the matrices of block l that the pass uses.
func (p *pass) prepare(l int) {
	b := p.m.block(l)
	var list []*packed
	for side := range b.qkv {
		if !p.hooked(HookQInput+Point(side), l) {
			list = append(list, &b.qkv[side])
		}
	}
	if !p.hooked(HookResult, l) {
		list = append(list, &b.o)
	}
	if mlp := b.mlp(p.c); mlp != nil {
		last := len(mlp) - 1
		list = append(append(mlp[:last:last], list...), mlp[last])
	}
	prepare(p.threads, list...)
}

// addRange adds rows [lo,hi) of x to those of dst.
func addRange(dst, x *tensor.Tensor, lo, hi int) {
	d := dst.Cols()
	tensor.Add(dst.Data[lo*d:hi*d], x.Data[lo*d:hi*d])
}

// attention returns attn_out [B,T,D]: the sum over heads of z W_O, and b_O.
func (p *pass) attention(l int) *tensor.Tensor {
	h, k, d := p.c.Heads, p.c.DHead, p.c.DModel
	var qkv [3]*tensor.Tensor
	normed := p.sharedNorm(l)
	for side := range qkv {
		if p.hooked(HookQInput+Point(side), l) {
			qkv[side] = p.splitInput(l, side)
		} else {
			qkv[side] = p.sharedInput(l, side, normed)
		}
		heads := qkv[side].Cols() / k
		p.hook(HookQ+Point(side), l, qkv[side], p.b, p.t, heads, k)
		if p.c.Turned(side) {
			p.rows(func(lo, hi int) { p.m.Turn(l, side, qkv[side].Matrix().Slice(lo, hi), p.ids[lo:hi]) })
			p.hook(HookRotQ+Point(side), l, qkv[side], p.b, p.t, heads, k)
		}
	}
	z := p.attend(l, qkv)
	p.hook(HookZ, l, z, p.b, p.t, h, k)
	out := p.memory.zeros(p.b, p.t, d)
	if p.hooked(HookResult, l) {
		p.headResults(l, out, z)
	} else {
		p.rows(func(lo, hi int) {
			p.m.AddHeadsOut(l, out.Reshape(p.b*p.t, d).Matrix().Slice(lo, hi), z.Matrix().Slice(lo, hi))
		})
	}
	p.rows(func(lo, hi int) { p.m.AttnOut(l, out.Reshape(p.b*p.t, d).Matrix().Slice(lo, hi)) })
	return out
}

// sharedNorm is ln1 of the residual stream, which all heads share unless their
// inputs are split.
func (p *pass) sharedNorm(l int) *tensor.Tensor {
	normed := p.memory.take(p.b*p.t, p.c.DModel)
	p.rows(func(lo, hi int) {
		p.m.Norm1(l, normed.Matrix().Slice(lo, hi), p.resid.Matrix().Slice(lo, hi))
	})
	p.hook(HookLN1, l, normed, p.b, p.t, p.c.DModel)
	return normed
}

// sharedInput computes q [B·T,H·K], k or v [B·T,G·K] of all heads from one
// normalized stream.
func (p *pass) sharedInput(l, side int, normed *tensor.Tensor) *tensor.Tensor {
	x := normed
	if p.c.Positions == Shortformer && side < 2 {
		x = p.memory.take(p.b*p.t, p.c.DModel)
		p.copyOf(x, normed)
		p.m.AddPositions(side, x.Matrix(), p.ids)
	}
	out := p.memory.take(p.b*p.t, p.c.SideHeads(side)*p.c.DHead)
	p.rows(func(lo, hi int) {
		p.m.Heads(l, side, out.Matrix().Slice(lo, hi), x.Matrix().Slice(lo, hi))
	})
	return out
}

// splitInput gives each head its own copy of the residual stream, shows it to
// the hooks, and computes q, k or v [B·T,H·K] from what they leave.
func (p *pass) splitInput(l, side int) *tensor.Tensor {
	h, k, d, n := p.c.Heads, p.c.DHead, p.c.DModel, p.b*p.t
	if p.split == nil {
		p.split = tensor.New(n, h, d)
	}
	p.rows(func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for j := range h {
				copy(p.split.Data[(i*h+j)*d:], p.resid.Data[i*d:(i+1)*d])
			}
		}
	})
	p.hook(HookQInput+Point(side), l, p.split, p.b, p.t, h, d)
	out, normed := p.memory.take(n, h*k), p.memory.take(n, d)
	p.rows(func(lo, hi int) {
		x := normed.Matrix().Slice(lo, hi)
		for j := range h {
			own := tensor.Matrix{Data: p.split.Data[j*d:], Rows: n, Cols: d, Stride: h * d}
			p.m.Norm1(l, x, own.Slice(lo, hi))
			p.m.AddPositions(side, x, p.ids[lo:hi])
			p.m.Head(l, side, j, out.Matrix().Slice(lo, hi).Columns(j*k, (j+1)*k), x)
		}
	})
	return out
}

// attend computes z [B·T,H·K].
func (p *pass) attend(l int, qkv [3]*tensor.Tensor) *tensor.Tensor {
	h, k, t := p.c.Heads, p.c.DHead, p.t
	z := p.memory.take(p.b*t, h*k)
	keep := p.hooked(HookScores, l) || p.hooked(HookPattern, l)
	var all *tensor.Tensor // [B,H,T,T]
	if keep {
		all = tensor.New(p.b, h, t, t)
	}
	each := func(f func(b, j int, scores tensor.Matrix)) {
		tensor.Parallel(p.b, p.threads, func(lo, hi int) {
			scratch := make([]float32, t*t)
			for b := lo; b < hi; b++ {
				for j := range h {
					data := scratch
					if keep {
						data = all.Data[(b*h+j)*t*t : (b*h+j+1)*t*t]
					}
					f(b, j, tensor.Matrix{Data: data, Rows: t, Cols: t, Stride: t})
				}
			}
		})
	}
	part := func(x *tensor.Tensor, side, b, j int) tensor.Matrix {
		from, to := p.c.SideColumns(side, j, x.Cols())
		return x.Matrix().Slice(b*t, (b+1)*t).Columns(from, to)
	}
	if !keep {
		each(func(b, j int, s tensor.Matrix) {
			p.m.Attend(l, part(z, 0, b, j), part(qkv[0], 0, b, j), part(qkv[1], 1, b, j), part(qkv[2], 2, b, j),
				p.positions, p.pad.Of(b), s.Data)
		})
		return z
	}
	each(func(b, j int, s tensor.Matrix) {
		p.m.Scores(l, s, part(qkv[0], 0, b, j), part(qkv[1], 1, b, j), p.pad.Of(b))
	})
	p.hook(HookScores, l, all, p.b, h, t, t)
	each(func(b, _ int, s tensor.Matrix) { p.m.Pattern(l, s, p.pad.Of(b)) })
	p.hook(HookPattern, l, all, p.b, h, t, t)
	each(func(b, j int, s tensor.Matrix) { tensor.MulNN(part(z, 0, b, j), s, part(qkv[2], 2, b, j)) })
	return z
}

// headResults computes each head's output [B,T,H,D] for the hooks and adds up
// what they leave.
func (p *pass) headResults(l int, out, z *tensor.Tensor) {
	h, k, d, n := p.c.Heads, p.c.DHead, p.c.DModel, p.b*p.t
	result := p.memory.zeros(n, h, d)
	tensor.Parallel(h, p.threads, func(lo, hi int) {
		for j := lo; j < hi; j++ {
			own := tensor.Matrix{Data: result.Data[j*d:], Rows: n, Cols: d, Stride: h * d}
			p.m.AddHeadOut(l, j, own, z.Matrix().Columns(j*k, (j+1)*k))
		}
	})
	p.hook(HookResult, l, result, p.b, p.t, h, d)
	for i := range n {
		for j := range h {
			tensor.Add(out.Data[i*d:(i+1)*d], result.Data[(i*h+j)*d:(i*h+j+1)*d])
		}
	}
}

// mlp returns mlp_out [B,T,D] computed from x, which hooks may change.
func (p *pass) mlp(l int, x *tensor.Tensor) *tensor.Tensor {
	n, d, f, w := p.b*p.t, p.c.DModel, p.c.DMLP, p.c.MLPWidth()
	p.hook(HookMLPIn, l, x, p.b, p.t, d)
	normed, hidden, out := p.memory.take(n, d), p.memory.take(n, w), p.memory.take(n, d)
	p.rows(func(lo, hi int) { p.m.Norm2(l, normed.Matrix().Slice(lo, hi), x.Matrix().Slice(lo, hi)) })
	p.hook(HookLN2, l, normed, p.b, p.t, d)
	p.rows(func(lo, hi int) { p.m.MLPPre(l, hidden.Matrix().Slice(lo, hi), normed.Matrix().Slice(lo, hi)) })
	p.hook(HookMLPPre, l, hidden, p.b, p.t, w)
	post := hidden.Matrix().Columns(0, f)
	p.rows(func(lo, hi int) { p.m.MLPPost(hidden.Matrix().Slice(lo, hi)) })
	if w == f {
		p.hook(HookMLPPost, l, hidden, p.b, p.t, f)
	} else if p.hooked(HookMLPPost, l) {
		apart := p.memory.take(n, f)
		copyRows(apart.Matrix(), post)
		p.hook(HookMLPPost, l, apart, p.b, p.t, f)
		post = apart.Matrix()
	}
	p.rows(func(lo, hi int) { p.m.MLPOut(l, out.Matrix().Slice(lo, hi), post.Slice(lo, hi)) })
	p.hook(HookMLPOut, l, out, p.b, p.t, d)
	return out
}

// logits computes ln_final and the unembedding.
func (p *pass) logits() *tensor.Tensor {
	n, d, v := p.b*p.t, p.c.DModel, p.c.VocabOut
	normed, out := tensor.New(n, d), tensor.New(p.b, p.t, v)
	p.rows(func(lo, hi int) { p.m.NormFinal(normed.Matrix().Slice(lo, hi), p.resid.Matrix().Slice(lo, hi)) })
	p.hook(HookLNFinal, 0, normed, p.b, p.t, d)
	p.rows(func(lo, hi int) { p.m.Unembed(out.Matrix().Slice(lo, hi), normed.Matrix().Slice(lo, hi)) })
	return out
}
