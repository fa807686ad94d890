package compile

import (
	"math"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/rasp"
)

// attention looks from each position, a query, at the keys that it selects.
type attention struct {
	keys, queries *variable
	allowed       [][]bool  // [query][key]
	x             *variable // of which the mean is taken; nil to count, when the result is 1/(1+width)
	def           rasp.Value
	expr          rasp.Expr // what it computes
	block, head   int
}

// counts reports whether BOS is always looked at, as one more key.
func (a *attention) counts() bool { return a.x == nil }

// averages reports whether several keys are looked at for a number.
func (a *attention) averages() bool { return a.counts() || a.x.as == rasp.Numerical }

func (a *attention) operands(v *variable) []operand {
	compared := forgivingTolerance
	if a.averages() {
		compared = v.tolerance / weightGain / math.Max(1, v.bound)
	}
	out := []operand{{a.keys, compared}, {a.queries, compared}}
	if a.x != nil {
		out = append(out, operand{a.x, (1 - ownShare) * v.tolerance})
	}
	return out
}

// neurons take back at BOS what the default writes there.
func (a *attention) neurons(v *variable, c *compiler) []neuron {
	if a.counts() {
		return nil // who reads the count takes it back
	}
	back := v.out(a.def, -1)
	if back == nil {
		return nil
	}
	return []neuron{{[]term{{c.bos, 0, 1}}, back}}
}

// free reports whether every key and BOS score alike whatever the query, so that
// queries and keys mean nothing.
func (a *attention) free() bool {
	if !a.counts() || a.keys.undef || a.queries.undef {
		return false
	}
	return !slices.ContainsFunc(a.allowed, func(row []bool) bool { return slices.Contains(row, false) })
}

// size is the d_head that the head needs: Tracr's, which has room for BOS and
// one beside queries, and BOS beside keys and values.
func (a *attention) size(v *variable) int {
	values := 0
	if a.x != nil {
		values = a.x.width()
	}
	return max(a.queries.width()+2, a.keys.width()+1, values+1, v.width())
}

// entry is a weight from a residual dimension to a component of a head, or back.
type entry struct {
	at  term
	to  int
	bos bool // it only serves to look at BOS where nothing is selected
}

// headWeights are a head's W_Q, W_K and W_V, and W_O. A component of queries and
// keys is a key's value, the last is BOS; one of values is a dimension of the
// result.
type headWeights struct {
	in  [3][]entry
	out []entry
}

func (a *attention) weights(v *variable, c *compiler) headWeights {
	margin, share := 0.5, 0.5
	if a.counts() {
		margin, share = 1, 1
	}
	bound := 1.0
	if v.as == rasp.Numerical {
		bound = v.bound
	}
	t := temperature(c.config.Ctx, bound, margin, c.config.DHead, ownShare*v.tolerance)
	bos, fallback := a.keys.width(), !a.counts()
	var q, k, o []entry
	for i, row := range a.allowed {
		for j, yes := range row {
			if yes {
				q = append(q, entry{at: term{a.queries, i, t}, to: j})
			}
		}
	}
	q = append(q, entry{term{c.one, 0, share * t}, bos, fallback})
	for j := range a.keys.width() {
		k = append(k, entry{at: term{a.keys, j, 1}, to: j})
	}
	k = append(k, entry{term{c.bos, 0, 1}, bos, fallback})
	for i := range v.width() {
		o = append(o, entry{at: term{v, i, 1}, to: i})
	}
	return headWeights{[3][]entry{q, k, a.values(v, c)}, o}
}

// values are the entries of W_V.
func (a *attention) values(v *variable, c *compiler) (out []entry) {
	if a.counts() {
		return []entry{{at: term{c.bos, 0, 1}}}
	}
	for i := range a.x.width() {
		to := i
		if v.as == rasp.Categorical {
			to, _ = slices.BinarySearchFunc(v.values, a.x.values[i], rasp.Compare)
		}
		out = append(out, entry{at: term{a.x, i, 1}, to: to})
	}
	for _, t := range v.out(a.def, 1) {
		out = append(out, entry{term{c.bos, 0, t.w}, t.i, true})
	}
	return out
}
