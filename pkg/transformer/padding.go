package transformer

import "fmt"

// Padding is the number of padding tokens in front of each example [B]; nil
// means none. Attention does not see them, and positions count from behind
// them, so that an example gives the same activations with and without.
type Padding []int

// Of is the padding of example b.
func (p Padding) Of(b int) int {
	if p == nil {
		return 0
	}
	if b < 0 || b >= len(p) {
		panic(fmt.Sprintf("transformer: the padding of example %d of %d", b, len(p)))
	}
	return p[b]
}

// Part is the padding of examples [lo,hi).
func (p Padding) Part(lo, hi int) Padding {
	if p == nil {
		return nil
	}
	if lo < 0 || lo > hi || hi > len(p) {
		panic(fmt.Sprintf("transformer: the padding of examples [%d,%d) of %d", lo, hi, len(p)))
	}
	return p[lo:hi]
}

// Check checks the padding of b examples of t tokens, one of which must remain.
func (p Padding) Check(b, t int) error {
	if p != nil && len(p) != b {
		return fmt.Errorf("padding: expected a number for each of %d examples, found %d", b, len(p))
	}
	for i, n := range p {
		if n < 0 || n >= t {
			return fmt.Errorf("padding: expected 0 to %d tokens, found %d in example %d", t-1, n, i)
		}
	}
	return nil
}

// Positions lists, by example and token, where each of b examples' t tokens
// stands [B·T], as position embeddings count; padding stands at 0.
func (p Padding) Positions(b, t int) []int {
	out := make([]int, 0, max(0, b)*max(0, t))
	for i := range b {
		for at := range t {
			out = append(out, max(0, at-p.Of(i)))
		}
	}
	return out
}
