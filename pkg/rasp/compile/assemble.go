package compile

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/rasp"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// dimension is a value of a variable, before dimensions are numbered.
type dimension struct {
	v *variable
	i int
}

// number gives variables their residual dimensions, in the order of their
// labels, and of their values in the same label.
func (c *compiler) number() error {
	var all []dimension
	for _, v := range c.variables {
		for i := range v.width() {
			all = append(all, dimension{v, i})
		}
	}
	if len(all) > maxModel {
		return fmt.Errorf("program: expected at most %d residual dimensions, found %d: fewer values or a shorter maximum length need fewer", maxModel, len(all))
	}
	slices.SortStableFunc(all, func(a, b dimension) int {
		return cmp.Or(cmp.Compare(a.v.label, b.v.label), rasp.Compare(a.value(), b.value()))
	})
	for n, d := range all {
		d.v.dims = append(d.v.dims, n)
		c.labelsOf = append(c.labelsOf, d.label())
	}
	c.config.DModel = len(all)
	return nil
}

func (d dimension) value() rasp.Value {
	if d.v.as == rasp.Numerical {
		return rasp.Value{}
	}
	return d.v.values[d.i]
}

func (d dimension) label() string {
	if d.v.as == rasp.Numerical {
		return d.v.label
	}
	return d.v.label + ":" + d.v.name(d.i)
}

// assemble writes the weights.
func (c *compiler) assemble() (*Model, error) {
	m := &Model{Domain: c.domain, Labels: c.labelsOf, output: c.output.as}
	mlps := c.mlps(m)
	c.headSizes()
	c.config.AttnScale = math.Sqrt(float64(c.config.DHead))
	c.vocabulary(m)
	c.outputs(m)
	if c.options.Logits > len(m.reads) {
		return nil, fmt.Errorf("logits: expected at most one for each of %d residual dimensions, found %d", len(m.reads), c.options.Logits)
	}
	if n := c.config.Parameters(); n > maxParams {
		return nil, fmt.Errorf("program: expected at most %d weights, found %d: fewer values or a shorter maximum length need fewer", maxParams, n)
	}
	p := transformer.NewParams(c.config)
	c.embeddings(p, m)
	for l, neurons := range mlps {
		writeMLP(&p.Blocks[l], neurons)
	}
	for _, v := range c.variables {
		if a, ok := v.by.(*attention); ok {
			c.head(&p.Blocks[a.block], a, v, m)
		}
	}
	for logit, dim := range m.reads {
		p.Unembed.Row(dim)[logit] = 1
	}
	var err error
	m.Transformer, err = transformer.New(c.config, p)
	return m, err
}

// mlps lists each block's neurons, those of all its variables side by side, and
// notes in the model what they read and write.
func (c *compiler) mlps(m *Model) [][]neuron {
	out := make([][]neuron, c.config.Layers)
	for _, v := range c.variables {
		if neurons := v.by.neurons(v, c); len(neurons) > 0 {
			out[v.slot/2] = append(out[v.slot/2], neurons...)
		}
	}
	m.mlps = make([]wiring, c.config.Layers)
	for l, neurons := range out {
		c.config.DMLP = max(c.config.DMLP, len(neurons))
		m.mlps[l] = wiring{newDims(c.config.DModel), newDims(c.config.DModel)}
		for _, n := range neurons {
			for _, t := range n.in {
				m.mlps[l].reads[t.dim()] = true
			}
			for _, t := range n.out {
				m.mlps[l].writes[t.dim()] = true
			}
		}
	}
	return out
}

// dim is the residual dimension of a term.
func (t term) dim() int { return t.v.dims[t.i] }

func (c *compiler) headSizes() {
	for _, v := range c.variables {
		if a, ok := v.by.(*attention); ok {
			c.config.DHead = max(c.config.DHead, a.size(v))
		}
	}
}

// vocabulary numbers tokens in the order of Compare.
func (c *compiler) vocabulary(m *Model) {
	bos, pad := c.bos.values[0], c.pad.values[0]
	m.Tokens = append(slices.Clone(c.domain.Vocab), bos, pad)
	slices.SortFunc(m.Tokens, rasp.Compare)
	m.BOS, m.Pad = slices.Index(m.Tokens, bos), slices.Index(m.Tokens, pad)
	c.config.Vocab = len(m.Tokens)
}

// outputs says which dimension each logit reads: the output's, and if more are
// asked for, the other dimensions in their order.
func (c *compiler) outputs(m *Model) {
	m.Output = c.output.values
	m.reads = slices.Clone(c.output.dims)
	for dim := range c.config.DModel {
		if len(m.reads) < c.options.Logits && !slices.Contains(c.output.dims, dim) {
			m.reads = append(m.reads, dim)
		}
	}
	c.config.VocabOut = len(m.reads)
}

// embeddings writes a dimension for each token and for each position after BOS,
// and one, which every token has.
func (c *compiler) embeddings(p *transformer.Params, m *Model) {
	m.embed, m.pos = newDims(c.config.DModel), newDims(c.config.DModel)
	for _, v := range []*variable{c.tokens, c.bos, c.pad} {
		for i, token := range v.values {
			row := p.Embed.Row(m.id(token))
			for _, dim := range []int{v.dims[i], c.one.dims[0]} {
				row[dim], m.embed[dim] = 1, true
			}
		}
	}
	for i, dim := range c.indices.dims {
		p.Pos.Row(i + 1)[dim], m.pos[dim] = 1, true
	}
}

func writeMLP(b *transformer.BlockParams, neurons []neuron) {
	for n, x := range neurons {
		for _, t := range x.in {
			b.WIn.Row(t.dim())[n] += float32(t.w)
		}
		for _, t := range x.out {
			b.WOut.Row(n)[t.dim()] += float32(t.w)
		}
	}
}

// head writes a head's weights, and notes what they are for.
func (c *compiler) head(b *transformer.BlockParams, a *attention, v *variable, m *Model) {
	d, k := c.config.DModel, c.config.DHead
	w := a.weights(v, c)
	for side, entries := range w.in {
		all := b.W[side].Data[a.head*d*k : (a.head+1)*d*k] // [D,K]
		for _, e := range entries {
			all[e.at.dim()*k+e.to] = float32(e.at.w)
		}
	}
	out := b.WO.Data[a.head*k*d : (a.head+1)*k*d] // [K,D]
	for _, e := range w.out {
		out[e.to*d+e.at.dim()] = float32(e.at.w)
	}
	m.heads = append(m.heads, headWiring{a, w})
}
