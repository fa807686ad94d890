package compile

import (
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

	by    op
	level level
	slot  int   // where it can be read: 2l+1 is after block l's MLP, 2l after its attention, -1 before the first
	dims  []int // its residual dimensions
}

// op is how a variable is computed.
type op interface {
	// operands are the variables that are read, each with how exact it must be
	// for a result of a level.
	operands(l level) []operand
	// neurons are those of the MLP after which the variable can be read.
	neurons(v *variable, c *compiler) []neuron
}

type operand struct {
	v    *variable
	need level
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

func (source) operands(level) []operand              { return nil }
func (source) neurons(*variable, *compiler) []neuron { return nil }

// table maps the values of x, or the pairs of values of x and y, the values of x
// outside, to results.
type table struct {
	x, y    *variable // y is nil where there is one
	results []rasp.Value
}

func (t *table) operands(l level) []operand {
	out := []operand{{t.x, l}}
	if t.y != nil {
		out = append(out, operand{t.y, l})
	}
	return out
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

func (o *linear) operands(l level) []operand { return []operand{{o.x, l}, {o.y, l}} }

func (o *linear) neurons(v *variable, _ *compiler) (out []neuron) {
	for _, t := range []term{{o.x, 0, o.a}, {o.y, 0, o.b}} {
		if t.w != 0 {
			out = append(out, neuron{[]term{{t.v, 0, 1}}, []term{{v, 0, t.w}}}, neuron{[]term{{t.v, 0, -1}}, []term{{v, 0, -t.w}}})
		}
	}
	return out
}
