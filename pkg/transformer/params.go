package transformer

import (
	"fmt"
	"slices"

	"github.com/seed-2c350065/acdc/internal/floats"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// BlockParams are the parameters of one block as TransformerLens names them.
type BlockParams struct {
	LN1W, LN1B []float32         // [D], nil unless LayerNorm, LN1B of RMSNorm too
	W          [3]*tensor.Tensor // W_Q [H,D,K], W_K, W_V [G,D,K]
	B          [3][]float32      // b_Q [H·K], b_K, b_V [G·K]
	QKNormW    [2][]float32      // q_norm.w, k_norm.w [K], nil unless QKNorm
	WO         *tensor.Tensor    // [H,K,D]
	BO         []float32         // [D]
	LN1PostW   []float32         // ln1_post.w [D], nil unless PostNorm
	LN2W, LN2B []float32         // [D], nil unless LayerNorm, LN2B of RMSNorm too
	WGate      *tensor.Tensor    // [D,F], nil unless GatedMLP
	BGate      []float32         // [F]
	WIn        *tensor.Tensor    // [D,F], nil where AttnOnly
	BIn        []float32         // [F]
	WOut       *tensor.Tensor    // [F,D]
	BOut       []float32         // [D]
	LN2PostW   []float32         // ln2_post.w [D], nil unless PostNorm
}

// Params are a model's parameters. They may be changed in place; Model.Repack
// then tells the model so.
type Params struct {
	Embed    *tensor.Tensor // W_E [V,D]
	Pos      *tensor.Tensor // W_pos [ctx,D], nil without learned positions
	Blocks   []BlockParams
	LNFW     []float32      // ln_final.w [D], nil unless LayerNorm or RMSNorm
	LNFB     []float32      // ln_final.b [D], nil unless LayerNorm
	Unembed  *tensor.Tensor // W_U [D,V]
	UnembedB []float32      // b_U [V]
}

// Param is one parameter: its name and shape in TransformerLens, and where its
// values are kept, in a tensor or, for what is added or multiplied to rows, in
// a plain slice. One of the two is not nil.
type Param struct {
	Name   string
	Shape  []int
	tensor **tensor.Tensor
	vector *[]float32
}

// Data returns the parameter's values, nil if it has none.
func (p Param) Data() []float32 {
	p.checkListed()
	if p.vector != nil {
		return *p.vector
	}
	if *p.tensor == nil {
		return nil
	}
	return (*p.tensor).Data
}

// Set gives the parameter values, as many as its shape has.
func (p Param) Set(data []float32) {
	p.checkListed()
	if p.vector != nil {
		*p.vector = data
	} else {
		*p.tensor = tensor.From(data, p.Shape...)
	}
}

// checkListed panics if the parameter is not of All's.
func (p Param) checkListed() {
	if p.vector == nil && p.tensor == nil {
		panic("transformer: a parameter that no Params.All lists")
	}
}

// Size is the number of the parameter's values.
func (p Param) Size() int {
	n := 1
	for _, d := range p.Shape {
		n *= d
	}
	return n
}

// All lists the parameters that a model of a configuration has, outside the
// blocks first: the one table of their names and shapes.
func (p *Params) All(c Config) []Param {
	out := p.Outer(c)
	for l := range p.Blocks {
		out = append(out, p.Blocks[l].All(c, l)...)
	}
	return out
}

// Outer lists the parameters outside the blocks.
func (p *Params) Outer(c Config) []Param {
	out := []Param{{"embed.W_E", []int{c.Vocab, c.DModel}, &p.Embed, nil}}
	if c.Positions.Learned() {
		out = append(out, Param{"pos_embed.W_pos", []int{c.Ctx, c.DModel}, &p.Pos, nil})
	}
	if c.Norm.Weighted() {
		out = append(out, Param{"ln_final.w", []int{c.DModel}, nil, &p.LNFW})
	}
	if c.Norm == LayerNorm {
		out = append(out, Param{"ln_final.b", []int{c.DModel}, nil, &p.LNFB})
	}
	return append(out, Param{"unembed.W_U", []int{c.DModel, c.VocabOut}, &p.Unembed, nil}, Param{"unembed.b_U", []int{c.VocabOut}, nil, &p.UnembedB})
}

// All lists the parameters of block l.
func (b *BlockParams) All(c Config, l int) []Param {
	var out []Param
	at := fmt.Sprintf("blocks.%d.", l)
	matrix := func(name string, t **tensor.Tensor, shape ...int) { out = append(out, Param{at + name, shape, t, nil}) }
	vector := func(name string, v *[]float32, shape ...int) { out = append(out, Param{at + name, shape, nil, v}) }
	d, h, k, f := c.DModel, c.Heads, c.DHead, c.DMLP
	norm := func(name string, w, bias *[]float32) {
		if c.Norm.Weighted() {
			vector(name+".w", w, d)
		}
		if c.Norm == LayerNorm {
			vector(name+".b", bias, d)
		}
	}
	norm("ln1", &b.LN1W, &b.LN1B)
	for i, side := range []string{"Q", "K", "V"} {
		group := "attn."
		if c.SideHeads(i) != h {
			group = "attn._" // as TransformerLens marks what heads share
		}
		matrix(group+"W_"+side, &b.W[i], c.SideHeads(i), d, k)
		vector(group+"b_"+side, &b.B[i], c.SideHeads(i), k)
	}
	if c.QKNorm {
		vector("attn.q_norm.w", &b.QKNormW[0], k)
		vector("attn.k_norm.w", &b.QKNormW[1], k)
	}
	matrix("attn.W_O", &b.WO, h, k, d)
	vector("attn.b_O", &b.BO, d)
	if c.PostNorm {
		vector("ln1_post.w", &b.LN1PostW, d)
	}
	if c.AttnOnly {
		return out
	}
	norm("ln2", &b.LN2W, &b.LN2B)
	if c.GatedMLP {
		matrix("mlp.W_gate", &b.WGate, d, f)
		vector("mlp.b_gate", &b.BGate, f)
	}
	matrix("mlp.W_in", &b.WIn, d, f)
	vector("mlp.b_in", &b.BIn, f)
	matrix("mlp.W_out", &b.WOut, f, d)
	vector("mlp.b_out", &b.BOut, d)
	if c.PostNorm {
		vector("ln2_post.w", &b.LN2PostW, d)
	}
	return out
}

// NewParams makes the parameters of a configuration, all of them zero.
func NewParams(c Config) *Params {
	if err := c.Validate(); err != nil {
		panic(fmt.Sprintf("transformer: NewParams: %v", err))
	}
	p := &Params{Blocks: make([]BlockParams, c.Layers)}
	for _, x := range p.All(c) {
		x.Set(floats.Make(x.Size()))
	}
	return p
}

// Check checks that the parameters are those of a configuration. An error
// names the parameter that is not.
func (p *Params) Check(c Config) error {
	if p == nil {
		return fmt.Errorf("parameters: expected those of %d blocks, found none", c.Layers)
	}
	if len(p.Blocks) != c.Layers {
		return fmt.Errorf("parameters: expected %d blocks, found %d", c.Layers, len(p.Blocks))
	}
	for _, x := range p.All(c) {
		if n := len(x.Data()); n != x.Size() {
			return fmt.Errorf("parameter %s: expected %d numbers of shape %v, found %d", x.Name, x.Size(), x.Shape, n)
		}
		if x.tensor != nil && *x.tensor != nil && !slices.Equal((*x.tensor).Shape(), x.Shape) {
			return fmt.Errorf("parameter %s: expected the shape %v, found %v", x.Name, x.Shape, (*x.tensor).Shape())
		}
	}
	return nil
}
