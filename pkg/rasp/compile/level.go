package compile

import "math"

// level says how exact a variable must be.
type level int

// The levels. Attention that looks at one of several values forgives much, as do
// steps; the output forgives 1e-5; the weights of attention that counts or
// averages are off by some 30 times what its queries and keys are off by.
const (
	loose level = iota
	output
	amplified
)

// setLevels passes on, from the output to the embeddings, how exact each
// variable must be. Operands stand before what is computed from them.
func (c *compiler) setLevels() {
	c.output.level = output
	for i := len(c.variables) - 1; i >= 0; i-- {
		v := c.variables[i]
		for _, o := range v.by.operands(v.level) {
			o.v.level = max(o.v.level, o.need)
		}
	}
}

// tracrTemperature is Tracr's T.
const tracrTemperature = 100

// temperature is T, the inverse temperature, a multiple of Tracr's. What is
// attended to although it should not be, at most n keys that score less by the
// share margin of T/√K, must be within a tolerance, of values up to a bound:
//
//	n·bound·exp(-margin·T/√K) ≤ tolerance.
func temperature(n int, bound, margin float64, dHead int, l level) float64 {
	tolerance := 4e-6
	if l == amplified {
		tolerance = 1e-9
	}
	need := math.Sqrt(float64(dHead)) / margin * math.Log(float64(n)*math.Max(1, bound)/tolerance)
	return tracrTemperature * math.Ceil(math.Max(1, need/tracrTemperature))
}
