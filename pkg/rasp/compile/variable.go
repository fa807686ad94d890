package compile

import (
	"math"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/rasp"
)

// variable is a sequence as the transformer holds it.
type variable struct {
	label  string
	as     rasp.Encoding
	values []rasp.Value // a categorical one's, one dimension each
	names  []string     // of the values in labels, where values are only numbers of pairs
	undef  bool         // a categorical one may have no value, and be zero

	bound   float64                   // a numerical one's largest size
	numbers func() ([]float64, error) // all that it can be, sorted
	atBOS   float64                   // what a numerical one is at BOS until by takes it back

	by        op
	tolerance float64 // how far each dimension may be off
	slot      int     // where it can be read: 2l+1 is after block l's MLP, 2l after its attention, -1 before the first
	dims      []int   // its residual dimensions
}

// op is how a variable is computed.
type op interface {
	// operands are the variables that are read, each with how far it may be off
	// for the result to be within its tolerance.
	operands(v *variable) []operand
	// neurons are those of the MLP after which the variable can be read.
	neurons(v *variable, c *compiler) []neuron
}

type operand struct {
	v         *variable
	tolerance float64
}

// term is a weight on one of a variable's dimensions.
type term struct {
	v *variable
	i int
	w float64
}

// neuron is ReLU(Σ in), added to out in proportion.
type neuron struct{ in, out []term }

// width is how many dimensions the variable has.
func (v *variable) width() int {
	if v.as == rasp.Numerical {
		return 1
	}
	return len(v.values)
}

// out is where a value is written: its dimension, or the one dimension in
// proportion; nowhere if it is undefined or 0.
func (v *variable) out(x rasp.Value, w float64) []term {
	if v.as == rasp.Numerical {
		f, _ := x.Float()
		return nonzero(term{v, 0, w * f})
	}
	i, found := slices.BinarySearchFunc(v.values, x, rasp.Compare)
	if !found {
		return nil
	}
	return nonzero(term{v, i, w})
}

func nonzero(t term) []term {
	if t.w == 0 {
		return nil
	}
	return []term{t}
}

// source is a variable that the embeddings write.
type source struct{}

func (source) operands(*variable) []operand          { return nil }
func (source) neurons(*variable, *compiler) []neuron { return nil }

// table maps the values of x, or the pairs of values of x and y, the values of x
// outside, to results.
type table struct {
	x, y    *variable // y is nil where there is one
	results []rasp.Value
}

func (t *table) operands(v *variable) []operand {
	gain := math.Max(1, v.bound)
	if t.y == nil {
		return []operand{{t.x, v.tolerance / gain}}
	}
	return []operand{{t.x, v.tolerance / gain / 2}, {t.y, v.tolerance / gain / 2}}
}

func (t *table) neurons(v *variable, c *compiler) (out []neuron) {
	for n, r := range t.results {
		to := v.out(r, 1)
		switch {
		case to == nil:
		case t.y == nil:
			out = append(out, neuron{[]term{{t.x, n, 1}}, to})
		default:
			i, j := n/len(t.y.values), n%len(t.y.values)
			out = append(out, neuron{[]term{{t.x, i, 1}, {t.y, j, 1}, {c.one, 0, -1}}, to})
		}
	}
	return out
}

// linear is a·x + b·y of numbers, each as ReLU(x) - ReLU(-x).
type linear struct {
	a, b float64
	x, y *variable
}

func (o *linear) operands(v *variable) []operand {
	tolerance := v.tolerance / math.Max(1, math.Abs(o.a)+math.Abs(o.b))
	return []operand{{o.x, tolerance}, {o.y, tolerance}}
}

func (o *linear) neurons(v *variable, _ *compiler) (out []neuron) {
	for _, t := range []term{{o.x, 0, o.a}, {o.y, 0, o.b}} {
		if t.w != 0 {
			out = append(out, neuron{[]term{{t.v, 0, 1}}, []term{{v, 0, t.w}}}, neuron{[]term{{t.v, 0, -1}}, []term{{v, 0, -t.w}}})
		}
	}
	return out
}
