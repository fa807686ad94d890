package transformer

import "github.com/seed-2c350065/acdc/pkg/tensor"

// Rules change how a way backward goes through what is not linear; the zero
// value is the derivative. They are those of relevance propagation written as
// gradients (Rezaei Jafari et al. 2025, arXiv:2508.21258, and the AttnLRP of Achtibat
// et al. 2024): of a run with all of them, input times gradient is a relevance.
type Rules struct {
	FixedNorm     bool // a norm's 1/σ is a constant; its mean is not
	FixedPattern  bool // attention weights are constants: nothing reaches queries and keys
	HalfProducts  bool // of a product of two activations (queries and keys, weights and values) each gets half of its gradient; a constant takes no part
	FixedActRatio bool // an activation is its input times the constant act(x)/x; a soft cap too
	HalfGates     bool // of the product in a gated MLP each factor gets half of its gradient
}

// activateBackward turns dy, the gradient of what the activation function makes
// of x, into that of x. Scratch is as long.
func (r Rules) activateBackward(a Activation, dy, x, scratch []float32) {
	if r.FixedActRatio {
		copy(scratch, x)
		a.apply(scratch)
		for i, v := range x {
			dy[i] *= a.ratio(scratch[i], v)
		}
		return
	}
	switch a {
	case ReLU:
		tensor.ReLUBackward(dy, x)
	case GELU:
		tensor.GELUBackward(dy, x)
	case GELUNew:
		tensor.GELUNewBackward(dy, x)
	case SiLU:
		tensor.SiLUBackward(dy, x)
	}
}

// ratio is y/x with y = act(x), at 0 its limit from above.
func (a Activation) ratio(y, x float32) float32 {
	const tiny = 1e-30 // below it y has few digits
	switch {
	case x > tiny || x < -tiny:
		return y / x
	case a == ReLU:
		return 0
	}
	return 0.5
}

// apply applies the activation function in place.
func (a Activation) apply(x []float32) {
	switch a {
	case ReLU:
		tensor.ReLU(x)
	case GELU:
		tensor.GELU(x)
	case GELUNew:
		tensor.GELUNew(x)
	case SiLU:
		tensor.SiLU(x)
	}
}
