package patch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Ablation says what the corrupted run is.
type Ablation string

// The ablations.
const (
	// Resample runs the model on the corrupt prompts. Where position embeddings
	// are a sender of their own, they are permuted over positions.
	Resample Ablation = "resample"
	// Zero sets every sender's output to zero; what remains is biases.
	Zero Ablation = "zero"
	// Mean sets every sender's output to its mean, position by position, over
	// the corrupt prompts, or over the clean ones where there are no others.
	Mean Ablation = "mean"
)

// Ablations lists the valid ablations.
func Ablations() []Ablation { return []Ablation{Resample, Zero, Mean} }

// ParseAblation reads an ablation's name; another is an error that lists the
// valid ones.
func ParseAblation(s string) (Ablation, error) {
	if slices.Contains(Ablations(), Ablation(s)) {
		return Ablation(s), nil
	}
	list := make([]string, len(Ablations()))
	for i, a := range Ablations() {
		list[i] = string(a)
	}
	return "", fmt.Errorf("unknown ablation %q: expected one of %s", s, strings.Join(list, ", "))
}

// run holds the activations of one complete run. Rows are positions of
// examples, B·T of them.
type run struct {
	embeds []*tensor.Tensor    // the residual stream's first part, or token and position embeddings [B·T,D]
	attnIn []*tensor.Tensor    // by layer, the stream that heads read [B·T,D]
	mlpIn  []*tensor.Tensor    // by layer, the stream that the MLP reads [B·T,D]; nil where there is none
	out    *tensor.Tensor      // the stream after the last block [B·T,D]
	qkv    [][3]*tensor.Tensor // by layer [B·T,H·K]
	z      []*tensor.Tensor    // by layer [B·T,H·K]
	mlp    []*tensor.Tensor    // by layer, mlp_out [B·T,D]
}

// senders are values put in the place of every sender's output.
type senders struct {
	embed, pos *tensor.Tensor   // [B·T,D]; pos may be nil
	z          []*tensor.Tensor // by layer [B·T,H·K]
	mlp        []*tensor.Tensor // by layer [B·T,D]; nil where there is none
}

// record runs the model and keeps what a run holds. Where replace is not nil,
// senders put its values in the place of their own.
func (e *Experiment) record(tokens [][]int, replace *senders, permutation []int) (*run, error) {
	c := e.model.Config
	r := &run{qkv: make([][3]*tensor.Tensor, c.Layers)}
	var hooks []transformer.Hook
	put := func(p transformer.Point, layer int, do func(*tensor.Tensor)) {
		hooks = append(hooks, transformer.Hook{At: transformer.HookPoint{Point: p, Layer: layer}, Do: do})
	}
	keep := func(p transformer.Point, layer, cols int, into **tensor.Tensor) {
		put(p, layer, func(x *tensor.Tensor) { *into = x.Clone().Reshape(e.b*e.t, cols) })
	}
	set := func(p transformer.Point, layer int, value *tensor.Tensor) {
		put(p, layer, func(x *tensor.Tensor) { copy(x.Data, value.Data) })
	}
	hk, d := c.Heads*c.DHead, c.DModel
	var embed, pos *tensor.Tensor
	if replace != nil {
		set(transformer.HookEmbed, 0, replace.embed)
		if replace.pos != nil {
			set(transformer.HookPosEmbed, 0, replace.pos)
		}
	} else if permutation != nil {
		put(transformer.HookPosEmbed, 0, func(x *tensor.Tensor) { permute(x, e.model.Params.Pos, permutation) })
	}
	keep(transformer.HookEmbed, 0, d, &embed)
	if c.Positions == transformer.Standard {
		keep(transformer.HookPosEmbed, 0, d, &pos)
	}
	r.attnIn, r.mlpIn = make([]*tensor.Tensor, c.Layers), make([]*tensor.Tensor, c.Layers)
	r.z, r.mlp = make([]*tensor.Tensor, c.Layers), make([]*tensor.Tensor, c.Layers)
	for l := range c.Layers {
		keep(transformer.HookResidPre, l, d, &r.attnIn[l])
		for side := range 3 {
			keep(e.sidePoint(side), l, hk, &r.qkv[l][side])
		}
		if replace != nil {
			set(transformer.HookZ, l, replace.z[l])
		}
		keep(transformer.HookZ, l, hk, &r.z[l])
		if c.AttnOnly {
			continue
		}
		keep(transformer.HookMLPIn, l, d, &r.mlpIn[l])
		if replace != nil {
			set(transformer.HookMLPOut, l, replace.mlp[l])
		}
		keep(transformer.HookMLPOut, l, d, &r.mlp[l])
	}
	keep(transformer.HookResidPost, c.Layers-1, d, &r.out)
	if _, err := e.model.Forward(tokens, transformer.Options{Hooks: hooks, Threads: e.threads, NoLogits: true, Pad: e.pad}); err != nil {
		return nil, err
	}
	r.embeds = []*tensor.Tensor{r.attnIn[0]}
	if e.graph.Config().SplitEmbed {
		r.embeds = []*tensor.Tensor{embed, pos}
	}
	return r, nil
}

// sidePoint is where queries, keys or values (side 0, 1, 2) are read and
// replaced: where attention takes them, turned by rotary positions if there are
// any. Whether they are replaced before or after being turned is the same.
func (e *Experiment) sidePoint(side int) transformer.Point {
	if e.model.Config.Positions == transformer.Rotary && side < 2 {
		return transformer.HookRotQ + transformer.Point(side)
	}
	return transformer.HookQ + transformer.Point(side)
}

// permute fills position embeddings x [B,T,D] with those of other positions.
func permute(x, pos *tensor.Tensor, permutation []int) {
	b, t, d := x.Dim(0), x.Dim(1), x.Dim(2)
	for i := range b * t {
		copy(x.Data[i*d:(i+1)*d], pos.Row(permutation[i%t]))
	}
}

// corruptedRun makes the run whose values cut edges carry.
func (e *Experiment) corruptedRun(corrupt [][]int, means *means) (*run, error) {
	switch e.ablation {
	case Zero:
		return e.record(e.clean.tokens, e.everywhere(newMeans(e.model.Config, e.t)), nil)
	case Mean:
		return e.record(e.clean.tokens, e.everywhere(means), nil)
	}
	return e.record(corrupt, nil, e.permutation)
}

// everywhere gives every example the same senders.
func (e *Experiment) everywhere(m *means) *senders {
	of := func(x *mean) *tensor.Tensor {
		if x == nil {
			return nil
		}
		out := tensor.New(e.b*e.t, x.cols)
		values := x.values()
		for b := range e.b {
			copy(out.Data[b*len(values):], values)
		}
		return out
	}
	s := &senders{embed: of(m.embed), pos: of(m.pos)}
	for l := range m.z {
		s.z, s.mlp = append(s.z, of(m.z[l])), append(s.mlp, of(m.mlp[l]))
	}
	return s
}
