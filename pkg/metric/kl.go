package metric

import (
	"math"
	"sync"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// kl is KL(p ‖ q) of the distributions p of the clean and q of the patched run.
type kl struct {
	places
	everyLogit
	clean *tensor.Tensor // [rows,V] clean logits
	probs *tensor.Tensor // [rows,V] clean probabilities
	sums  []float64      // by row, of probs
}

func bindKL(name Name, t Targets) (formula, error) {
	rows, err := lastPosition(name, t)
	return &kl{places: rows}, err
}

func (m *kl) setClean(logits *tensor.Tensor) {
	m.clean, m.probs, m.sums = logits, logits.Clone(), make([]float64, len(m.places))
	for i := range m.places {
		p := m.probs.Row(i)
		tensor.Softmax(p)
		for _, v := range p {
			m.sums[i] += float64(v)
		}
	}
}

func (m *kl) row(i int, logits []float32) float64 {
	return klDivergence(m.probs.Row(i), m.clean.Row(i), logits, m.sums[i])
}

// gradient is q(v) − p(v), both computed alike, so that it is exactly 0 where
// the runs are the same.
func (m *kl) gradient(i int, logits, grad []float32) error {
	clean := m.clean.Row(i)
	p, q := logSumExp(clean), logSumExp(logits)
	for v, y := range logits {
		grad[v] = float32(math.Exp(float64(y)-q) - math.Exp(float64(clean[v])-p))
	}
	return nil
}

// klDivergence is KL(p ‖ q) in nats of p = softmax(x) and q = softmax(y). With
// d = y − x it is
//
//	log Σ p e^d − Σ p d = (log1p(A) − A) + Σ p (e^d − 1 − d),  A = Σ p (e^d − 1),
//
// whose terms are of second order in d: close runs lose no digits to
// cancellation, and identical ones give exactly 0. p need not add up to
// exactly 1; sum is what it adds up to.
func klDivergence(p, x, y []float32, sum float64) float64 {
	if kl, ok := klTerms(p, x, y).divergence(sum); ok {
		return kl
	}
	return klFar(x, y)
}

// Terms are the sums of klDivergence's formula over some or all tokens.
type Terms struct {
	Mean    float64 // Σ p d
	Beyond  float64 // Σ p (e^d − 1 − d)
	Largest float64 // the largest d, at least 0
}

// divergence is the KL of the terms of all tokens. It reports false for runs
// too far apart for the formula.
func (t Terms) divergence(sum float64) (kl float64, ok bool) {
	a := (t.Mean + t.Beyond) / sum
	switch {
	case t.Largest > underflow || a < vanishing:
		return 0, false
	case math.Abs(a) > farApart: // log1p(A) − A would cancel
		return math.Log1p(a) - t.Mean/sum, true
	}
	return math.Log1p(a) - a + t.Beyond/sum, true
}

// klTerms computes the terms in one vectorised pass.
func klTerms(p, x, y []float32) Terms {
	mean, beyond, largest := tensor.KLTerms(p, x, y)
	return Terms{mean, beyond, float64(largest)}
}

// klTermsReference is the reference of klTerms, in float64.
func klTermsReference(p, x, y []float32) (t Terms) {
	for i, pi := range p {
		d := float64(y[i]) - float64(x[i])
		t.Largest = max(t.Largest, d)
		beyond := expm1x(d)
		t.Mean += float64(pi) * d
		t.Beyond += float64(pi) * beyond
	}
	return t
}

const (
	// farApart bounds the |A| up to which log1p(A) − A loses few digits.
	farApart = 0.5
	// vanishing bounds the A down to which 1 + A, what is left of the clean
	// run's tokens, is known to enough digits.
	vanishing = -0.98
	// underflow bounds the d up to which an e^d is small beside 1/p of the
	// smallest p that a float32 holds.
	underflow = 40
)

// klFar is the divergence of runs so far apart that A tells too little, or
// misses tokens whose p is too small for a float32: Σ p (log p − log q), whose
// rounding is small beside it. It overwrites y.
func klFar(x, y []float32) float64 {
	logp := scratch.Get().(*[]float32)
	defer scratch.Put(logp)
	if cap(*logp) < len(x) {
		*logp = make([]float32, len(x))
	}
	*logp = (*logp)[:len(x)]
	tensor.LogSoftmax(*logp, x)
	tensor.LogSoftmax(y, y)
	return tensor.KLDivergence(*logp, y)
}

// scratch keeps rows for klFar.
var scratch = sync.Pool{New: func() any { return new([]float32) }}

// expm1x is e^d − 1 − d, to full precision also near 0.
func expm1x(d float64) float64 {
	if d > 0.25 || d < -0.25 || d != d {
		return math.Exp(d) - 1 - d
	}
	// The Taylor series from d²/2 on; the first term left out is below 2e-16
	// of the sum.
	return d * d * (1.0/2 + d*(1.0/6+d*(1.0/24+d*(1.0/120+d*(1.0/720+d*(1.0/5040+
		d*(1.0/40320+d*(1.0/362880+d*(1.0/3628800)))))))))
}
