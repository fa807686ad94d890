package interchange

import (
	"math"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// answers are what logits say, by row of B·T.
type answers struct {
	values []float64 // the logit of the value, or the number
	counts []bool    // whether the program has a value there; never of BOS
}

// sure is what the logit of a value is at least where the program has one, 1 but
// for rounding. It is half where it is torn between two.
const sure = 0.9

// numeric reports whether the program's output is a number.
func (p *Pair) numeric() bool { return p.high.Output == nil }

// answersOf reads the logits [B,T,V] of the program.
func (p *Pair) answersOf(logits *tensor.Tensor, t int) answers {
	n := logits.Rows()
	a := answers{p.read(logits), make([]bool, n)}
	for i := range n {
		a.counts[i] = i%t > 0 && (p.numeric() || logits.Row(i)[int(a.values[i])] >= sure)
	}
	return a
}

// read reads logits [B,T,V].
func (p *Pair) read(logits *tensor.Tensor) []float64 {
	out := make([]float64, logits.Rows())
	for i := range out {
		row := logits.Row(i)
		if p.numeric() {
			out[i] = float64(row[0])
			continue
		}
		out[i] = float64(slices.Index(row, slices.Max(row)))
	}
	return out
}

// Tolerance is how far apart two numbers may be that are the same answer.
const Tolerance = 0.05

// same reports whether two answers are one.
func (p *Pair) same(a, b float64) bool {
	if p.numeric() {
		return math.Abs(a-b) <= Tolerance
	}
	return a == b
}
