package transformer

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Model is a transformer ready to run. It is safe for concurrent use as long as
// its parameters stay as they are; they are packed for the matrix product when
// they are first needed.
type Model struct {
	Config  Config
	Params  *Params
	blocks  []block
	unembed packed // W_U [D,V]
	back    packed // its transpose
	turns   rotary // of rotary positions
	closed  atomic.Bool
}

// packed is a right-hand matrix that is laid out at its first use, in the memory
// that it had before.
type packed struct {
	once sync.Once
	make func(p *tensor.Packed)
	made atomic.Bool
	p    tensor.Packed
}

func (p *packed) get() *tensor.Packed {
	p.once.Do(func() {
		p.make(&p.p)
		p.made.Store(true)
	})
	return &p.p
}

// prepare lays out matrices that are about to be used, on several threads: a
// product would lay them out one after the other, with its other threads waiting.
// The threads share the list from both ends, where the large ones should be.
func prepare(threads int, list ...*packed) {
	if slices.ContainsFunc(list, func(p *packed) bool { return !p.made.Load() }) {
		tensor.Parallel(len(list), threads, func(lo, hi int) {
			for _, p := range list[lo:hi] {
				p.get()
			}
		})
	}
}

// set says of what a matrix and its transpose are made, from now on.
func set(forward, back *packed, of func() tensor.Matrix) {
	forward.once, back.once = sync.Once{}, sync.Once{}
	forward.made.Store(false)
	back.made.Store(false)
	forward.make = func(p *tensor.Packed) { p.Pack(of()) }
	back.make = func(p *tensor.Packed) { p.PackTransposed(of()) }
}

// block holds one block's matrices, packed.
type block struct {
	qkv     [3]packed   // all heads side by side [D,H·K], of keys and values [D,G·K]
	qkvHead [3][]packed // one head each [D,K]
	o       packed      // all heads below each other [H·K,D]
	oHead   []packed    // one head each [K,D]
	in, out packed      // the MLP's [D,F], [F,D]
	gate    packed      // of a gated MLP [D,F]
	back    backBlock
}

// mlp lists the matrices of an MLP that is used, none where there is none: what
// is large first.
func (b *block) mlp(c Config) []*packed {
	switch {
	case c.AttnOnly:
		return nil
	case c.GatedMLP:
		return []*packed{&b.in, &b.gate, &b.out}
	}
	return []*packed{&b.in, &b.out}
}

// backBlock holds the transposes of one block's matrices, packed, for the way
// backward.
type backBlock struct {
	qkv     [3]packed   // [H·K,D]
	qkvHead [3][]packed // one head each [K,D]
	o       packed      // [D,H·K]
	oHead   []packed    // one head each [D,K]
	in, out packed      // the MLP's [F,D], [D,F]
	gate    packed      // of a gated MLP [F,D]
}

// New makes a model of its shape and parameters, which it keeps. Parameters
// that are not of the shape are an error.
func New(c Config, p *Params) (*Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := p.Check(c); err != nil {
		return nil, err
	}
	m := &Model{Config: c, Params: p, blocks: make([]block, c.Layers)}
	m.Repack()
	return m, nil
}

// Repack tells the model that its parameters have changed: what was laid out
// of them is laid out again when it is next needed, in the same memory. Nothing
// may be computed meanwhile.
func (m *Model) Repack() {
	m.checkOpen()
	for l := range m.blocks {
		m.blocks[l].init(m.Config, &m.Params.Blocks[l])
	}
	set(&m.unembed, &m.back, m.Params.Unembed.Matrix)
}

// Close makes every further use of the model a panic that says so. Whoever
// gives the memory that the parameters lie in back calls it first.
func (m *Model) Close() { m.closed.Store(true) }

// checkOpen panics after Close, and if New did not make the model.
func (m *Model) checkOpen() {
	if m == nil || m.blocks == nil {
		panic("transformer: a model that New did not make")
	}
	if m.closed.Load() {
		panic("transformer: the model is used after Close")
	}
}

// block is the packed parameters of a block.
func (m *Model) block(layer int) *block {
	m.checkOpen()
	if layer < 0 || layer >= len(m.blocks) {
		panic(fmt.Sprintf("transformer: layer %d of a model of %d", layer, len(m.blocks)))
	}
	return &m.blocks[layer]
}

