package transformer

import (
	"context"
	"fmt"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// GradientHook is a function that is called with the gradient at a hook point
// when the way backward comes to it, with respect to what stands there in the
// forward pass. It may change it in place, and what it leaves is what goes on;
// it must not keep it.
//
// At HookQInput, HookKInput and HookVInput, the inputs of single heads' queries,
// keys and values, it is called once a head with that head's own g [B·T,D]; at
// any other point once, with head 0 and g [B·T,D], [B·T,H·K] or [B·T,F]. Where
// heads share keys and values, g is of those that each head reads. Without a norm
// behind attention, the gradient of a head's output (hook_result) is that at
// HookAttnOut.
//
// Points without a gradient are those behind norms and within the softmax:
// HookLN1, HookLN2, HookLNFinal, HookScores, HookPattern, and HookResult.
type GradientHook struct {
	At HookPoint
	Do func(head int, g tensor.Matrix)
}

// BackwardOptions say what Backward is to give.
type BackwardOptions struct {
	Hooks   []GradientHook
	Grads   *Params // the gradients of all weights are added to it (NewParams makes one); nil for none
	Rules   Rules
	Threads int // goroutines; less than 1 means 1. No result depends on it.

	// Heads, where it is not nil, is where the gradients at the inputs of a
	// layer's heads are put, [3·H,B·T,D], those of queries first: they are there
	// when the hooks at the layer's HookResidPre are called, and the layer before
	// overwrites them. What hooks at HookQInput, HookKInput and HookVInput leave
	// is what stands there.
	Heads *tensor.Tensor
}

// hasGradient reports whether the way backward comes to a point.
func (c Config) hasGradient(h HookPoint) bool {
	switch h.Point {
	case HookLN1, HookLN2, HookLNFinal, HookScores, HookPattern, HookResult:
		return false
	}
	return c.exists(h)
}

// backward is one way backward.
type backward struct {
	*Reverse
	c     Config
	tape  *Tape
	hooks map[HookPoint][]func(head int, g tensor.Matrix)
	d     tensor.Matrix    // gradient of the residual stream [n,D]
	g     tensor.Matrix    // gradient of a receiver's input [n,D]
	apart tensor.Matrix    // gradient of a sender's output, for hooks, which may change it [n,D]
	qkv   [3]tensor.Matrix // gradients of queries, keys and values [n,H·K]
	z     tensor.Matrix    // gradient of z [n,H·K]
	s     Standardized     // what ln1 sees
	heads *tensor.Tensor   // gradients at the heads' inputs, if they are wanted [3·H,n,D]
}

// Backward goes from the gradient of logits back through a run: through the
// final norm and then, block by block from the last, the MLP and the heads, to
// the embeddings. Every receiver's gradient is that of its own branch, through
// its own norm, and every sender's that of the stream behind it. It stops at the
// next layer when ctx ends, whose error it then returns.
func (m *Model) Backward(ctx context.Context, tape *Tape, loss LogitGradient, o BackwardOptions) error {
	m.checkOpen()
	tape.check(m.Config)
	b := &backward{Reverse: m.Reverse(len(tape.Tokens), len(tape.Tokens[0]), tape.Pad, o.Threads),
		c: m.Config, tape: tape, hooks: map[HookPoint][]func(int, tensor.Matrix){}}
	b.Grads, b.Rules, b.heads = o.Grads, o.Rules, o.Heads
	for _, h := range o.Hooks {
		if !m.Config.hasGradient(h.At) {
			return fmt.Errorf("hook point %v: the way backward does not come to it", h.At)
		}
		if h.Do == nil {
			panic(fmt.Sprintf("transformer: the hook at %v has no function", h.At))
		}
		b.hooks[h.At] = append(b.hooks[h.At], h.Do)
	}
	if err := b.check(); err != nil {
		return err
	}
	b.allocate()
	b.Output(b.d, loss, tape.Out.Matrix())
	for l := m.Config.Layers - 1; l >= 0; l-- {
		if err := ctx.Err(); err != nil {
			return err
		}
		b.block(l)
	}
	pos := b.apartFrom(HookPosEmbed, 0)
	b.hook(HookPosEmbed, 0, pos)
	b.hook(HookEmbed, 0, b.d)
	if b.Grads != nil {
		b.embedGradients(tape.Tokens, b.d, pos)
	}
	return ctx.Err()
}

// check checks that gradients have somewhere to go.
func (b *backward) check() error {
	if want := []int{3 * b.c.Heads, b.n(), b.c.DModel}; b.heads != nil && !slices.Equal(b.heads.Shape(), want) {
		return fmt.Errorf("gradients of heads' inputs: expected room of shape %v, found %v", want, b.heads.Shape())
	}
	if b.Grads == nil {
		return nil
	}
	if err := b.Grads.Check(b.c); err != nil {
		return fmt.Errorf("gradients: %w", err)
	}
	return nil
}

// allocate makes the memory of the whole way.
func (b *backward) allocate() {
	n, d, hk := b.n(), b.c.DModel, b.c.Heads*b.c.DHead
	b.d, b.g = tensor.New(n, d).Matrix(), tensor.New(n, d).Matrix()
	b.z, b.s = tensor.New(n, hk).Matrix(), b.m.NewStandardized(n)
	for side := range b.qkv {
		b.qkv[side] = tensor.New(n, hk).Matrix()
	}
	for at := range b.hooks {
		if p := at.Point; b.apart.Data == nil && (p == HookAttnOut || p == HookMLPOut || p == HookPosEmbed) {
			b.apart = tensor.New(n, d).Matrix()
		}
	}
}

func (b *backward) hooked(p Point, l int) bool { return len(b.hooks[HookPoint{p, l}]) > 0 }

// hook shows a gradient to those who want to see it.
func (b *backward) hook(p Point, l int, g tensor.Matrix) { b.hookHead(p, l, 0, g) }

func (b *backward) hookHead(p Point, l, head int, g tensor.Matrix) {
	for _, do := range b.hooks[HookPoint{p, l}] {
		do(head, g)
	}
}

// apartFrom is the stream's gradient as that of one sender's output, a copy
// where somebody may change it.
func (b *backward) apartFrom(p Point, l int) tensor.Matrix {
	if !b.hooked(p, l) {
		return b.d
	}
	copyRows(b.apart, b.d)
	return b.apart
}

// add adds a receiver's gradient to the stream's.
func (b *backward) add(g tensor.Matrix) {
	b.parallel(b.d.Rows, func(lo, hi int) { b.addRows(g, lo, hi) })
}

// addRows is add of rows [lo,hi).
func (b *backward) addRows(g tensor.Matrix, lo, hi int) {
	for i := lo; i < hi; i++ {
		tensor.Add(b.d.Row(i), g.Row(i))
	}
}

// block goes backward through block l. Where attention and MLP are parallel,
// what comes out of both has the same gradient.
func (b *backward) block(l int) {
	b.hook(HookResidPost, l, b.d)
	b.prepare(l)
	parallel := b.c.ParallelAttnMLP && !b.c.AttnOnly
	if parallel {
		b.headsOut(l)
	}
	if !b.c.AttnOnly {
		b.mlp(l)
	}
	if !parallel {
		if !b.c.AttnOnly {
			b.hook(HookResidMid, l, b.d)
		}
		b.headsOut(l)
	}
	b.attention(l)
	b.hook(HookResidPre, l, b.d)
}

// prepare lays out the transposed matrices of block l that the way backward uses.
func (b *backward) prepare(l int) {
	back := &b.m.block(l).back
	list := []*packed{&back.o}
	for side := range back.qkv {
		if b.heads == nil && !b.hooked(HookQInput+Point(side), l) {
			list = append(list, &back.qkv[side])
			continue
		}
		for h := range back.qkvHead[side] {
			list = append(list, &back.qkvHead[side][h])
		}
	}
	if !b.c.AttnOnly {
		list = append(append([]*packed{&back.in}, list...), &back.out)
	}
	if b.c.GatedMLP {
		list = append([]*packed{&back.gate}, list...)
	}
	prepare(b.threads, list...)
}

// mlp adds the gradient of the MLP's input to the stream's.
func (b *backward) mlp(l int) {
	dy := b.apartFrom(HookMLPOut, l)
	b.hook(HookMLPOut, l, dy)
	in := Stream{In: b.tape.Layers[l].MLPIn.Matrix()}
	if b.tape.Pre != nil {
		in.Pre = b.tape.Pre[l].Matrix()
	}
	var see func(Point, tensor.Matrix)
	if b.hooked(HookMLPPre, l) || b.hooked(HookMLPPost, l) {
		see = func(p Point, g tensor.Matrix) { b.hook(p, l, g) }
	}
	b.MLP(l, b.g, dy, in, see)
	b.hook(HookMLPIn, l, b.g)
	b.add(b.g)
}

// headsOut computes the gradient of z.
func (b *backward) headsOut(l int) {
	dy := b.apartFrom(HookAttnOut, l)
	b.hook(HookAttnOut, l, dy)
	b.HeadsOut(l, b.z, dy, b.tape.Layers[l].Z.Matrix())
	b.hook(HookZ, l, b.z)
}

// attention goes from the gradient of z to those of the heads' inputs, and adds
// them to the stream's: head by head where somebody wants to see them.
func (b *backward) attention(l int) {
	x := &b.tape.Layers[l]
	b.Attend(l, b.qkv, b.z, [3]tensor.Matrix{x.QKV[0].Matrix(), x.QKV[1].Matrix(), x.QKV[2].Matrix()})
	b.Standardize(b.s, x.AttnIn.Matrix())
	together, any := b.qkv, false
	for side, d := range b.qkv {
		if at := b.c.SidePoint(side); at != HookQ+Point(side) {
			b.hook(at, l, d)
			b.Unturn(l, side, d, b.RawSide(l, side, b.s))
		}
		b.hook(HookQ+Point(side), l, d)
		if b.heads == nil && !b.hooked(HookQInput+Point(side), l) {
			any = true
			continue
		}
		together[side] = tensor.Matrix{}
		b.headInputs(l, side)
	}
	if any {
		b.HeadsInput(l, b.g, together, b.s)
		b.add(b.g)
	}
}

// headInputs goes to the inputs of single heads' queries, keys or values and adds
// their gradients to the stream's. Where nobody changes them and no weights have
// gradients, each block of rows goes through all heads while it is in the cache.
func (b *backward) headInputs(l, side int) {
	h, k, at := b.c.Heads, b.c.DHead, HookQInput+Point(side)
	own := func(j int) tensor.Matrix {
		if b.heads == nil {
			return b.g
		}
		return b.heads.Slice(side*h+j, side*h+j+1).Reshape(b.n(), b.c.DModel).Matrix()
	}
	if b.heads != nil && b.Grads == nil && !b.hooked(at, l) {
		b.blocks(b.n(), func(lo, hi int) {
			for j := range h {
				b.headRows(l, side, j, own(j).Slice(lo, hi), b.qkv[side].Columns(j*k, (j+1)*k).Slice(lo, hi), b.s.Slice(lo, hi))
				b.addRows(own(j), lo, hi)
			}
		})
		return
	}
	for j := range h {
		b.HeadInput(l, side, j, own(j), b.qkv[side].Columns(j*k, (j+1)*k), b.s)
		b.hookHead(at, l, j, own(j))
		b.add(own(j))
	}
}
