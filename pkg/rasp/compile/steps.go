package compile

import (
	"fmt"
	"math"

	"github.com/seed-2c350065/acdc/pkg/rasp"
)

// steps maps the numbers that x can be, sorted, to categorical results: it is
// constant around each and steps in the middle between two.
type steps struct {
	x       *variable
	at      []float64
	results []rasp.Value // by number
}

func (s *steps) operands(*variable) []operand { return []operand{{s.x, stepTolerance}} }

// neurons are a constant for the first result, and for each step two neurons
// whose difference goes from 0 to 1 within 1/N. What they and the variable x
// itself come to at BOS, the first neuron takes back.
func (s *steps) neurons(v *variable, c *compiler) []neuron {
	n, round := s.steepness(v.tolerance)
	var out []neuron
	for k := 1; k < len(s.at); k++ {
		rise := append(v.out(s.results[k], 1), v.out(s.results[k-1], -1)...)
		if s.results[k] == s.results[k-1] || len(rise) == 0 {
			continue
		}
		t := round(n * (s.at[k-1] + s.at[k]) / 2)
		out = append(out,
			neuron{[]term{{s.x, 0, n}, {c.one, 0, 1 - t}}, ordered(rise, 1)},
			neuron{[]term{{s.x, 0, n}, {c.one, 0, -t}}, ordered(rise, -1)})
	}
	if first := v.out(s.results[0], 1); first != nil {
		out = append(out, neuron{[]term{{c.one, 0, 1}}, first})
	}
	back := s.backAtBOS(out, v)
	if len(back) == 0 {
		return out
	}
	return append([]neuron{{[]term{{c.bos, 0, 1}}, back}}, out...)
}

func ordered(terms []term, sign float64) (out []term) {
	for _, t := range terms {
		out = append(out, term{t.v, t.i, sign * t.w})
	}
	return out
}

// backAtBOS is minus what the neurons write at BOS, and minus what x is there.
func (s *steps) backAtBOS(neurons []neuron, v *variable) (back []term) {
	sums := make([]float64, v.width())
	for _, n := range neurons {
		pre := 0.0
		for _, t := range n.in { // all that is not x is one
			if t.v == s.x {
				pre += t.w * s.x.atBOS
			} else {
				pre += t.w
			}
		}
		for _, t := range n.out {
			sums[t.i] += math.Max(0, pre) * t.w
		}
	}
	for i, sum := range sums {
		const digits = 1e6 // of sums of weights, which are rounded
		back = append(back, nonzero(term{v, i, -math.Round(sum*digits) / digits})...)
	}
	return append(back, nonzero(term{s.x, 0, -s.x.atBOS})...)
}

// Tracr's steepness, more than the rounding errors of its steps in 32 bits, and
// how much of a step the smallest distance between two numbers must hold.
const (
	tracrSteepness = 100
	tracrRounding  = 1e-4
	tracrRoom      = 2.2
	room           = 4
)

// steepness is N, and how N·t is rounded. Tracr's N is 100, and t the middle.
// Where numbers lie too close for that, or rounding errors of a step, some
// 10^-5, would matter, N is a power of two and N·t a multiple of 1/4:
// in 32 bits all the sums are then exact.
func (s *steps) steepness(tolerance float64) (n float64, round func(float64) float64) {
	gap, _ := s.gap()
	if tolerance > tracrRounding && tracrSteepness*gap >= tracrRoom {
		return tracrSteepness, func(x float64) float64 { return x }
	}
	n = math.Max(128, math.Exp2(math.Ceil(math.Log2(room/gap)))) // 128 where there is no step at all
	return n, func(x float64) float64 { return math.Round(x*4) / 4 }
}

// gap is the smallest distance between two numbers of different results, which
// begin at the second number that is returned.
func (s *steps) gap() (gap, from float64) {
	gap = math.Inf(1)
	for i := 1; i < len(s.at); i++ {
		if d := s.at[i] - s.at[i-1]; d < gap && s.results[i] != s.results[i-1] {
			gap, from = d, s.at[i-1]
		}
	}
	return gap, from
}

// check refuses numbers that lie too close to be told apart in 32 bits.
func (s *steps) check() error {
	const least = 1e-4 // of the size of the numbers
	size := math.Max(1, math.Max(math.Abs(s.at[0]), math.Abs(s.at[len(s.at)-1])))
	if gap, from := s.gap(); gap < least*size {
		return fmt.Errorf("expected numbers at least %.2g apart where a map of a numerical sequence has different results, found %v and %v", least*size, from, from+gap)
	}
	return nil
}
