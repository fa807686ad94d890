package acdc

import (
	"slices"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// ordered lists those of the edges [lo,hi) of a receiver that are tested, in the
// order in which they are.
func (w *walk) ordered(lo, hi int) []int {
	if hi-lo == 1 {
		if !w.tested[lo] {
			return nil
		}
		return []int{lo}
	}
	var out []int
	for _, group := range senderGroups(w.graph.Senders()[:hi-lo], w.order == Reverse || w.order == NamesReverse,
		w.order == Reverse || w.order == IndicesReverse) {
		for _, s := range group {
			out = append(out, lo+s)
		}
	}
	if w.order == Random {
		w.rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	return slices.DeleteFunc(out, func(e int) bool { return !w.tested[e] })
}

// senderGroups lists the senders by number, those of one name (a layer's
// heads, an MLP, an embedding) together: names from the latest to the
// earliest, the token embeddings before the position embeddings, heads from
// the last to the first; either turned round if asked.
func senderGroups(senders []circuit.Node, reverseNames, reverseIndices bool) [][]int {
	var embeds, groups [][]int
	for i, s := range senders {
		last := len(groups) - 1
		switch {
		case s.Kind <= circuit.PosEmbed:
			embeds = append(embeds, []int{i})
		case s.Kind == circuit.Head && s.Head > 0:
			groups[last] = append(groups[last], i)
		default:
			groups = append(groups, []int{i})
		}
	}
	slices.Reverse(groups)
	groups = append(groups, embeds...)
	if reverseNames {
		slices.Reverse(groups)
	}
	if !reverseIndices {
		for _, g := range groups {
			slices.Reverse(g)
		}
	}
	return groups
}
