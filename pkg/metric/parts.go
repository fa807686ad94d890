package metric

import "fmt"

// inParts is a formula that takes the logits of a row some at a time.
type inParts interface {
	terms(i, from int, logits []float32) Terms
	fromTerms(i int, parts []Terms) (float64, bool)
}

// InParts reports whether Terms and FromTerms give the metric from some of a
// row's logits at a time, so that a row of a large vocabulary need never be
// stored whole.
func (m *Metric) InParts() bool {
	_, ok := m.formula.(inParts)
	return ok
}

// parts is the formula, which must take logits in parts.
func (m *Metric) parts(method string, i int) inParts {
	p, ok := m.formula.(inParts)
	if !ok {
		panic(fmt.Sprintf("metric: %s of %s, which is not computed in parts", method, m.name))
	}
	m.check(method, i, m.width)
	return p
}

// Terms returns what the logits of tokens [from, from+len(logits)) of row i add
// to the metric. Only metrics in parts have terms.
func (m *Metric) Terms(i, from int, logits []float32) Terms {
	p, to := m.parts("Terms", i), from+len(logits)
	if from < 0 || to > m.width {
		panic(fmt.Sprintf("metric: Terms of %s: expected logits of tokens from 0 to %d, found %d to %d", m.name, m.width-1, from, to-1))
	}
	return p.terms(i, from, logits)
}

// FromTerms is Row of row i, from the terms of all its logits, in order. It
// reports false where they do not suffice and Row is to be used.
func (m *Metric) FromTerms(i int, parts []Terms) (float64, bool) {
	return m.parts("FromTerms", i).fromTerms(i, parts)
}

func (m *kl) terms(i, from int, logits []float32) Terms {
	to := from + len(logits)
	return klTerms(m.probs.Row(i)[from:to], m.clean.Row(i)[from:to], logits)
}

func (m *kl) fromTerms(i int, parts []Terms) (float64, bool) {
	var all Terms
	for _, t := range parts {
		all.Mean += t.Mean
		all.Beyond += t.Beyond
		all.Largest = max(all.Largest, t.Largest)
	}
	return all.divergence(m.sums[i])
}