// mlp is the block of a layer that has an MLP.
func (m *Model) mlp(layer int) *block {
	b := m.block(layer)
	if m.Config.AttnOnly {
		panic("transformer: the MLP of a model of attention only")
	}
	return b
}

// norms are the parameters of a layer for its norms.
func (m *Model) norms(layer int) *BlockParams {
	m.block(layer)
	return &m.Params.Blocks[layer]
}

// checkSide panics unless a side is 0, 1 or 2: queries, keys or values.
func checkSide(side int) {
	if side < 0 || side > 2 {
		panic(fmt.Sprintf("transformer: side %d: expected 0, 1 or 2, of queries, keys or values", side))
	}
}

// checkScratch panics if there is too little scratch memory.
func checkScratch(what string, scratch []float32, least int) {
	if len(scratch) < least {
		panic(fmt.Sprintf("transformer: %s: expected scratch for %d numbers, found it for %d", what, least, len(scratch)))
	}
}

// checkPositions panics unless there is a position for each of some rows.
func checkPositions(what string, positions []int, rows int) {
	if len(positions) != rows {
		panic(fmt.Sprintf("transformer: %s: expected the positions of %d rows, found %d", what, rows, len(positions)))
	}
}

// headOf is the block of a layer that has such a head.
func (m *Model) headOf(layer, head int) *block {
	b := m.block(layer)
	if head < 0 || head >= m.Config.Heads {
		panic(fmt.Sprintf("transformer: head %d of a model of %d heads", head, m.Config.Heads))
	}
	return b
}

func (b *block) init(c Config, w *BlockParams) {
	for i := range b.qkv {
		set(&b.qkv[i], &b.back.qkv[i], func() tensor.Matrix { return sideBySide(w.W[i]) })
		if b.qkvHead[i] == nil {
			b.qkvHead[i], b.back.qkvHead[i] = make([]packed, c.SideHeads(i)), make([]packed, c.SideHeads(i))
		}
		for h := range c.SideHeads(i) {
			set(&b.qkvHead[i][h], &b.back.qkvHead[i][h], func() tensor.Matrix { return headOf(w.W[i], h) })
		}
	}
	set(&b.o, &b.back.o, func() tensor.Matrix { return w.WO.Reshape(c.Heads*c.DHead, c.DModel).Matrix() })
	if b.oHead == nil {
		b.oHead, b.back.oHead = make([]packed, c.Heads), make([]packed, c.Heads)
	}
	for h := range c.Heads {
		set(&b.oHead[h], &b.back.oHead[h], func() tensor.Matrix { return headOf(w.WO, h) })
	}
	if !c.AttnOnly {
		set(&b.in, &b.back.in, w.WIn.Matrix)
		set(&b.out, &b.back.out, w.WOut.Matrix)
	}
	if c.GatedMLP {
		set(&b.gate, &b.back.gate, w.WGate.Matrix)
	}
}

// headOf is one head's matrix of all [H,rows,cols].
func headOf(w *tensor.Tensor, h int) tensor.Matrix {
	return w.Slice(h, h+1).Reshape(w.Dim(1), w.Dim(2)).Matrix()
}

// PackedFloats counts the numbers of all matrices laid out for the product, the
// attention's twice, all heads together and one by one.
func PackedFloats(c Config) int64 {
	length := tensor.PackedLen
	d, hk := c.DModel, c.Heads*c.DHead
	block := length(hk, d) + c.Heads*length(c.DHead, d)
	for side := range 3 {
		block += length(d, c.SideHeads(side)*c.DHead) + c.SideHeads(side)*length(d, c.DHead)
	}
	if !c.AttnOnly {
		block += length(d, c.DMLP) + length(c.DMLP, d)
	}
	if c.GatedMLP {
		block += length(d, c.DMLP)
	}
	return int64(c.Layers)*int64(block) + int64(length(d, c.VocabOut))
}

// sideBySide turns [H,D,K] into [D,H·K].
func sideBySide(w *tensor.Tensor) tensor.Matrix {
	s := w.Shape()
	h, d, k := s[0], s[1], s[2]
	out := tensor.New(d, h*k)
	for i := range h {
		for j := range d {
			copy(out.Row(j)[i*k:(i+1)*k], w.Data[(i*d+j)*k:])
		}
	}
	return out.Matrix()
}
