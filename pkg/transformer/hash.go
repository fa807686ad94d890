package transformer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"sync"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Hash identifies a model: configuration and every weight, bit for bit. It is
// a SHA-256 in hexadecimal. Where the context ends, its error is returned.
func (m *Model) Hash(ctx context.Context, threads int) (string, error) {
	m.checkOpen()
	parts := m.Params.All(m.Config)
	sums := make([][sha256.Size]byte, len(parts))
	tensor.Parallel(len(parts), threads, func(lo, hi int) {
		buf := hashBuffers.Get().(*[]byte)
		defer hashBuffers.Put(buf)
		for i := lo; i < hi; i++ {
			sums[i] = hashFloats(ctx, parts[i].Data(), *buf)
		}
	})
	if err := ctx.Err(); err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintln(h, m.Config.text())
	for i := range sums {
		h.Write(sums[i][:])
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

// text is the configuration as Hash takes it. What was added later stands in
// it only where it is used, so that other models keep their hash.
func (c Config) text() string {
	text := fmt.Sprintf("{Layers:%d DModel:%d Ctx:%d DHead:%d Heads:%d DMLP:%d Vocab:%d VocabOut:%d Activation:%s Eps:%v Norm:%s AttnOnly:%v "+
		"Direction:%s Positions:%s ParallelAttnMLP:%v AttnScale:%v Windows:%v RotaryDim:%d RotaryBase:%v RotaryAdjacent:%v",
		c.Layers, c.DModel, c.Ctx, c.DHead, c.Heads, c.DMLP, c.Vocab, c.VocabOut, c.Activation, c.Eps, c.Norm, c.AttnOnly,
		c.Direction, c.Positions, c.ParallelAttnMLP, c.AttnScale, c.Windows, c.RotaryDim, c.RotaryBase, c.RotaryAdjacent)
	if c.ScaleByLayer {
		text += " ScaleByLayer:true"
	}
	if c.RotaryFactor != 0 {
		text += fmt.Sprintf(" RotaryFactor:%v", c.RotaryFactor)
	}
	zero := Config{}
	for _, x := range []struct {
		name        string
		value, none any
	}{
		{"RotaryBands", c.RotaryBands, zero.RotaryBands}, {"KVHeads", c.KV(), c.Heads}, {"GatedMLP", c.GatedMLP, false}, {"QKNorm", c.QKNorm, false},
		{"PostNorm", c.PostNorm, false}, {"EmbedScale", c.EmbedScale, 0.0}, {"ScoreCap", c.ScoreCap, 0.0}, {"LogitCap", c.LogitCap, 0.0},
	} {
		if x.value != x.none {
			text += fmt.Sprintf(" %s:%v", x.name, x.value)
		}
	}
	return text + "}"
}

var hashBuffers = sync.Pool{New: func() any { b := make([]byte, 1<<16); return &b }}

func hashFloats(ctx context.Context, x []float32, buf []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	for len(x) > 0 && ctx.Err() == nil {
		n := min(len(x), len(buf)/4)
		for i, v := range x[:n] {
			binary.LittleEndian.PutUint32(buf[4*i:], math.Float32bits(v))
		}
		h.Write(buf[:4*n])
		x = x[n:]
	}
	h.Sum(sum[:0])
	return sum
}
