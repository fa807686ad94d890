package transformer

import (
	"context"
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Activations are what one run computed, B·T rows each: enough to recompute,
// or to go backward through, any part of it.
type Activations struct {
	Embed, Pos *tensor.Tensor     // hook_embed, hook_pos_embed [B·T,D]; nil unless they were asked for one by one
	Layers     []LayerActivations // by layer
	Out        *tensor.Tensor     // hook_resid_post of the last layer [B·T,D]
}

// LayerActivations are those of one layer.
type LayerActivations struct {
	AttnIn *tensor.Tensor    // hook_resid_pre, the stream that heads read [B·T,D]
	QKV    [3]*tensor.Tensor // queries [B·T,H·K], keys and values [B·T,G·K] as attention takes them, turned by rotary positions
	Z      *tensor.Tensor    // hook_z [B·T,H·K]
	MLPIn  *tensor.Tensor    // hook_mlp_in, the stream that the MLP reads [B·T,D]; nil where there is none
	MLPOut *tensor.Tensor    // hook_mlp_out [B·T,D]; nil where there is none
}

// recorded is one of the activations: where a pass comes to it, the width of
// its rows, and where it is kept.
type recorded struct {
	at   HookPoint
	cols int
	into **tensor.Tensor
}

// table lists the activations of a run: the one list that says what is kept and
// how large it is.
func (a *Activations) table(c Config, split bool) []recorded {
	d, hk := c.DModel, c.Heads*c.DHead
	var out []recorded
	add := func(p Point, layer, cols int, into **tensor.Tensor) {
		out = append(out, recorded{HookPoint{p, layer}, cols, into})
	}
	if split {
		add(HookEmbed, 0, d, &a.Embed)
		if c.Positions == Standard {
			add(HookPosEmbed, 0, d, &a.Pos)
		}
	}
	for l := range a.Layers {
		x := &a.Layers[l]
		add(HookResidPre, l, d, &x.AttnIn)
		for side := range x.QKV {
			add(c.SidePoint(side), l, c.SideHeads(side)*c.DHead, &x.QKV[side])
		}
		add(HookZ, l, hk, &x.Z)
		if !c.AttnOnly {
			add(HookMLPIn, l, d, &x.MLPIn)
			add(HookMLPOut, l, d, &x.MLPOut)
		}
	}
	add(HookResidPost, c.Layers-1, d, &a.Out)
	return out
}

// NewActivations makes room for those of some rows; split says whether
// embeddings are kept one by one.
func NewActivations(c Config, split bool, rows int) *Activations {
	a := &Activations{Layers: make([]LayerActivations, c.Layers)}
	for _, r := range a.table(c, split) {
		*r.into = tensor.New(rows, r.cols)
	}
	return a
}

// Tensors lists what there is of them, in an order that depends on the
// configuration alone.
func (a *Activations) Tensors(c Config) (out []*tensor.Tensor) {
	for _, r := range a.table(c, a.Embed != nil) {
		out = append(out, *r.into)
	}
	return out
}

// Slice are the rows [lo,hi) of B·T, in the same memory.
func (a *Activations) Slice(c Config, lo, hi int) *Activations {
	out := &Activations{Layers: make([]LayerActivations, len(a.Layers))}
	from := a.table(c, a.Embed != nil)
	for i, r := range out.table(c, a.Embed != nil) {
		if x := *from[i].into; x != nil {
			*r.into = x.Slice(lo, hi)
		}
	}
	return out
}

// ActivationFloats is how many numbers Record keeps of one position; split
// says whether embeddings are kept one by one.
func ActivationFloats(c Config, split bool) int64 {
	a, n := Activations{Layers: make([]LayerActivations, c.Layers)}, int64(0)
	for _, r := range a.table(c, split) {
		n += int64(r.cols)
	}
	return n
}

// SidePoint is where a layer's queries, keys or values (side 0, 1, 2) are as
// attention takes them: through their norms and turned by rotary positions, if
// there are any.
func (c Config) SidePoint(side int) Point {
	if c.Turned(side) {
		return HookRotQ + Point(side)
	}
	return HookQ + Point(side)
}

// SideOf is what a head reads of a layer's queries, keys or values (side 0, 1, 2)
// in a run [B·T,K].
func (a *Activations) SideOf(c Config, layer, side, head int) tensor.Matrix {
	checkSide(side)
	if a == nil || layer < 0 || layer >= len(a.Layers) || a.Layers[layer].QKV[side] == nil {
		panic(fmt.Sprintf("transformer: SideOf layer %d of a run that does not have it", layer))
	}
	x := a.Layers[layer].QKV[side].Matrix()
	from, to := c.SideColumns(side, head, x.Cols)
	return x.Columns(from, to)
}

// Record runs tokens [B,T] through the model, without logits, and keeps the
// activations as the options' hooks leave them; with split the token and the
// position embeddings too.
func (m *Model) Record(ctx context.Context, tokens [][]int, split bool, o Options) (*Activations, error) {
	m.checkOpen()
	a := &Activations{Layers: make([]LayerActivations, m.Config.Layers)}
	o.keep, o.NoLogits = a.table(m.Config, split), true
	if _, err := m.Forward(ctx, tokens, o); err != nil {
		return nil, err
	}
	return a, nil
}
