package metric

// InParts reports whether Terms and FromTerms give the metric from some of a
// row's logits at a time, so that a row of a large vocabulary need never be
// stored whole.
func (m *Metric) InParts() bool { return m.name == KL }

// Terms returns what the logits of tokens [from, from+len(logits)) of row i add
// to the metric. Only metrics in parts have terms.
func (m *Metric) Terms(i, from int, logits []float32) Terms {
	to := from + len(logits)
	return klTerms(m.probs.Row(i)[from:to], m.clean.Row(i)[from:to], logits)
}

// FromTerms is Row of row i, from the terms of all its logits, in order. It
// reports false where they do not suffice and Row is to be used.
func (m *Metric) FromTerms(i int, parts []Terms) (float64, bool) {
	var all Terms
	for _, t := range parts {
		all.Mean += t.Mean
		all.Beyond += t.Beyond
		all.Largest = max(all.Largest, t.Largest)
	}
	return all.divergence(m.base[i])
}
