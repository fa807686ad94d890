package transformer

import (
	"fmt"
	"math"
)

// RotaryBands scale rotary frequencies by their wavelength, as Llama 3.1 does: of
// Original positions, those with Low wavelengths or fewer in them are divided by
// Factor, those with High or more stay, and between the two the change is linear.
// The zero value changes nothing.
type RotaryBands struct {
	Factor    float64
	Low, High float64
	Original  int
}

// scale is what a frequency, in radians a position, is multiplied by.
func (r RotaryBands) scale(frequency float64) float64 {
	if r == (RotaryBands{}) {
		return 1
	}
	turns := float64(r.Original) * frequency / (2 * math.Pi)
	switch {
	case turns < r.Low:
		return 1 / r.Factor
	case turns > r.High:
		return 1
	}
	smooth := (turns - r.Low) / (r.High - r.Low)
	return (1-smooth)/r.Factor + smooth
}

func (r RotaryBands) validate() error {
	switch {
	case r == (RotaryBands{}):
	case !FactorInRange(r.Factor):
		return fmt.Errorf("rotary positions: expected a factor from %g to %g, found %v", 1/MostFactor, MostFactor, r.Factor)
	case !(r.Low > 0) || !(r.High > r.Low) || r.High > mostBase:
		return fmt.Errorf("rotary positions: expected 0 < low_freq_factor < high_freq_factor, found %v and %v", r.Low, r.High)
	case r.Original < 1 || r.Original > maxDim:
		return sizeError("original_max_position_embeddings", r.Original)
	}
	return nil
}

// KV is how many heads have keys and values of their own, G.
func (c Config) KV() int {
	if c.KVHeads == 0 {
		return c.Heads
	}
	return c.KVHeads
}

// SideHeads is how many heads there are of queries, keys or values (side 0, 1, 2).
func (c Config) SideHeads(side int) int {
	checkSide(side)
	if side == 0 {
		return c.Heads
	}
	return c.KV()
}

// SideHead is the head of queries, keys or values (side 0, 1, 2) that a head reads:
// its own queries, and the keys and values of its group.
func (c Config) SideHead(side, head int) int {
	if checkSide(side); side == 0 || c.KV() == c.Heads {
		return head
	}
	if c.KV() < 1 || c.Heads%c.KV() != 0 {
		panic(fmt.Sprintf("transformer: %d heads of keys and values for %d of queries", c.KV(), c.Heads))
	}
	return head / (c.Heads / c.KV())
}

// SideColumns are the columns [from,to) that a head reads of a layer's queries, keys
// or values (side 0, 1, 2), side by side in a row of some width: those of all H
// heads, each with its own, or those that there are.
func (c Config) SideColumns(side, head, width int) (from, to int) {
	if width != c.Heads*c.DHead {
		head = c.SideHead(side, head)
	}
	return head * c.DHead, (head + 1) * c.DHead
}

// MLPWidth is how many numbers go into an MLP's activation function, and are
// multiplied with what comes out.
func (c Config) MLPWidth() int {
	if c.GatedMLP {
		return 2 * c.DMLP
	}
	return c.DMLP
}

// Turned reports whether a side's queries or keys are changed between HookQ,
// HookK and attention.
func (c Config) Turned(side int) bool { return side < 2 && (c.Positions == Rotary || c.QKNorm) }

// Centred reports whether the norms take the mean out of what they read.
func (n Normalization) Centred() bool { return n == LayerNorm || n == LNPre }

// Weighted reports whether the norms have weights.
func (n Normalization) Weighted() bool { return n == LayerNorm || n == RMSNorm }

// Folded is the norm whose weights are folded into what reads it.
func (n Normalization) Folded() Normalization {
	switch n {
	case LayerNorm:
		return LNPre
	case RMSNorm:
		return RMSPre
	}
	return n
}

// validateParts checks what some families have.
func (c Config) validateParts() error {
	if c.KVHeads != 0 && (c.KVHeads < 1 || c.KVHeads > c.Heads || c.Heads%c.KVHeads != 0) {
		return fmt.Errorf("field \"n_key_value_heads\": expected a number that divides n_heads = %d, found %d", c.Heads, c.KVHeads)
	}
	if c.GatedMLP && c.AttnOnly {
		return fmt.Errorf("field \"gated_mlp\": expected false of a model of attention only, found true")
	}
	for _, f := range []struct {
		name  string
		value float64
	}{{"scale_embedding", c.EmbedScale}, {"attn_scores_soft_cap", c.ScoreCap}, {"output_logits_soft_cap", c.LogitCap}} {
		if f.value != 0 && !(f.value >= 1/MostFactor && f.value <= MostFactor) {
			return fmt.Errorf("field %q: expected a number from %g to %g, found %v", f.name, 1/MostFactor, MostFactor, f.value)
		}
	}
	return c.RotaryBands.validate()
}
