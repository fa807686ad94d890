package compile

import (
	"math"
	"slices"
)

// How far a variable may be off what the program means, in each dimension, for
// the output to be right.
const (
	outputTolerance    = 1e-5 // of the output
	stepTolerance      = 1e-5 // of a number that is mapped, which numbers 1e-4 apart allow
	forgivingTolerance = 1e-3 // of keys and queries that look at one of several values
	ownShare           = 0.4  // of a tolerance, what attention adds itself; the rest is its values'
	weightGain         = 1e4  // of keys and queries to the weights of attention that counts or averages
)

// setTolerances passes on, from the output to the embeddings, how far each
// variable may be off, and drops variables that nothing reads: constants that
// became part of functions. Operands stand before what is computed from them.
func (c *compiler) setTolerances() {
	for _, v := range c.variables {
		v.tolerance = math.Inf(1)
	}
	c.output.tolerance = outputTolerance
	for i := len(c.variables) - 1; i >= 0; i-- {
		v := c.variables[i]
		if math.IsInf(v.tolerance, 1) {
			continue
		}
		for _, o := range v.by.operands(v) {
			o.v.tolerance = math.Min(o.v.tolerance, o.tolerance)
		}
	}
	c.variables = slices.DeleteFunc(c.variables, func(v *variable) bool { return math.IsInf(v.tolerance, 1) && v.by != op(source{}) })
}

// tracrTemperature is Tracr's T.
const tracrTemperature = 100

// temperature is T, the inverse temperature, a multiple of Tracr's. What is
// attended to although it should not be, at most n keys that score less by the
// share margin of T/√K, must be within a tolerance, of values up to a bound:
//
//	n·bound·exp(-margin·T/√K) ≤ tolerance.
func temperature(n int, bound, margin float64, dHead int, tolerance float64) float64 {
	need := math.Sqrt(float64(dHead)) / margin * math.Log(float64(n)*math.Max(1, bound)/tolerance)
	return tracrTemperature * math.Ceil(math.Max(1, need/tracrTemperature))
}
