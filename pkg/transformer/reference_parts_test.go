package transformer_test

import "math"

// rms is an RMS norm of one position, without weights if they have no name.
func (r *reference) rms(x []float64, weights string) []float64 {
	square := 0.0
	for _, v := range x {
		square += v * v / float64(len(x))
	}
	inv := 1 / math.Sqrt(square+r.c.Eps)
	if r.rules.FixedNorm {
		inv = r.stop(inv)
	}
	out := make([]float64, len(x))
	for i, v := range x {
		if out[i] = v * inv; weights != "" {
			out[i] *= r.w[weights][i]
		}
	}
	return out
}

// limit is a soft cap, none at 0.
func (r *reference) limit(x, limit float64) float64 {
	if limit == 0 {
		return x
	}
	y := limit * math.Tanh(x/limit)
	if r.rules.FixedActRatio {
		return x * r.stop(y/x)
	}
	return y
}

// product is x·y, each with half of its gradient if the rules say so.
func (r *reference) product(x, y float64) float64 {
	if !r.rules.HalfGates {
		return x * y
	}
	return x*y/2 + r.stop(x*y/2)
}

// band is what a rotary frequency is multiplied by.
func (r *reference) band(frequency float64) float64 {
	b := r.c.RotaryBands
	if b.Factor == 0 {
		return 1
	}
	wavelength := 2 * math.Pi / frequency
	switch low, high := float64(b.Original)/b.Low, float64(b.Original)/b.High; {
	case wavelength < high:
		return 1
	case wavelength > low:
		return 1 / b.Factor
	}
	smooth := (float64(b.Original)/wavelength - b.Low) / (b.High - b.Low)
	return (1-smooth)/b.Factor + smooth
}
